"""The stand-in for a language model: a real server that the real client asks, and what it makes of pictures."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.postprocess.support import WATERS, jpeg, profile_at, put
from vsscli.data.classes import vspw_classes
from vsscli.data.images import read_image, read_indices
from vsscli.data.world import write_world
from vsscli.postprocess.parse import ABSTAIN
from vsscli.postprocess.picture import draw
from vsscli.postprocess.stand_in import StandIn, look


@pytest.fixture
def url() -> Iterator[str]:
    with StandIn() as server:
        yield server.url


def scene(top: list[int], ground: tuple[int, int, int]) -> bytes:
    """A picture of water whose far shore is at ``top`` in each quarter of the width, and of ``ground`` around it."""
    image = np.full((120, 160, 3), ground, np.uint8)
    region = np.zeros((120, 160), np.bool_)
    for i, row in enumerate(top):
        region[row:100, 40 * i : 40 * (i + 1)] = True
    image[region] = (60, 110, 150)
    return draw(image, region, "outlined")[0]


@pytest.mark.parametrize(
    ("top", "ground", "expected"),
    [
        ([50, 50, 51, 50], (226, 204, 156), "sea"),
        ([50, 50, 51, 50], (90, 140, 70), "lake"),
        ([50, 62, 75, 90], (90, 140, 70), "river"),
    ],
)
def test_waters_are_told_apart(top: list[int], ground: tuple[int, int, int], expected: str) -> None:
    assert look(scene(top, ground), [*WATERS, ABSTAIN]) == expected


def test_it_knows_nothing_else() -> None:
    assert look(scene([50, 50, 51, 50], (226, 204, 156)), ["road", "path", ABSTAIN]) == ABSTAIN
    assert look(jpeg(7), [*WATERS, ABSTAIN]) == ABSTAIN, "nothing is outlined"


def test_the_waters_of_a_generated_world(tmp_path: Path) -> None:
    """Of a world that no threshold was chosen on, the most are right."""
    world = write_world(tmp_path / "w", seed=20, videos={"val": 12}, frames=1, size=(120, 214))
    table, right = vspw_classes(), []
    for video in world.videos:
        (frame,) = (tmp_path / "w" / "data" / video.name / "origin").iterdir()
        mask = read_indices(frame.parents[1] / "mask" / f"{frame.stem}.png")
        for name in set(WATERS) & set(video.classes):
            region = mask == table.index(name) + 1
            if region.mean() > 0.02:
                right.append(look(draw(read_image(frame), region, "outlined")[0], WATERS) == name)
    assert len(right) >= 2 and sum(right) / len(right) > 0.6


def test_the_real_client_asks_it(url: str, tmp_path: Path) -> None:
    result = put(3, profile_at(url, tmp_path, model="anything"), tmp_path / "run")
    assert (result.asked, result.abstained, result.failed) == (3, 3, 0)
    assert list(result.models) == ["stand-in"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/models", b"{}", 404),
        ("/v1/chat/completions", b"no JSON", 400),
        ("/v1/chat/completions", b'{"messages": [{"content": "what?"}]}', 400),
        ("/v1/chat/completions", b'{"messages": []}', 400),
    ],
)
def test_what_it_does_not_understand_it_says(url: str, path: str, body: bytes, status: int) -> None:
    request = urllib.request.Request(url.removesuffix("/v1") + path, body)
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    with error.value as answer:
        assert answer.code == status
        assert json.load(answer)["error"]["message"]
