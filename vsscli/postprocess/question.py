"""What passes between the steps: a question about one key frame, and the answer to it."""

import hashlib
import json
from dataclasses import dataclass

SCHEMA = 1  # of answers.jsonl: part of every key


@dataclass(frozen=True)
class Question:
    """One request: of one region (or of a group in a whole video), on one key frame.

    ``region`` names what is asked about within the video (``water``, or ``water-2`` for a region's own question);
    ``text`` is the question as it is sent; ``candidates`` are the names of the classes offered, in the order in which
    they are offered; ``image`` is a JPEG of ``size`` (height, width) pixels.
    """

    video: str
    region: str
    group: str
    frame: str
    text: str
    candidates: tuple[str, ...]
    image: bytes
    size: tuple[int, int]

    def key(self, asked: str) -> str:
        """SHA-256 over all that the answer depends on; ``asked`` is the identity of who is asked, and how."""
        image = hashlib.sha256(self.image).hexdigest()
        content = [SCHEMA, asked, self.text, list(self.candidates), image]
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True)
class Answer:
    """What came back and was understood; refusals and errors never become one.

    ``chosen`` is one of the candidates, None where the answer named none of them or more than one (an abstention);
    ``probability`` that of the chosen candidate where the model gives one; ``text`` what the model said, word for
    word; ``model`` what the response calls the model; tokens are 0 where nobody counted.
    """

    key: str
    chosen: str | None
    probability: float | None
    text: str
    model: str
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
