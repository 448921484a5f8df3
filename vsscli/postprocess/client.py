"""One question to one server that speaks the OpenAI protocol: the request, the answer, and what goes wrong."""

import base64
import os
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from vsscli.errors import OptionError
from vsscli.postprocess.parse import ABSTAIN, parse
from vsscli.postprocess.profiles import Profile
from vsscli.postprocess.question import Question

if TYPE_CHECKING:
    from openai import APIError, APIStatusError

OPENAI = "https://api.openai.com"
MOST_TOKENS = 10**9  # that anybody counts for one answer
LIMITS = {"max_tokens", "max_completion_tokens"}
SECRET = 8  # characters; servers at home take "x" for a key


@dataclass(frozen=True)
class Reply:
    """What a model said to one question, and what was understood (see `Answer`); ``refused``: it would not say."""

    chosen: str | None
    probability: float | None
    text: str
    model: str
    tokens_in: int
    tokens_out: int
    refused: bool = False


class NoReplyError(Exception):
    """This question got no answer; ``billed``: so often it may cost as one."""

    def __init__(self, message: str, billed: int = 0) -> None:
        super().__init__(message)
        self.billed = billed


class StopAskingError(Exception):
    """No other question would be answered either; the message says why, and what to do."""


class Asker(Protocol):
    """Who answers questions. ``threads`` is how many may be asked at once, None for any number."""

    threads: int | None
    notes: list[str]

    def ask(self, question: Question) -> Reply:
        """The reply to one question. Raises NoReplyError, StopAskingError."""

    def close(self) -> None:
        """Gives back what was held."""


def read_key(profile: Profile) -> str | None:
    """The key for ``profile`` from the environment; OptionError saying what to set where it cannot go without."""
    key = os.environ.get(profile.key, "").strip()
    if not key and profile.needs_key:
        raise OptionError(
            f"--llm {profile.name} needs a key, and the environment variable {profile.key} is not set.",
            f"Set {profile.key}, or ask a server of your own: --llm llava, or --base-url.",
        )
    if key and profile.remote and profile.base_url.startswith("http://"):
        raise OptionError(
            f"The key in {profile.key} would go to {profile.base_url} in clear, for everybody on the way to read.",
            f"Give an address that begins with https://, or unset {profile.key}.",
        )
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        raise OptionError(f"The environment variable {profile.key} holds no key: it has spaces or odd characters.")
    return key or None


