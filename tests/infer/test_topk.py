"""``infer --keep-topk``: the scores by their definition, the same however the work is cut, beside unchanged maps."""

import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.nn import functional

from tests.infer.test_stage import infer, make_video, visible
from tests.models.dvis.folders import write_random
from tests.models.tiny import write
from tests.support import make_vspw, tree
from vsscli.cli.main import run
from vsscli.data.classes import vspw_classes
from vsscli.errors import OptionError
from vsscli.infer.semantic import label_map_from_queries
from vsscli.infer.topk import best_classes
from vsscli.maps.mean import Cells, mean_classes
from vsscli.models.network import DenseScores, QueryScores, Scores
from vsscli.runs.run import open_run
from vsscli.runs.scores import ONE, TopK, write_scores


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("models") / "mask2former", "mask2former")


def scores_of(path: Path) -> dict[str, bytes]:
    return {name: content for name, content in tree(path).items() if "topk" in Path(name).parts}


def mean_of_one(kept: TopK) -> NDArray[np.uint8]:
    return mean_classes([Cells(kept.classes, kept.probabilities, kept.sizes, kept.flip)])


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["queries", "logits", "sums"]),
    k=st.integers(1, 8),
    classes=st.integers(2, 20),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_best_classes_and_their_probabilities_are_those_of_the_definition(
    kind: str, k: int, classes: int, seed: int
) -> None:
    random = torch.Generator().manual_seed(seed)
    values = torch.randn(classes, 5, 7, generator=random) * 3
    scores: Scores
    if kind == "queries":
        prob, masks = torch.rand(6, classes, generator=random), torch.randn(6, 5, 7, generator=random) * 4
        scores = QueryScores(prob, masks)
        sums = np.einsum("qc,qhw->chw", prob.double().numpy(), 1 / (1 + np.exp(-masks.double().numpy())))
        shares = sums / sums.sum(0)
    elif kind == "logits":
        scores = DenseScores(values, True)
        shares = np.exp(values.double().numpy()) / np.exp(values.double().numpy()).sum(0)
    else:
        scores = DenseScores(values.exp(), False)
        shares = np.exp(values.double().numpy()) / np.exp(values.double().numpy()).sum(0)
    ids = torch.from_numpy(np.random.default_rng(seed).permutation(255)[:classes].astype(np.uint8))
    kept = best_classes(scores, ids, k, padded=(20, 28), network=(13, 28)).fetch((13, 28), False)
    few = min(k, classes)
    assert kept.classes.shape == (few, 4, 7), "four of the five rows are read"
    assert kept.sizes.tolist() == [[5, 7], [20, 28], [13, 28], [13, 28]]
    place = {int(c): i for i, c in enumerate(ids.tolist())}
    told = np.vectorize(place.__getitem__)(kept.classes)
    given = np.take_along_axis(shares[:, :4], told, 0)
    assert np.abs(kept.probabilities / ONE - given).max() < 1e-5 + 1 / ONE
    assert np.abs(given - np.sort(shares[:, :4], axis=0)[::-1][:few]).max() < 2 / ONE
    assert (np.diff(kept.probabilities.astype(int), axis=0) <= 0).all()
    same = np.diff(kept.probabilities.astype(int), axis=0) == 0
    assert (np.diff(kept.classes.astype(int), axis=0)[same] > 0).all()


