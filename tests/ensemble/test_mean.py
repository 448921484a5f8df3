"""``vsscli ensemble --method mean``: exact averaging nearly, streamed, and its sentences."""

import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch.nn import functional

from tests.models.tiny import change_weights, frame_network, write
from tests.runs.topk import make_topk
from tests.support import make_vspw, tree
from vsscli.cli.main import run as vsscli
from vsscli.data.classes import vspw_classes
from vsscli.data.open import open_dataset
from vsscli.engine import produce
from vsscli.ensemble.mean import MeanStage
from vsscli.errors import RunError
from vsscli.maps.geometry import network_size, padded_size
from vsscli.maps.mean import Cells, mean_classes
from vsscli.models.network import DenseScores
from vsscli.models.preprocess import prepare
from vsscli.runs.manifest import Manifest, describe_classes
from vsscli.runs.merge import vote_runs
from vsscli.runs.output import open_output
from vsscli.runs.run import open_run
from vsscli.runs.scores import TopK

SHAPES = {"1_a": (3, 48, 64), "2_b": (2, 40, 56), "3_c": (4, 64, 48)}
NAMES = vspw_classes().names


def command(*words: object) -> int:
    return vsscli([str(word) for word in words])


def scored(path: Path, seed: int, size: tuple[int, int] = (8, 12), flip: bool = False, k: int = 3) -> Path:
    """A run of one view with scores made by hand."""
    manifest = Manifest(
        "infer", {"seed": seed}, describe_classes(vspw_classes()), {"scale": 1.0, "flip": flip}, {"model": "m"}
    )
    run = open_output(path, manifest, None, [], k)
    for video in ("a", "b"):
        with run.begin(video) as writer:
            for i in range(2):
                kept = make_topk(np.random.default_rng([seed, i]), k, flip=flip)
                writer.add(f"{i}", np.zeros((4, 6), np.uint8), kept)
            writer.commit({}, {"input": list(size)})
    return path


def stage(*paths: Path) -> MeanStage:
    return MeanStage([open_run(path) for path in paths])


def maps(run: Path, video: str) -> list[NDArray[np.uint8]]:
    opened = open_run(run)
    return [opened.labels(video, frame) for frame in opened.frames(video)]


