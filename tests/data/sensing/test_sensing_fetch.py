"""Downloading from a server on the loopback: whole files, wrong sums, cut connections, going on where one was cut."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from crowdgym.common.errors import DataError
from crowdgym.data.sensing.fetch import fetch_files
from crowdgym.data.sensing.piemonte import SourceFile

CONTENT = bytes(range(256)) * 2000  # 512,000 bytes
FILE = SourceFile("file.csv", hashlib.sha256(CONTENT).hexdigest())


@dataclass
class Server:
    """What the loopback server answers, and what it was asked."""

    origin: str = ""
    content: bytes = CONTENT
    cut_after: int | None = None  # bytes of an answer
    ranges: bool = True  # whether it can begin in the middle
    status: int | None = None
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            state.asked.append(f"{self.path} {wanted}".strip())
            first = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and state.ranges else 0
            if state.status is not None or first >= len(state.content):
                self.send_error(state.status or 416)
                return
            body, cut = state.content[first:], state.cut_after
            self.send_response(206 if first else 200)
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(state.content) - 1}/{len(state.content)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if cut is None else body[:cut])

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.origin = f"http://127.0.0.1:{http.server_address[1]}/at/"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    http.shutdown()
    thread.join()
    http.server_close()


def fetch(server: Server, folder: Path, attempts: int = 1) -> None:
    fetch_files([FILE], server.origin, folder, attempts=attempts, timeout_s=10.0)


def test_a_file_is_fetched_once_and_kept(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[tuple[str, int]] = []
    fetch_files([FILE], server.origin, tmp_path / "new", progress=lambda name, done: seen.append((name, done)))
    fetch(server, tmp_path / "new")

    assert (tmp_path / "new" / "file.csv").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file.csv"]
    assert server.asked == ["/at/file.csv"]
    assert seen[-1] == ("file.csv", len(CONTENT))
    assert capsys.readouterr() == ("", "")


def test_a_file_that_was_changed_on_disk_is_fetched_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.csv").write_bytes(b"changed")
    fetch(server, tmp_path)
    assert (tmp_path / "file.csv").read_bytes() == CONTENT


def test_a_wrong_sum_is_refused_and_nothing_is_kept(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT[:-1] + b"!"
    with pytest.raises(
        DataError, match=rf"file\.csv is not what was expected: its SHA-256 sum is not {FILE.sha256}; noth"
    ):
        fetch(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_cut_connection_is_named_and_the_next_call_goes_on_from_there(server: Server, tmp_path: Path) -> None:
    server.cut_after = 200_000
    with pytest.raises(
        DataError, match=r"127\.0\.0\.1:\d+ was cut after \d+ bytes of http.*; the same command goes on"
    ):
        fetch(server, tmp_path)
    part = tmp_path / "file.csv.part"
    got = part.stat().st_size
    assert 0 < got <= 200_000
    assert part.read_bytes() == CONTENT[:got]

    server.cut_after = None
    fetch(server, tmp_path)

    assert server.asked == ["/at/file.csv", f"/at/file.csv bytes={got}-"]
    assert (tmp_path / "file.csv").read_bytes() == CONTENT
    assert not part.exists()


def test_one_call_tries_again_by_itself(server: Server, tmp_path: Path) -> None:
    server.cut_after = 300_000
    fetch(server, tmp_path, attempts=3)
    assert (tmp_path / "file.csv").read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_a_server_that_cannot_begin_in_the_middle_begins_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.csv.part").write_bytes(CONTENT[:1000])
    server.ranges = False
    fetch(server, tmp_path)
    assert (tmp_path / "file.csv").read_bytes() == CONTENT


def test_a_part_that_was_whole_already_is_taken(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.csv.part").write_bytes(CONTENT)
    fetch(server, tmp_path)
    assert (tmp_path / "file.csv").read_bytes() == CONTENT


def test_a_part_of_something_else_is_found_out_and_the_next_call_begins_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.csv.part").write_bytes(b"something else")
    with pytest.raises(DataError, match="is not what was expected"):
        fetch(server, tmp_path)
    fetch(server, tmp_path)
    assert (tmp_path / "file.csv").read_bytes() == CONTENT


def test_a_refusal_of_the_server_is_named(server: Server, tmp_path: Path) -> None:
    server.status = 404
    with pytest.raises(
        DataError, match=r"file\.csv cannot be fetched: 127\.0\.0\.1:\d+ answered HTTP 404 \(Not Found\)"
    ):
        fetch(server, tmp_path)


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    import socket

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(
            DataError, match=r"127\.0\.0\.1:\d+ cannot be reached to fetch .*; check the network, or build"
        ):
            fetch_files([FILE], origin, tmp_path)
