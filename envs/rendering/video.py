"""Animations as MP4 files, encoded by ffmpeg; and any animation by the suffix of its file."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from crowdgym.common.errors import DataError
from crowdgym.common.files import write_bytes
from crowdgym.envs.rendering.animation import Frame, check_frame, write_gif

SUFFIXES: Final = (".gif", ".mp4")
FASTEST: Final = 120.0  # frames a second of a video
_LAST_WORDS: Final = 300  # of what ffmpeg says, the part that is passed on


def write_animation(path: Path | str, frames: Iterable[Frame], frames_per_second: float) -> None:
    """Write a .gif or an .mp4 file, whole or not at all.

    Args:
        path: the file; its suffix says which of the two.
        frames: shape [height, width, 3] each, all of the same size.
        frames_per_second: how many are shown in a second.

    Raises:
        DataError: another suffix; as `write_gif` and `write_mp4`.
    """
    writers = {".gif": write_gif, ".mp4": write_mp4}
    suffix = Path(path).suffix.lower()
    if suffix not in writers:
        raise DataError(f"an animation is written to a {' or '.join(SUFFIXES)} file, got {str(path)!r}")
    writers[suffix](path, frames, frames_per_second)


def write_mp4(path: Path | str, frames: Iterable[Frame], frames_per_second: float) -> None:
    """Write a video in H.264, whole or not at all. Frames of odd height or width lose their last row or column.

    Args:
        path: the file.
        frames: shape [height, width, 3] each, all of the same size; they may come from a generator.
        frames_per_second: how many are shown in a second.

    Raises:
        DataError: there is no ffmpeg; there are no frames, one is not a picture or has another size than the first, or
            ``frames_per_second`` is not more than 0 and at most 120; ffmpeg fails, or the file cannot be written.
    """
    if not 0 < frames_per_second <= FASTEST:
        raise DataError(f"frames_per_second is {frames_per_second}; expected more than 0 and at most {FASTEST:g}")
    program = ffmpeg()
    coming = iter(frames)
    first = next(coming, None)
    if first is None:
        raise DataError(f"there are no frames to write to {path}; expected at least one")
    check_frame(first, None)
    height, width = first.shape[0] & ~1, first.shape[1] & ~1
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "video.mp4"
        command = [program, "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
        command += ["-r", f"{frames_per_second:g}", "-i", "-", "-an", "-c:v", "libx264", "-pix_fmt", "yuv420p"]
        command += ["-crf", "20", "-threads", "1", "-movflags", "+faststart", str(target)]
        _encode(command, _pixels(chain([first], coming), first.shape[:2]))
        write_bytes(Path(path), target.read_bytes())


def ffmpeg() -> str:
    """The path of an ffmpeg: that of the system, or of the package ``imageio-ffmpeg``.

    Raises:
        DataError: there is neither.
    """
    found = shutil.which("ffmpeg")
    if found is not None:
        return found
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        raise DataError(
            "an .mp4 file needs ffmpeg, which is not installed: install it, or 'pip install imageio-ffmpeg'; "
            "a .gif file needs neither"
        ) from None


def _pixels(frames: Iterable[Frame], shape: tuple[int, ...]) -> Iterator[bytes]:
    for frame in frames:
        check_frame(frame, (shape[0], shape[1]))
        yield np.ascontiguousarray(frame[: shape[0] & ~1, : shape[1] & ~1]).tobytes()


def _encode(command: list[str], pixels: Iterator[bytes]) -> None:
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said)
        assert process.stdin is not None
        try:
            for frame in pixels:
                process.stdin.write(frame)
        except BrokenPipeError:
            pass  # it has ended early, and says why
        except BaseException:
            process.kill()
            raise
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.wait()
        if process.returncode != 0:
            said.seek(0)
            reason = " ".join(said.read().decode(errors="replace").split())[-_LAST_WORDS:]
            raise DataError(f"ffmpeg cannot encode the video: {reason}")
