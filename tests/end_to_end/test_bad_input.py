"""Every mistake has its own sentence: what, where, what to do; exit code 2; nothing written, nothing changed."""

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from tests.models.dvis.folders import write_random as write_dvis
from tests.models.tiny import write
from tests.models.vmt.folders import write_random as write_vmt
from tests.support import make_vspw, tree
from vsscli.cli.main import run


@dataclass
class Place:
    """A dataset, two runs of it, a model; each test spoils something."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def model(self) -> Path:
        return self.root / "model"

    def do(self, command: str) -> int:
        places = {name: self.root / name for name in ("data", "run", "model", "out")}
        return run([word.format(root=self.root, **places) for word in command.split()])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    make_vspw(place.data, {"1_a": (3, 24, 32), "2_b": (2, 24, 32)})
    return place


def spoil_nothing(place: Place) -> None:
    pass


def make_run(place: Place) -> None:
    assert place.do("infer {data} --model oracle --workers 1 --out {run}") == 0


def make_model(place: Place) -> None:
    write(place.model, "mask2former")


def make_dvis(place: Place) -> None:
    write_dvis(place.model, "online")


def without_weights(place: Place) -> None:
    make_model(place)
    (place.model / "model.safetensors").unlink()


def other_classes(place: Place) -> None:
    make_model(place)
    config = json.loads((place.model / "config.json").read_text())
    config["id2label"] = {str(i): f"thing {i}" for i in range(5)}
    (place.model / "config.json").write_text(json.dumps(config))


def make_offline(place: Place) -> None:
    write_dvis(place.model, "offline")


def spoil_entry(place: Place, name: str, value: object) -> None:
    write_vmt(place.model, "lvmt", encoder="dinov3")
    config = json.loads((place.model / "config.json").read_text())
    (place.model / "config.json").write_text(json.dumps({**config, name: value}))


def no_val(place: Place) -> None:
    (place.data / "val.txt").unlink()


def empty_video(place: Place) -> None:
    for path in (place.data / "data" / "1_a" / "origin").iterdir():
        path.unlink()


def no_folder(place: Place) -> None:
    (place.data / "data" / "1_a").rename(place.root / "elsewhere")


def run_of_other_data(place: Place) -> None:
    make_run(place)
    (place.data / "val.txt").write_text("3_c\n")
    (place.data / "data" / "1_a").rename(place.data / "data" / "3_c")


def unknown_groups(place: Place) -> None:
    make_run(place)
    text = "group,stuff,classes,scope,priority\nwater,water,sea|ocean,image,1\n"
    (place.root / "groups.csv").write_text(text)


def groups_from_a_pipe(place: Place) -> None:
    make_run(place)
    os.mkfifo(place.root / "pipe")


def question_without_choices(place: Place) -> None:
    make_run(place)
    (place.root / "q.txt").write_text("What is it?")


def file_as_out(place: Place) -> None:
    (place.root / "out").write_text("mine")


def foreign_out(place: Place) -> None:
    (place.root / "out").mkdir()
    (place.root / "out" / "thesis.tex").write_text("mine")


def run_and_foreign_out(place: Place) -> None:
    make_run(place)
    foreign_out(place)


def unfinished(place: Place) -> None:
    make_run(place)
    (place.run / ".vsscli" / "done" / "2_b.json").unlink()


def run_without_masks(place: Place) -> None:
    make_run(place)
    shutil.rmtree(place.data / "data" / "1_a" / "mask")


def run_and_file(place: Place) -> None:
    make_run(place)
    file_as_out(place)


def run_of_renamed_data(place: Place) -> None:
    make_run(place)
    (place.data / "data" / "1_a").rename(place.data / "data" / "3_c")
    (place.data / "val.txt").write_text("2_b\n3_c\n")


def without_table(place: Place) -> None:
    make_run(place)
    manifest = json.loads((place.run / "run.json").read_text())
    (place.run / "run.json").write_text(json.dumps({**manifest, "classes": {}}))


def nameless(place: Place) -> None:
    make_model(place)
    config = json.loads((place.model / "config.json").read_text())
    config["id2label"] = {str(i): f"LABEL_{i}" for i in range(len(config["id2label"]))}
    (place.model / "config.json").write_text(json.dumps(config))


Spoil = Callable[[Place], None]

INFER = "infer {data} --model oracle --workers 1 --out {out}"
NETWORK = "infer {data} --model {model} --out {out}"
CORRECT = "postprocess {run} --data {data} --llm llava --workers 1 --out {out}"
SCORE = "score {run} --data {data}"

CASES: dict[str, tuple[Spoil, str, str]] = {
    "no dataset": (
        spoil_nothing,
        "infer {root} --model oracle --out {out}",
        r"is no dataset: looked for VSPW's layout .* Did you mean .*data",
    ),
    "nothing there": (spoil_nothing, "score {run} --data {root}/none", r"none does not exist"),
    "a split without a list": (no_val, INFER, r"no list .*val.txt for the split 'val'.*train, test"),
    "an unknown split": (spoil_nothing, f"{INFER} --split minival", r"no list .*minival.txt"),
    "an unknown video": (spoil_nothing, f"{INFER} --videos 1_b", r"no video '1_b'.*Did you mean"),
    "a bad shard": (spoil_nothing, f"{INFER} --shard 2/2", r"--shard 2/2 needs 0 <= i < n"),
    "no shards at all": (
        spoil_nothing,
        f"{INFER} --shard 0/0",
        r"--shard 0/0: there is no such number of shards. .*0/1",
    ),
    "a list that is not there": (
        spoil_nothing,
        f"{INFER} --videos @{{root}}/my.txt",
        r"the list .*my.txt cannot be read \(No such file or directory\). Give a text file, one name a line",
    ),
    "a list that is a folder": (spoil_nothing, f"{INFER} --videos @{{data}}", r"cannot be read \(Is a directory\)"),
    "more noise than there is": (
        spoil_nothing,
        "infer {data} --model oracle:noise=2 --out {out}",
        r"out of its range. noise, flicker and drop are shares from 0 to 1",
    ),
    "no engine": (spoil_nothing, f"{INFER} --engine spark", r"--engine 'spark' is no engine"),
    "address of nothing": (spoil_nothing, f"{INFER} --address 127.0.0.1:6379", r"is for --engine ray"),
    "no cluster": (spoil_nothing, f"{INFER} --engine ray --address 127.0.0.1:1", r"No Ray cluster answers at 127"),
    "no slurm": (spoil_nothing, f"{INFER} --shard slurm", r"no task of a SLURM job array"),
    "out inside an input": (
        spoil_nothing,
        "infer {data} --model oracle --out {data}/run",
        r"lies inside .*data, an input",
    ),
    "an input inside out": (spoil_nothing, "infer {data} --model oracle --out {root}", r"holds .*data, an input"),
    "other options": (
        make_run,
        "infer {data} --model oracle:noise=0.1 --out {run}",
        r"made otherwise \(model: oracle there, oracle:noise=0.1 now\)",
    ),
    "out is a file": (file_as_out, INFER, r"--out .*out is a file"),
    "out is someone's": (foreign_out, INFER, r"out is not empty and is no run"),
    "scales of nothing": (make_model, f"{NETWORK} --scales 0", r"--scales: 0 is no scale"),
    "a size of nothing": (make_model, f"{NETWORK} --size 0", r"--size '0' is neither"),
    "sizes for the double": (spoil_nothing, f"{INFER} --scales 0.9,1.0", r"The test double has no input size"),
    "a double without masks": (
        lambda p: shutil.rmtree(p.data / "data" / "1_a" / "mask"),
        f"{INFER} --videos 1_a",
        r"None of the 1 video has masks, and the test double answers from them",
    ),
    "causal frames": (
        make_model,
        f"{NETWORK} --causal",
        r"--causal is not for mask2former: it needs no later frames as it is",
    ),
    "causal offline": (
        make_offline,
        f"{NETWORK} --causal",
        r"--causal is not for DVIS\+\+ offline: its refiner must see the whole video",
    ),
    "causal for the double": (spoil_nothing, f"{INFER} --causal", r"The test double has no .*--causal"),
    "another kind in config.json": (
        lambda p: spoil_entry(p, "kind", "pmt"),
        NETWORK,
        r"the weights are not those of the PMT its config.json describes: 2 missing .*4 unused",
    ),
    "an encoder that is none": (
        lambda p: spoil_entry(p, "encoder", 7),
        NETWORK,
        r"config.json: encoder is missing or no",
    ),
    "too many queries": (lambda p: spoil_entry(p, "queries", 10**6), NETWORK, r"10000 is the largest that is built"),
    "no model": (spoil_nothing, NETWORK, r"There is no model folder"),
    "no weights": (without_weights, NETWORK, r"has no weights: looked for model.safetensors"),
    "classes that do not fit": (other_classes, NETWORK, r"classes are not those of vspw.*--class-map"),
    "an unknown class map": (make_model, f"{NETWORK} --class-map coco", r"--class-map coco.*ade20k_to_vspw"),
    "an unknown precision": (make_model, f"{NETWORK} --dtype int4", r"--dtype 'int4' is no precision"),
    "no way between key frames": (
        make_model,
        f"{NETWORK} --key-interval 3",
        r"--key-interval 3: mask2former has no flow of its own .* Add --propagate farneback",
    ),
    "a way that is none": (make_model, f"{NETWORK} --key-interval 3 --propagate raft", r"--propagate 'raft' is no way"),
    "a way without key frames": (make_model, f"{NETWORK} --propagate zero", r"--propagate says how .* --key-interval"),
    "key frames for the whole video": (
        make_dvis,
        f"{NETWORK} --key-interval 3",
        r"--key-interval 3: DVIS\+\+ online has no flow of its own .* Add --propagate farneback",
    ),
    "key frames for the double": (
        spoil_nothing,
        f"{INFER} --key-interval 3",
        r"--key-interval and --propagate do not apply",
    ),
    "a device that is not there": (make_model, f"{NETWORK} --device cuda:7", r"cuda:7 is not there"),
    "a device that is none": (make_model, f"{NETWORK} --device tpu", r"no device 'tpu'"),
    "a run of other data": (run_of_other_data, SCORE, r"holds the video 1_a .* not in val.txt"),
    "a run that is none": (spoil_nothing, "score {data}/data --data {data}", r"holds no label maps"),
    "an unknown method": (make_run, "ensemble {run} --method magic --out {out}", r"magic"),
    "an unknown protocol": (make_run, f"{SCORE} --protocol mine", r"mine"),
    "an unknown profile": (make_run, CORRECT.replace("llava", "lava"), r"no profile 'lava'. Did you mean llava\?"),
    "groups of unknown classes": (
        unknown_groups,
        f"{CORRECT} --groups {{root}}/groups.csv",
        r"groups.csv, line 2, group water: There is no class 'ocean' in the table vspw",
    ),
    "groups that overlap": (make_run, f"{CORRECT} --priority 4", r"the class \w+ is in two groups, \w+ and \w+"),
    "a question without choices": (
        question_without_choices,
        f"{CORRECT} --prompt {{root}}/q.txt",
        r"q.txt lacks \{classes\}: the question would offer nothing",
    ),
    "shards that ask": (make_run, f"{CORRECT} --shard 0/2", r"--shard asks from several processes.*--offline"),
    "a rule that is none": (make_run, f"{CORRECT} --majority 0.4", r"--majority 0.4 is none"),
    "a rate of nothing": (make_run, f"{CORRECT} --rate 0", r"--rate 0 is too little"),
    "prices that are none": (make_run, f"{CORRECT} --prices {{root}}", r"--prices .* is no file"),
    "a region of no video": (make_run, f"{CORRECT} --reject 9_z/water", r"'9_z/water' is not VIDEO/REGION"),
    "a run without frames": (run_of_other_data, CORRECT, r"Video 1_a of .*run is not in val.txt of .*data"),
    "corrected onto itself": (make_run, CORRECT.replace("{out}", "{run}"), r"--out .*run is .*run, an input"),
    "no model in this process": (make_run, f"{CORRECT} --local {{root}}/none", r"There is no model folder .*none"),
    "groups from a pipe": (groups_from_a_pipe, f"{CORRECT} --groups {{root}}/pipe", r"--groups .*pipe is no file"),
    "json below a file": (run_and_file, f"{SCORE} --json {{out}}/score.json", r"out is not a folder"),
    "json over an input": (
        make_run,
        f"{SCORE} --json {{data}}/val.txt",
        r"--json .*val.txt lies inside .*data, an input",
    ),
    "json inside a run": (make_run, f"{SCORE} --json {{run}}/score.json", r"lies inside .*run, an input"),
    "csv inside a run": (make_run, f"{SCORE} --csv {{run}}", r"--csv .*run is .*run, an input"),
    "json inside the dataset": (
        spoil_nothing,
        "data check {data} --json {data}/x.json",
        r"lies inside .*data, an input",
    ),
    "counts inside the dataset": (spoil_nothing, "data stats {data} --csv {data}/x", r"lies inside .*data, an input"),
    "choices inside a run": (
        make_run,
        "ensemble {run} --method flow-ssim --data {data} --json {run}/x.json --out {out}",
        r"lies inside .*run, an input",
    ),
    "a run of another dataset": (
        run_of_renamed_data,
        "infer {data} --model oracle --workers 1 --out {run}",
        r"holds the video 1_a, which .*data \(data\) does not have",
    ),
    "a run without its class table": (without_table, SCORE, r"run.json: its class table is broken"),
    "a size in superscript": (make_model, f"{NETWORK} --size ²", r"--size '²' is neither"),
    "a model without names": (nameless, f"{NETWORK} --class-map ade20k_to_vspw", r"does not name its 5 classes"),
    "a report in a run": (
        make_run,
        "report {run} --data {data} --out {run}/x.html",
        r"x.html lies inside .*run, an input",
    ),
    "a report over a folder": (make_run, "report {run} --data {data} --out {out}", r"does not end in .html"),
    "a report of an unfinished run": (
        unfinished,
        "report {run} --data {data} --out {root}/x.html",
        r"Video 2_b is not finished in .*run\. .*--videos",
    ),
    "a report of a run twice": (
        make_run,
        "report {run} {run} --data {data} --out {root}/x.html",
        r"The run .*run is listed twice",
    ),
    "a report of other data": (
        run_of_other_data,
        "report {run} --data {data} --out {root}/x.html",
        r"Video 1_a of .*run is not in val.txt",
    ),
    "a film of two videos": (
        make_run,
        "show {run} --data {data} --out {out}.mp4",
        r"is one film, and these are 2 videos",
    ),
    "a film of another kind": (make_run, "show {run} --data {data} --out {out}.avi", r"films are written as .mp4"),
    "pictures among other things": (
        run_and_foreign_out,
        "show {run} --data {data} --out {out}",
        r"out is not empty and was not made by vsscli show",
    ),
    "a run below a file": (
        spoil_nothing,
        "infer {data} --model tiny --out {data}/val.txt/x",
        r"--out .*val.txt/x lies below .*val.txt, which is a file",
    ),
    "pictures in the data": (make_run, "show {run} --data {data} --out {data}/new", r"lies inside .*data, an input"),
    "masks that are not there": (
        run_without_masks,
        "show {run} --data {data} --truth --out {out}",
        r"Frame 00000003 of video 1_a has no mask\. Leave --truth out",
    ),
    "a guide that is none": (
        spoil_nothing,
        "guide views",
        r"no guide 'views'.* Topics: .*scores, selection, training, tta",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_one_sentence(name: str, place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    spoil, command, sentence = CASES[name]
    spoil(place)
    before = tree(place.root)
    capfd.readouterr()
    code = place.do(command)
    output, said = capfd.readouterr()
    assert code == 2, said
    assert output == ""
    assert said.count("error:") == 1 and "Traceback" not in said
    assert re.search(sentence, " ".join(said.split())), said
    assert tree(place.root) == before


def rename_video(place: Place, name: str) -> None:
    (place.data / "data" / "1_a").rename(place.data / "data" / name)
    (place.data / "val.txt").write_text(f"{name}\n2_b\n")


def pipe(place: Place) -> None:
    path = place.data / "data" / "1_a" / "mask" / "00000005.png"
    path.unlink()
    os.mkfifo(path)


#: Faults of one video: the others are finished, this one is named, exit code 1.
ONE_VIDEO: dict[str, tuple[Spoil, str]] = {
    "an empty video": (empty_video, r"1_a: Video 1_a is empty: no image in .*origin"),
    "a video without a folder": (no_folder, r"1_a: Video 1_a is in val.txt but .*origin is not there"),
    "a name that no run can hold": (
        lambda p: rename_video(p, "x" * 250),
        r"x: The name of the video 'x+' cannot be that of a folder in a run",
    ),
    "a name that is taken": (
        lambda p: rename_video(p, "run.json"),
        r"run.json: The name of the video 'run.json' cannot",
    ),
    "a pipe for a mask": (pipe, r"1_a: .*00000005.png: this mask cannot be read \(Not a regular file\)"),
    "a truncated mask": (
        lambda p: cut(p.data / "data" / "1_a" / "mask" / "00000005.png", -30),
        r"1_a: .*00000005.png: this mask does not decode",
    ),
    "an empty mask": (
        lambda p: cut(p.data / "data" / "1_a" / "mask" / "00000005.png", 0),
        r"1_a: .*00000005.png: this mask is empty",
    ),
}


def cut(path: Path, end: int) -> None:
    path.write_bytes(path.read_bytes()[:end])


@pytest.mark.parametrize("name", ONE_VIDEO)
def test_a_bad_video_is_named_and_stops_no_other(name: str, place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    spoil, sentence = ONE_VIDEO[name]
    spoil(place)
    code = place.do(INFER)
    said = " ".join(capfd.readouterr().err.split())
    assert code == 1
    assert "1 video failed" in said and re.search(sentence, said), said
    assert sorted(path.name for path in (place.root / "out").iterdir()) == [".vsscli", "2_b", "run.json"]


@pytest.mark.parametrize("views", ["1.0", "1.0,1.5"])
def test_weights_that_cannot_be_read_concern_every_video(
    views: str, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    make_model(place)
    cut(place.model / "model.safetensors", 100)
    assert place.do(f"{NETWORK} --scales {views}") == 2
    said = capfd.readouterr().err
    assert said.count("error:") == 1 and "model cannot be loaded" in said
    assert place.do(INFER) == 0, "what made nothing claims no folder"


def test_frames_that_do_not_decode_fail_their_video(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    make_model(place)
    cut(place.data / "data" / "1_a" / "origin" / "00000005.jpg", -30)
    assert place.do(f"{NETWORK} --size 32") == 1
    said = capfd.readouterr().err
    assert "00000005.jpg: this frame does not decode" in said
    assert "Traceback" not in said
    assert (place.root / "out" / "2_b" / "00000003.png").is_file()


def test_a_mask_of_another_size_is_named_by_score(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    make_run(place)
    path = place.data / "data" / "2_b" / "mask" / "00000003.png"
    with Image.open(path) as mask:
        mask.resize((30, 24), Image.Resampling.NEAREST).save(path)
    capfd.readouterr()
    assert place.do(SCORE) == 2
    said = " ".join(capfd.readouterr().err.split())
    assert re.search(r"00000003.*2_b|2_b.*00000003", said) and "30" in said and "32" in said, said
