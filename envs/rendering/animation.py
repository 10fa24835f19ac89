"""Pictures and animations as files, from frames such as ``render()`` returns with ``render_mode="rgb_array"``."""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import DataError
from crowdgym.common.files import write_bytes

Frame = NDArray[np.uint8]  # [height, width, 3]

PALETTE_COLOURS = 255  # of the 256 of a GIF: one stands for "as in the frame before"
SAME_AS_BEFORE = 255
EXACT_COLOURS = 64  # the most frequent ones are kept as they are
MOST_SAMPLES = 200_000  # colours that the palette is chosen by, each as often as its weight says
FASTEST = 50.0  # frames a second: a GIF counts in hundredths, and viewers slow down what is faster than two of them


def write_png(path: Path | str, frame: Frame) -> None:
    """Write one frame, shape [height, width, 3], as a PNG file, whole or not at all.

    Raises:
        DataError: ``frame`` is not a picture, or the file cannot be written.
    """
    from PIL import Image

    check_frame(frame, None)
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, format="PNG", optimize=True)
    write_bytes(Path(path), buffer.getvalue())


def write_gif(path: Path | str, frames: Iterable[Frame], frames_per_second: float) -> None:
    """Write an endless animation, whole or not at all.

    All frames share one palette of 255 colours, chosen by all that occur in them. Of each frame only what differs from
    the one before is stored, here and in the file, so that frames may come from a generator and a long episode needs
    little memory.

    Args:
        path: the file.
        frames: shape [height, width, 3] each, all of the same size.
        frames_per_second: rounded to a whole number of hundredths of a second a frame, as a GIF counts.

    Raises:
        DataError: there are no frames, one is not a picture or has another size than the first, or
            ``frames_per_second`` is not more than 0 and at most 50; or the file cannot be written.
    """
    if not 0 < frames_per_second <= FASTEST:
        raise DataError(f"frames_per_second is {frames_per_second}; expected more than 0 and at most {FASTEST:g}")
    film = _Film()
    for frame in frames:
        film.add(frame)
    if film.shape is None:
        raise DataError(f"there are no frames to write to {path}; expected at least one")
    write_bytes(Path(path), b"".join(_encoded(film, film.shape, round(100 / frames_per_second))))


@dataclass
class _Film:
    """Frames, each kept as what differs from the one before."""

    shape: tuple[int, int] | None = None  # height, width
    changes: list[tuple[bytes, bytes]] = field(default_factory=list)  # compressed: which pixels (bits), their colours
    colours: NDArray[np.uint32] = field(default_factory=lambda: np.empty(0, np.uint32))  # all that occur, ascending
    counts: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))  # most in one frame
    _last: NDArray[np.uint32] | None = None  # [height * width]

    def add(self, frame: Frame) -> None:
        """Append a frame."""
        check_frame(frame, self.shape)
        self.shape = (frame.shape[0], frame.shape[1])
        packed = _packed(frame)
        changed = np.ones(packed.shape, np.bool_) if self._last is None else packed != self._last
        self._last = packed
        fresh = packed[changed]
        self.changes.append((zlib.compress(np.packbits(changed).tobytes(), 1), zlib.compress(fresh.tobytes(), 1)))
        colours, counts = np.unique(fresh, return_counts=True)
        self.colours, place = np.unique(np.concatenate([self.colours, colours]), return_inverse=True)
        most = np.zeros(len(self.colours), np.int64)
        np.maximum.at(most, place, np.concatenate([self.counts, counts]))
        self.counts = most

    def parts(self) -> Iterator[tuple[NDArray[np.intp], NDArray[np.uint32]]]:
        """For each frame the pixels that changed, ascending, and their colours."""
        for bits, colours in self.changes:
            changed = np.unpackbits(np.frombuffer(zlib.decompress(bits), np.uint8))
            yield np.flatnonzero(changed), np.frombuffer(zlib.decompress(colours), np.uint32)


def check_frame(frame: Frame, shape: tuple[int, int] | None) -> None:
    """Check that a frame is a picture, and of a size if one is given.

    Raises:
        DataError: it is not.
    """
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or frame.size == 0:
        raise DataError(f"a frame is {frame.dtype} of shape {frame.shape}; expected uint8 of shape (height, width, 3)")
    if shape is not None and frame.shape[:2] != shape:
        raise DataError(f"a frame has the size {frame.shape[:2]}; expected {shape}, as the first has")


