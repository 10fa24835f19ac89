"""Pictures in pixels, made of what stays and what moves.

A `Canvas` is drawn by matplotlib's Agg renderer through its objects: neither pyplot nor the person's backend is
touched. What stays the same (streets, frames, names) is drawn once and kept as a bitmap; a frame is that bitmap with
what moves drawn on top. Everything is placed in pixels from the lower left corner.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.path import Path as MatplotlibPath
    from matplotlib.transforms import IdentityTransform

FloatArray = NDArray[np.float64]
Frame = NDArray[np.uint8]

DOTS_PER_INCH = 100.0
POINTS_PER_PIXEL = 72.0 / DOTS_PER_INCH
FONT = "DejaVu Sans"  # comes with matplotlib

PAPER = "#f8f6f1"
PANEL = "#ffffff"
RULE = "#dedad0"
INK = "#22262b"
FAINT_INK = "#6f7378"


@dataclass(frozen=True)
class Box:
    """A rectangle: of a canvas in pixels from its lower left corner, or of the ground in projected metres."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From bottom to top."""
        return self.top - self.bottom

    @classmethod
    def around(cls, x: FloatArray, y: FloatArray) -> "Box":
        """The smallest that holds all the points."""
        return cls(float(x.min()), float(y.min()), float(x.max()), float(y.max()))

    def holds(self, points: FloatArray) -> NDArray[np.bool_]:
        """Which points lie inside or on the border. ``points``: shape [..., 2]."""
        x, y = points[..., 0], points[..., 1]
        return (self.left <= x) & (x <= self.right) & (self.bottom <= y) & (y <= self.top)


class Mark(Protocol):
    """Something that can be put on a canvas."""

    @property
    def artist(self) -> "Artist":
        """As matplotlib draws it."""


MarkType = TypeVar("MarkType", bound=Mark)
_Part = tuple[slice, slice]  # rows and columns


class Canvas:
    """A picture of ``width`` x ``height`` pixels, made of what stays and what moves."""

    def __init__(self, width: int, height: int, colour: str = PAPER) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self._figure = Figure((width / DOTS_PER_INCH, height / DOTS_PER_INCH), dpi=DOTS_PER_INCH)
        self._renderer: RendererAgg = FigureCanvasAgg(self._figure).get_renderer()  # type: ignore[no-untyped-call]
        self._pixels = np.asarray(self._renderer.buffer_rgba())  # [height, width, 4], the renderer's own memory
        self._pixels[:] = to_bytes(colour)
        self._moving: list[Artist | _Part] = []  # a part of the background is restored
        self._background: Frame | None = None  # [height, width, 4], as it was when the first frame was drawn

    def add_fixed(self, mark: MarkType) -> MarkType:
        """Draw ``mark`` into the background, over what is there. Only before the first `frame`."""
        self._own(mark).draw(self._renderer)
        return mark

    def add_moving(self, mark: MarkType) -> MarkType:
        """Draw ``mark`` anew on every frame, over what stays and over what was added before it."""
        self._moving.append(self._own(mark))
        return mark

    def tint(self, box: Box, colours: NDArray[np.uint8]) -> None:
        """Fill a part of the background. ``colours``: shape [height, width, 3] of ``box``, the lowest row first."""
        self._pixels[(*self._part(box), slice(3))] = colours[::-1]

    def cover(self, box: Box) -> None:
        """Lay a part of the background over everything that was set to move before."""
        self._moving.append(self._part(box))

    def frame(self) -> Frame:
        """Draw. Shape [height, width, 3]."""
        if self._background is None:
            self._background = self._pixels.copy()
        self._pixels[:] = self._background
        for item in self._moving:
            if isinstance(item, tuple):
                self._pixels[item] = self._background[item]
            else:
                item.draw(self._renderer)
        frame = np.empty((*self._pixels.shape[:2], 3), np.uint8)
        for channel in range(3):  # faster than a copy of all three at once
            frame[..., channel] = self._pixels[..., channel]
        return frame

    def _own(self, mark: Mark) -> "Artist":
        if self._background is not None:
            raise RuntimeError("a frame has been drawn: nothing can be added to the canvas any more")
        self._figure.add_artist(mark.artist)
        return mark.artist

    def _part(self, box: Box) -> _Part:
        """Rows and columns of the pixels in a box."""
        height = len(self._pixels)
        rows = slice(height - round(box.top), height - round(box.bottom))
        return rows, slice(round(box.left), round(box.right))


