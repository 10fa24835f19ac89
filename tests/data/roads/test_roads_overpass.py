"""Places and boxes, fetched over the network: from a server on the loopback that speaks Overpass and Nominatim."""

import contextlib
import json
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import osmnx
import pytest
from roads_worlds import lengths_by_id

from crowdgym.common.errors import DataError
from crowdgym.data.roads.osm import Endpoints, fetch_bbox, fetch_place

# 0.001 degrees on the equator are 111.195 m; the box holds all places but 9.
PLACES = {1: (0.0, 0.0), 2: (0.001, 0.0), 3: (0.002, 0.0), 4: (0.001, 0.001)}
PLACES |= {5: (-0.001, 0.0), 6: (0.003, 0.0), 9: (0.03, 0.0)}
WAYS = [
    ([1, 2], "yes"),
    ([2, 3], "no"),
    ([2, 4], "no"),
    ([4, 1], "no"),
    ([4, 3], "no"),
    ([5, 1], "no"),
    ([3, 6, 9], "no"),
]
"""A one-way street 1 -> 2, everything else both ways; the road from 3 over 6 leads out of the box.

            4
          / | \\
    5 - 1 > 2 - 3 - 6 - - - 9
"""
BOX = (-0.01, -0.01, 0.01, 0.01)
STREETS: dict[str, Any] = {
    "version": 0.6,
    "elements": [
        *({"type": "node", "id": node, "lon": lon, "lat": lat} for node, (lon, lat) in PLACES.items()),
        *(
            {"type": "way", "id": 100 + number, "nodes": refs, "tags": {"highway": "residential", "oneway": oneway}}
            for number, (refs, oneway) in enumerate(WAYS)
        ),
    ],
}
CORNERS = [[-0.01, -0.01], [0.01, -0.01], [0.01, 0.01], [-0.01, 0.01], [-0.01, -0.01]]
TOWN = {
    "place_id": 1,
    "osm_type": "relation",
    "osm_id": 9,
    "lat": "0",
    "lon": "0",
    "class": "boundary",
    "type": "administrative",
    "importance": 0.5,
    "display_name": "Nulltown",
    "name": "Nulltown",
    "boundingbox": ["-0.01", "0.01", "-0.01", "0.01"],
    "geojson": {"type": "Polygon", "coordinates": [CORNERS]},
}


@dataclass
class Server:
    """What the loopback server answers, and what it was asked."""

    address: str = ""
    overpass: tuple[int, Any] = (200, STREETS)
    nominatim: tuple[int, Any] = (200, [TOWN])
    delay: threading.Event | None = None
    asked: list[str] = field(default_factory=list)

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(f"http://{self.address}/api", f"http://{self.address}/nominatim", timeout_s=20.0)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status: int, content: Any) -> None:
            if state.delay is not None:
                state.delay.wait(10)
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # the client is tired of waiting
                self.wfile.write(body)

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            state.asked.append(f"{self.path} {form['data'][0]}")
            self.answer(*state.overpass)

        def do_GET(self) -> None:
            state.asked.append(f"{urlsplit(self.path).path} {parse_qs(urlsplit(self.path).query)['q'][0]}")
            self.answer(*state.nominatim)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    if state.delay is not None:
        state.delay.set()
    http.shutdown()
    thread.join()
    http.server_close()