class ServerAsker:
    """Asks a server through the official ``openai`` package, whose retries these are. Safe between threads.

    A parameter that the model refuses is left out from then on (``max_tokens`` is renamed first), and told in
    ``notes``. The key, should a server say it again, is cut out of every text.
    """

    threads: int | None = None

    def __init__(self, profile: Profile, timeout: float) -> None:
        from openai import DefaultHttpxClient, Omit, OpenAI

        self._profile, self._timeout = profile, timeout
        self._key = read_key(profile)
        self._lock = threading.Lock()
        self._left_out: set[str] = set()
        self.notes: list[str] = []
        foreign = {} if profile.base_url.startswith(f"{OPENAI}/") else _without_account(Omit())
        # No redirects: frames go where the user was told. No proxy of the environment for this machine itself.
        http = DefaultHttpxClient(follow_redirects=False, trust_env=profile.remote)
        self._client = OpenAI(
            base_url=profile.base_url,
            api_key=self._key or "none",
            timeout=timeout,
            max_retries=profile.retries,
            default_headers=foreign,
            http_client=http,
        )

    def close(self) -> None:
        self._client.close()

    def ask(self, question: Question) -> Reply:
        """The reply to one question, a refusal too. Raises NoReplyError, StopAskingError."""
        from openai import APIConnectionError, APIStatusError, APITimeoutError, OpenAIError

        while True:
            left_out = frozenset(self._left_out)
            request = self._request(question, left_out)
            try:
                response = self._client.chat.completions.create(**request)
                break
            except APIStatusError as error:
                if str(error.code or error.type or "") in ("content_filter", "content_policy_violation"):
                    return self._refusal(self._clean(_said(error)), 0, 0)
                if not self._adapt(error, request, left_out):
                    self._raise(error)
            except APITimeoutError:
                slow = f"no answer in {self._timeout:g} s: a slow server wants a longer --timeout, or fewer --threads"
                raise NoReplyError(slow, billed=1 + self._profile.retries) from None
            except APIConnectionError as error:
                reason = self._clean(str(error.__cause__ or error))
                lost = type(error.__cause__).__name__ != "ConnectError"  # it broke after the question had gone out
                raise NoReplyError(f"no connection to {self._profile.base_url} ({reason})", billed=int(lost)) from None
            except (OpenAIError, ValueError, TypeError, AttributeError, RecursionError):
                raise NoReplyError("the server's answer is no answer of this protocol", billed=1) from None
        return self._read(response, question)

    def _request(self, question: Question, left_out: frozenset[str]) -> dict[str, Any]:
        profile = self._profile
        image: dict[str, Any] = {
            "url": f"data:image/jpeg;base64,{base64.b64encode(question.image).decode()}",
            "detail": profile.detail,
        }
        if profile.detail is None or "detail" in left_out:
            del image["detail"]
        content = [{"type": "text", "text": question.text}, {"type": "image_url", "image_url": image}]
        limit = "max_completion_tokens" if profile.base_url.startswith(OPENAI) else "max_tokens"
        if limit in left_out:
            limit = "max_tokens" if limit != "max_tokens" else "max_completion_tokens"
        more: dict[str, Any] = {limit: profile.max_tokens, **profile.parameters}
        if profile.structured:
            more["response_format"] = _schema(question.candidates)
        kept = {name: value for name, value in more.items() if name not in left_out}
        return {"model": profile.model, "messages": [{"role": "user", "content": content}], **kept}

    def _adapt(self, error: "APIStatusError", request: dict[str, Any], left_out: frozenset[str]) -> bool:
        """Whether ``error`` is about a parameter that can go, which then stays away."""
        name = _refused_parameter(error, [*request, "detail"]) if error.status_code in (400, 422) else None
        if name is None or (name == "detail" and self._profile.detail is None) or name in left_out:
            return False
        if name in LIMITS and LIMITS & left_out and self._profile.price is not None:
            raise StopAskingError(
                f"The model {self._profile.model} takes no limit on its answers, so no budget can hold. Name another "
                "one with --llm-model."
            ) from None
        with self._lock:
            if name not in self._left_out:
                self._left_out.add(name)
                self.notes.append(f"The model refuses {name}: asked without it.")
        return True

    def _raise(self, error: "APIStatusError") -> NoReturn:
        """What a refused request means: for all questions, or for this one."""
        profile, said = self._profile, self._clean(_said(error))
        status, code = error.status_code, str(error.code or error.type or "")
        if status in (401, 403):
            set_key = f"Check the key in {profile.key}." if self._key else f"Set {profile.key} to a key."
            raise StopAskingError(f"{profile.base_url} refuses the key ({status}: {said}). {set_key}") from None
        if status == 402 or "insufficient_quota" in (error.code, error.type):
            raise StopAskingError(f"The account at {profile.base_url} has no credit left ({said}).") from None
        if status == 404 and code != "model_not_found" and profile.model not in said:
            raise StopAskingError(
                f"There is nothing at {profile.base_url}/chat/completions ({said}). Most addresses end in /v1: give "
                f"another --base-url, or another --llm-model where {profile.model} is the reason."
            ) from None
        if status == 404 or code == "model_not_found" or (status == 400 and _names_model(said, profile.model)):
            raise StopAskingError(
                f"{profile.base_url} has no model {profile.model} ({said}). Name one that it has with --llm-model, "
                "or another server with --base-url."
            ) from None
        if 300 <= status < 400:
            raise StopAskingError(f"{profile.base_url} sends requests elsewhere. Give the final address.") from None
        if _NO_IMAGES.search(said):
            raise StopAskingError(
                f"The model {profile.model} takes no images ({said}). Name one that does with --llm-model."
            ) from None
        raise NoReplyError(f"error {status} ({said})") from None

    def _read(self, response: Any, question: Question) -> Reply:
        """Reads an answer of any shape: servers are many, and some send what the protocol does not know."""
        choices = getattr(response, "choices", None)
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = getattr(choice, "message", None)
        if message is None:
            raise NoReplyError("the server's answer is no answer of this protocol", billed=1)
        finish, refusal = getattr(choice, "finish_reason", None), getattr(message, "refusal", None)
        guess_in, guess_out = self._profile.tokens(question)
        usage = getattr(response, "usage", None)
        tokens_in = _count(getattr(usage, "prompt_tokens", None), guess_in)
        tokens_out = _count(getattr(usage, "completion_tokens", None), guess_out)
        if refusal or finish == "content_filter":
            return self._refusal(self._clean(str(refusal or finish)), tokens_in, tokens_out)
        text = getattr(message, "content", None)
        if not isinstance(text, str) or not text.strip():
            cut = f": max_tokens, {self._profile.max_tokens}, was used up before" if finish == "length" else ""
            raise NoReplyError(f"an empty answer{cut}", billed=1)
        # What was cut off might have ended otherwise.
        chosen = None if finish == "length" else parse(text, question.candidates, question.text)
        called = getattr(response, "model", None)
        model = self._clean(called) if isinstance(called, str) and called else self._profile.model
        return Reply(chosen, None, self._cut(text), model, tokens_in, tokens_out)

    def _refusal(self, said: str, tokens_in: int, tokens_out: int) -> Reply:
        """An answer that names no class: asked again, the model would refuse again, and be paid again."""
        return Reply(None, None, f"refused: {said}", self._profile.model, tokens_in, tokens_out, refused=True)

    def _cut(self, text: str) -> str:
        text = text.encode("utf-8", "replace").decode()  # half a character, where a server cut its text, is none
        return text.replace(self._key, "***") if self._key and len(self._key) >= SECRET else text

    def _clean(self, text: str) -> str:
        """One line of at most 200 characters without the key."""
        return " ".join(self._cut(text).split())[:200].rstrip(".")


