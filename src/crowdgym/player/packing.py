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

from crowdgym.envs.rendering.canvas import PAPER
from crowdgym.envs.rendering.crowding import CREW_GAP_PX, CREW_STEP_PX, CROWD, SAME_PLACE_PX, SPREAD_PX
from crowdgym.envs.rendering.links import CRITICAL_GROWS, OUTLINE_GAP_PX
from crowdgym.envs.rendering.map import GREEN_GROUND, OUTSIDE, STREET_CLASSES, WATER
from crowdgym.envs.rendering.markers import BLUE, NAVY, OUTLINE_EDGE, OUTLINE_FACE
from crowdgym.envs.rendering.picture import FADES_S, Mark
from crowdgym.envs.rendering.road_renderer import RADIUS_PX, SMALLEST_RADIUS_PX
from crowdgym.envs.rendering.scene import BaseMap, Scene, Spans, Table

FORMAT: Final = "crowdgym-replay"
FORMAT_VERSION: Final = 2
# What the player draws as the pictures do.
LOOKS: Final[dict[str, Any]] = {
    "paper": PAPER,
    "outside": OUTSIDE,
    "ink": NAVY,
    "way": BLUE,
    "outline_face": OUTLINE_FACE,
    "outline_edge": OUTLINE_EDGE,
    "outline_gap_px": OUTLINE_GAP_PX,
    "largest_px": RADIUS_PX,
    "smallest_px": SMALLEST_RADIUS_PX,
    "fades_s": FADES_S,
    "crowd": CROWD,
    "same_place_px": SAME_PLACE_PX,
    "crew_gap_px": CREW_GAP_PX,
    "crew_step_px": CREW_STEP_PX,
    "spread_px": SPREAD_PX,
    "critical_grows": CRITICAL_GROWS,
}
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


def packed(runs: list[Run]) -> bytes:
    """A file of runs on one map; the same runs give the same bytes."""
    arrays = _Arrays()
    frame = _Frame.of(runs[0].scene.base)
    header: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "city": _city(runs[0].scene.base, frame, arrays),
        "looks": LOOKS,
        "runs": [_run(run, frame, number, arrays) for number, run in enumerate(runs)],
    }
    header["arrays"] = arrays.described
    head = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    return gzip.compress(struct.pack("<I", len(head)) + head + b"".join(arrays.content), 9, mtime=0)


@dataclass(frozen=True)
class _Frame:
    """The square in which places are shares of its side, in 16 bits."""

    left_m: float
    bottom_m: float
    side_m: float

    @classmethod
    def of(cls, base: BaseMap) -> "_Frame":
        side_m = max(float(np.ptp(base.x_m)), float(np.ptp(base.y_m)), 1.0)
        return cls(float(base.x_m.min()), float(base.y_m.min()), side_m)

    def x(self, x_m: NDArray[Any]) -> NDArray[Any]:
        return _shares(x_m, self.left_m, self.side_m)

    def y(self, y_m: NDArray[Any]) -> NDArray[Any]:
        return _shares(y_m, self.bottom_m, self.side_m)


def _shares(places_m: NDArray[Any], least_m: float, side_m: float) -> NDArray[Any]:
    return np.rint((places_m - least_m) / side_m * _FULL)


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


def _city(base: BaseMap, frame: _Frame, arrays: _Arrays) -> dict[str, Any]:
    """Nodes, streets, and outlines of land, greens and water, which may lie outside the frame."""
    arrays.add("city.x", frame.x(base.x_m).clip(0, _FULL), "u2", delta=True)
    arrays.add("city.y", frame.y(base.y_m).clip(0, _FULL), "u2", delta=True)
    arrays.add("city.streets", base.streets, "u4", delta=False)
    arrays.add("city.classes", base.street_class, "u1", delta=True)
    kinds = {"land": base.ground.land, "green": base.ground.green, "water": base.ground.water}
    outlines = [outline for of in kinds.values() for outline in of]
    corners = np.concatenate([np.zeros((0, 2)), *outlines])
    arrays.add("city.area_kind", np.repeat(np.arange(len(kinds)), [len(of) for of in kinds.values()]), "u1")
    arrays.add("city.area_first", np.cumsum([0, *(len(outline) for outline in outlines)]), "u4")
    arrays.add("city.area_x", frame.x(corners[:, 0]), "i4", delta=True)
    arrays.add("city.area_y", frame.y(corners[:, 1]), "i4", delta=True)
    return {
        **asdict(frame),
        "street_colours": [colour for _, colour, _ in STREET_CLASSES],
        "street_widths": [width for _, _, width in STREET_CLASSES],
        "area_colours": [PAPER, GREEN_GROUND, WATER],
    }