def both_ways(roads: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    return roads | {(head, tail): length for (tail, head), length in roads.items()}


TOWN_ROADS = both_ways({(2, 3): 111, (2, 4): 111, (1, 4): 157, (3, 4): 157, (1, 5): 111, (3, 6): 111})


def test_a_box_is_fetched_with_streets_opened_both_ways_if_asked_for(server: Server) -> None:
    network, report = fetch_bbox(*BOX, two_way=True, endpoints=server.endpoints)
    assert lengths_by_id(network) == TOWN_ROADS | both_ways({(1, 2): 111})
    assert report.source == "OpenStreetMap, box -0.01, -0.01, 0.01, 0.01"


def test_one_way_streets_are_one_way(server: Server) -> None:
    network, _ = fetch_bbox(*BOX, endpoints=server.endpoints)
    assert lengths_by_id(network) == TOWN_ROADS | {(1, 2): 111}


def test_a_place_is_looked_up_and_its_streets_are_fetched(server: Server) -> None:
    network, report = fetch_place("Nulltown, Atlantic", endpoints=server.endpoints)
    assert lengths_by_id(network) == TOWN_ROADS | {(1, 2): 111}
    assert [question.split()[0] for question in server.asked] == ["/nominatim/search", "/api/interpreter"]
    assert "Nulltown, Atlantic" in server.asked[0]
    assert report.source == "OpenStreetMap, Nulltown, Atlantic"


def test_only_roads_for_cars_in_the_box_are_asked_for(server: Server) -> None:
    fetch_bbox(*BOX, endpoints=server.endpoints)
    (question,) = server.asked
    assert question.startswith("/api/interpreter [out:json]")
    assert '["highway"]' in question
    assert "footway" in question
    assert "poly:" in question


def test_osmnx_is_left_as_it_was_and_nothing_is_written(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = {name: value for name, value in vars(osmnx.settings).items() if not name.startswith("_")}
    resolve = socket.getaddrinfo
    fetch_bbox(*BOX, endpoints=server.endpoints)
    server.overpass = (500, b"")
    with pytest.raises(DataError):
        fetch_bbox(*BOX, endpoints=server.endpoints)
    assert {name: value for name, value in vars(osmnx.settings).items() if not name.startswith("_")} == before
    assert socket.getaddrinfo is resolve
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("status", "content", "sentence"),
    [
        (429, b"too many", r"127\.0\.0\.1:\d+ answered HTTP 429 \(it is busy with other requests\); try again later"),
        (504, b"", r"answered HTTP 504 \(it is overloaded, or the area is too large for it\); try again later"),
        (500, b"<html>", r"answered HTTP 500 \(Internal Server Error\); try again later"),
        (
            200,
            {"elements": []},
            r"cannot fetch the bounding box .*: 127.* knows no drivable roads in it; expected some",
        ),
        (200, b"<html>maintenance</html>", "127.* sent something that makes no sense"),
        (200, {"version": 0.6}, r"sent something that makes no sense \('elements'\); expected what Overpass and"),
        (
            200,
            {**STREETS, "remark": "runtime error: Query timed out"},
            r"answered only in part \(runtime error: Query timed out\); ask for a smaller area",
        ),
        (200, {"elements": STREETS["elements"][:2]}, "OpenStreetMap, box .* has no roads; expected at least one"),
        (200, [], "sent something that makes no sense"),
        (200, {"elements": [{"type": "node", "id": 1}]}, "sent something that makes no sense"),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused_in_one_sentence(
    status: int, content: Any, sentence: str, server: Server
) -> None:
    server.overpass = (status, content)
    with pytest.raises(DataError, match=sentence):
        fetch_bbox(*BOX, endpoints=server.endpoints)


@pytest.mark.parametrize(
    ("status", "content", "sentence"),
    [
        (200, [], r"cannot fetch the place 'Nulltown': .*127.* knows no such place; expected a name"),
        (
            200,
            [{**TOWN, "geojson": {"type": "Point", "coordinates": [0, 0]}}],
            "the place 'Nulltown': it has no boundary",
        ),
        (429, [], r"cannot fetch the place 'Nulltown': 127\.0\.0\.1:\d+ answered HTTP 429"),
    ],
)
def test_a_place_that_cannot_be_found_is_refused_in_one_sentence(
    status: int, content: Any, sentence: str, server: Server
) -> None:
    server.nominatim = (status, content)
    with pytest.raises(DataError, match=sentence):
        fetch_place("Nulltown", endpoints=server.endpoints)


def test_a_server_that_is_down_is_named() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        endpoints = Endpoints(f"http://{address}/api", f"http://{address}")
        with pytest.raises(
            DataError, match=f"cannot fetch the bounding box .*: {address} cannot be reached; check the"
        ):
            fetch_bbox(*BOX, endpoints=endpoints)


def test_a_server_that_does_not_answer_in_time_is_named(server: Server) -> None:
    server.delay = threading.Event()
    endpoints = Endpoints(server.endpoints.overpass_url, server.endpoints.nominatim_url, timeout_s=0.2)
    with pytest.raises(DataError, match=r"did not answer within 0\.2 s; try again later, or ask for a smaller area"):
        fetch_bbox(*BOX, endpoints=endpoints)


@pytest.mark.parametrize(
    "box", [(1, 0, 0, 1), (0, 1, 1, 0), (0, 0, 0, 1), (0, 0, 1, 91), (-181, 0, 1, 1), (float("nan"), 0, 1, 1)]
)
def test_a_box_that_is_none_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(
        DataError, match=r"the bounding box is .*; expected degrees in the order west, south, east, north"
    ):
        fetch_bbox(*box)


def test_a_place_without_a_name_is_refused() -> None:
    with pytest.raises(DataError, match=r"the place is ' '; expected a name"):
        fetch_place(" ")
