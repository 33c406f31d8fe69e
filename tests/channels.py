"""A channel of alerts for tests: a real HTTP server on loopback that takes what apprise's json:// sends."""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import SecretStr

PASSWORD = "plum-pudding"  # in the address: nothing that people or logs see may hold it


@dataclass(frozen=True)
class Heard:
    """One message as the channel took it."""

    subject: str
    text: str


class Post:
    """Takes messages and keeps them, or refuses them with the status it was told. `closed` refuses connections."""

    def __init__(self) -> None:
        self.taken: list[Heard] = []
        self.beats = 0
        self.refused = 0
        self.status = 200
        self.port = 0
        self._server: ThreadingHTTPServer | None = None
        self.open()

    @property
    def url(self) -> SecretStr:
        """The address as an operator writes it into the settings."""
        return SecretStr(f"json://ledgerline:{PASSWORD}@127.0.0.1:{self.port}/{PASSWORD}")

    @property
    def heartbeat_url(self) -> SecretStr:
        """An address on the same server for heartbeats."""
        return SecretStr(f"http://127.0.0.1:{self.port}/{PASSWORD}")

    def open(self) -> None:
        """Answer at a free port the first time, and from then on always at the same."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def _handler(post: Post) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if post.status == 200:
                post.taken.append(Heard(said["title"], said["message"]))
            else:
                post.refused += 1
            self._answer()

        def do_GET(self) -> None:
            post.beats += post.status == 200
            self._answer()

        def _answer(self) -> None:
            self.send_response(post.status)
            if post.status == 302:
                self.send_header("Location", f"http://127.0.0.1:{post.port}/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    return Handler
