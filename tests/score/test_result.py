"""The JSON object: its keys, its nulls, and that its parts add up."""

import json
import math
from typing import Any

import pytest

from tests.score.brute import CLASSES, make_clip
from tests.score.test_intervals import counts_of
from vsscli.score.protocols import PROTOCOLS
from vsscli.score.result import describe, dumps

#: The keys that are promised.
KEYS = {
    *("protocol", "dataset", "classes", "videos", "frames", "miou", "wiou", "pixel_acc", "class_acc", "vc8", "vc16"),
    *("windows", "skipped", "empty_windows", "per_class", "per_video"),
}


def numbers(value: Any) -> list[float]:
    """All numbers in a JSON value."""
    if isinstance(value, dict):
        return [n for item in value.values() for n in numbers(item)]
    if isinstance(value, list):
        return [n for item in value for n in numbers(item)]
    return [value] if isinstance(value, float) else []


@pytest.fixture(params=sorted(PROTOCOLS))
def result(request: pytest.FixtureRequest) -> dict[str, Any]:
    clips = [make_clip(0, 20, odd=True), make_clip(1, 8), make_clip(2, 17)]
    read: dict[str, Any] = json.loads(dumps(describe(counts_of(clips, request.param))))
    return read


def test_promised_keys(result: dict[str, Any]) -> None:
    assert result.keys() >= KEYS
    assert (result["dataset"], result["classes"]) == ("vspw", CLASSES)


def test_fractions_and_no_nan(result: dict[str, Any]) -> None:
    assert all(0 <= number <= 1 and not math.isnan(number) for number in numbers(result))


def test_windows(result: dict[str, Any]) -> None:
    wanted = {
        "vspw": {"8": 12 + 9, "16": 4 + 1},
        "cffm": {"8": 12 + 9, "16": 4 + 1},
        "dvis": {"8": 12 + 9, "16": 12 + 9 + 4 + 1},
        "mmseg": {"8": None, "16": None},
    }
    protocol = result["protocol"]
    assert result["windows"] == wanted[protocol]
    if protocol == "mmseg":
        assert result["vc8"] is result["vc16"] is None and result["skipped"] == result["empty_windows"]
    else:
        assert result["empty_windows"] == {"8": 0, "16": 0}
        assert result["skipped"] == ({"8": 1, "16": 1} if protocol != "cffm" else {"8": 0, "16": 0})


def test_classes_and_videos_add_up(result: dict[str, Any]) -> None:
    classes, videos = result["per_class"], result["per_video"]
    assert [row["id"] for row in classes] == list(range(CLASSES)) and classes[0]["name"] == "wall"
    counted = [row["iou"] for row in classes if row["counted"]]
    assert sum(counted) / len(counted) == pytest.approx(result["miou"], abs=1e-12)
    absent = [row for row in classes if not row["truth_pixels"]]
    assert absent and all(row["acc"] is None for row in absent)
    assert all((row["iou"] is None) == (not row["truth_pixels"] and not row["predicted_pixels"]) for row in classes)
    assert sum(video["frames"] for video in videos) == result["frames"] and len(videos) == result["videos"]


def test_odd_values_are_reported(result: dict[str, Any]) -> None:
    assert set(result["odd_values"]) == {"130", "252"}
    assert all(row["videos"] == ["0"] and row["pixels"] % 4 == 0 for row in result["odd_values"].values())


def test_windows_without_a_constant_pixel() -> None:
    stored, predicted = make_clip(0, 20)
    stored[:] = 1
    stored[1:10:2] = 2  # all pixels change in every window that begins before frame 10
    result = describe(counts_of([(stored, predicted)]))
    assert result["windows"] == {"8": 12, "16": 4} and result["empty_windows"] == {"8": 10, "16": 4}
    assert result["vc8"] is not None and result["vc16"] is None
