"""A stand-in for a vision-language model: a small server on loopback that speaks the OpenAI protocol.

It is no model. It knows three classes, the waters of the generated world, by two marks of the picture; about anything
else it says that it does not know. It is there so that a chain can be tried with the real client, offline and for
nothing.
"""

import base64
import binascii
import io
import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import numpy as np
from PIL import Image

from vsscli.postprocess.parse import ABSTAIN

MODEL = "stand-in"
#: What it tells of itself.
ABOUT = "river, where the far shore is no even line; else sea, where there is sand; else lake. Others: none of these."
_MOST = 1 << 24  # bytes of a request
#: How far the line of the far shore is from its middle height, in picture heights, from which on a water is a river.
_UNEVEN = 0.03
#: Share of the picture's pixels that are sand, from which on a water is the sea.
_SAND = 0.2


def look(jpeg: bytes, offered: Sequence[str]) -> str:
    """The one of ``offered`` that the picture of an outlined region shows, or that it is none of them.

    Raises OSError where ``jpeg`` is no picture.
    """
    if not {"sea", "lake", "river"} <= set(offered):
        return ABSTAIN
    with Image.open(io.BytesIO(jpeg)) as image:
        pixels = np.asarray(image.convert("RGB")).astype(np.int16)
    red, green, blue = np.moveaxis(pixels, -1, 0)
    outline = (red > 170) & (green < 100) & (blue < 100)
    if not outline.any():
        return ABSTAIN
    shore = outline.argmax(axis=0)[outline.any(axis=0)] / len(outline)
    if np.median(np.abs(shore - np.median(shore))) > _UNEVEN:
        return "river"
    # Outside of the region pictures are dimmed, so colours are compared with each other alone.
    sand = (red > green) & (green > blue) & (8 * (red - blue) > red) & (red - blue < red // 2) & (red > 80)
    return "sea" if sand.mean() > _SAND else "lake"


class Loopback:
    """A server of this machine alone, from the beginning of a ``with`` block to its end; ``handler`` answers."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """What ``--base-url`` takes; the port is one that is free."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class StandIn(Loopback):
    """The server that answers by `look`."""

    def __init__(self) -> None:
        super().__init__(_Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != "/v1/chat/completions":
            self._send(404, _error(f"there is no {self.path} here"))
        elif not (length.isdigit() and int(length) <= _MOST):
            self.close_connection = True
            self._send(413, _error("the request is too large, or of no stated size"))
        else:
            self._answer(self.rfile.read(int(length)))

    def _answer(self, body: bytes) -> None:
        try:
            jpeg, offered = _read(json.loads(body))
            said = look(jpeg, offered)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OSError):
            self._send(400, _error("a question with one picture and a schema of answers is understood, nothing else"))
            return
        message = {"role": "assistant", "content": json.dumps({"answer": said})}
        self._send(
            200,
            {
                "id": "chatcmpl-stand-in",
                "object": "chat.completion",
                "created": 0,
                "model": MODEL,
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
            },
        )

    def _send(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the client tells what came of its questions."""


def _read(body: Any) -> tuple[bytes, list[str]]:
    """The picture and the answers that are offered."""
    pictures = [part["image_url"]["url"] for part in body["messages"][-1]["content"] if part["type"] == "image_url"]
    (picture,) = pictures
    try:
        jpeg = base64.b64decode(picture.partition("base64,")[2], validate=True)
    except binascii.Error as error:
        raise ValueError from error
    offered = body["response_format"]["json_schema"]["schema"]["properties"]["answer"]["enum"]
    return jpeg, [str(name) for name in offered]


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}