def _without_account(omit: Any) -> dict[str, Any]:
    """Headers that name an account at OpenAI, if the environment does, stay away from other servers."""
    return {"OpenAI-Organization": omit, "OpenAI-Project": omit}


def _schema(candidates: tuple[str, ...]) -> dict[str, Any]:
    answer = {"type": "string", "enum": [*candidates, ABSTAIN]}
    schema = {"type": "object", "properties": {"answer": answer}, "required": ["answer"], "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}


def _refused_parameter(error: "APIStatusError", sent: list[str]) -> str | None:
    """The parameter that an error is about, of those that can go."""
    can_go = [name for name in sent if name not in ("model", "messages")]
    about = str(error.param or "")
    for name in can_go:
        if re.search(rf"\b{name}\b", about):
            return name
    said = _said(error)
    named = [name for name in can_go if re.search(r"image_url\W+detail" if name == "detail" else rf"\b{name}\b", said)]
    if not named and "response_format" in can_go and re.search(r"json.?schema|structured.?output|guided", said, re.I):
        return "response_format"
    # "use max_completion_tokens instead of max_tokens": what was sent is what is refused
    return named[0] if named else None


def _said(error: "APIError") -> str:
    body = error.body
    if isinstance(body, dict):
        for name in ("message", "detail", "error"):
            if isinstance(body.get(name), str):
                return str(body[name])
    return str(error.message)


_NO_IMAGES = re.compile(
    r"image.{0,60}(not|only) (be )?support|(not|n't) (support|accept|process|have).{0,40}(image|vision|multimodal)"
    r"|(not|no|non)[ -](a )?(multimodal|vision|multi-modal)|image_url|mmproj|(image|content) type.{0,40}not",
    re.IGNORECASE,
)


def _names_model(said: str, model: str) -> bool:
    """Whether a server says that it has another model, or none of that name."""
    return model in said and re.search(r"pinned|not found|does not exist|unknown model", said, re.I) is not None


def _count(value: Any, otherwise: int) -> int:
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else otherwise


def open_asker(profile: Profile, timeout: float) -> Asker:
    """Who answers for ``profile``: its server, or its model in this process. Raises OptionError, ModelError."""
    if profile.local is None:
        return ServerAsker(profile, timeout)
    from vsscli.postprocess.local import LocalAsker

    return LocalAsker(profile)
