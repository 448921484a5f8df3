"""A small server on loopback that speaks the OpenAI protocol, and breaks it in every way that one asks for."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from vsscli.postprocess.stand_in import Loopback


@dataclass(frozen=True)
class Request:
    """What came in: its number from 0 on, headers and body; ``text`` is the question, ``image`` its data URL."""

    number: int
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def text(self) -> str:
        return str(self.body["messages"][0]["content"][0]["text"])

    @property
    def image(self) -> str:
        return str(self.body["messages"][0]["content"][1]["image_url"]["url"])


@dataclass(frozen=True)
class Response:
    """What goes out: after ``delay`` seconds; ``cut`` bytes before its end the connection breaks."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    delay: float = 0.0
    cut: int | None = None


def said(text: str | None, *, finish: str = "stop", delay: float = 0.0, usage: bool = True, **message: Any) -> Response:
    """A whole answer of a model."""
    content: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "loopback-model-1",
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
        ],
    }
    if usage:
        content["usage"] = {"prompt_tokens": 500, "completion_tokens": 10, "total_tokens": 510}
    return Response(json.dumps(content).encode(), delay=delay)


def error(status: int, message: str, headers: Mapping[str, str] | None = None, **facts: Any) -> Response:
    """An error as OpenAI writes it."""
    content = {"error": {"message": message, "type": "error", "param": None, "code": None, **facts}}
    return Response(json.dumps(content).encode(), status, {"Content-Type": "application/json", **(headers or {})})


Script = Callable[[Request], Response]


class Server(Loopback):
    """Answers ``POST /v1/chat/completions`` by ``script`` until the block ends; keeps what it was sent."""

    def __init__(self, script: Script | Response) -> None:
        self.requests: list[Request] = []
        self._script: Script = (lambda _: script) if isinstance(script, Response) else script
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                outer._serve(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        super().__init__(Handler)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        with self._lock:
            request = Request(len(self.requests), dict(handler.headers.items()), body)
            self.requests.append(request)
        response = self._script(request)
        time.sleep(response.delay)
        try:
            handler.send_response(response.status)
            for name, value in response.headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(response.body)))
            handler.end_headers()
            handler.wfile.write(response.body[: len(response.body) - (response.cut or 0)])
            handler.wfile.flush()
        except OSError:  # whoever asked has gone
            pass
        if response.cut is not None:
            handler.close_connection = True
