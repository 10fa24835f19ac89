"""Animations as MP4 files."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from crowdgym.common.errors import DataError
from crowdgym.envs.rendering import video
from crowdgym.envs.rendering.video import write_animation, write_mp4

GREY = np.full((40, 60, 3), 200, np.uint8)


def needs_ffmpeg() -> str:
    try:
        return video.ffmpeg()
    except DataError as error:
        pytest.skip(str(error))


def decoded(program: str, file: Path, height: int, width: int) -> np.ndarray:
    """The frames of a video. Shape [n, height, width, 3]."""
    command = [program, "-loglevel", "error", "-i", str(file), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    pixels = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(pixels, np.uint8).reshape(-1, height, width, 3)


def test_a_video_has_every_frame_about_as_it_was(tmp_path: Path) -> None:
    program = needs_ffmpeg()
    frames = [np.full((40, 60, 3), 20 * number, np.uint8) for number in range(1, 8)]
    write_mp4(tmp_path / "out.mp4", iter(frames), 10.0)
    shown = decoded(program, tmp_path / "out.mp4", 40, 60)
    assert len(shown) == 7
    assert np.abs(shown.astype(int) - np.array(frames, int)).max() < 12


def test_an_odd_row_and_column_are_left_out(tmp_path: Path) -> None:
    program = needs_ffmpeg()
    write_animation(tmp_path / "out.mp4", [GREY[:39, :59]] * 3, 5.0)
    assert decoded(program, tmp_path / "out.mp4", 38, 58).shape[0] == 3


@pytest.mark.parametrize(
    ("frames", "rate", "message"),
    [
        ([], 5.0, "there are no frames"),
        ([GREY, GREY[:20]], 5.0, "a frame has the size"),
        ([GREY], 0.0, "frames_per_second is 0.0; expected more than 0 and at most 120"),
    ],
)
def test_what_cannot_be_a_video_is_refused_and_leaves_no_file(
    tmp_path: Path, frames: list[np.ndarray], rate: float, message: str
) -> None:
    needs_ffmpeg()
    with pytest.raises(DataError, match=message):
        write_mp4(tmp_path / "out.mp4", frames, rate)
    assert list(tmp_path.iterdir()) == []


def test_without_ffmpeg_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(DataError, match=r"an \.mp4 file needs ffmpeg, which is not installed: .*imageio-ffmpeg"):
        write_mp4(tmp_path / "out.mp4", [GREY], 5.0)


@pytest.mark.skipif(os.name != "posix", reason="a script stands for ffmpeg")
def test_what_ffmpeg_says_is_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho no such encoder >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(DataError, match="ffmpeg cannot encode the video: no such encoder"):
        write_mp4(tmp_path / "out.mp4", [GREY] * 50, 5.0)


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"an animation is written to a \.gif or \.mp4 file, got '.*out\.avi'"):
        write_animation(tmp_path / "out.avi", [GREY], 5.0)