class Text:
    """One line of text, exactly as given (no TeX, no formulas), with its baseline at ``y_px``."""

    def __init__(
        self,
        x_px: float,
        y_px: float,
        words: str = "",
        *,
        size_px: float = 14.0,
        colour: str = INK,
        bold: bool = False,
        anchor: Literal["left", "center", "right"] = "left",
        halo: str | None = None,
    ) -> None:
        from matplotlib.patheffects import withStroke
        from matplotlib.text import Text as TextArtist

        self.artist = TextArtist(
            x_px,
            y_px,
            words,
            color=colour,
            fontsize=size_px * POINTS_PER_PIXEL,
            fontweight="bold" if bold else "normal",
            fontfamily=FONT,
            horizontalalignment=anchor,
            verticalalignment="baseline",
            usetex=False,
            parse_math=False,
            transform=_in_pixels(),
        )
        if halo is not None:  # a rim, so that the words can be read over streets
            self.artist.set_path_effects([withStroke(linewidth=4.0 * POINTS_PER_PIXEL, foreground=halo)])

    def write(self, words: str) -> None:
        """Replace the words."""
        self.artist.set_text(words)


class Rectangle:
    """A rectangle."""

    def __init__(self, box: Box, face: str, edge: str = "none", edge_px: float = 0.0) -> None:
        from matplotlib.patches import Rectangle as RectangleArtist

        width = edge_px * POINTS_PER_PIXEL
        corner, to_pixels = (box.left, box.bottom), _in_pixels()
        self.artist = RectangleArtist(corner, box.width, box.height, fc=face, ec=edge, lw=width, transform=to_pixels)


class Lines:
    """Lines of one colour, each through p points."""

    def __init__(self, colour: str, width_px: float, opacity: float = 1.0, clip: Box | None = None) -> None:
        from matplotlib.collections import LineCollection
        from matplotlib.colors import to_rgb

        self._colour = to_rgb(colour)
        self.artist = LineCollection(
            [],
            colors=[(*self._colour, opacity)],
            linewidths=width_px * POINTS_PER_PIXEL,
            capstyle="round",
            joinstyle="round",
            antialiaseds=True,
            transform=_in_pixels(),
        )
        _clip(self.artist, clip)

    def place(self, points_px: FloatArray, opacity: FloatArray | None = None) -> "Lines":
        """Draw these lines and no others. ``points_px``: shape [n, p, 2]; ``opacity``: one each, shape [n]."""
        self.artist.set_segments(list(points_px))
        if opacity is not None:
            self.artist.set_color([(*self._colour, float(value)) for value in opacity])
        return self


class Discs:
    """Circles that look alike but for their sizes."""

    def __init__(self, face: str, edge: str, edge_px: float, clip: Box | None = None) -> None:
        from matplotlib.collections import PathCollection
        from matplotlib.path import Path

        self.artist = PathCollection(
            [Path.unit_circle()],
            facecolors=face,
            edgecolors=edge,
            linewidths=edge_px * POINTS_PER_PIXEL,
            antialiaseds=True,
            offset_transform=_in_pixels(),
            transform=_in_pixels(),
        )
        _clip(self.artist, clip)

    def place(self, centres_px: FloatArray, radii_px: FloatArray) -> "Discs":
        """Draw these circles and no others. Shapes [n, 2] and [n]."""
        self.artist.set_offsets(centres_px)
        self.artist.set_sizes((radii_px * POINTS_PER_PIXEL) ** 2, dpi=DOTS_PER_INCH)
        self.artist.set_visible(len(centres_px) > 0)
        return self


