"""Who is asked: profiles, addresses, keys, prices, estimates."""

import json
import pickle
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vsscli
from tests.postprocess.support import question, questions
from vsscli.errors import OptionError, VssError
from vsscli.postprocess.ask import check
from vsscli.postprocess.profiles import OWN_KEY, Profile, is_loopback, load_profile

SECRET = "sk-very-secret-0123456789"


def own(folder: Path, **fields: Any) -> str:
    path = folder / "own.yaml"
    path.write_text(json.dumps({"base_url": "http://127.0.0.1:9/v1", "model": "m", **fields}))
    return str(path)


def test_gpt_4_asks_its_successor_and_says_so() -> None:
    profile = load_profile("gpt-4")
    assert profile.remote and profile.needs_key
    assert profile.model != "gpt-4" and profile.model in profile.told
    assert "retired" in profile.told and "https://api.openai.com/v1" in profile.told
    assert profile.price is not None and "USD" in profile.told
    assert "retired" not in load_profile("gpt-4", model="gpt-4.1").told


@pytest.mark.parametrize("name", ["gpt-4", "gpt-4o"])
def test_the_shipped_remote_profiles_have_a_dated_price(name: str) -> None:
    profile = load_profile(name)
    assert profile.price is not None
    assert "prices.yaml, 20" in profile.price.source
    assert profile.estimate(questions(3)).usd


def test_llava_is_a_server_here_and_costs_nothing() -> None:
    profile = load_profile("llava")
    assert not profile.remote and profile.told == "" and not profile.needs_key
    estimate = profile.estimate(questions(4))
    assert (estimate.requests, estimate.usd) == (4, 0.0)
    assert estimate.tokens_in > 4 * 576


def test_a_profile_travels_to_workers() -> None:
    profile = load_profile("gpt-4o")
    assert pickle.loads(pickle.dumps(profile)) == profile


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://127.8.9.1/v1", True),
        ("http://localhost/v1", True),
        ("http://LOCALHOST:80/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://192.168.1.4:8000/v1", False),
        ("http://localhost.example.org/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
        ("https://api.openai.com/v1", False),
        ("http://0.0.0.0:8000/v1", False),
    ],
)
def test_loopback_is_this_machine_and_nothing_else(url: str, here: bool) -> None:
    assert is_loopback(url) is here
    assert load_profile("llava", base_url=url).remote is not here


def test_a_key_goes_to_nobody_but_whom_it_is_meant_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_profile("gpt-4o").key == "OPENAI_API_KEY"
    assert load_profile("gpt-4o", base_url="https://api.openai.com/v1/").key == "OPENAI_API_KEY"
    for url in ("https://other.example/v1", "http://api.openai.com/v1", "https://api.openai.com.example/v1"):
        profile = load_profile("gpt-4o", base_url=url)
        assert profile.key == OWN_KEY and not profile.needs_key
        assert profile.base_url in profile.told
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(OptionError, match="OPENAI_API_KEY is not set"):
        check(load_profile("gpt-4o"))
    monkeypatch.setenv("OPENAI_API_KEY", "a key with blanks")
    with pytest.raises(OptionError, match="holds no key") as caught:
        check(load_profile("gpt-4o"))
    assert "blanks" not in str(caught.value)


def test_an_unknown_price_is_refused_until_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with pytest.raises(OptionError, match="is not known"):
        check(load_profile("gpt-4o", model="gpt-99"))
    prices = tmp_path / "prices.yaml"
    prices.write_text("usd_per_million_tokens: {api.openai.com: {gpt-99: {input: 7, output: 9}}}")
    profile = load_profile("gpt-4o", model="gpt-99", prices=prices)
    check(profile)
    assert profile.usd(1_000_000, 2_000_000) == 25.0
    dated = load_profile("gpt-4o", model="gpt-4o-2024-11-20").price
    assert dated is not None and dated == load_profile("gpt-4o").price
    assert load_profile("gpt-4o", base_url="https://other.example/v1").price is None
    free = load_profile(own(tmp_path, base_url="http://10.0.0.1/v1", price={"input": 0, "output": 0}))
    check(free)
    assert free.remote and free.estimate(questions(2)).usd == 0.0


@pytest.mark.parametrize("budget", [0, -1, float("nan"), float("inf")])
def test_a_budget_that_lets_nothing_be_asked_is_refused(budget: float) -> None:
    with pytest.raises(OptionError, match="--budget"):
        check(load_profile("llava"), budget)


def test_no_server_is_told_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"No server answers at http://127.0.0.1:9/v1"):
        check(load_profile(own(tmp_path)))


