"""A world with every kind of record, made once: names that bite, a selection, two language models."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.postprocess.server import Request, Response, Server, said
from tests.postprocess.worlds import see, world, write_data, write_run
from tests.report.browser import Page, browser, find_chromium
from vsscli.cli.main import run

#: What would be markup, or end an attribute or a script, if anything were left unescaped.
HOSTILE = "6_<img src=x onerror=hacked()> &amp; \"'"
BITE = "</script><script>hacked()</script> it is <b>wet</b>"


@dataclass(frozen=True)
class World:
    """``runs``: wrong, other, selected, and two corrections of it; ``report`` of all; ``asked``: the images sent."""

    root: Path
    data: Path
    runs: tuple[Path, ...]
    report: Path
    asked: frozenset[str] = field(repr=False)


def bite(request: Request) -> Response:
    return said(BITE)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    root = tmp_path_factory.mktemp("report")
    videos = world()
    videos[HOSTILE] = videos["1_split"]
    data = write_data(root / "data", videos)
    runs = [write_run(root / "wrong <i>&", videos), *(root / name for name in ("other", "selected", "llava", "gpt"))]
    wrong, other, selected, llava, gpt = map(str, runs)
    here = ["--data", str(data), "--workers", "1"]
    assert run(["infer", str(data), "--model", "oracle:noise=0.2", "--out", other, "--workers", "1"]) == 0
    assert run(["ensemble", wrong, other, "--method", "flow-ssim", "--out", selected, *here]) == 0
    sent: set[str] = set()
    for out, script in ((llava, see), (gpt, bite)):
        profile = root / f"{Path(out).name}.yaml"
        with Server(script) as server:
            profile.write_text(json.dumps({"base_url": server.url, "model": "loopback", "retries": 0}))
            assert run(["postprocess", selected, "--llm", str(profile), "--out", out, *here]) == 0
            sent |= {request.image.partition(",")[2] for request in server.requests}
    page = root / "page" / "report.html"
    assert run(["report", *map(str, runs), "--out", str(page), *here]) == 0
    return World(root, data, tuple(runs), page, frozenset(sent))


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One browser for all tests of a process."""
    command = find_chromium()
    if command is None:
        why = "no Chromium: 'apt-get install chromium', or 'sh tests/install_libs.sh chromium' as root"
        if os.environ.get("VSSCLI_BROWSER") == "needed":
            pytest.fail(why)
        pytest.skip(why)
    profile = tmp_path_factory.mktemp("chromium")
    with browser(command, profile) as page:
        yield page
    shutil.rmtree(profile, ignore_errors=True)
