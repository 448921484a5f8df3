"""A vision-language model in this process: it scores the classes offered, so that every answer is one of them."""

import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vsscli.errors import ModelError
from vsscli.postprocess.client import NoReplyError, Reply
from vsscli.postprocess.profiles import Profile
from vsscli.postprocess.question import Question
from vsscli.quiet import quiet

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_READ = (".json", ".safetensors", ".jinja", ".model", ".txt")

Way = tuple[str, tuple[int, ...]]  # a class, and the tokens of one way to write it


def find_model(source: str) -> tuple[Path, str]:
    """The folder of a model, and its digest: ``source`` itself, or what the hub's cache holds of an id ``org/name``.

    Nothing is downloaded: such models are large. Raises ModelError when there is none, or it takes no images.
    """
    folder = Path(source)
    digest = ""
    if not folder.is_dir():
        folder, digest = _cached(source)
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise ModelError(f"{source} is no model folder: it has no config.json that can be read.", _GIVE)
    if "vision_config" not in config:
        raise ModelError(f"The model {source} takes no images: its config.json has no vision_config.", _GIVE)
    return folder, digest or _digest(folder)


_GIVE = "Give the folder of a LLaVA-type model of transformers, or its hub id once it is in the hub's cache."


def _cached(source: str) -> tuple[Path, str]:
    if not _HUB_ID.fullmatch(source):
        raise ModelError(f"There is no model folder {source}.", _GIVE)
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(source, local_files_only=True))
    except Exception:  # the hub's client raises its own, httpx's, and the system's errors
        raise ModelError(
            f"{source} is neither a folder nor in the hub's cache on this machine.",
            f"Download it where you see how large it is: hf download {source}",
        ) from None
    return folder, hashlib.sha256(f"{source}@{folder.name}".encode()).hexdigest()  # named after its commit


def _digest(folder: Path) -> str:
    """SHA-256 over the names and contents of the files that are read."""
    state = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in _READ and path.is_file():
            with path.open("rb") as file:
                state.update(f"{path.name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return state.hexdigest()


def _load(folder: str) -> tuple[Any, Any]:
    """Processor and model; pickles are not opened, nor code that comes with a model run."""
    from transformers import AutoModelForImageTextToText, AutoProcessor

    processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
    model = AutoModelForImageTextToText.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, dtype="auto"
    )
    return processor, model


class LocalAsker:
    """Scores the classes of a question by a model of ``transformers``; asked by one thread. ModelError.

    A class's probability is that of writing it, where at every token only what continues some class may be written
    (what a server's structured output does, but summed over all ways instead of drawn): it needs one forward pass, and
    one more for every further token in which classes part.
    """

    threads: int | None = 1

    def __init__(self, profile: Profile) -> None:
        import torch

        assert profile.local is not None
        self._profile = profile
        self.notes: list[str] = []
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._processor: Any
        self._model: Any
        try:
            with quiet():
                self._processor, model = _load(profile.local)
            self._model = model.to(self._device).eval()
        except Exception as error:  # a folder can be broken in more ways than transformers has errors for
            first = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            raise ModelError(f"The model {profile.model} cannot be loaded ({first[:300]}).", _GIVE) from None

    def close(self) -> None:
        self._model = None

    def ask(self, question: Question) -> Reply:
        """The class most likely to be the answer, and its probability. Raises NoReplyError."""
        try:
            inputs = self._inputs(question)
            shares = self._shares(inputs, question.candidates)
        except Exception as error:  # of this picture or these words; the others may do
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise NoReplyError(f"the model failed ({first[:200]})") from None
        total = sum(shares.values())
        if not total > 0:
            raise NoReplyError("the model gives no probabilities")
        chosen = max(question.candidates, key=lambda name: shares[name])
        text = ", ".join(f"{name} {shares[name] / total:.4f}" for name in question.candidates)
        tokens = int(inputs["input_ids"].shape[1])
        return Reply(chosen, round(shares[chosen] / total, 6), text, self._profile.model, tokens, 1)

    def _inputs(self, question: Question) -> Mapping[str, Any]:
        from PIL import Image

        image = Image.open(io.BytesIO(question.image)).convert("RGB")
        if getattr(self._processor, "chat_template", None) is None:
            prompt = f"USER: {self._processor.image_token}\n{question.text} ASSISTANT:"
            inputs = self._processor(images=image, text=prompt, return_tensors="pt")
        else:
            content = [{"type": "image", "image": image}, {"type": "text", "text": question.text}]
            inputs = self._processor.apply_chat_template(
                [{"role": "user", "content": content}],
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
            )
        kinds = {True: self._model.dtype}  # pixels as the weights are; ids stay whole numbers
        return {name: value.to(self._device, kinds.get(value.is_floating_point())) for name, value in inputs.items()}

    def _shares(self, inputs: Mapping[str, Any], candidates: Iterable[str]) -> dict[str, float]:
        tokenizer = self._processor.tokenizer
        ways: dict[tuple[int, ...], str] = {}
        for name in candidates:
            for written in _written(name):
                ways.setdefault(tuple(tokenizer(written, add_special_tokens=False)["input_ids"]), name)
        shares = dict.fromkeys(candidates, 0.0)
        self._walk(inputs, (), [(name, tokens) for tokens, name in ways.items()], 1.0, shares)
        return shares

    def _walk(
        self, inputs: Mapping[str, Any], prefix: tuple[int, ...], ways: list[Way], mass: float, shares: dict[str, float]
    ) -> None:
        """Spreads ``mass``, the probability of having written ``prefix``, over the classes that ``ways`` lead to."""
        names = {name for name, _ in ways}
        if len(names) == 1:
            shares[names.pop()] += mass
            return
        depth, end = len(prefix), self._processor.tokenizer.eos_token_id
        branches: dict[int, list[Way]] = {}
        for name, tokens in ways:
            branches.setdefault(tokens[depth] if depth < len(tokens) else end, []).append((name, tokens))
        if len(branches) == 1:
            (token,) = branches
            self._walk(inputs, (*prefix, token), ways, mass, shares)
            return
        chances = self._chances(inputs, prefix, list(branches))
        for (token, onward), chance in zip(branches.items(), chances, strict=True):
            self._walk(inputs, (*prefix, token), onward, mass * chance, shares)

    def _chances(self, inputs: Mapping[str, Any], prefix: tuple[int, ...], tokens: list[int]) -> list[float]:
        """How likely each of ``tokens`` is after ``prefix``, if it must be one of them."""
        import torch

        ids = inputs["input_ids"]
        more = torch.tensor([prefix], dtype=ids.dtype, device=ids.device)
        longer = {
            name: torch.cat(
                [value, more if name == "input_ids" else torch.full_like(more, name == "attention_mask")], 1
            )
            if value.shape == ids.shape and prefix
            else value
            for name, value in inputs.items()
        }
        with torch.inference_mode():
            logits = self._model(**longer).logits[0, -1].float()
        chances: list[float] = torch.softmax(logits[tokens], 0).tolist()
        return chances


def _written(name: str) -> list[str]:
    """The ways to write a class as an answer."""
    plain = name.replace("_", " ").lower()
    return [f"{space}{word}" for word in (plain, plain[:1].upper() + plain[1:]) for space in ("", " ")]