def visible(run: Path) -> dict[str, bytes]:
    return {name: content for name, content in tree(run).items() if not name.startswith(".vsscli")}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset, two models, and their runs with scores: of different networks, sizes and K."""
    root = tmp_path_factory.mktemp("mean")
    make_vspw(root / "data", SHAPES)
    torch.set_num_threads(1)
    labels = {"id2label": dict(enumerate(NAMES)), "label2id": {name: i for i, name in enumerate(NAMES)}}
    for name, size, k in (("segformer", "160", "4"), ("upernet", "192", "8")):
        folder = write(root / name, name, **labels)
        loud = 8 * load_file(folder / "model.safetensors")["decode_head.classifier.weight"]
        change_weights(folder, put={"decode_head.classifier.weight": loud})  # else no class is better than another
        words = ["--model", root / name, "--size", size, "--keep-topk", k, "--out", root / f"run-{name}"]
        assert command("infer", root / "data", *words) == 0
    return root


def exact(world: Path, video: str, sizes: dict[str, int]) -> list[tuple[NDArray[np.uint8], NDArray[np.bool_]]]:
    """(mean of full probabilities at the frame's size, where its best class leads by two percent) of every frame."""
    source = open_dataset(world / "data").video(video)
    networks = {name: frame_network(str(world / name)) for name in sizes}
    found = []
    for image in source.images():
        total = torch.zeros(len(NAMES), *image.shape[:2])
        for name, network in networks.items():
            inner = network_size(image.shape[0], image.shape[1], sizes[name], None)
            padded = padded_size(*inner, network.preprocess.divisor)
            with torch.no_grad():
                (scores,) = network.forward(prepare(image, inner, network.preprocess)[None])
            assert isinstance(scores, DenseScores)
            values = functional.interpolate(scores.values[None], size=padded, mode="bilinear")
            values = values[..., : inner[0], : inner[1]]
            total += functional.interpolate(values, size=image.shape[:2], mode="bilinear")[0].softmax(0)
        first, second = total.topk(2, 0).values
        found.append((total.argmax(0).numpy().astype(np.uint8), ((first - second) > 0.04).numpy()))
    return found


def test_it_is_nearly_the_mean_of_whole_probabilities_in_memory(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = [world / "run-segformer", world / "run-upernet"]
    assert command("ensemble", *inputs, "--method", "mean", "--out", tmp_path / "out", "--workers", 1) == 0
    assert "the mean class probability of 2 runs" in capsys.readouterr().err
    same, clear, voted = [], [], []
    for video in SHAPES:
        expected = exact(world, video, {"segformer": 160, "upernet": 192})
        votes = [labels for _, labels in vote_runs([open_run(path) for path in inputs], video)]
        for labels, other, (truth, sure) in zip(maps(tmp_path / "out", video), votes, expected, strict=True):
            same.append((labels == truth).mean())
            clear.append((labels == truth)[sure].mean())
            voted.append((other == truth).mean())
    assert np.mean(same) > 0.9 and np.mean(clear) > 0.93, "random networks: their maps are noise, which cells lose"
    assert np.mean(same) > np.mean(voted) + 0.1


def test_the_verb_streams_what_the_kernel_says_of_every_frame(world: Path, tmp_path: Path) -> None:
    inputs = [world / "run-segformer", world / "run-upernet"]
    before = [tree(path) for path in inputs]
    for name, words in (("one", ("--workers", 1)), ("two", ("--workers", 2))):
        assert command("ensemble", *inputs, "--method", "mean", "--out", tmp_path / name, *words) == 0
    for shard in ("1/2", "0/2", "0/2"):
        part = ("--method", "mean", "--out", tmp_path / "shards", "--shard", shard, "--workers", 1)
        assert command("ensemble", *inputs, *part) == 0
    assert visible(tmp_path / "one") == visible(tmp_path / "two") == visible(tmp_path / "shards")
    runs = [open_run(inputs[1]), open_run(inputs[0])]  # the larger input is ranked first
    for video in SHAPES:
        for frame in runs[0].frames(video):
            kept = [run.scores(video, frame) for run in runs]
            expected = mean_classes([Cells(k.classes, k.probabilities, k.sizes, k.flip) for k in kept])
            np.testing.assert_array_equal(open_run(tmp_path / "one").labels(video, frame), expected)
    record = open_run(tmp_path / "one").record("1_a")
    assert record is not None
    assert record.inputs == {f"run{i}": open_run(path).scores_digest("1_a") for i, path in enumerate(inputs)}
    assert [tree(path) for path in inputs] == before


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(4)))
def test_the_order_of_runs_counts_only_where_they_rank_alike(
    order: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("views")
    views = [scored(folder / f"v{i}", i, (8 + i // 2, 12), flip=i % 2 == 1) for i in range(4)]
    produce(stage(*views), folder / "listed", ["a"])
    produce(stage(*(views[i] for i in order)), folder / "turned", ["a"])
    for one, other in zip(maps(folder / "listed", "a"), maps(folder / "turned", "a"), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("turned", [False, True])
def test_a_tie_goes_to_what_the_larger_input_favours(turned: bool, tmp_path: Path) -> None:
    """Two runs say the same of two classes, the other way round."""
    paths = []
    for name, favourite, size in (("small", 3, (8, 12)), ("large", 7, (16, 24))):
        like = make_topk(np.random.default_rng(0), 2)
        manifest = Manifest("infer", {"name": name}, None, {"scale": 1.0, "flip": False}, {"model": "m"})
        with open_output(tmp_path / name, manifest, None, [], 2).begin("a") as writer:
            classes, shares = np.empty_like(like.classes), np.empty_like(like.probabilities)
            classes[0], classes[1], shares[0], shares[1] = favourite, 10 - favourite, 40000, 20000
            writer.add("0", np.zeros((4, 6), np.uint8), TopK(classes, shares, like.sizes, False))
            writer.commit({}, {"input": list(size)})
        paths.append(tmp_path / name)
    produce(stage(*(reversed(paths) if turned else paths)), tmp_path / "out", ["a"])
    assert (maps(tmp_path / "out", "a")[0] == 7).all()


def test_missing_scores_are_answered_with_the_command_that_makes_them(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command is run as it is told; then the mean works."""
    bare = tmp_path / "bare"
    words = ["--model", world / "segformer", "--size", "48", "--device", "cpu", "--dtype", "fp32"]
    assert command("infer", world / "data", *words, "--out", bare) == 0
    made = visible(bare)
    both = [bare, world / "run-upernet"]
    assert command("ensemble", *both, "--method", "mean", "--out", tmp_path / "out") == 2
    error = " ".join(capsys.readouterr().err.split())
    assert f"{bare} holds no class scores of video 1_a" in error and not (tmp_path / "out").exists()
    line = shlex.split(error[error.index("vsscli infer") :])
    assert line[-2:] == ["--keep-topk", "4"]
    assert str(world / "data") in line and str(world / "segformer") in line
    assert vsscli(line[1:]) == 0
    assert visible(bare) == made
    assert command("ensemble", *both, "--method", "mean", "--out", tmp_path / "out", "--workers", 1) == 0


@pytest.mark.parametrize("more", [(), ("--key-interval", "2", "--propagate", "zero")])
def test_the_command_repeats_every_option_that_counts(
    more: tuple[str, ...], world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the log the places are left open."""
    bare = tmp_path / "bare"
    words = ["--model", world / "segformer", "--size", "48", "--device", "cpu", *more]
    assert command("infer", world / "data", *words, "--out", bare) == 0
    (bare / ".vsscli" / "log.jsonl").unlink()
    assert command("ensemble", bare, "--method", "mean", "--out", tmp_path / "out") == 2
    error = " ".join(capsys.readouterr().err.split())
    line = shlex.split(error[error.index("vsscli infer") :])
    places = {"DATA": str(world / "data"), "MODELS/segformer": str(world / "segformer")}
    assert set(places) <= set(line) and set(more) <= set(line)
    assert vsscli([places.get(word, word) for word in line[1:]]) == 0


def test_missing_scores_of_views_too(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    voted = tmp_path / "voted"
    words = ["--model", world / "segformer", "--size", "48", "--flip", "--scales", "1.0,1.5", "--videos", "1_a"]
    assert command("infer", world / "data", *words, "--keep-views", "--out", voted) == 0
    views = sorted((voted / ".vsscli" / "views").iterdir())
    for runs in ([voted], views):
        assert command("ensemble", *runs, "--method", "mean", "--out", tmp_path / "out") == 2
        error = " ".join(capsys.readouterr().err.split())
        line = shlex.split(error[error.index("vsscli infer") :])
        assert {"--flip", "--keep-views", "1.0,1.5", str(voted)} <= set(line)
    assert vsscli([*line[1:], "--videos", "1_a"]) == 0
    assert command("ensemble", *views, "--method", "mean", "--out", tmp_path / "out", "--workers", 1) == 0
    assert len(maps(tmp_path / "out", "1_a")) == 3


def test_runs_that_cannot_have_scores_are_told_so(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = world / "run-segformer"
    foreign = shutil.copytree(good, tmp_path / "foreign", ignore=shutil.ignore_patterns(".vsscli", "run.json"))
    assert command("infer", world / "data", "--model", "oracle:noise=0.1", "--out", tmp_path / "double") == 0
    assert command("ensemble", good, "--out", tmp_path / "voted", "--workers", 1) == 0
    for bad, sentence in (
        (foreign, "made by other software"),
        (tmp_path / "double", "made by the test double"),
        (tmp_path / "voted", "made by 'vsscli ensemble'"),
    ):
        capsys.readouterr()
        assert command("ensemble", good, bad, "--method", "mean", "--out", tmp_path / "out") == 2
        error = " ".join(capsys.readouterr().err.split())
        assert f"{bad} holds no class scores" in error and sentence in error
    assert not (tmp_path / "out").exists()


def test_changed_scores_are_refused_and_a_corrupt_file_fails_its_video_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [scored(tmp_path / f"r{i}", i) for i in range(2)]
    broken = runs[1] / ".vsscli" / "topk" / "b" / "1.npz"
    content = broken.read_bytes()
    broken.write_bytes(content[:150] + bytes(50) + content[200:])  # of the same size: not seen before it is read
    assert command("ensemble", *runs, "--method", "mean", "--out", tmp_path / "out", "--workers", 1) == 1
    error = capsys.readouterr().err
    assert "1 video failed" in error and f"b: {broken}" in error
    assert open_run(tmp_path / "out").names() == ("a",)
    broken.unlink()
    assert command("ensemble", *runs, "--method", "mean", "--out", tmp_path / "other") == 2
    assert "class scores were changed or removed. " in " ".join(capsys.readouterr().err.split()) + " "
    assert not (tmp_path / "other").exists()


def test_too_many_runs_and_options_it_does_not_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = scored(tmp_path / "r0", 0)
    for words, sentence in (
        ((one, "--data", one), "--data says nothing to --method mean"),
        ((one, one), "listed twice"),
        ((*[tmp_path / f"r{i}" for i in range(1)] * 256,), "A mean takes 1 to 255 runs, not 256"),
    ):
        assert command("ensemble", *words, "--method", "mean", "--out", tmp_path / "out") == 2
        assert sentence in " ".join(capsys.readouterr().err.split())


def test_other_scores_of_an_input_are_another_input(tmp_path: Path) -> None:
    one, two = scored(tmp_path / "r0", 0), scored(tmp_path / "r1", 1)
    produce(stage(one, two), tmp_path / "out", ["a"])
    shutil.rmtree(two)
    scored(two, 1, k=2)
    with pytest.raises(RunError, match=r"Video a of .*r1 \(run1\) has changed"):
        produce(stage(one, two), tmp_path / "out", ["a", "b"])


def test_scores_of_frames_of_another_size_are_refused(tmp_path: Path) -> None:
    one = scored(tmp_path / "r0", 0)
    odd = open_output(tmp_path / "odd", open_run(one).manifest or Manifest("infer"), None, [], 3)
    with odd.begin("a") as writer:
        for i in range(2):
            writer.add(f"{i}", np.zeros((4, 6), np.uint8), make_topk(np.random.default_rng(i), 3, (6, 4)))
        writer.commit({}, {"input": [8, 12]})
    outcome = produce(stage(one, tmp_path / "odd"), tmp_path / "out", ["a"])
    assert "frame 0 of video a are of 4x6" in outcome.failed["a"]
