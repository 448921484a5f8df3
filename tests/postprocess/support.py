"""Questions and profiles for the tests of asking."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from vsscli.postprocess.answers import AnswerStore
from vsscli.postprocess.ask import AskResult, ask
from vsscli.postprocess.profiles import Profile, load_profile
from vsscli.postprocess.question import Question

WATERS = ("sea", "river", "lake")
TEXT = "Is the water in the image a sea, river or lake? Please give me the only answer."


def jpeg(shade: int, size: tuple[int, int] = (24, 32)) -> bytes:
    """A picture of one shade, (height, width)."""
    file = io.BytesIO()
    Image.new("RGB", size[::-1], (shade % 256, shade // 256 % 256, 90)).save(file, "JPEG")
    return file.getvalue()


def question(number: int = 0, text: str = TEXT, candidates: tuple[str, ...] = WATERS) -> Question:
    """Question ``number``: each has another picture."""
    return Question(f"{number}_a", "water", "water", "00000001", text, candidates, jpeg(7 * number), (24, 32))


def questions(count: int) -> Iterator[Question]:
    return (question(number) for number in range(count))


def profile_at(url: str, folder: Path, **fields: Any) -> Profile:
    """A profile of one's own that asks the server at ``url``, without retries unless told."""
    import json

    path = folder / "own.yaml"  # JSON is YAML
    path.write_text(json.dumps({"base_url": url, "model": "loopback-model", "retries": 0, **fields}))
    return load_profile(str(path))


def put(count: int, profile: Profile, run: Path, **options: Any) -> AskResult:
    """Asks ``count`` questions for ``run``, one after the other unless told."""
    return ask(questions(count), profile, AnswerStore(run), **{"threads": 1, "timeout": 10.0, **options})
