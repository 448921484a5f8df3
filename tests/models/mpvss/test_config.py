"""The configuration of MPVSS models: there and back, and every way to get it wrong."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from tests.models.mpvss.cases import R50, small_config
from tests.models.mpvss.configs import configs
from vsscli.errors import ModelError
from vsscli.models.dvis.config import DvisConfig, HeadConfig, ResNetBackbone
from vsscli.models.mpvss.config import MotionConfig, MpvssConfig, from_json, to_json


@given(configs())
@settings(deadline=None, max_examples=50)
def test_there_and_back(config: MpvssConfig) -> None:
    assert from_json(json.loads(json.dumps(to_json(config))), "config.json") == config


def test_the_published_r50() -> None:
    entries = to_json(R50)
    assert entries["model_type"] == "mpvss" and entries["motion"]["layers"] == 9
    assert not {"kind", "reid", "tracker", "refiner"} & set(entries)
    assert len(entries["id2label"]) == len(R50.labels) == 124


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"model_type": "dvis"}, "model_type is not 'mpvss'"),
        ({"motion": None}, "motion is no JSON object"),
        ({"motion.widths": [1, 2, 3]}, "motion.widths is"),
        ({"motion.widths": [8, 8, 8, 8, 8, 0]}, "motion.widths is"),
        ({"motion.layers": 0}, "motion.layers is 0"),
        ({"motion.layers": 10**6}, "1000 is the largest"),
        ({"motion.colour": 1}, "motion.colour is an entry that no such model has"),
        ({"motion.heads": 5}, "its width 32 is no multiple of the 5 heads of its motion network"),
        ({"tracker": None}, "tracker is an entry that no such model has"),
        ({"queries": "6"}, "queries is '6'"),
        ({"width": 33}, "config.json: "),
        ({"backbone": {"type": "vgg"}}, "backbone.type is not one of"),
    ],
)
def test_what_makes_no_sense_is_named(change: dict[str, Any], told: str) -> None:
    entries = json.loads(json.dumps(to_json(small_config())))
    for name, value in change.items():
        group, _, inner = name.rpartition(".")
        (entries[group] if group else entries)[inner] = value
    with pytest.raises(ModelError, match=told) as caught:
        from_json(entries, "config.json")
    assert caught.value.message.startswith("config.json: ")


def test_its_segmenter_is_one_of_frames() -> None:
    tracked = DvisConfig("online", ResNetBackbone(), ("a",), tracker=HeadConfig())
    for segmenter in (tracked, DvisConfig("segmenter", ResNetBackbone(), ("a",))):
        with pytest.raises(ModelError, match="more than one of frames"):
            MpvssConfig(segmenter, MotionConfig())
