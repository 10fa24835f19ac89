"""Maps with a status panel, for the viewers of all environments: streets, scale bar, inset, title and figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.ground import Ground
from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.rendering.canvas import (
    FAINT_INK,
    INK,
    PANEL,
    PAPER,
    RULE,
    Box,
    Canvas,
    Discs,
    Lines,
    Rectangle,
    Shapes,
    Text,
    to_bytes,
)
from crowdgym.envs.rendering.street_traffic import Streets

FloatArray = NDArray[np.float64]

# Streets by traffic, the quiet ones first: the share of roads in the class, colour, pixels wide where they are dense.
STREET_CLASSES: tuple[tuple[float, str, float], ...] = (
    (0.74, "#d8d3c8", 0.65),
    (0.19, "#c6c0b2", 1.0),
    (0.07, "#b0a898", 1.6),
)
OUTSIDE = "#eeeae1"  # the ground where there are no streets
WATER, GREEN_GROUND = "#d3e3ec", "#e1ead3"
BUILT_UP = 0.25  # of the usual density of streets is the limit between them
BLUR_PX = (16.0, 100.0)  # at least and at most: how far around a place streets count for that
COARSE_PX = 2.0  # how exactly it is worked out
DENSE_STREET_PX = 10.0  # length of a usual street where they are dense; longer ones are drawn wider


@dataclass(frozen=True)
class CityMap:
    """What does not move on a map."""

    network: RoadNetwork
    streets: Streets
    ground: Ground


@dataclass(frozen=True)
class MapView:
    """Where places are on a canvas: one scale for both axes, north up."""

    pixels_per_m: float
    left_px: float  # of x_m = 0
    bottom_px: float  # of y_m = 0

    @classmethod
    def fit(cls, area_m: Box, box: Box) -> "MapView":
        """Show an area (in projected metres) as large as ``box`` allows, in its middle; a point at 1 m a pixel."""
        scales = [room / size for room, size in ((box.width, area_m.width), (box.height, area_m.height)) if size > 0]
        scale = min(scales, default=1.0)
        return cls(
            scale,
            (box.left + box.right) / 2 - (area_m.left + area_m.right) / 2 * scale,
            (box.bottom + box.top) / 2 - (area_m.bottom + area_m.top) / 2 * scale,
        )

    def pixels(self, x_m: FloatArray, y_m: FloatArray) -> FloatArray:
        """Pixels from the left and from the bottom. Shape [..., 2]."""
        return np.stack([x_m * self.pixels_per_m + self.left_px, y_m * self.pixels_per_m + self.bottom_px], axis=-1)

    def metres(self, left_px: FloatArray, bottom_px: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Places of pixels: the inverse of `pixels`."""
        return (left_px - self.left_px) / self.pixels_per_m, (bottom_px - self.bottom_px) / self.pixels_per_m