def test_who_is_asked_is_part_of_the_question(tmp_path: Path) -> None:
    base = load_profile("gpt-4o")
    others = [
        load_profile("gpt-4"),
        load_profile("llava"),
        load_profile("gpt-4o", model="gpt-4.1"),
        load_profile("gpt-4o", base_url="https://other.example/v1"),
        replace(base, detail="low"),
        replace(base, structured=False),
        replace(base, parameters={"temperature": 1}),
    ]
    assert len({profile.asked for profile in (base, *others)}) == len(others) + 1
    assert replace(base, price=None, retries=1, note="x", answer_tokens=9).asked == base.asked
    moved = load_profile("llava", base_url="http://localhost:1234/v1")
    assert moved.asked == load_profile("llava").asked
    assert question().key(base.asked) != question().key(moved.asked)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"modle": "x"}, "Did you mean model"),
        ({"key": SECRET}, "NAME of the environment variable"),
        ({"api_key": SECRET}, "unknown field 'api_key'"),
        ({"base_url": f"http://user:{SECRET}@127.0.0.1/v1"}, "more than an address"),
        ({"base_url": f"http://127.0.0.1/v1?key={SECRET}"}, "more than an address"),
        ({"base_url": "127.0.0.1:8000"}, "no address"),
        ({"base_url": "ftp://127.0.0.1/"}, "no address"),
        ({"base_url": "http://127.0.0.1:99999/v1"}, "no address"),
        ({"base_url": "http://[::1/v1"}, "no address"),
        ({"base_url": 7}, "base_url"),
        ({"model": ""}, "model"),
        ({"model": "two\nlines"}, "model"),
        ({"model": None}, "model"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"retries": -1}, "retries"),
        ({"structured": "yes"}, "structured"),
        ({"detail": "huge"}, "detail"),
        ({"image_tokens": "some"}, "image_tokens"),
        ({"parameters": {"messages": []}}, "parameters"),
        ({"parameters": {"stream": True}}, "parameters"),
        ({"parameters": 3}, "parameters"),
        ({"price": {"input": 1}}, "output"),
        ({"price": {"input": -1, "output": 1}}, "input"),
        ({"price": {"input": float("inf"), "output": 1}}, "input"),
    ],
)
def test_a_broken_profile_is_one_sentence_without_its_secrets(fields: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=words) as caught:
        load_profile(own(tmp_path, **fields))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"- a", b"7", b"a: [", b"\xff\xfe", b"a: &a [*a]", b"1: 2", b"base_url: http://x/v1"]
)
def test_a_file_that_is_no_profile_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(content)
    with pytest.raises(OptionError):
        load_profile(str(path))


@pytest.mark.parametrize("name", ["gpt4", "nobody", "", "no/such.yaml", "x" * 5000, "a\0b"])
def test_an_unknown_profile_is_one_sentence(name: str) -> None:
    with pytest.raises(OptionError, match="profile"):
        load_profile(name)


@pytest.mark.parametrize(
    "content",
    ["{}", "usd_per_million_tokens: 3", "usd_per_million_tokens: {h: 3}", "usd_per_million_tokens: {h: {m: 3}}"],
)
def test_broken_prices_are_one_sentence(content: str, tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(content)
    with pytest.raises(OptionError):
        load_profile("gpt-4o", prices=path)
    with pytest.raises(OptionError):
        load_profile("gpt-4o", prices=tmp_path / "none.yaml")


@pytest.mark.parametrize("options", [{"base_url": "http://127.0.0.1/v1"}, {"model": "m"}])
def test_a_model_in_this_process_goes_with_no_server(options: Any, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"vision_config": {}}')
    with pytest.raises(OptionError, match="--local"):
        load_profile("llava", local=str(folder), **options)
    with pytest.raises(OptionError, match="--local"):
        load_profile("gpt-4o", local=str(folder))


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"model_type": "llama"}'])
def test_a_folder_that_is_no_such_model_is_one_sentence(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(VssError, match=r"no model folder|takes no images"):
        load_profile("llava", local=str(tmp_path))
    with pytest.raises(VssError, match="no model folder"):
        load_profile("llava", local=str(tmp_path / "none"))


def test_a_hub_model_is_not_downloaded_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(VssError, match="hf download some-org/some-model"):
        load_profile("llava", local="some-org/some-model")


PROFILES = [load_profile(name) for name in ("gpt-4", "gpt-4o", "llava")]


@given(st.sampled_from(PROFILES), st.integers(1, 2000), st.integers(1, 2000))
def test_larger_images_never_cost_less(profile: Profile, height: int, width: int) -> None:
    small, large = (replace(question(), size=size) for size in ((height, width), (height + 64, width + 64)))
    assert 0 < profile.tokens(small)[0] <= profile.tokens(large)[0]


def test_the_profile_that_the_guide_shows_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guide = (Path(vsscli.__file__).parent / "guides" / "correction.md").read_text()
    block = guide.split("A profile of your own:")[1].split("- **Keys**")[0]
    path = tmp_path / "example.yaml"
    path.write_text(textwrap.dedent(block))
    monkeypatch.setenv("EXAMPLE_KEY", SECRET)
    profile = load_profile(str(path))
    check(profile)
    assert profile.needs_key and profile.remote and profile.usd(1_000_000, 0) == 1.2
