"""The page in a real browser: what people see, press and drag."""

from pathlib import Path

import numpy as np
import pytest

from tests.report.browser import Page
from tests.report.conftest import BITE, HOSTILE, World
from vsscli.cli.main import run
from vsscli.data.classes import vspw_classes


@pytest.fixture
def page(chromium: Page, made: World) -> Page:
    """The report, freshly opened."""
    chromium.complaints.clear()
    chromium.requests.clear()
    chromium.open(made.report)
    chromium.wait("document.documentElement.dataset.ready === 'yes'")
    return chromium


def column(page: Page, table: str, number: int) -> list[str]:
    rows = f"[...document.querySelectorAll('#{table} > tbody')]"
    found: list[str] = page.run(f"{rows}.map(b => b.rows[0].cells[{number}].dataset.v)")
    return found


def loaded(page: Page, selector: str) -> None:
    """Waits until every image is decoded; lazy ones are scrolled to."""
    images = f"[...document.querySelectorAll({selector!r})]"
    assert page.run(f"{images}.length") > 0
    page.run(f"(async () => {{ for (const i of {images}) {{ i.scrollIntoView(); await i.decode(); }} return 0; }})()")
    assert page.run(f"{images}.every(i => i.complete && i.naturalWidth > 0)")


def test_it_loads_nothing_and_complains_of_nothing(page: Page, made: World) -> None:
    page.run("document.querySelectorAll('button.open').forEach(b => b.click())")
    loaded(page, ".panel img")
    assert [url for url in page.requests if not url.startswith("data:image/")] == [made.report.as_uri()]
    assert page.complaints == []


def test_as_many_rows_as_classes_and_videos(page: Page) -> None:
    assert column(page, "class-table", 1) == list(vspw_classes().names)
    assert (
        column(page, "video-table", 0) == sorted(column(page, "video-table", 0))
        and len(column(page, "video-table", 0)) == 6
    )
    shown = "[...document.querySelectorAll('#class-table > tbody')].filter(b => b.offsetHeight > 0).length"
    few = page.run(shown)
    page.run("document.getElementById('absent').click()")
    assert 4 <= few < 20 and page.run(shown) == 124


def test_no_name_and_no_answer_becomes_markup(page: Page) -> None:
    page.run("document.querySelectorAll('button.open').forEach(b => b.click())")
    loaded(page, ".panel img")
    assert HOSTILE in column(page, "video-table", 0)
    assert page.run("document.body.textContent").count(BITE) > 0
    assert page.run("typeof hacked") == "undefined"
    assert page.run("document.querySelectorAll('img[onerror], .said b, th i, main script').length") == 0


def test_tables_sort_by_the_keyboard(page: Page) -> None:
    iou = column(page, "class-table", 3)
    page.run("document.querySelectorAll('#class-table [data-sort]')[3].focus()")
    page.press("Enter", 13, "\r")
    head = "document.querySelectorAll('#class-table th')[3].getAttribute('aria-sort')"
    assert page.run(head) == "descending"
    known = sorted((float(value) for value in iou if value), reverse=True)
    assert [float(value) for value in column(page, "class-table", 3) if value] == known
    assert column(page, "class-table", 3)[len(known) :] == [""] * (124 - len(known)), "what is undefined comes last"
    page.press("Enter", 13, "\r")
    assert page.run(head) == "ascending"
    assert [float(value) for value in column(page, "class-table", 3)[: len(known)]] == known[::-1]
    assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid", "focus is to be seen"


def test_a_video_opens_and_closes(page: Page) -> None:
    page.run("document.querySelector('#video-table button.open').click()")
    loaded(page, "#video-table .panel img")
    rows = page.run("[...document.querySelectorAll('.strip tbody th')].map(th => th.textContent)")
    assert rows == ["frame", "truth", "wrong <i>&", "errors", "other", "errors", "selected", "errors"] + [
        word for name in ("llava", "gpt") for word in (name, "errors")
    ]
    assert page.run("document.querySelectorAll('.strip tbody tr:first-child img').length") == 6
    assert page.run("document.querySelectorAll('.timeline path').length") == 6, "five runs and the truth"
    page.run("document.querySelector('#video-table button.open').click()")
    assert page.run("document.querySelectorAll('.panel').length") == 0


