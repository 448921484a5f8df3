"""The published models: facts with checked fields."""

from math import prod
from pathlib import Path

import pytest

import vsscli.models.catalogue as module
from tests.fixtures.recorded import key_list
from tests.models.mpvss.cases import mpvss_keys
from vsscli.errors import ModelError, OptionError
from vsscli.models.catalogue import SHOWN_SIZE, catalogue, find_published, read_catalogue, refuse_published
from vsscli.models.convert.identify import Settings, identify
from vsscli.models.families import FAMILIES
from vsscli.models.source import resolve_source

TEXT = (Path(module.__file__).parent / "published.toml").read_text()
ARCHES = {n: "dvis_{2}_{1}".format(*n.split("-")[1:]) for n, m in catalogue().models.items() if m.family == "dvis-plus"}


@pytest.mark.parametrize("name", ARCHES)
def test_the_facts_are_those_of_the_official_weights(name: str) -> None:
    model, shapes = catalogue().models[name], key_list(ARCHES[name])
    config = identify({key: tuple(shape) for key, shape in shapes.items()}, Settings()).config
    count = 0
    for shape in shapes.values():
        size = 1
        for side in shape:
            size *= side
        count += size
    assert model.parameters == pytest.approx(count / 1e6, abs=0.1)
    assert (model.queries, model.channels) == (config.queries, config.width)
    assert config.kind in name and model.kept == {"online": "mask logits", "offline": "mask features"}[config.kind]
    assert (model.short, model.cap) == (Settings().short, Settings().cap)


def test_the_facts_of_mpvss_are_those_of_its_weights() -> None:
    model = find_published("mpvss-r50")
    found = identify({key: tuple(shape) for key, shape in mpvss_keys().items()}, Settings())
    count = sum(prod(shape) for name, shape in mpvss_keys().items() if not name.endswith(("tracked", "empty_weight")))
    assert model.parameters == pytest.approx(count / 1e6, abs=0.1)
    assert (model.queries, model.channels) == (found.config.queries, found.config.width)
    assert (model.short, model.cap) == (found.settings.short, found.settings.cap)
    assert model.kept_bytes(736, 1280) == 0


@pytest.mark.parametrize("name", [name for name in catalogue().models if name.startswith("mpvss-")])
def test_where_no_weights_are_public_it_is_said(name: str) -> None:
    with pytest.raises(ModelError, match=f"{name} is the name of a published model") as caught:
        refuse_published(name)
    assert "They are nowhere public (its authors released none" in caught.value.hint
    assert f"vsscli convert FILE --out models/{name}" in caught.value.hint


def test_what_is_kept_of_a_frame() -> None:
    assert SHOWN_SIZE == (736, 1280)
    assert find_published("dvis-plus-online-r50").kept_bytes(736, 1280) == 100 * 184 * 320 * 4
    assert find_published("dvis-plus-online-vitl").kept_bytes(736, 1280) == 200 * 184 * 320 * 4
    assert find_published("dvis-plus-offline-vitl").kept_bytes(736, 1280) == 256 * 184 * 320 * 4


def test_the_families_that_load_directly_are_those_of_the_table() -> None:
    assert set(catalogue().direct) == set(FAMILIES) - {"dvis", "mpvss"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("queries = 100", "querys = 100", "queries, querys"),
        ("queries = 100", 'queries = "100"', "queries missing, unknown or of another type"),
        ("queries = 100", "", "queries missing"),
        ("miou = 0.469", "miou = 46.9", "a score is no fraction"),
        ('keeps_per = "queries"', 'keeps_per = "frames"', "keeps_per is none"),
        ('family = "dvis-plus"', 'family = "dvis"', "family"),
        ('title = "DVIS++"', "", "dvis-plus: title missing"),
    ],
)
def test_every_field_is_checked(old: str, new: str, told: str) -> None:
    assert old in TEXT
    with pytest.raises(ValueError, match=told):
        read_catalogue(TEXT.replace(old, new, 1))


def test_a_name_that_is_none() -> None:
    with pytest.raises(OptionError, match="no published model 'mask2former'"):
        find_published("mask2former")


@pytest.mark.parametrize("name", ARCHES)
def test_a_published_name_is_no_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=f"{name} is the name of a published model") as caught:
        resolve_source(name)
    assert "zhangtao-whu/DVIS_Plus" in caught.value.hint
    assert (
        f"vsscli convert hf://zhangtao-whu/DVIS_Plus/FILE --out models/{name} and --model models/{name}"
        in caught.value.hint
    )
    (tmp_path / name).mkdir()
    assert resolve_source(name) == Path(name)  # a folder comes first
    refuse_published(f"{name}x")