def _packed(frame: Frame) -> NDArray[np.uint32]:
    """Colours as one number a pixel. Shape [height * width]."""
    return frame.reshape(-1, 3).astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)


def _unpacked(colours: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The inverse, shape [n, 3]."""
    return np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.uint8)


def _palette(film: _Film) -> NDArray[np.uint8]:
    """Choose at most 255 colours for all frames. Shape [255, 3]; what is not needed is black."""
    from PIL import Image

    palette = np.zeros((PALETTE_COLOURS, 3), np.uint8)
    common_first = np.argsort(-film.counts, kind="stable")
    exact, rest = common_first[:EXACT_COLOURS], common_first[EXACT_COLOURS:]
    if len(film.colours) <= PALETTE_COLOURS:
        exact, rest = common_first, common_first[:0]
    palette[: len(exact)] = _unpacked(film.colours[exact])
    if len(rest):
        # By the root of their number, so that the shades of small marks count beside those of large ones.
        weight = np.sqrt(film.counts[rest])
        times = np.ceil(weight * max(1.0, MOST_SAMPLES - len(weight)) / weight.sum()).astype(np.int64)
        samples = Image.fromarray(np.repeat(_unpacked(film.colours[rest]), times, axis=0)[np.newaxis])
        reduced = samples.quantize(PALETTE_COLOURS - len(exact), Image.Quantize.MEDIANCUT, kmeans=1)
        chosen = np.array(reduced.getpalette(), np.uint8).reshape(-1, 3)[: PALETTE_COLOURS - len(exact)]
        palette[len(exact) : len(exact) + len(chosen)] = chosen
    return palette


def _encoded(film: _Film, shape: tuple[int, int], hundredths: int) -> Iterator[bytes]:
    """The parts of the file, by the specification of GIF89a."""
    from scipy.spatial import KDTree

    palette = _palette(film)
    tree = KDTree(palette.astype(np.float64))
    nearest = np.asarray(tree.query(_unpacked(film.colours).astype(np.float64))[1]).astype(np.uint8)
    height, width = shape
    yield b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0)  # 0xF7: a palette of 256 colours follows
    yield palette.tobytes() + bytes(3)
    yield b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", 0) + b"\x00"  # again and again
    shown = np.full(height * width, SAME_AS_BEFORE, np.uint8)
    for pixels, colours in film.parts():
        index = nearest[np.searchsorted(film.colours, colours)]
        differs = index != shown[pixels]
        patch = np.full(height * width, SAME_AS_BEFORE, np.uint8)
        patch[pixels[differs]] = shown[pixels[differs]] = index[differs]
        # 0x05: leave the frame as it is under the next one; one colour is transparent.
        yield b"\x21\xf9\x04" + struct.pack("<BHB", 0x05, hundredths, SAME_AS_BEFORE) + b"\x00"
        yield _image_block(patch.reshape(shape), palette)
    yield b"\x3b"


def _image_block(patch: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """One frame as a GIF's image block: the smallest rectangle with all that differs, compressed by Pillow."""
    from PIL import Image

    rows, columns = (np.flatnonzero((patch != SAME_AS_BEFORE).any(axis=axis)) for axis in (1, 0))
    top, bottom = (rows[0], rows[-1] + 1) if len(rows) else (0, 1)
    left, right = (columns[0], columns[-1] + 1) if len(columns) else (0, 1)
    image = Image.fromarray(np.ascontiguousarray(patch[top:bottom, left:right]))
    image.putpalette(palette.tobytes() + bytes(3))
    buffer = io.BytesIO()
    image.save(buffer, format="GIF", optimize=False, interlace=False)
    return _first_image(buffer.getvalue(), int(left), int(top))


def _first_image(gif: bytes, left: int, top: int) -> bytes:
    """The image block of a GIF with one image, moved to a place of its own and without a palette of its own."""
    place = 13 + _palette_bytes(gif[10])
    while gif[place] == 0x21:  # extensions: a label, then blocks up to an empty one
        place += 2
        while gif[place]:
            place += 1 + gif[place]
        place += 1
    _, _, _, width, height, flags = struct.unpack_from("<BHHHHB", gif, place)
    data = gif[place + 10 + _palette_bytes(flags) : gif.rindex(b"\x3b")]
    return struct.pack("<BHHHHB", 0x2C, left, top, width, height, 0) + data


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
