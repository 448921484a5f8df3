"""Who is asked: a named profile, a YAML file of one's own, or a model in this process."""

import difflib
import ipaddress
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vsscli.errors import OptionError
from vsscli.postprocess.fields import Check, check_fields, is_count, is_text, read_mapping
from vsscli.postprocess.prices import Price, find_price, read_price
from vsscli.postprocess.question import Question
from vsscli.resources import resource_folder

#: Holds the key for a server that one names oneself: a key is sent to nobody but whom it is meant for.
OWN_KEY = "VSSCLI_LLM_KEY"
_KEY_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_PARAMETERS = ("temperature", "top_p", "seed", "reasoning_effort")


@dataclass(frozen=True)
class Estimate:
    """What questions would take; ``usd`` is None where no price is known."""

    requests: int
    tokens_in: int
    tokens_out: int
    usd: float | None


@dataclass(frozen=True)
class Profile:
    """Who is asked, and how. ``local`` is a model folder on this machine; then there is no ``base_url``.

    ``key`` names the environment variable with the key, which ``needs_key`` or goes without; ``price`` is None where
    nobody knows it; ``asked`` is the identity that enters `Question.key`; ``digest`` that of a local model.
    """

    name: str
    model: str
    base_url: str = ""
    local: str | None = None
    digest: str = ""
    key: str = OWN_KEY
    needs_key: bool = False
    note: str = ""
    structured: bool = True
    detail: str | None = None
    image_tokens: str | int = "patches"
    answer_tokens: int = 60
    max_tokens: int = 300
    retries: int = 4
    parameters: Mapping[str, Any] = field(default_factory=dict)
    price: Price | None = None

    @property
    def remote(self) -> bool:
        """Whether something leaves this machine."""
        return self.local is None and not is_loopback(self.base_url)

    @property
    def asked(self) -> str:
        """All that an answer depends on beside the question. A server here may move to another port."""
        if self.local is not None:
            return json.dumps(["local", self.digest])
        where = self.base_url if self.remote else "loopback"
        how = [self.structured, self.detail, self.max_tokens, dict(sorted(self.parameters.items()))]
        return json.dumps([where, self.model, *how])

    @property
    def told(self) -> str:
        """What leaves the machine, and where to; empty where nothing does."""
        if not self.remote:
            return ""
        cost = ""
        if self.price is not None:
            price = self.price
            cost = f", at {price.input:g} + {price.output:g} USD per million tokens in + out ({price.source})"
        sent = f"The questions and the pictures of their key frames go to {self.base_url} (model {self.model}{cost})."
        return f"{self.note} {sent}".lstrip()

    def tokens(self, question: Question) -> tuple[int, int]:
        """What one request usually takes: tokens in, tokens out."""
        schema = 80 + 8 * len(question.candidates) if self.structured else 20
        words = math.ceil(len(question.text.encode()) / 3)
        return words + schema + _image_tokens(self.image_tokens, question.size), self.answer_tokens

    def usd(self, tokens_in: int, tokens_out: int) -> float | None:
        """What tokens cost: nothing on this machine unless a price is given, None where none is known."""
        if self.price is not None:
            return self.price.usd(tokens_in, tokens_out)
        return None if self.remote else 0.0

    def estimate(self, questions: Iterable[Question]) -> Estimate:
        """What ``questions`` would take; contacts nobody."""
        pairs = [self.tokens(question) for question in questions]
        tokens_in, tokens_out = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
        return Estimate(len(pairs), tokens_in, tokens_out, self.usd(tokens_in, tokens_out))


def load_profile(
    name_or_yaml: str,
    *,
    base_url: str | None = None,
    model: str | None = None,
    local: str | None = None,
    prices: Path | None = None,
) -> Profile:
    """The profile of a name in ``prompts/profiles.yaml`` or of a YAML file, with what the options override.

    ``local`` is a model folder, or the hub id of a model in the hub's cache. Raises OptionError for an unknown name, a
    broken file, an address that cannot be used, or options that exclude each other; ModelError where ``local`` is none.
    """
    profile = _read_profile(name_or_yaml)
    if local is not None:
        from vsscli.postprocess.local import find_model

        if base_url is not None or model is not None or profile.needs_key:
            raise OptionError(
                f"--local asks a model in this process, but {_others(base_url, model, profile)} asks a server.",
                "Give --llm llava with --local and no other address or model.",
            )
        folder, digest = find_model(local)
        return Profile(profile.name, local, local=str(folder), digest=digest)
    if base_url is not None and _origin(check_url(base_url, "--base-url")) != _origin(profile.base_url):
        # another server: neither the key nor the price nor the note are meant for it
        profile = replace(profile, key=OWN_KEY, needs_key=False, price=None, note="")
    if model is not None and not is_text(model):
        raise OptionError("--llm-model is no name of a model: it is empty, too long, or not printable.")
    changed: dict[str, Any] = {
        "base_url": base_url and base_url.rstrip("/"),
        "model": model,
        "note": "" if model else None,
    }
    profile = replace(profile, **{key: value for key, value in changed.items() if value is not None})
    found = find_price(_host(profile.base_url), profile.model, prices)
    return replace(profile, price=found if model is not None or profile.price is None else profile.price)