def test_the_slider_moves_between_two_runs(page: Page) -> None:
    page.run("document.querySelector('#video-table button.open').click()")
    chosen = "[...document.querySelectorAll('.controls select')].map(s => s.selectedOptions[0].textContent)"
    assert page.run(chosen) == ["truth", "gpt"], "at first"
    page.run("document.querySelectorAll('.controls select').forEach((s, i) => { s.value = 2 + i; })")
    page.run("document.querySelector('.controls select').dispatchEvent(new Event('change'))")
    loaded(page, ".viewer img")
    page.run("document.querySelector('.viewer').scrollIntoView()")
    box = page.run(
        "(({x, y, width, height}) => [x, y, width, height])(document.querySelector('.viewer').getBoundingClientRect())"
    )
    x, y, w, h = map(int, box)

    def seen() -> list[np.ndarray]:
        pixels = page.shot()[y + 2 : y + h - 2, x : x + w].astype(int)
        return [pixels[:, : w // 4 - 8], pixels[:, w // 4 + 8 : w // 2 - 8], pixels[:, w // 2 + 8 :]]

    page.run("document.querySelector('.slide').focus()")
    before = seen()
    for _ in range(25):
        page.press("ArrowLeft", 37)
    assert page.run("document.querySelector('.slide').value") == "25"
    after = seen()
    assert [bool(np.abs(a - b).max() > 20) for a, b in zip(before, after, strict=True)] == [False, True, False]


def test_questions_show_both_models(page: Page, made: World) -> None:
    page.run("document.querySelector('#topic-table button.open').click()")
    loaded(page, "#topic-table .asked img")
    said = page.run("[...document.querySelectorAll('.asked')[0].querySelectorAll('td')].map(td => td.textContent)")
    assert said == ["lake", '{"answer": "lake"}', "none of them", BITE]
    assert page.run("document.querySelector('.asked figcaption').textContent").startswith("frame 0000000")
    sources = page.run("[...document.querySelectorAll('.asked img')].map(i => i.src.split(',')[1])")
    assert set(sources) <= made.asked, "the very images that were sent"


def test_videos_are_filtered_and_measures_chosen(page: Page) -> None:
    page.run("(f => { f.value = 'HOUSE'; f.dispatchEvent(new Event('input')); })(document.getElementById('filter'))")
    visible = "[...document.querySelectorAll('#video-table > tbody')].filter(b => b.offsetHeight > 0).length"
    assert page.run(visible) == 1
    cells = "[...document.querySelector('#video-table > tbody').rows[0].cells].filter(c => c.offsetWidth > 0).length"
    page.run("document.getElementById('filter').value = ''")
    page.run("document.getElementById('filter').dispatchEvent(new Event('input'))")
    assert page.run(cells) == 2 + 5
    page.run("document.querySelector('[name=measure][value=flicker]').click()")
    assert page.run(cells) == 2 + 6


def test_it_prints_light_and_whole(page: Page) -> None:
    page.call("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    try:
        assert page.run("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
        assert page.run("getComputedStyle(document.querySelector('nav')).display") == "none"
        assert page.run("[...document.querySelectorAll('.scroll')].every(s => s.scrollHeight <= s.clientHeight + 1)")
    finally:
        page.call("Emulation.setEmulatedMedia", media="", features=[])


def test_without_masks_the_rest_is_shown(chromium: Page, made: World, tmp_path: Path) -> None:
    bare = tmp_path / "data"
    for video in (made.data / "data").iterdir():
        (bare / "data" / video.name).mkdir(parents=True)
        (bare / "data" / video.name / "origin").symlink_to(video / "origin")
    (bare / "val.txt").write_bytes((made.data / "val.txt").read_bytes())
    out = tmp_path / "bare.html"
    words = ["report", str(made.runs[0]), "--data", str(bare), "--out", str(out), "--workers", "1"]
    assert run(words) == 0
    chromium.complaints.clear()
    chromium.open(out)
    chromium.wait("document.documentElement.dataset.ready === 'yes'")
    assert "No video of data val has masks." in chromium.run("document.querySelector('.note').textContent")
    assert chromium.run("document.querySelectorAll('#totals, #classes, #confusions').length") == 0
    chromium.run("document.querySelector('#video-table button.open').click()")
    loaded(chromium, ".panel img")
    assert chromium.run("[...document.querySelectorAll('.strip tbody th')].map(th => th.textContent)") == [
        "frame",
        "wrong <i>&",
    ]
    assert chromium.complaints == []


def test_a_film_plays(chromium: Page, made: World, tmp_path: Path) -> None:
    film, page = tmp_path / "film.mp4", tmp_path / "page.html"
    words = ["show", str(made.runs[0]), "--data", str(made.data), "--videos", "2_flip", "--truth", "--out", str(film)]
    assert run(words) == 0
    page.write_text("<!doctype html><video muted autoplay loop src='film.mp4'></video>")
    chromium.open(page)
    chromium.wait("document.querySelector('video').readyState >= 2")
    chromium.wait("document.querySelector('video').currentTime > 0")
    assert chromium.run("document.querySelector('video').error") is None
    width, height = chromium.run("(v => [v.videoWidth, v.videoHeight])(document.querySelector('video'))")
    assert width == 128 and height > 48 and height % 2 == 0
    assert chromium.run("document.querySelector('video').duration") == pytest.approx(6 / 15, abs=0.01)