def _run(run: Run, frame: _Frame, number: int, arrays: _Arrays) -> dict[str, Any]:
    scene, picture, name = run.scene, run.scene.picture, f"run{number}"
    arrays.add(f"{name}.time", scene.time_s, "f8")
    arrays.add(f"{name}.mover_state", scene.mover_state, "u1", delta=True)
    arrays.add(f"{name}.mover_start", scene.mover_start, "u4")
    arrays.add(f"{name}.leg_mover", scene.legs.mover, "u2")
    arrays.add(f"{name}.leg_site", scene.legs.site, "i4")
    arrays.add(f"{name}.leg_first", scene.legs.first, "u4", delta=True)
    arrays.add(f"{name}.leg_node", scene.legs.node, "i4", delta=True)
    arrays.add(f"{name}.leg_at", _tenths(scene.legs.at_s), "i4", delta=True)
    arrays.add(f"{name}.site_state", scene.site_state, "u1", delta=True)
    arrays.add(f"{name}.site_size", np.rint(scene.site_size * 255), "u1", delta=True)
    arrays.add(f"{name}.site_x", frame.x(np.nan_to_num(scene.site_x_m)).clip(0, _FULL), "u2")
    arrays.add(f"{name}.site_y", frame.y(np.nan_to_num(scene.site_y_m)).clip(0, _FULL), "u2")
    arrays.add(f"{name}.site_end", _tenths(scene.site_end_s), "i4")
    arrays.add(f"{name}.site_group", scene.site_group, "i4", delta=True)
    arrays.add(f"{name}.links", scene.links.reshape(-1, 2), "u2")
    arrays.add(f"{name}.link_state", scene.link_state, "u1", delta=True)
    arrays.add(f"{name}.link_critical", scene.link_is_critical, "u1")
    for series, values in scene.series.items():
        arrays.add(f"{name}.series.{series}", values, "f8")
    texts = list(dict.fromkeys(event.text for event in scene.events))
    at = {text: place for place, text in enumerate(texts)}
    arrays.add(f"{name}.event_time", _tenths(np.array([event.time_s for event in scene.events])), "i4", delta=True)
    arrays.add(f"{name}.event_mover", np.array([event.mover for event in scene.events]), "i4")
    arrays.add(f"{name}.event_site", np.array([event.site for event in scene.events]), "i4")
    arrays.add(f"{name}.event_text", np.array([at[event.text] for event in scene.events]), "u4")
    return {
        "title": run.title,
        "agent": run.agent,
        "time": picture.time,
        "mover_word": picture.mover_word,
        "site_word": picture.site_word,
        "group_word": picture.group_word,
        "sites_heading": picture.sites_heading or f"{picture.site_word}s".capitalize(),
        "site_names": list(scene.site_names),
        "mover_marks": [_mark(mark) for mark in picture.mover_marks],
        "site_marks": [_mark(mark) for mark in picture.site_marks],
        "link_marks": [_mark(mark) for mark in picture.link_marks],
        "usual_marks": picture.usual_marks,
        "trails": picture.trails,
        "series": list(scene.series),
        "curves": list(scene.curves),
        "texts": texts,
        "spans": None if scene.spans is None else _spans(scene.spans, name, arrays),
        "table": None if scene.table is None else _table(scene.table, name, arrays),
    }


def _spans(spans: Spans, name: str, arrays: _Arrays) -> dict[str, Any]:
    arrays.add(f"{name}.span_bounds", _tenths(spans.bounds_s), "i4")
    arrays.add(f"{name}.group_times", _tenths(spans.group_s), "i4")
    return {"names": list(spans.names), "colours": list(spans.colours), "group_names": list(spans.group_names)}


def _table(table: Table, name: str, arrays: _Arrays) -> dict[str, Any]:
    arrays.add(f"{name}.table", table.counts.reshape(len(table.counts), -1), "i4", delta=True)
    return {"title": table.title, "rows": list(table.rows), "columns": list(table.columns)}


def _tenths(times_s: NDArray[Any]) -> NDArray[Any]:
    """Tenths of a second; -1 for never."""
    return np.where(np.isnan(times_s), -1, np.rint(np.nan_to_num(times_s) * 10))


def _mark(mark: Mark) -> dict[str, Any]:
    look = {name: value for name, value in asdict(mark.look).items() if name != "outline"}
    outline = mark.look.outline.round(3).tolist()
    return {"name": mark.name, "meaning": mark.meaning, "place": mark.place, **look, "outline": outline}