def rank_in_group(group: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
    """How many of the same group come before each. Shape [n]: (7, 3, 7, 7) gives (0, 0, 1, 2)."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    rank = np.empty(len(group), np.intp)
    rank[order] = np.arange(len(group)) - np.searchsorted(ordered, ordered)
    return rank


def draw_streets(canvas: Canvas, city: CityMap, view: MapView, box: Box) -> None:
    """Put the ground and all streets into a part of the background; busy streets are darker and wider."""
    network, streets = city.network, city.streets
    quiet_first = streets.ends[np.argsort(streets.traffic, kind="stable")]
    segments_px = view.pixels(network.x_m, network.y_m)[quiet_first]  # [E, 2, 2]
    length_px = np.linalg.norm(segments_px[:, 1] - segments_px[:, 0], axis=1)
    usual_px = float(np.median(length_px))
    blur_px = float(np.clip(2 * usual_px, *BLUR_PX))
    canvas.tint(box, _ground(segments_px, length_px, blur_px, box))
    _draw_ground(canvas, city.ground, view, box)
    wider = float(np.clip(np.sqrt(usual_px / DENSE_STREET_PX), 1.0, 3.0))
    low_px, high_px = segments_px.min(axis=1) - wider * 2, segments_px.max(axis=1) + wider * 2
    near = ((low_px < [box.right, box.top]) & (high_px > [box.left, box.bottom])).all(axis=1)  # the rest cost time
    start = 0
    ends = np.cumsum([share for share, _, _ in STREET_CLASSES]) * len(quiet_first)
    for end, (_, colour, width_px) in zip(np.rint(ends).astype(int), STREET_CLASSES, strict=True):
        shown_px = segments_px[start:end][near[start:end]]
        canvas.add_fixed(Lines(colour, width_px * wider, clip=box).place(shown_px))
        start = end


def _draw_ground(canvas: Canvas, ground: Ground, view: MapView, box: Box) -> None:
    """Put water and greens into a part of the background."""
    for outlines_m, colour in ((ground.green, GREEN_GROUND), (ground.water, WATER)):
        outlines_px = [view.pixels(outline[:, 0], outline[:, 1]) for outline in outlines_m]
        canvas.add_fixed(Shapes(colour, "none", 0.0, clip=box).place(outlines_px))


def _ground(segments_px: FloatArray, length_px: FloatArray, blur_px: float, box: Box) -> NDArray[np.uint8]:
    """Colours of the ground: paper where there are streets all around, a shade darker where there are none.

    Args:
        segments_px: streets. Shape [E, 2, 2].
        length_px: shape [E].
        blur_px: how far around a pixel streets count.
        box: the part of the canvas that is wanted.

    Returns:
        Red, green and blue, the lowest row first. Shape [height, width, 3].
    """
    from scipy.ndimage import gaussian_filter, zoom

    high, wide = round(box.height / COARSE_PX), round(box.width / COARSE_PX)
    steps = np.ceil(length_px / COARSE_PX).astype(np.intp) + 1  # points a street
    street = np.repeat(np.arange(len(steps)), steps)
    along = (np.arange(len(street)) - np.repeat(np.cumsum(steps) - steps, steps)) / steps[street]
    start_px, way_px = segments_px[street, 0], segments_px[street, 1] - segments_px[street, 0]
    points_px = start_px + way_px * along[:, np.newaxis]
    left_bottom = np.array([box.left, box.bottom])
    cells = np.floor((points_px[box.holds(points_px)] - left_bottom) / COARSE_PX).astype(np.intp)
    column, row = np.minimum(cells, [wide - 1, high - 1]).T
    streets = np.bincount(row * wide + column, minlength=high * wide).reshape(high, wide).astype(np.float64)
    density = gaussian_filter(streets, blur_px / COARSE_PX, mode="nearest")
    usual = float(np.median(density[row, column])) if len(row) else 1.0
    built_up = np.clip(density / (BUILT_UP * usual) * 2 - 1.5, 0.0, 1.0)  # 0.5 at the limit
    share = zoom(built_up, (round(box.height) / high, round(box.width) / wide), order=1)[..., np.newaxis]
    outside, paper = (np.array(to_bytes(colour)[:3], np.float64) for colour in (OUTSIDE, PAPER))
    return np.rint(outside + (paper - outside) * share).astype(np.uint8)


def draw_scale_bar(canvas: Canvas, view: MapView, left_px: float, bottom_px: float, longest_px: float = 160.0) -> None:
    """Put a scale bar into the background: the longest of 1, 2 or 5 times a power of ten that fits."""
    length_m = round_length_m(longest_px / view.pixels_per_m)
    right_px, top_px = left_px + length_m * view.pixels_per_m, bottom_px + 6
    bar = np.array([[[left_px, top_px], [left_px, bottom_px], [right_px, bottom_px], [right_px, top_px]]])
    canvas.add_fixed(Lines(PAPER, 5.0).place(bar))  # a halo, where streets run below it
    canvas.add_fixed(Lines(INK, 1.5).place(bar))
    name = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    canvas.add_fixed(Text(left_px + 6, bottom_px + 7, name, size_px=13, halo=PAPER))


def round_length_m(longest_m: float) -> float:
    """The longest of 1, 2 or 5 times a power of ten that is not longer than ``longest_m``."""
    power = 10.0 ** np.floor(np.log10(longest_m))
    return float(max(step * power for step in (1.0, 2.0, 5.0) if step * power <= longest_m))


# Of a city that is much larger than where things happen, the map shows the part where they do, and an inset the whole.
FOCUS_PERCENT = 2.0  # of the places left out at each side of the part
FOCUS_MARGIN = 0.12  # of the part's size, added at each side
FOCUS_SMALLEST_M = 4000.0
FOCUS_WORTHWHILE = 1.5  # the scale grows at least by this factor, or the whole city is shown
INSET_PX, INSET_RIM_PX, INSET_GAP_PX = 190.0, 10.0, 16.0  # largest side of the city, around it, to the border


def view_of(city: Box, x_m: FloatArray, y_m: FloatArray, box: Box) -> MapView:
    """Show the part of a city where most of the given places are, or all of it if that is not much more.

    Args:
        city: in projected metres.
        x_m: places that matter. Shape [n].
        y_m: shape [n].
        box: the room on the canvas.
    """
    whole = MapView.fit(city, box)
    if len(x_m) == 0:
        return whole
    ranges = []
    for values, low_m, high_m in ((x_m, city.left, city.right), (y_m, city.bottom, city.top)):
        first, last = np.percentile(values, [FOCUS_PERCENT, 100 - FOCUS_PERCENT])
        half = max((last - first) * (0.5 + FOCUS_MARGIN), FOCUS_SMALLEST_M / 2)
        middle = (first + last) / 2
        ranges.append((float(max(low_m, middle - half)), float(min(high_m, middle + half))))
    (left, right), (bottom, top) = ranges
    part = MapView.fit(Box(left, bottom, right, top), box)
    return part if part.pixels_per_m >= FOCUS_WORTHWHILE * whole.pixels_per_m else whole


def inset_box(network: RoadNetwork, view: MapView, x_m: FloatArray, y_m: FloatArray, ground: Box) -> Box:
    """Choose the corner of ``ground`` for an inset: with the fewest of the given places, then with the fewest nodes."""
    city = Box.around(network.x_m, network.y_m)
    scale = MapView.fit(city, Box(0, 0, INSET_PX, INSET_PX)).pixels_per_m
    width_px, height_px = city.width * scale + 2 * INSET_RIM_PX, city.height * scale + 2 * INSET_RIM_PX
    left, bottom = ground.left + INSET_GAP_PX, ground.bottom + INSET_GAP_PX
    right, top = ground.right - INSET_GAP_PX - width_px, ground.top - INSET_GAP_PX - height_px
    corners = [Box(x, y, x + width_px, y + height_px) for x, y in ((right, top), (left, top), (right, bottom))]
    places_px, nodes_px = view.pixels(x_m, y_m), view.pixels(network.x_m, network.y_m)
    return min(corners, key=lambda corner: (int(corner.holds(places_px).sum()), int(corner.holds(nodes_px).sum())))


class Inset:
    """A small map of the whole city on the large one, with a frame around the part that this shows."""

    def __init__(self, canvas: Canvas, city_map: CityMap, view: MapView, ground: Box, box: Box) -> None:
        """Lay it over what was put on ``canvas`` before, into ``box`` as `inset_box` gives it."""
        self._canvas, self._box = canvas, box
        network, streets = city_map.network, city_map.streets
        city = Box.around(network.x_m, network.y_m)
        room = Box(box.left + INSET_RIM_PX, box.bottom + INSET_RIM_PX, box.right - INSET_RIM_PX, box.top - INSET_RIM_PX)
        self._view = MapView.fit(city, room)

        canvas.add_fixed(Rectangle(box, PAPER))
        _draw_ground(canvas, city_map.ground, self._view, box)
        canvas.add_fixed(Rectangle(box, "none", STREET_CLASSES[1][1], 1.5))
        canvas.add_fixed(Lines(RULE, 0.6).place(self._view.pixels(network.x_m, network.y_m)[streets.ends]))
        x_m, y_m = view.metres(np.array([ground.left, ground.right]), np.array([ground.bottom, ground.top]))
        (west, south), (east, north) = self._view.pixels(x_m, y_m)
        frame_px = np.array([[[west, south], [east, south], [east, north], [west, north], [west, south]]])
        canvas.add_fixed(Lines(INK, 1.2, clip=box).place(frame_px))
        canvas.cover(box)

    def dots(self, colour: str) -> Discs:
        """Add dots of a colour; `place` puts them somewhere."""
        return self._canvas.add_moving(Discs(colour, "none", 0.0, clip=self._box))

    def place(self, dots: Discs, x_m: FloatArray, y_m: FloatArray) -> None:
        """Put dots at places in projected metres."""
        dots.place(self._view.pixels(x_m, y_m), np.full(len(x_m), 1.6))


class StatusPanel:
    """A strip along the top of a canvas: a title, and figures with their names."""

    def __init__(
        self, canvas: Canvas, box: Box, title: str, subtitle: str, figures: Sequence[tuple[str, float]]
    ) -> None:
        """``figures``: name and width in pixels of each, from left to right; the last ends at the right margin."""
        canvas.add_fixed(Rectangle(box, PANEL))
        canvas.add_fixed(Rectangle(Box(box.left, box.bottom - 1, box.right, box.bottom), RULE))
        room_px = box.width - 48 - sum(width_px for _, width_px in figures)
        size_px = min(22.0, room_px / (0.7 * max(len(title), 1)))  # a bold letter is 0.7 as wide as it is high
        canvas.add_fixed(Text(box.left + 24, box.top - 42, title, size_px=size_px, bold=True))
        canvas.add_fixed(Text(box.left + 24, box.top - 66, subtitle, size_px=14, colour=FAINT_INK))
        self._values: list[Text] = []
        right_px = box.right - 24 - sum(width_px for _, width_px in figures)
        for name, width_px in figures:
            right_px += width_px
            canvas.add_fixed(Text(right_px, box.top - 66, name, size_px=14, colour=FAINT_INK, anchor="right"))
            self._values.append(canvas.add_moving(Text(right_px, box.top - 42, size_px=22, bold=True, anchor="right")))

    def show(self, values: Sequence[str]) -> None:
        """Set the figures, in the order of the names."""
        for value, words in zip(self._values, values, strict=True):
            value.write(words)


def clock(time_s: float) -> str:
    """Hours, minutes and whole seconds: 3723.9 is "1:02:03"."""
    minutes, seconds = divmod(int(time_s), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