def test_equal_probabilities_are_ordered_by_id() -> None:
    kept = best_classes(
        DenseScores(torch.zeros(5, 1, 2), True), torch.tensor([9, 3, 7, 1, 5], dtype=torch.uint8), 3,
        padded=(4, 8), network=(4, 8),
    ).fetch((4, 8), False)  # fmt: skip
    assert kept.classes[:, 0, 0].tolist() == [1, 3, 5] and set(kept.probabilities.flat) == {ONE // 5}


@pytest.mark.parametrize("seed", range(3))
def test_the_mean_of_one_run_is_nearly_its_label_map(seed: int) -> None:
    """Masks as trained networks draw them: they fade within some cells. The difference is at borders alone."""
    random = torch.Generator().manual_seed(seed)
    base = torch.randn(1, 12, 5, 8, generator=random)
    masks = functional.interpolate(base, size=(60, 108), mode="bicubic")[0] * 6
    logits = torch.randn(12, 31, generator=random) * 2
    logits[torch.arange(12), torch.arange(12)] += 8
    prob = logits.softmax(1)[:, :30]
    padded, frame = (240, 432), (240, 427)
    labels = label_map_from_queries(prob, masks, padded=padded, network=frame, out=frame).numpy()
    ids = torch.arange(30, dtype=torch.uint8)
    best = best_classes(QueryScores(prob, masks), ids, 8, padded=padded, network=frame)
    found = mean_of_one(best.fetch(frame, False))
    assert len(np.unique(labels)) > 5
    assert (found == labels).mean() >= 0.99


def test_maps_are_the_same_with_and_without_and_a_run_continues_either_way(tmp_path: Path, model: Path) -> None:
    data = make_video(tmp_path / "v" / "a", 3, 50, 75).parent
    infer(data, tmp_path / "plain", model, size="64")
    infer(data, tmp_path / "kept", model, size="64", keep_topk=4)
    assert visible(tmp_path / "plain") == visible(tmp_path / "kept")
    assert not scores_of(tmp_path / "plain")
    assert sorted(scores_of(tmp_path / "kept")) == [f".vsscli/topk/a/{i:04d}.npz" for i in range(3)]
    assert infer(data, tmp_path / "kept", model, size="64").before == ["a"]
    assert infer(data, tmp_path / "kept", model, size="64", keep_topk=4).before == ["a"]
    made = visible(tmp_path / "plain")
    assert infer(data, tmp_path / "plain", model, size="64", keep_topk=4).done == ["a"]
    assert visible(tmp_path / "plain") == made
    assert scores_of(tmp_path / "plain") == scores_of(tmp_path / "kept")
    shutil.rmtree(tmp_path / "plain" / ".vsscli" / "topk")
    assert infer(data, tmp_path / "plain", model, size="64").before == ["a"]
    assert infer(data, tmp_path / "plain", model, size="64", keep_topk=4).done == ["a"]
    assert scores_of(tmp_path / "plain") == scores_of(tmp_path / "kept")
    assert infer(data, tmp_path / "plain", model, size="64", keep_topk=2).done == ["a"]
    assert open_run(tmp_path / "plain").scores("a", "0001").classes.shape[0] == 2


@pytest.mark.parametrize("kind", ["frames", "offline", "online"])
def test_batches_and_workers_change_no_byte(kind: str, tmp_path: Path, model: Path) -> None:
    """Networks of frames, and networks of whole videos."""
    source = model if kind == "frames" else write_random(tmp_path / "dvis", kind)
    data = make_video(tmp_path / "v" / "a", 4, 50, 75).parent
    make_video(data / "b", 3, 40, 64)
    for name, batch, devices in (("one", 1, ("cpu",)), ("four", 4, ("cpu",)), ("two", 2, ("cpu", "cpu"))):
        infer(data, tmp_path / name, source, devices, size="64", keep_topk=3, batch=batch)
    one, four, two = (visible(tmp_path / name) | scores_of(tmp_path / name) for name in ("one", "four", "two"))
    assert len(scores_of(tmp_path / "one")) == 7
    assert one == four == two
    opened = open_run(tmp_path / "one")
    for frame in opened.frames("a"):
        assert opened.scores("a", frame).sizes[2:].tolist() == [[64, 96], [50, 75]]


def test_several_views_need_their_runs_kept(tmp_path: Path, model: Path) -> None:
    data = make_video(tmp_path / "v" / "a", 2, 50, 75).parent
    with pytest.raises(OptionError, match=r"one view, and these are 2\. Add --keep-views"):
        infer(data, tmp_path / "run", model, size="64", flip=True, keep_topk=4)
    assert not (tmp_path / "run").exists()
    infer(data, tmp_path / "run", model, size="64", flip=True, keep_views=True)
    views = tmp_path / "run" / ".vsscli" / "views"
    assert open_run(views / "1.0f").scores_digest("a") is None
    again = infer(data, tmp_path / "run", model, size="64", flip=True, keep_views=True, keep_topk=4)
    assert again.done == ["a"] and not scores_of(views.parent / "topk")
    for name in ("1.0", "1.0f"):
        view = open_run(views / name)
        assert view.scores_digest("a") is not None
        assert view.scores("a", "0000").flip == name.endswith("f")
    kept = tree(views)
    infer(data, tmp_path / "run", model, size="64", flip=True)
    assert tree(views) == kept, "what was kept stays"


def test_a_mirrored_view_lies_mirrored_in_its_file(tmp_path: Path, model: Path) -> None:
    """The mirrored view of the mirrored video has the cells of the plain view of the plain one."""
    for name in ("plain", "mirrored"):
        make_video(tmp_path / name / "a", 2, 50, 75, flip=name == "mirrored")
        infer(tmp_path / name, tmp_path / f"{name}-run", model, size="64", flip=True, keep_views=True, keep_topk=4)
    plain = open_run(tmp_path / "plain-run" / ".vsscli" / "views" / "1.0").scores("a", "0001")
    mirrored = open_run(tmp_path / "mirrored-run" / ".vsscli" / "views" / "1.0f").scores("a", "0001")
    np.testing.assert_array_equal(plain.classes, mirrored.classes)
    np.testing.assert_array_equal(plain.probabilities, mirrored.probabilities)
    np.testing.assert_array_equal(mean_of_one(plain), mean_of_one(mirrored)[:, ::-1])


def test_a_class_map_has_been_applied(tmp_path: Path, model: Path) -> None:
    data = make_video(tmp_path / "v" / "a", 1, 50, 75).parent
    rows = {"sky": "sky", "tree": "tree", "road": "tree", "sea": "", "person": "person"}
    (tmp_path / "map.csv").write_text("source,target\n" + "".join(f"{a},{b}\n" for a, b in rows.items()))
    infer(data, tmp_path / "run", model, size="64", keep_topk=8, class_map=str(tmp_path / "map.csv"))
    kept = open_run(tmp_path / "run").scores("a", "0000")
    assert set(kept.classes.flat) == {vspw_classes().index(name) for name in ("sky", "tree", "person")}
    assert np.abs(kept.probabilities.astype(int).sum(0) - ONE).max() <= 2


def test_scores_of_a_480p_frame_take_a_fifth_of_a_megabyte_and_little_memory(tmp_path: Path) -> None:
    """Four classes of 124, masks without any order, which compress worst."""
    random = torch.Generator().manual_seed(0)
    scores = QueryScores(torch.rand(100, 124, generator=random), torch.randn(100, 120, 216, generator=random) * 5)
    tracemalloc.start()
    best = best_classes(scores, torch.arange(124, dtype=torch.uint8), 4, padded=(480, 864), network=(480, 853))
    kept = best.fetch((480, 853), False)
    labels = mean_of_one(kept)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert labels.shape == (480, 853) and peak < 8e6, "no array of classes times pixels in numpy"
    write_scores(tmp_path / "f.npz", kept)
    assert 50_000 < (tmp_path / "f.npz").stat().st_size < 320_000


def test_bad_requests_have_their_sentences(tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_vspw(tmp_path / "data", {"a": (1, 24, 32)})
    out = ["--out", str(tmp_path / "out")]
    for words, sentence in (
        (["--model", str(model), "--keep-topk", "9"], "--keep-topk"),
        (["--model", str(model), "--keep-topk", "0"], "--keep-topk"),
        (["--model", "oracle:", "--keep-topk", "4"], "no class probabilities for --keep-topk"),
        (["--model", str(model), "--scales", "1.0,1.2", "--keep-topk", "4"], "Add --keep-views"),
    ):
        assert run(["infer", str(data), *words, *out]) == 2
        assert sentence in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()
