"""From a model's classes to a dataset's."""

import csv
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vsscli.data.classmap
from vsscli.data.classes import ClassTable, vspw_classes
from vsscli.data.classmap import ClassMap, resolve_class_map, shipped_class_maps
from vsscli.errors import ModelError, OptionError

VSPW = vspw_classes()
SMALL = ClassTable("small", ("sky", "Tree_or_bush", "road"), ((0, 0, 0),) * 3, (False,) * 3)
ADE20K = Path(vsscli.data.classmap.__file__).parent / "maps" / "ade20k_to_vspw.csv"


def ade20k_rows() -> list[dict[str, str]]:
    with ADE20K.open(newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, *lines: str) -> str:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def test_the_same_names_are_the_identity_whatever_their_spelling() -> None:
    found = resolve_class_map([name.upper().replace("_", " ") for name in VSPW.names], VSPW)
    assert found == ClassMap(VSPW, tuple(range(124)))
    assert found.is_identity
    assert found.targets == tuple(range(124))
    assert found.unreachable == ()


@given(st.randoms(use_true_random=False))
def test_names_decide_not_the_order(random: random.Random) -> None:
    order = list(range(124))
    random.shuffle(order)
    found = resolve_class_map([VSPW.names[i] for i in order], VSPW)
    assert found.sources == tuple(order)
    assert found.notes == ()


def test_fewer_classes_are_taken_and_told() -> None:
    found = resolve_class_map(["road", "sky"], SMALL)
    assert (found.sources, found.targets, found.unreachable) == ((2, 0), (0, 2), ("Tree_or_bush",))
    assert not found.is_identity
    assert found.notes == ("1 of the 3 classes can never be predicted: Tree_or_bush.",)


def test_unnamed_channels_are_taken_in_order_and_told() -> None:
    found = resolve_class_map([f"LABEL_{i}" for i in range(3)], SMALL)
    assert found.is_identity
    assert "does not name its classes" in found.notes[0]
    with pytest.raises(ModelError, match="does not name its 4 classes, and small has 3"):
        resolve_class_map([f"LABEL_{i}" for i in range(4)], SMALL)


def test_other_names_need_a_map() -> None:
    with pytest.raises(ModelError, match=r"2 of its 3 have no namesake there \(lake, chair\)") as caught:
        resolve_class_map(["sky", "lake", "chair"], SMALL)
    assert "ade20k_to_vspw" in caught.value.hint


def test_a_file_sums_and_leaves_out(tmp_path: Path) -> None:
    path = write(tmp_path / "map.csv", "source,target", "bush,tree or BUSH", "Oak_tree,Tree_or_bush", "chair,", "x,sky")
    found = resolve_class_map(["oak tree", "chair", "bush, shrub"], SMALL, path)
    assert (found.sources, found.targets, found.unreachable) == ((1, -1, 1), (1,), ("sky", "road"))
    assert found.notes[0] == "1 of the model's 3 classes are left out: chair."
    assert found.digest != resolve_class_map(["oak tree", "bush", "chair"], SMALL, path).digest


@pytest.mark.parametrize(
    ("lines", "error", "message"),
    [
        (["source,target", "sky,sky"], ModelError, "no row for 1 of the model's 2 classes .oak"),
        (["source,target", "sky,", "oak,"], ModelError, "leaves out all 2 classes"),
        (["source,target", "sky,skye", "oak,"], OptionError, "line 2: There is no class 'skye'.*Did you mean sky"),
        (["source,target", "sky,sky", "Sky ,road", "oak,"], OptionError, "line 3 names the source 'Sky ' again"),
        (["sky,sky"], OptionError, "columns source and target"),
        ([""], OptionError, "columns source and target"),
    ],
)
def test_a_file_that_is_no_map(tmp_path: Path, lines: list[str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        resolve_class_map(["sky", "oak"], SMALL, write(tmp_path / "map.csv", *lines))


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no such file.*Shipped maps: ade20k_to_vspw"):
        resolve_class_map(["sky"], SMALL, str(tmp_path / "map.csv"))
    (tmp_path / "bin.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(OptionError, match="bin.csv"):
        resolve_class_map(["sky"], SMALL, str(tmp_path / "bin.csv"))
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(OptionError, match="columns source and target"):
        resolve_class_map(["sky"], SMALL, str(tmp_path / "empty.csv"))


def test_without_a_table_the_channels_keep_their_order() -> None:
    found = resolve_class_map(["b", "a"], None)
    assert (found.table, found.sources, found.unreachable) == (None, (0, 1), ())
    with pytest.raises(OptionError, match="this input has none"):
        resolve_class_map(["b", "a"], None, "ade20k_to_vspw")
    with pytest.raises(ModelError, match="at most 255"):
        resolve_class_map([str(i) for i in range(256)], None)


def test_ade20k_to_vspw_is_complete() -> None:
    rows = ade20k_rows()
    assert shipped_class_maps() == ("ade20k_to_vspw",)
    assert len(rows) == 160  # the 150 classes by their short names, and 10 that other lists call differently
    assert len({row["source"] for row in rows}) == 160
    assert {row["target"] for row in rows} - {""} <= set(VSPW.names)


def test_ade20k_models_reach_vspw() -> None:
    names = [row["source"] for row in ade20k_rows()[:150]]
    assert [names[i] for i in (0, 7, 58, 89, 127, 149)] == [
        "wall", "bed", "screen door", "television receiver", "bicycle", "flag",
    ]  # fmt: skip
    names[7] = "bed "  # as the published list has it
    found = resolve_class_map(names, VSPW, "ade20k_to_vspw")
    assert found.table == VSPW
    assert VSPW.names[found.sources[7]] == "bed"
    assert [names[i] for i, target in enumerate(found.sources) if target < 0] == [
        "base", "fireplace", "stage", "tank", "shower",
    ]  # fmt: skip
    assert len(found.targets) + len(found.unreachable) == 124
    assert "crosswalk" in found.unreachable


def test_ade20k_models_that_name_all_synonyms_are_read_alike() -> None:
    names = [row["source"] for row in ade20k_rows()[:150]]
    other = list(names)
    for i, name in {
        6: "road, route",
        8: "window ",
        37: "tub",
        42: "column, pillar",
        87: "street lamp",
        89: "tv",
    }.items():
        other[i] = name
    assert resolve_class_map(other, VSPW, "ade20k_to_vspw") == resolve_class_map(names, VSPW, "ade20k_to_vspw")
