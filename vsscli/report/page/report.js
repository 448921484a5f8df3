"use strict";
(() => {
  const page = JSON.parse(document.getElementById("page").textContent);
  const jpeg = (data) => "data:image/jpeg;base64," + data;
  const png = (data) => "data:image/png;base64," + data;

  // Elements are made by name, and text is only ever set as text: no name or answer can become markup.
  function make(tag, options = {}, ...children) {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(options)) {
      if (key === "class") element.className = value;
      else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
  }
  function draw(tag, options = {}, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(options)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }
  const picture = (src, alt, kind = "") =>
    make("img", { src, alt, class: kind, loading: "lazy", decoding: "async" });
  const runName = (i) => make("span", {}, make("span", { class: "dot s" + i }), page.runs[i]);
  const percent = (share) => (100 * share).toFixed(2) + " %";
  let labels = 0;

  // ---- tables that sort: every row is a tbody, with what it opens
  function sortBy(table, column, down) {
    const value = (body) => {
      const cell = body.rows[0].cells[column];
      return cell.dataset.v !== undefined ? cell.dataset.v : cell.textContent;
    };
    const rows = [...table.tBodies].map((body) => ({ body, text: value(body), number: Number(value(body)) }));
    const numeric = rows.every((row) => row.text === "" || !Number.isNaN(row.number));
    rows.sort((a, b) => {
      if (a.text === "" || b.text === "") return (a.text === "") - (b.text === "");
      const order = numeric ? a.number - b.number : a.text.localeCompare(b.text, "en", { numeric: true });
      return down ? -order : order;
    });
    table.append(...rows.map((row) => row.body));
  }
  for (const button of document.querySelectorAll("[data-sort]")) {
    button.addEventListener("click", () => {
      const head = button.closest("th"), table = head.closest("table");
      const now = head.getAttribute("aria-sort");
      const down = now ? now === "ascending" : button.dataset.first === "down";
      for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      sortBy(table, head.cellIndex, down);
    });
  }

  // ---- rows that open: what is inside is decoded then, and let go when it is closed
  for (const button of document.querySelectorAll("button.open")) {
    button.addEventListener("click", () => {
      const body = button.closest("tbody");
      const open = button.getAttribute("aria-expanded") === "true";
      button.setAttribute("aria-expanded", String(!open));
      if (open) {
        body.rows[1].remove();
        return;
      }
      const block = JSON.parse(document.getElementById("block-" + body.dataset.block).textContent);
      const panel = make("div", { class: "panel" });
      if (body.dataset.topic === undefined) fillVideo(panel, block);
      else fillTopic(panel, block.topics[Number(body.dataset.topic)], page.topics[body.dataset.block + "/" + body.dataset.topic]);
      body.append(make("tr", {}, make("td", { colspan: body.rows[0].cells.length }, make("div", { class: "hold" }, panel))));
    });
  }

  // ---- a video
  function fillVideo(panel, block) {
    panel.append(make("h4", {}, "Side by side"), ...viewer(block));
    if (block.classes.length) {
      const items = block.classes.map((id) => {
        const swatch = make("span", { class: "swatch" });
        swatch.style.background = page.colors[id];
        return make("li", {}, swatch, page.classes[id]);
      });
      panel.append(make("ul", { class: "legend", "aria-label": "Classes in this video" }, ...items));
    }
    panel.append(make("h4", {}, "Frames"), strip(block));
    if (block.frames.some((frame) => frame.errors))
      panel.append(make("p", { class: "small" }, "Errors: red where the label is wrong, gray where the truth is void."));
    if (block.flicker.some((line) => line.some((share) => share !== null)))
      panel.append(make("h4", {}, "Flicker"), timeline(block), heats(block));
  }

  function layers(block) {
    const found = [{ name: "frame", of: (frame) => jpeg(frame.image), photo: true }];
    if (block.frames.some((frame) => frame.truth))
      found.push({ name: "truth", of: (frame) => frame.truth && png(frame.truth) });
    page.runs.forEach((name, i) => found.push({ name, of: (frame) => png(frame.maps[i]) }));
    page.runs.forEach((name, i) => {
      if (block.frames.some((frame) => frame.errors))
        found.push({ name: name + ": errors", of: (frame) => frame.errors && png(frame.errors[i]) });
    });
    return found;
  }

  function viewer(block) {
    const known = layers(block), truth = known.findIndex((layer) => layer.name === "truth");
    const first = known.length - page.runs.length * (truth > 0 ? 2 : 1);
    const last = first + page.runs.length - 1;
    const left = truth > 0 ? truth : page.runs.length > 1 ? last - 1 : 0;
    const base = picture("", "the frame"), sides = [make("img", { alt: "" }), make("img", { alt: "" })];
    const line = make("div", { class: "line" });
    const captions = [make("span"), make("span")];
    const labelled = (text, control, shown = "") => make("label", {}, text, control, shown);
    const choose = (value) => {
      const select = make("select", { onchange: show });
      known.forEach((layer, i) => select.append(make("option", { value: i }, layer.name)));
      select.value = value;
      return select;
    };
    const choices = [choose(left), choose(last)];
    const slide = make("input", {
      type: "range", class: "slide", min: 0, max: 100, value: 50, "aria-label": "How much of the left side is shown", oninput: show,
    });
    const opacity = make("input", { type: "range", min: 0, max: 100, value: 65, oninput: show });
    const time = make("input", { type: "range", min: 0, max: block.frames.length - 1, value: 0, oninput: show });
    const name = make("output", { class: "small" });
    function show() {
      const frame = block.frames[Number(time.value)], x = Number(slide.value);
      base.src = jpeg(frame.image);
      name.textContent = frame.name;
      choices.forEach((choice, i) => {
        const layer = known[Number(choice.value)], source = layer.of(frame);
        sides[i].className = layer.photo ? "layer photo" : "layer";
        sides[i].hidden = !source;
        if (source) sides[i].src = source;
        sides[i].alt = layer.name;
        sides[i].style.opacity = layer.photo ? 1 : Number(opacity.value) / 100;
        sides[i].style.clipPath = i ? `inset(0 0 0 ${x}%)` : `inset(0 ${100 - x}% 0 0)`;
        captions[i].textContent = layer.name;
      });
      line.style.left = x + "%";
    }
    show();
    const controls = [labelled("Left", choices[0]), labelled("Right", choices[1]), labelled("Opacity", opacity)];
    if (block.frames.length > 1) controls.push(labelled("Frame", time, name));
    return [
      make("div", { class: "controls" }, ...controls),
      make("div", { class: "viewer" }, base, ...sides, line),
      make("div", { class: "sides" }, ...captions),
      slide,
    ];
  }

  function strip(block) {
    const rows = [["frame", (frame) => picture(jpeg(frame.image), "frame " + frame.name)]];
    if (block.frames.some((frame) => frame.truth))
      rows.push(["truth", (frame) => frame.truth ? picture(png(frame.truth), "truth of " + frame.name, "map") : ""]);
    page.runs.forEach((name, i) => {
      rows.push([runName(i), (frame) => picture(png(frame.maps[i]), name + ", " + frame.name, "map")]);
      if (block.frames.some((frame) => frame.errors))
        rows.push(["errors", (frame) =>
          frame.errors ? picture(png(frame.errors[i]), "errors of " + name + ", " + frame.name, "map") : ""]);
    });
    const table = make("table", {},
      make("thead", {}, make("tr", {}, make("th"), ...block.frames.map((frame) => make("th", { scope: "col" }, frame.name)))),
      make("tbody", {}, ...rows.map(([name, cell]) =>
        make("tr", {}, make("th", { scope: "row" }, name), ...block.frames.map((frame) => make("td", {}, cell(frame)))))));
    return make("div", { class: "strip", tabindex: 0, role: "region", "aria-label": "Frames" }, table);
  }

  function timeline(block) {
    const lines = block.flicker.map((shares, i) => ({ shares, kind: "s" + i, name: runName(i) }));
    if (block.truth) lines.push({ shares: block.truth, kind: "truth", name: make("span", {}, make("span", { class: "dot truth" }), "truth") });
    const most = Math.max(...lines.flatMap((line) => line.shares.filter((share) => share !== null)), 0.001);
    const steps = Math.max(...lines.map((line) => line.shares.length), 2);
    const width = 900, height = 190, left = 52, top = 10, right = 10, bottom = 24;
    const x = (i) => left + (width - left - right) * i / (steps - 1);
    const y = (share) => top + (height - top - bottom) * (1 - share / most);
    const svg = draw("svg", { class: "timeline", viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-label": "Share of pixels that change from one frame to the next" });
    for (const share of [0, most / 2, most]) {
      svg.append(draw("line", { class: "grid", x1: left, x2: width - right, y1: y(share), y2: y(share) }));
      svg.append(draw("text", { x: left - 6, y: y(share) + 4, "text-anchor": "end" }, (100 * share).toFixed(most < 0.02 ? 2 : 1) + " %"));
    }
    svg.append(draw("text", { x: left, y: height - 6 }, "frame 2"));
    svg.append(draw("text", { x: width - right, y: height - 6, "text-anchor": "end" }, "frame " + (block.flicker[0].length + 1)));
    for (const line of lines) {
      let path = "", pen = "M";
      line.shares.forEach((share, i) => {
        if (share !== null) path += `${pen}${x(i).toFixed(1)} ${y(share).toFixed(1)}`;
        pen = share === null ? "M" : "L";
      });
      if (path) svg.append(draw("path", { class: line.kind, d: line.shares.length === 1 ? path + "h4" : path }));
    }
    const means = lines.map((line) => {
      const known = line.shares.filter((share) => share !== null);
      return make("li", {}, line.name, known.length ? " mean " + percent(known.reduce((a, b) => a + b, 0) / known.length) : "");
    });
    return make("div", {}, svg, make("ul", { class: "legend" }, ...means));
  }

  function heats(block) {
    const frame = jpeg(block.frames[0].image);
    const one = (data, name) => make("figure", {},
      make("div", { class: "over" }, picture(frame, ""), picture(png(data), "flicker map", "map")), make("figcaption", {}, name));
    const figures = block.heat.flatMap((data, i) => data ? [one(data, runName(i))] : []);
    if (block.truthHeat) figures.push(one(block.truthHeat, "truth"));
    const bar = make("i");
    bar.style.background = `linear-gradient(90deg, ${page.heat.join(", ")})`;
    return make("div", {}, make("h4", {}, "Where"), make("div", { class: "heats" }, ...figures),
      make("p", { class: "scale" }, "a pixel changes never", bar, "in every step (square root scale)"));
  }

  // ---- the questions about a region
  function fillTopic(panel, topic, told) {
    if (topic.text) panel.append(make("blockquote", { class: "quote" }, topic.text));
    for (const question of topic.questions) {
      const rows = question.answers.map((answer, i) => make("tr", {},
        make("th", { scope: "row" }, runName(told.runs[i])),
        make("td", { class: "strong" }, !answer ? "not asked" : answer.said === null ? "no answer" : answer.chosen || "none of them"),
        make("td", { class: "said" }, answer && answer.said !== null ? answer.said : "",
          answer && answer.probability !== null && answer.said !== null ? ` (probability ${answer.probability.toFixed(2)})` : "")));
      const note = question.drawn ? "" : ": the frame alone, the run that was corrected was not found";
      panel.append(make("div", { class: "asked" },
        make("figure", {}, question.image ? picture(jpeg(question.image), "what was shown, frame " + question.frame) : "",
          make("figcaption", {}, "frame " + question.frame + note)),
        make("table", {},
          make("thead", {}, make("tr", {}, ...["run", "understood", "said"].map((text) => make("th", { scope: "col" }, text)))),
          make("tbody", {}, ...rows))));
    }
    panel.append(make("p", { class: "small" }, ...told.runs.flatMap((run, i) => [i ? "; " : "", page.runs[run] + ": " + told.fates[i]])));
  }

  // ---- classes that do not occur, videos by name
  const absent = document.getElementById("absent");
  if (absent) absent.addEventListener("change", () =>
    document.getElementById("class-table").classList.toggle("show-absent", absent.checked));
  for (const radio of document.querySelectorAll("[name=measure]"))
    radio.addEventListener("change", () => { document.getElementById("video-table").dataset.show = radio.value; });
  const filter = document.getElementById("filter");
  filter.addEventListener("input", () => {
    const bodies = [...document.getElementById("video-table").tBodies], wanted = filter.value.trim().toLowerCase();
    for (const body of bodies)
      body.classList.toggle("off", !body.rows[0].cells[0].dataset.v.toLowerCase().includes(wanted));
    const left = bodies.filter((body) => !body.classList.contains("off")).length;
    document.getElementById("filtered").textContent = wanted ? `${left} of ${bodies.length}` : "";
  });
  document.documentElement.dataset.ready = "yes";
})();
