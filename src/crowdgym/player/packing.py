"""The format ``replay``: a JSON header and named arrays, which the player in the browser unpacks.

A file is the length of the header (four bytes, little-endian), the header, and the arrays one after the other, all of
it compressed by gzip. The header has ``format``, ``format_version``, ``arrays`` (name, type, shape and, of arrays that
are stored as differences along the first axis, ``"delta": true``), ``city``, and a list of ``runs``.
"""

import gzip
import json
import struct
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.rendering.map import STREET_CLASSES
from crowdgym.envs.rendering.scene import Mark, Scene
from crowdgym.envs.rendering.street_traffic import Streets

FORMAT: Final = "crowdgym-replay"
FORMAT_VERSION: Final = 1
_FULL: Final = 65_535  # coordinates are shares of the city's larger side, in 16 bits


@dataclass(frozen=True)
class Run:
    """One episode of a policy, as the player shows it.

    Attributes:
        title: the environment, the scenario and the seed.
        agent: name of the policy.
        scene: what happens.
    """

    title: str
    agent: str
    scene: Scene


def packed(network: RoadNetwork, runs: list[Run]) -> bytes:
    """A file of runs on one city; the same runs give the same bytes."""
    arrays = _Arrays()
    header: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "city": _city(network, arrays),
        "runs": [_run(run, network, number, arrays) for number, run in enumerate(runs)],
    }
    header["arrays"] = arrays.described
    head = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    return gzip.compress(struct.pack("<I", len(head)) + head + b"".join(arrays.content), 9, mtime=0)


class _Arrays:
    """Arrays in the order in which they are added; each begins at a multiple of eight bytes."""

    def __init__(self) -> None:
        self.described: list[dict[str, Any]] = []
        self.content: list[bytes] = []

    def add(self, name: str, array: NDArray[Any], kind: str, *, delta: bool = False) -> None:
        """Add an array as numbers of a type; with ``delta`` as wrapping differences along the first axis."""
        numbers = np.ascontiguousarray(array, kind)
        if delta:
            numbers = numbers.copy()
            numbers[1:] -= np.ascontiguousarray(array, kind)[:-1]
        self.described.append({"name": name, "type": kind, "shape": list(numbers.shape), "delta": delta})
        content = numbers.astype(numbers.dtype.newbyteorder("<")).tobytes()
        self.content.append(content + b"\0" * (-len(content) % 8))


def _city(network: RoadNetwork, arrays: _Arrays) -> dict[str, Any]:
    """Nodes, and streets with a class by traffic: 0 for the quietest."""
    streets = Streets.of(network)
    quiet_first = np.argsort(streets.traffic, kind="stable")
    ends = np.rint(np.cumsum([share for share, _, _ in STREET_CLASSES]) * len(quiet_first)).astype(int)
    classes = np.searchsorted(ends, np.arange(len(quiet_first)), side="right").clip(0, len(STREET_CLASSES) - 1)
    for name, places_m, least_m in (("x", network.x_m, network.x_m.min()), ("y", network.y_m, network.y_m.min())):
        arrays.add(f"city.{name}", _quantised(places_m, least_m, _side_m(network)), "u2", delta=True)
    arrays.add("city.streets", streets.ends[quiet_first], "u4", delta=False)
    arrays.add("city.classes", classes, "u1", delta=True)
    return {
        "left_m": float(network.x_m.min()),
        "bottom_m": float(network.y_m.min()),
        "side_m": _side_m(network),
        "street_colours": [colour for _, colour, _ in STREET_CLASSES],
        "street_widths": [width for _, _, width in STREET_CLASSES],
    }


def _side_m(network: RoadNetwork) -> float:
    return max(float(np.ptp(network.x_m)), float(np.ptp(network.y_m)), 1.0)


def _quantised(places_m: NDArray[Any], least_m: float, side_m: float) -> NDArray[Any]:
    return np.rint((places_m - least_m) / side_m * _FULL).clip(0, _FULL)


def _run(run: Run, network: RoadNetwork, number: int, arrays: _Arrays) -> dict[str, Any]:
    scene, name, side_m = run.scene, f"run{number}", _side_m(network)
    arrays.add(f"{name}.time", scene.time_s, "f8")
    arrays.add(f"{name}.mover_state", scene.mover_state, "u1", delta=True)
    arrays.add(f"{name}.mover_start", scene.mover_start, "u4")
    arrays.add(f"{name}.leg_mover", scene.legs.mover, "u2")
    arrays.add(f"{name}.leg_site", scene.legs.site, "i4")
    arrays.add(f"{name}.leg_first", scene.legs.first, "u4", delta=True)
    arrays.add(f"{name}.leg_node", scene.legs.node, "i4", delta=True)
    arrays.add(f"{name}.leg_at", np.rint(scene.legs.at_s * 10), "i4", delta=True)  # tenths of a second
    arrays.add(f"{name}.site_state", scene.site_state, "u1", delta=True)
    arrays.add(f"{name}.site_size", np.rint(scene.site_size * 255), "u1", delta=True)
    arrays.add(f"{name}.site_x", _quantised(scene.site_x_m, float(network.x_m.min()), side_m), "u2")
    arrays.add(f"{name}.site_y", _quantised(scene.site_y_m, float(network.y_m.min()), side_m), "u2")
    arrays.add(f"{name}.links", scene.links.reshape(-1, 2), "u2")
    for series, values in scene.series.items():
        arrays.add(f"{name}.series.{series}", values, "f8")
    texts = list(dict.fromkeys(event.text for event in scene.events))
    at = {text: place for place, text in enumerate(texts)}
    arrays.add(f"{name}.event_time", np.array([event.time_s for event in scene.events]), "f8")
    arrays.add(f"{name}.event_mover", np.array([event.mover for event in scene.events]), "i4")
    arrays.add(f"{name}.event_site", np.array([event.site for event in scene.events]), "i4")
    arrays.add(f"{name}.event_text", np.array([at[event.text] for event in scene.events]), "u4")
    return {
        "title": run.title,
        "agent": run.agent,
        "mover_word": scene.mover_word,
        "site_word": scene.site_word,
        "mover_marks": [_mark(mark) for mark in scene.mover_marks],
        "site_marks": [_mark(mark) for mark in scene.site_marks],
        "series": list(scene.series),
        "texts": texts,
    }


def _mark(mark: Mark) -> dict[str, Any]:
    look = {name: value for name, value in asdict(mark.look).items() if name != "outline"}
    return {"name": mark.name, "meaning": mark.meaning, **look, "outline": mark.look.outline.round(3).tolist()}
