"""A real vision-language model, in this process and behind a real server, that answers by what it sees."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import LlavaForConditionalGeneration, PreTrainedTokenizerFast

from tests.postprocess.serve import served
from tests.postprocess.support import question
from tests.postprocess.tiny_llava import JUDGE, SIDE, Effort, Picture, as_question, pictures
from vsscli.errors import ModelError
from vsscli.postprocess.answers import AnswerStore
from vsscli.postprocess.ask import ask, check
from vsscli.postprocess.local import LocalAsker
from vsscli.postprocess.profiles import Profile, load_profile
from vsscli.postprocess.question import Answer

VIDEOS = 12


@pytest.fixture(scope="module")
def unseen() -> list[Picture]:
    """Pictures of a world that the model has not learned on."""
    return list(pictures(JUDGE, VIDEOS, 1))


def answers(profile: Profile, seen: list[Picture], run: Path) -> list[Answer]:
    asked = [as_question(picture, number) for number, picture in enumerate(seen)]
    result = ask(asked, profile, AnswerStore(run), threads=2)
    assert (result.asked, result.failed, result.usd, result.stopped) == (len(seen), 0, 0.0, None)
    store = AnswerStore(run)
    found = [store.get(one.key(profile.asked)) for one in asked]
    return [answer for answer in found if answer is not None]


def share_right(seen: list[Picture], given: list[Answer]) -> float:
    assert len(given) == len(seen)
    return sum(answer.chosen == picture.water for answer, picture in zip(given, seen, strict=True)) / len(seen)


def test_a_model_in_this_process_answers_by_what_it_sees(
    tiny_llava: Path, unseen: list[Picture], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    profile = load_profile("llava", local=str(tiny_llava))
    assert not profile.remote and not profile.told
    check(profile)
    given = answers(profile, unseen, tmp_path)
    assert share_right(unseen, given) >= 0.75  # a third by chance
    assert capfd.readouterr().err == ""
    for answer in given:
        shares = {part.rsplit(" ", 1)[0]: float(part.rsplit(" ", 1)[1]) for part in answer.text.split(", ")}
        assert sum(shares.values()) == pytest.approx(1, abs=1e-3)
        assert answer.chosen == max(shares, key=lambda name: shares[name])
        assert answer.probability == pytest.approx(max(shares.values()), abs=1e-3)


def test_the_order_of_classes_and_their_names_are_open(tiny_llava: Path, unseen: list[Picture]) -> None:
    """Names that share beginnings, that begin others, of many words: each gets a share, and all sum to one."""
    asker = LocalAsker(load_profile("llava", local=str(tiny_llava)))
    names = ("sea", "seaside", "sea side", "lake", "Lake house", "river_or_stream", "\u6e56", "x" * 40)
    reply = asker.ask(replace(as_question(unseen[0]), candidates=names))
    shares = [float(part.rsplit(" ", 1)[1]) for part in reply.text.split(", ")]
    assert reply.chosen in names and len(shares) == len(names)
    assert sum(shares) == pytest.approx(1, abs=2e-3)
    turned = asker.ask(replace(as_question(unseen[0]), candidates=names[::-1]))
    assert turned.chosen == reply.chosen and turned.probability == pytest.approx(reply.probability, abs=1e-4)
    assert asker.ask(as_question(unseen[0])) == asker.ask(as_question(unseen[0]))


def test_weights_of_half_precision_answer_too(tiny_llava: Path, unseen: list[Picture], tmp_path: Path) -> None:
    halved = tmp_path / "half"
    LlavaForConditionalGeneration.from_pretrained(tiny_llava).to(torch.bfloat16).save_pretrained(halved)
    for path in tiny_llava.iterdir():
        if not (halved / path.name).exists():
            (halved / path.name).write_bytes(path.read_bytes())
    replies = [
        LocalAsker(load_profile("llava", local=str(folder))).ask(as_question(unseen[0]))
        for folder in (tiny_llava, halved)
    ]
    assert replies[0].probability != replies[1].probability
    assert replies[0].probability == pytest.approx(replies[1].probability, abs=0.1)


def test_a_question_that_breaks_the_model_is_a_failure_of_its_own(tiny_llava: Path, tmp_path: Path) -> None:
    profile = load_profile("llava", local=str(tiny_llava))
    odd = [replace(question(0), text="<image> <image>"), replace(question(1), image=b"no JPEG"), question(2)]
    result = ask(odd, profile, AnswerStore(tmp_path))
    assert (result.asked, result.failed, result.stopped) == (1, 2, None)


def test_a_real_server_answers_by_what_it_sees(tiny_llava: Path, unseen: list[Picture], tmp_path: Path) -> None:
    """It knows no structured output and says nothing of that: its sentences are read."""
    with served(tiny_llava, tmp_path / "log") as url:
        profile = load_profile("llava", base_url=url, model=str(tiny_llava))
        check(profile)
        given = answers(profile, unseen, tmp_path / "run")
        assert share_right(unseen, given) >= 0.7
        assert any(answer.text.strip().startswith("The water in the image is a") for answer in given)
        words = PreTrainedTokenizerFast.from_pretrained(tiny_llava)
        for picture, answer in zip(unseen, given, strict=True):
            text = len(words(as_question(picture).text)["input_ids"])
            assert answer.tokens_in > text + (SIDE // Effort().patch) ** 2, "the picture went in"
        again = ask([as_question(unseen[0])], profile, AnswerStore(tmp_path / "run"))
        assert (again.asked, again.cached) == (0, 1)
        other = load_profile("llava", base_url=url, model="another-model")
        stopped = ask([as_question(unseen[0])], other, AnswerStore(tmp_path / "run"))
        assert stopped.stopped is not None and "--llm-model" in stopped.stopped


def test_a_broken_model_folder_is_one_sentence(tiny_llava: Path, tmp_path: Path) -> None:
    for name, content in {"config.json": '{"vision_config": {}}', "model.safetensors": "x"}.items():
        folder = tmp_path / name
        folder.mkdir()
        for path in tiny_llava.iterdir():
            (folder / path.name).symlink_to(path)
        (folder / name).unlink()
        (folder / name).write_text(content)
        with pytest.raises(ModelError, match="cannot be loaded"):
            ask([question()], load_profile("llava", local=str(folder)), AnswerStore(tmp_path / "run"))


def test_other_weights_are_another_model(tiny_llava: Path, tmp_path: Path) -> None:
    for path in tiny_llava.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    same = load_profile("llava", local=str(tmp_path))
    assert same.asked == load_profile("llava", local=str(tiny_llava)).asked
    weights = bytearray((tmp_path / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(weights)
    assert load_profile("llava", local=str(tmp_path)).asked != same.asked
    assert json.loads(same.asked)[0] == "local"
