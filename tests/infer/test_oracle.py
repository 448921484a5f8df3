"""The test double: the truth, and exactly the errors asked for."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support import make_vspw
from vsscli.data.classes import IGNORE, vspw_classes
from vsscli.data.open import open_dataset
from vsscli.errors import DataError, OptionError
from vsscli.infer.oracle import OracleStage, fill_void

VIDEOS = {"1_a": (6, 40, 56), "2_b": (5, 41, 43)}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_vspw(tmp_path / "data", VIDEOS)


def answers(data: Path, model: str, seed: int = 0, video: str = "1_a") -> list[NDArray[np.uint8]]:
    stage = OracleStage(open_dataset(data, "val"), model, seed)
    return [frame.labels for frame in stage.process(video)]


def truth(data: Path, video: str = "1_a") -> list[NDArray[np.uint8]]:
    source = open_dataset(data, "val").video(video)
    return [source.labels(frame) for frame in source.frames]


def wrong(found: list[NDArray[np.uint8]], right: list[NDArray[np.uint8]]) -> float:
    return float(np.mean([(f != r)[r != IGNORE].mean() for f, r in zip(found, right, strict=True)]))


def test_without_errors_it_is_the_truth_and_never_void(data: Path) -> None:
    found = answers(data, "oracle")
    assert wrong(found, truth(data)) == 0
    assert all((labels < 124).all() for labels in found)


def test_seeds_decide_and_nothing_else(data: Path) -> None:
    model = "oracle:noise=0.2,flicker=0.2,drop=0.5"
    same = zip(answers(data, model, 1), answers(data, model, 1), strict=True)
    assert all(np.array_equal(a, b) for a, b in same)
    other = zip(answers(data, model, 1), answers(data, model, 2), strict=True)
    assert not all(np.array_equal(a, b) for a, b in other)


def test_noise_hits_about_the_share_asked_for(data: Path) -> None:
    shares = [wrong(answers(data, f"oracle:noise={share}"), truth(data)) for share in (0.1, 0.4)]
    assert 0.03 < shares[0] < 0.15 and 0.2 < shares[1] < 0.45


def test_flicker_changes_whole_classes_of_single_frames(data: Path) -> None:
    right, found = truth(data), answers(data, "oracle:flicker=0.3")
    changed = 0
    for f, r in zip(found, right, strict=True):
        for label in np.unique(r[r != IGNORE]):
            values = np.unique(f[r == label])
            assert len(values) == 1
            changed += int(values[0] != label)
    assert changed > 0


def test_lag_answers_late(data: Path) -> None:
    right, found = answers(data, "oracle"), answers(data, "oracle:lag=2")
    assert all(np.array_equal(f, r) for f, r in zip(found[2:], right, strict=False))
    assert np.array_equal(found[0], right[0])


def test_confusion_is_one_way_and_throughout(data: Path) -> None:
    right = answers(data, "oracle")
    label = int(np.bincount(right[0].ravel()).argmax())
    names = vspw_classes().names
    other = names[(label + 1) % 124]
    for f, r in zip(answers(data, f"oracle:confuse={names[label]}>{other}"), right, strict=True):
        assert (f[r == label] == (label + 1) % 124).all()
        assert np.array_equal(f[r != label], r[r != label])


def test_drop_removes_things_and_keeps_stuff(data: Path) -> None:
    things = vspw_classes().things
    for video in VIDEOS:
        for f, r in zip(answers(data, "oracle:drop=1", video=video), truth(data, video), strict=True):
            stuff = [c for c in np.unique(r[r != IGNORE]) if not things[c]]
            assert set(np.unique(f)) <= {*stuff, 0}
            assert all((f[r == c] == c).all() for c in stuff)


def test_void_takes_a_neighbour() -> None:
    labels = np.array([[255, 3, 255, 4], [255, 255, 255, 255]], np.uint8)
    assert fill_void(labels).tolist() == [[3, 3, 3, 4], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    "model",
    [
        "oracle:blur=1",
        "oracle:noise",
        "oracle:noise=2",
        "oracle:noise=x",
        "oracle:lag=-1",
        "oracle:lag=99999999999999999999",
        "oracle:confuse=sea",
        "oracle:confuse=sea>ocean",
    ],
)
def test_bad_errors_are_named(data: Path, model: str) -> None:
    with pytest.raises(OptionError):
        answers(data, model)


def test_without_masks_there_is_no_oracle(data: Path) -> None:
    with pytest.raises(DataError, match="no masks"):
        OracleStage(open_dataset(data / "data" / "1_a" / "origin"), "oracle", 0)
