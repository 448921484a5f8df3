"""Applying answers: what may change, whatever they are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.postprocess.test_tubes import GROUPS, VIDEOS, Array, follow
from tests.postprocess.worlds import TABLE, world, write_data, write_run
from vsscli.data.open import open_dataset
from vsscli.engine import produce
from vsscli.errors import RunError
from vsscli.postprocess.answers import AnswerStore
from vsscli.postprocess.correct import missing_questions, returning
from vsscli.postprocess.decide import UNANSWERED
from vsscli.postprocess.facts import read_regions, unanswered_keys
from vsscli.postprocess.groups import read_groups
from vsscli.postprocess.plan import Plan, Planner
from vsscli.postprocess.profiles import Profile, load_profile
from vsscli.postprocess.question import Answer, Question
from vsscli.postprocess.regions import find_regions
from vsscli.postprocess.rules import Rules
from vsscli.postprocess.stage import CorrectStage, changed_pixels, decide_video, relabel
from vsscli.postprocess.wording import read_wording
from vsscli.runs.record import read_record, write_record
from vsscli.runs.run import open_run


def plan_of(video: Array) -> Plan:
    """A plan that asks about every region of a video ``uint8 [T, H, W]``."""
    tubes = follow(video)
    question = Question("v", "r", "g", "f", "text", ("a", "b"), b"", (1, 1))
    regions = tuple(find_regions(tubes, GROUPS, Rules(when="all", min_frames=2)))
    for region in regions:
        region.questions += [question] * 3
    return Plan("v", tuple(map(str, range(len(video)))), tubes, regions, video.size)


def apply(plan: Plan, video: Array, answers: list[list[Answer | None]], rejected: list[str], rules: Rules) -> Array:
    decisions = decide_video(plan, answers, rejected, rules)
    changes = {
        i: plan.regions[i].group.ids[plan.regions[i].group.classes.index(decision.chosen)]
        for i, decision in enumerate(decisions)
        if decision is not None and decision.chosen is not None
    }
    return np.stack([relabel(plan, t, labels, changes) for t, labels in enumerate(video)])


def draw_answers(data: st.DataObject, plan: Plan) -> list[list[Answer | None]]:
    answers: list[list[Answer | None]] = []
    for region in plan.regions:
        chosen = st.sampled_from([*region.group.classes, None, "no class of it"])
        favourite = data.draw(st.none() | chosen)
        given = [favourite] * 3 if data.draw(st.booleans()) else data.draw(st.lists(chosen, min_size=3, max_size=3))
        answers.append([Answer("k", name, data.draw(st.none() | st.floats(0, 1)), "", "m") for name in given])
    return answers


@given(VIDEOS, st.data(), st.floats(0, 1))
def test_never_outside_a_group_never_void_never_too_much(video: Array, data: st.DataObject, share: float) -> None:
    plan, rules = plan_of(video), Rules(max_share=share)
    answers = draw_answers(data, plan)
    after = apply(plan, video, answers, [], rules)
    changed = after != video
    for group in GROUPS:
        assert (np.isin(after, group.ids) == np.isin(video, group.ids)).all(), "a pixel stays in its group"
    assert not (changed & ~np.isin(video, [0, 1, 2, 3, 4, 5])).any()
    assert changed.sum() <= share * video.size
    decisions = decide_video(plan, answers, [], rules)
    told = [changed_pixels(r, d.chosen) for r, d in zip(plan.regions, decisions, strict=True) if d and d.chosen]
    assert sum(told) == changed.sum()


@settings(max_examples=50)
@given(VIDEOS, st.data())
def test_once_more_changes_nothing_more(video: Array, data: st.DataObject) -> None:
    """The corrected video has the same tubes: the same answers about them change nothing."""
    plan, rules = plan_of(video), Rules(max_share=1)
    of_tube = {region.place: given for region, given in zip(plan.regions, draw_answers(data, plan), strict=True)}
    once = apply(plan, video, [of_tube[region.place] for region in plan.regions], [], rules)
    again = plan_of(once)
    assert [tube.frames for tube in again.tubes.tubes] == [tube.frames for tube in plan.tubes.tubes]
    assert (apply(again, once, [of_tube[region.place] for region in again.regions], [], rules) == once).all()


@given(VIDEOS, st.data())
def test_to_reject_is_to_undo(video: Array, data: st.DataObject) -> None:
    plan, rules = plan_of(video), Rules(max_share=1)
    answers, names = draw_answers(data, plan), [region.name for region in plan.regions]
    assert (apply(plan, video, answers, names, rules) == video).all()
    if names:
        one = data.draw(st.sampled_from(names))
        whole, rest = apply(plan, video, answers, [], rules), apply(plan, video, answers, [one], rules)
        mine = np.zeros(video.shape, np.bool_)
        for t, labels in enumerate(video):
            for _, mask in plan.masks(t, labels, frozenset([names.index(one)])):
                mine[t] = mask
        assert (rest == np.where(mine, video, whole)).all(), "that region is as it was, and nothing else"


@given(VIDEOS, st.data())
def test_while_a_question_is_unanswered_the_video_is_as_it_was(video: Array, data: st.DataObject) -> None:
    plan, rules = plan_of(video), Rules(max_share=1)
    answers = draw_answers(data, plan)
    if answers:
        data.draw(st.sampled_from(answers))[data.draw(st.integers(0, 2))] = None
        assert (apply(plan, video, answers, [], rules) == video).all()


def test_regions_are_taken_as_long_as_little_changes_in_all() -> None:
    video = np.full((2, 4, 10), 6, np.uint8)
    video[:, :, :2] = video[:, :, 4:6] = video[:, :, 8:] = 0
    plan = plan_of(video)
    answers: list[list[Answer | None]] = [[Answer("k", "river", None, "", "m")] * 3 for _ in plan.regions]
    for share, regions in ((0.19, 0), (0.2, 1), (0.39, 1), (0.4, 2), (0.6, 3)):
        after = apply(plan, video, answers, [], Rules(max_share=share))
        assert (after != video).sum() == 16 * regions


class World:
    """The small world of `worlds` on disk, and a stage over it."""

    def __init__(self, root: Path, rules: Rules | None = None) -> None:
        self.root, self.out, self.profile = root, root / "out", load_profile("llava")
        if not (root / "run").exists():
            write_data(root / "data", world())
            write_run(root / "run", world())
        groups, wording = read_groups(None, TABLE, 1), read_wording(None, "outlined")
        self.planner = Planner(open_run(root / "run"), open_dataset(root / "data"), groups, wording, rules or Rules())

    def stage(self, *rejected: tuple[str, str], profile: Profile | None = None) -> CorrectStage:
        return CorrectStage(self.planner, profile or self.profile, self.out, frozenset(rejected), TABLE)

    def answer(self, video: str, chosen: str | None) -> None:
        store = AnswerStore(self.out)
        for question in self.planner.questions(video):
            store.add(Answer(question.key(self.profile.asked), chosen, None, f"A {chosen}.", "tester"))

    def produce(self, *rejected: tuple[str, str]) -> list[str]:
        """The videos that were made now; none may fail."""
        outcome = produce(self.stage(*rejected), self.out, self.planner.run.names())
        assert not outcome.failed
        return sorted(outcome.done)

    def maps(self, video: str) -> Array:
        run = open_run(self.out)
        return np.stack([run.labels(video, frame) for frame in run.frames(video)])


def test_a_video_is_made_again_when_its_answers_have_come(tmp_path: Path) -> None:
    here = World(tmp_path)
    here.answer("4_house", "building")
    assert here.produce() == ["1_split", "2_flip", "3_fine", "4_house", "5_both"]
    assert (here.maps("1_split") == world()["1_split"][1]).all()
    assert (here.maps("4_house") == world()["4_house"][0]).all()
    record = read_record(here.out, "1_split")
    assert record is not None and len(unanswered_keys(record)) == 3 == record.facts["unanswered"]
    assert here.produce() == []
    here.answer("1_split", "lake")
    assert here.produce() == ["1_split"]
    assert (here.maps("1_split") == world()["1_split"][0]).all()
    assert open_run(here.out).digest("1_split"), "the record is that of the new maps"
    assert here.produce() == []


def test_rejected_regions_are_taken_back_and_given_again(tmp_path: Path) -> None:
    here = World(tmp_path)
    for video, name in (("1_split", "lake"), ("2_flip", "river"), ("4_house", "building")):
        here.answer(video, name)
    here.produce()
    before = {video: here.maps(video) for video in world()}
    assert here.produce(("1_split", "water"), ("3_fine", "water")) == ["1_split", "3_fine"]
    assert (here.maps("1_split") == world()["1_split"][1]).all()
    assert here.produce(("1_split", "water"), ("3_fine", "water")) == []
    assert here.produce() == ["1_split", "3_fine"]
    assert all((here.maps(video) == before[video]).all() for video in world())


def test_nobody_is_asked_about_a_rejected_region_and_nothing_waits_for_it(tmp_path: Path) -> None:
    here = World(tmp_path)
    asked = here.planner.questions("5_both")
    regions = sorted({question.region for question in asked})
    assert len(regions) > 1
    rejected = ("5_both", regions[0])
    store = AnswerStore(here.out)
    for question in asked:
        if question.region != regions[0]:
            store.add(Answer(question.key(here.profile.asked), question.candidates[0], None, "That.", "tester"))
    here.produce()
    record = read_record(here.out, "5_both")
    assert record is not None and record.facts["unanswered"] == 3 and record.facts["changed"] == 0
    with missing_questions(here.planner, here.profile.asked, store, ["5_both"], 1, frozenset({rejected})) as missing:
        assert list(missing) == []
    assert here.produce(rejected) == ["5_both"]
    record = read_record(here.out, "5_both")
    assert record is not None and record.facts["unanswered"] == 0 == len(unanswered_keys(record))
    assert {told.why for told in read_regions(here.out, record) if told.region == regions[0]} == {"rejected"}
    assert record.facts["changed"] > 0
    assert returning(here.out, ["5_both"], frozenset()) == ["/".join(rejected)]
    assert returning(here.out, ["5_both"], frozenset({rejected})) == []


def test_a_region_that_is_none_fails_its_video_and_leaves_it(tmp_path: Path) -> None:
    here = World(tmp_path)
    for video, name in (("1_split", "lake"), ("2_flip", "river"), ("4_house", "building")):
        here.answer(video, name)
    here.produce()
    outcome = produce(here.stage(("1_split", "water-7")), here.out, here.planner.run.names())
    assert list(outcome.failed) == ["1_split"]
    assert "no such region. Its regions: water, building-1." in outcome.failed["1_split"]
    assert (here.maps("1_split") == world()["1_split"][0]).all()


def test_the_record_tells_all(tmp_path: Path) -> None:
    here = World(tmp_path)
    here.answer("1_split", "lake")
    here.produce()
    record = read_record(here.out, "1_split")
    assert record is not None
    water, building = record.facts["regions"]
    assert water["pixels"] == {"sea": 3840, "lake": 3840} and water["changed"] == 3840 == record.facts["changed"]
    assert water["frames"] == ["00000000", "00000005", 6] and water["asked"] == "it is of several classes"
    assert water["candidates"] == ["sea", "river", "lake", "water"] and "sea, river, lake" in water["question"]
    assert (water["decision"], water["why"], water["votes"]) == ("lake", "a clear majority", {"lake": 3.0})
    questions = here.planner.questions("1_split")
    for told, question in zip(water["questions"], questions, strict=True):
        assert told["frame"] == question.frame and told["key"] == question.key(here.profile.asked)
        assert len(told["image"]["sha256"]) == 64 and told["image"]["size"] == [48, 64]
        assert told["answer"] == {"chosen": "lake", "probability": None, "said": "A lake.", "model": "tester"}
    assert (building["decision"], building["why"], building["questions"]) == (None, "not asked", [])
    told = read_regions(here.out, record)
    assert [(r.region, r.questions, r.changed) for r in told] == [("water", 3, 3840), ("building-1", 0, 0)]


def test_answers_of_someone_else_do_not_count(tmp_path: Path) -> None:
    here = World(tmp_path)
    here.answer("1_split", "lake")
    other = load_profile("llava", model="another")
    produce(here.stage(profile=other), here.out, ["1_split"])
    record = read_record(here.out, "1_split")
    assert record is not None and record.facts["unanswered"] == 3
    assert record.facts["regions"][0]["why"] == UNANSWERED
    with pytest.raises(RunError, match="asked"):
        here.produce()


def test_too_much_of_a_video_does_not_change(tmp_path: Path) -> None:
    here = World(tmp_path, Rules(max_share=0.2))
    here.answer("1_split", "lake")
    here.produce()
    record = read_record(here.out, "1_split")
    assert record is not None and record.facts["regions"][0]["why"] == "too much of the video would change"
    assert (here.maps("1_split") == world()["1_split"][1]).all()


@pytest.mark.parametrize(
    "facts",
    [{}, {"regions": 3}, {"regions": [{"region": 1}]}, {"regions": [{"questions": [{"key": []}]}], "pixels": 1}],
)
def test_records_of_other_make(facts: dict[str, object], tmp_path: Path) -> None:
    here = World(tmp_path)
    here.answer("1_split", "lake")
    here.produce()
    record = read_record(here.out, "1_split")
    assert record is not None
    write_record(here.out, replace(record, facts=facts))
    if facts:
        with pytest.raises(RunError, match="does not tell what was asked and decided"):
            read_regions(here.out, replace(record, facts=facts))
    assert here.produce() == ["1_split"], "what cannot be understood is made again"
    assert (here.maps("1_split") == world()["1_split"][0]).all()
