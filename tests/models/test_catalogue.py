"""The published models: facts with checked fields."""

from math import prod
from pathlib import Path

import pytest

import vsscli.models.catalogue as module
from tests.fixtures.recorded import key_list, vmt_key_list
from tests.models.mpvss.cases import mpvss_keys
from vsscli.errors import ModelError, OptionError
from vsscli.models.catalogue import SHOWN_SIZE, catalogue, find_published, read_catalogue, refuse_published
from vsscli.models.convert.identify import Settings, identify
from vsscli.models.dvis.config import DvisConfig
from vsscli.models.families import FAMILIES, OwnFamily
from vsscli.models.source import resolve_source


def _arch(family: str, *words: str) -> str:
    """What the key lists call a model."""
    if family == "dvis":
        return f"dvis_{words[2]}_{words[1]}"
    return f"{family}_vitl" if family == "videomt" else f"{family}_{words[0]}_vitl"


def _key_list(arch: str) -> dict[str, list[int]]:
    return key_list(arch) if arch.startswith("dvis") else vmt_key_list(arch)


TEXT = (Path(module.__file__).parent / "published.toml").read_text()
ARCHES = {name: _arch(*name.split("-")) for name in catalogue().models if not name.startswith("mpvss")}


@pytest.mark.parametrize("name", ARCHES)
def test_the_facts_are_those_of_the_official_weights(name: str) -> None:
    model, shapes = catalogue().models[name], _key_list(ARCHES[name])
    config = identify({key: tuple(shape) for key, shape in shapes.items()}, Settings()).config
    count = 0
    for shape in shapes.values():
        size = 1
        for side in shape:
            size *= side
        count += size
    assert model.parameters == pytest.approx(count / 1e6, abs=0.1)
    assert (model.short, model.cap) == (Settings().short, Settings().cap)
    assert model.queries == config.queries and config.kind in name
    kept = FAMILIES[ARCHES[name].partition("_")[0] if isinstance(config, DvisConfig) else "vmt"]
    assert isinstance(kept, OwnFamily)
    told = kept.kept(config, SHOWN_SIZE)
    assert told is not None and (told.what, told.stored) == (model.kept, model.kept_bytes(*SHOWN_SIZE))


def test_the_facts_of_mpvss_are_those_of_its_weights() -> None:
    model = find_published("mpvss-r50")
    found = identify({key: tuple(shape) for key, shape in mpvss_keys().items()}, Settings())
    count = sum(prod(shape) for name, shape in mpvss_keys().items() if not name.endswith(("tracked", "empty_weight")))
    assert model.parameters == pytest.approx(count / 1e6, abs=0.1)
    assert isinstance(found.config, DvisConfig)
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
    assert set(catalogue().direct) == set(FAMILIES) - {"dvis", "mpvss", "vmt"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("queries = 100", "querys = 100", "queries, querys"),
        ("queries = 100", 'queries = "100"', "queries missing, unknown or of another type"),
        ("queries = 100", "", "queries missing"),
        ("miou = 0.469", "miou = 46.9", "a score is no fraction"),
        ('keeps_per = "queries"', 'keeps_per = "frames"', "keeps_per is none"),
        ("vc8 = 0.923", "vc8 = 92.3", "a score is no fraction"),
        ("vc16 = 0.911", "", "vc16 missing"),
        ('file = "vspw', 'fiel = "vspw', "fiel missing, unknown"),
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
    with pytest.raises(OptionError, match=r"'lvmt'\. Did you mean lvmt-dinov2-vitl, lvmt-dinov3-vitl\?"):
        find_published("lvmt")


@pytest.mark.parametrize("name", ARCHES)
def test_a_published_name_is_no_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=f"{name} is the name of a published model") as caught:
        resolve_source(name)
    model = catalogue().models[name]
    assert f"They are in {model.about.hub} on the hub" in caught.value.hint
    assert f"{model.convert_line} and --model models/{name}" in caught.value.hint
    line = f"vsscli convert hf://{model.about.hub}/{model.file} --out models/{name}"
    assert model.convert_line == line and (model.file == "FILE") == name.startswith("dvis")
    (tmp_path / name).mkdir()
    assert resolve_source(name) == Path(name)  # a folder comes first
    refuse_published(f"{name}x")