def _others(base_url: str | None, model: str | None, profile: Profile) -> str:
    return "--base-url" if base_url is not None else "--llm-model" if model is not None else f"--llm {profile.name}"


def _read_profile(name_or_yaml: str) -> Profile:
    shipped = read_mapping(resource_folder("prompts") / "profiles.yaml", "the profiles")
    if name_or_yaml in shipped:
        return _profile(name_or_yaml, shipped[name_or_yaml], f"the profile {name_or_yaml}")
    path = Path(name_or_yaml)
    try:
        is_file = path.is_file()
    except (OSError, ValueError):
        is_file = False
    if is_file or path.suffix in (".yaml", ".yml"):
        return _profile(path.stem, read_mapping(path, "a profile"), str(path))
    near = difflib.get_close_matches(name_or_yaml, shipped, 1, 0.5)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise OptionError(
        f"There is no profile {name_or_yaml!r}.", f"{hint}Give {', '.join(shipped)}, or a YAML file of your own."
    )


def _profile(name: str, content: Any, where: str) -> Profile:
    fields = check_fields(content, where, _REQUIRED, _OPTIONAL)
    check_url(fields["base_url"], f"base_url in {where}")
    fields["base_url"] = fields["base_url"].rstrip("/")
    if "price" in fields:
        fields["price"] = read_price(fields["price"], f"the price in {where}")
    return Profile(name, needs_key="key" in fields, **fields)


def _is_parameters(value: Any) -> bool:
    return isinstance(value, dict) and all(
        key in _PARAMETERS and ((type(item) in (int, float) and math.isfinite(item)) or is_text(item))
        for key, item in value.items()
    )


_REQUIRED: dict[str, tuple[Check, str]] = {
    "base_url": (is_text, "the address of a server, such as http://127.0.0.1:8000/v1"),
    "model": (is_text, "the name of a model that the server knows"),
}
_OPTIONAL: dict[str, tuple[Check, str]] = {
    "key": (
        lambda value: isinstance(value, str) and _KEY_NAME.fullmatch(value) is not None,
        "the NAME of the environment variable that holds the key (capitals, digits and _), never the key itself",
    ),
    "note": (is_text, "one line that is told when the profile is used"),
    "structured": (lambda value: isinstance(value, bool), "true or false: whether a JSON schema is sent along"),
    "detail": (lambda value: value in ("auto", "low", "high", "original"), "auto, low, high or original"),
    "image_tokens": (lambda value: value in ("patches", "tiles") or is_count(value), "patches, tiles or a number"),
    "answer_tokens": (is_count, "a whole number, at least 1"),
    "max_tokens": (is_count, "a whole number, at least 1"),
    "retries": (lambda value: type(value) is int and 0 <= value <= 20, "a whole number from 0 to 20"),
    "parameters": (_is_parameters, f"values of {', '.join(_PARAMETERS)}"),
    "price": (lambda value: isinstance(value, dict), "input and output, US dollars for a million tokens"),
}


def check_url(url: str, what: str) -> str:
    """``url``, an http(s) address that carries no secret; OptionError naming ``what`` it is otherwise.

    A password or a key in the address is not shown, for it would stand in records.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or not is_text(url) or " " in url:
        raise OptionError(f"{what} is no address of a server.", "Give one such as http://127.0.0.1:8000/v1.")
    if parts.username is not None or parts.query or parts.fragment:
        raise OptionError(
            f"{what} carries more than an address: a user, a password, or something after ? or #.",
            f"Keys come from the environment only ({OWN_KEY}).",
        )
    return url


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def is_loopback(url: str) -> bool:
    """Whether an address leads to this machine itself."""
    host = _host(url)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _image_tokens(rule: str | int, size: tuple[int, int]) -> int:
    """Tokens of an image of ``size`` (height, width), by the rules that OpenAI publishes for its families."""
    height, width = size
    if isinstance(rule, int):
        return rule
    if rule == "patches":
        return math.ceil(1.2 * math.ceil(height / 32) * math.ceil(width / 32))
    return 85 + 170 * math.ceil(height / 512) * math.ceil(width / 512)
