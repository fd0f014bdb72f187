"""Downloading against a small hub on this computer: whole, stopped and taken up again, damaged, refused."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from engine.jobs import run
from engine.models.catalog import entry
from engine.models.downloading import download
from engine.refusal import Refusal

CONTENT = bytes(range(256)) * 20_000
ENTRY = entry("syncnet-v2")


class Hub(BaseHTTPRequestHandler):
    """Answers as the hub does for one file; what it says is set on the server."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        server: Server = self.server  # type: ignore[assignment]
        if server.status != 200:
            self.send_response(server.status)
            self.send_header("X-Error-Code", server.error)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        assert self.path == f"/{ENTRY.repository}/resolve/main/{ENTRY.remote}"
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and with_body else 0
        body = server.content[start:]
        if with_body:
            server.starts.append(start)
        self.send_response(206 if asked and with_body else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{server.etag}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Keep the test's output clean."""


class Server(ThreadingHTTPServer):
    content = CONTENT
    etag = hashlib.sha256(CONTENT).hexdigest()
    status = 200
    error = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Hub)
        self.starts: list[int] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def hub() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_file_arrives_whole_and_is_not_fetched_twice(hub: Server, models: Path) -> None:
    stages: set[str] = set()
    target = run(download(ENTRY, endpoint=hub.address), lambda progress: stages.add(progress.stage))
    assert target == models / ENTRY.place
    assert target.read_bytes() == CONTENT
    assert "downloading" in stages
    assert run(download(ENTRY, endpoint=hub.address)) == target
    assert hub.starts == [0]


def test_a_stopped_download_goes_on_where_it_was(hub: Server, models: Path) -> None:
    job = download(ENTRY, endpoint=hub.address)
    assert next(progress for progress in job if progress.stage == "downloading")
    job.close()
    partial = (models / ENTRY.place).with_name("syncnet_v2.model.part")
    there = partial.stat().st_size
    assert 0 < there < len(CONTENT)
    target = run(download(ENTRY, endpoint=hub.address))
    assert isinstance(target, Path)
    assert target.read_bytes() == CONTENT
    assert hub.starts[-1] == there
    assert not partial.exists()


def test_a_damaged_download_is_removed(hub: Server, models: Path) -> None:
    hub.etag = "0" * 64
    answer = run(download(ENTRY, endpoint=hub.address))
    assert isinstance(answer, Refusal)
    assert answer.code == "models.checksum"
    assert not [path for path in models.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [(403, "GatedRepo", "gated"), (404, "EntryNotFound", "gone"), (404, "RepoNotFound", "gone"), (503, "", "hub")],
)
def test_what_the_hub_refuses_is_said_in_words(hub: Server, status: int, error: str, code: str) -> None:
    hub.status, hub.error = status, error
    answer = run(download(ENTRY, endpoint=hub.address))
    assert isinstance(answer, Refusal)
    assert answer.code == f"models.{code}"


def test_no_connection_is_said_in_words() -> None:
    answer = run(download(ENTRY, endpoint="http://127.0.0.1:9"))
    assert isinstance(answer, Refusal)
    assert answer.code == "models.offline"


def test_what_is_not_on_the_hub_says_where_it_is() -> None:
    answer = run(download(entry("face-parsing")))
    assert isinstance(answer, Refusal)
    assert answer.code == "models.not_on_hub"
    assert "79999_iter.pth" in str(answer)