class Shapes:
    """Closed polygons that look alike but for their outlines."""

    def __init__(self, face: str, edge: str, edge_px: float, clip: Box | None = None) -> None:
        from matplotlib.collections import PolyCollection

        self.artist = PolyCollection(
            [],
            facecolors=face,
            edgecolors=edge,
            linewidths=edge_px * POINTS_PER_PIXEL,
            joinstyle="round",
            antialiaseds=True,
            transform=_in_pixels(),
        )
        _clip(self.artist, clip)

    def place(self, outlines_px: FloatArray | Sequence[FloatArray]) -> "Shapes":
        """Draw these polygons and no others. ``outlines_px``: shape [n, corners, 2], or a list of [corners, 2]."""
        self.artist.set_verts(list(outlines_px))
        return self


class Badges:
    """Numbers, white on dark, with rounded ends."""

    SIZE_PX, PADDING_PX = 10.0, 3.2

    def __init__(self, clip: Box | None = None) -> None:
        from matplotlib.collections import PathCollection

        self.artist = PathCollection([], edgecolors="none", antialiaseds=True, transform=_in_pixels())
        self._made: dict[int, tuple[MatplotlibPath, MatplotlibPath]] = {}
        _clip(self.artist, clip)

    def place(self, left_bottom_px: FloatArray, counts: NDArray[np.integer[Any]]) -> "Badges":
        """Draw these numbers and no others. Shapes [n, 2] and [n]."""
        from matplotlib.path import Path

        paths: list[MatplotlibPath] = []
        for corner_px, count in zip(left_bottom_px, counts.tolist(), strict=True):
            if count not in self._made:
                self._made[count] = _badge(str(count), self.SIZE_PX, self.PADDING_PX)
            paths += [Path(path.vertices + corner_px, path.codes) for path in self._made[count]]
        self.artist.set_paths(paths)
        self.artist.set_facecolor([INK, PANEL] * len(counts))
        self.artist.set_visible(len(paths) > 0)
        return self


def _badge(words: str, size_px: float, padding_px: float) -> "tuple[MatplotlibPath, MatplotlibPath]":
    """A pill and the words in it, with the left lower corner at (0, 0)."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import FancyBboxPatch
    from matplotlib.textpath import TextPath

    letters = TextPath((padding_px, padding_px), words, size=size_px, prop=FontProperties(family=FONT, weight="bold"))
    width_px, height_px = letters.get_extents().x1 + padding_px, 0.73 * size_px + 2 * padding_px
    radius_px = height_px / 2
    style = f"round,pad=0,rounding_size={radius_px}"
    return FancyBboxPatch((0, 0), max(width_px, height_px), height_px, boxstyle=style).get_path(), letters


def stamped(
    outline: FloatArray, centres_px: FloatArray, size_px: float, direction_px: FloatArray | None = None
) -> FloatArray:
    """Put an outline at places.

    Args:
        outline: corners around (0, 0). Shape [p, 2].
        centres_px: shape [n, 2].
        size_px: what a 1 in ``outline`` stands for.
        direction_px: what the x axis of the outline is turned to, if it is turned. Shape [n, 2].

    Returns:
        Corners in pixels, shape [n, p, 2].
    """
    if direction_px is None:
        return centres_px[:, np.newaxis] + outline * size_px
    angle = np.arctan2(direction_px[:, 1], direction_px[:, 0])[:, np.newaxis]  # [n, 1]
    x, y = outline[:, 0], outline[:, 1]
    turned = np.stack([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)], axis=-1)
    return centres_px[:, np.newaxis] + turned * size_px


def _clip(artist: "Artist", clip: Box | None) -> None:
    from matplotlib.transforms import Bbox

    if clip is not None:
        artist.set_clip_box(Bbox.from_extents(clip.left, clip.bottom, clip.right, clip.top))


def _in_pixels() -> "IdentityTransform":
    from matplotlib.transforms import IdentityTransform

    return IdentityTransform()


def to_bytes(colour: str) -> NDArray[np.uint8]:
    """Red, green, blue and opacity of a colour, 0 to 255. Shape [4]."""
    from matplotlib.colors import to_rgba

    return np.array(np.rint(np.multiply(to_rgba(colour), 255.0)), np.uint8)
