"""Pictures and animations as files."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from crowdgym.common.errors import DataError
from crowdgym.envs.rendering.animation import write_gif, write_png

Frame = NDArray[np.uint8]


def moving_dot(count: int) -> Iterator[Frame]:
    """A red dot of 3 x 3 pixels that moves one pixel to the right each frame, on grey; 20 x 40 pixels."""
    for k in range(count):
        frame = np.full((20, 40, 3), 200, np.uint8)
        frame[5:8, k : k + 3] = (255, 0, 0)
        yield frame


def read_back(path: Path) -> list[Frame]:
    with Image.open(path) as image:
        frames = []
        for k in range(image.n_frames):
            image.seek(k)
            frames.append(np.array(image.convert("RGB")))
        return frames


def test_a_gif_has_every_frame_as_it_was(tmp_path: Path) -> None:
    write_gif(tmp_path / "dot.gif", list(moving_dot(10)), 5)
    np.testing.assert_array_equal(read_back(tmp_path / "dot.gif"), list(moving_dot(10)))


def test_frames_may_come_one_by_one(tmp_path: Path) -> None:
    write_gif(tmp_path / "list.gif", list(moving_dot(10)), 5)
    write_gif(tmp_path / "stream.gif", moving_dot(10), 5)
    assert (tmp_path / "stream.gif").read_bytes() == (tmp_path / "list.gif").read_bytes()


@pytest.mark.parametrize(("rate", "milliseconds"), [(5, 200), (12.5, 80), (50, 20)])
def test_a_gif_goes_at_the_given_rate_and_begins_again(tmp_path: Path, rate: float, milliseconds: int) -> None:
    write_gif(tmp_path / "dot.gif", moving_dot(3), rate)
    with Image.open(tmp_path / "dot.gif") as image:
        assert image.info["duration"] == milliseconds
        assert image.info["loop"] == 0


def test_frames_without_change_count_but_cost_next_to_nothing(tmp_path: Path) -> None:
    still = np.random.default_rng(0).integers(0, 2, (100, 100, 1)).repeat(3, axis=2).astype(np.uint8) * 255
    write_gif(tmp_path / "one.gif", [still], 5)
    write_gif(tmp_path / "many.gif", [still] * 50, 5)
    assert len(read_back(tmp_path / "many.gif")) == 50
    assert (tmp_path / "many.gif").stat().st_size < (tmp_path / "one.gif").stat().st_size + 49 * 40


def test_random_changes_of_few_colours_are_kept_exactly(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    colours = generator.integers(0, 256, (255, 3)).astype(np.uint8)
    frames = [colours[generator.integers(0, 255, (30, 50))] for _ in range(6)]
    write_gif(tmp_path / "noise.gif", frames, 5)
    np.testing.assert_array_equal(read_back(tmp_path / "noise.gif"), frames)


def test_many_colours_are_replaced_by_near_ones_and_common_ones_are_kept(tmp_path: Path) -> None:
    """A gradient of 16,384 colours below a plain strip, and another plain strip from the second frame on."""
    row, column = np.mgrid[0:128, 0:128].astype(np.uint8)
    frame = np.stack([2 * row, 2 * column, row + column], axis=2)
    frame[:20] = (213, 94, 0)
    later = frame.copy()
    later[20:40] = (0, 114, 178)
    write_gif(tmp_path / "gradient.gif", [frame, later], 5)
    first, second = read_back(tmp_path / "gradient.gif")
    np.testing.assert_array_equal(first[:20], frame[:20])
    np.testing.assert_array_equal(second[:40], later[:40])
    assert np.abs(second.astype(int) - later).mean() < 8
    assert np.abs(second.astype(int) - later).max() < 64


def test_equal_frames_give_equal_files(tmp_path: Path) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (3, 60, 80, 3)).astype(np.uint8)
    write_gif(tmp_path / "a.gif", noise, 5)
    write_gif(tmp_path / "b.gif", noise, 5)
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()


@pytest.mark.parametrize(
    ("frames", "rate", "message"),
    [
        ([], 5, r"there are no frames to write to .*film\.gif; expected at least one"),
        ([np.zeros((4, 4, 3), np.uint8)], 0, "frames_per_second is 0; expected more than 0 and at most 50"),
        ([np.zeros((4, 4, 3), np.uint8)], 51, "frames_per_second is 51; expected more than 0 and at most 50"),
        ([np.zeros((4, 4, 3))], 5, r"a frame is float64 of shape \(4, 4, 3\); expected uint8 of shape"),
        ([np.zeros((4, 4), np.uint8)], 5, r"a frame is uint8 of shape \(4, 4\); expected uint8 of shape"),
        (
            [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8)],
            5,
            r"a frame has the size \(4, 5\); expected \(4, 4\), as the first has",
        ),
    ],
)
def test_what_is_no_film_is_refused_and_nothing_is_written(
    tmp_path: Path, frames: list[Frame], rate: float, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        write_gif(tmp_path / "film.gif", frames, rate)
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_breaks_off_leaves_the_file_before_it_alone(tmp_path: Path) -> None:
    def broken() -> Iterator[Frame]:
        yield from moving_dot(2)
        raise RuntimeError("the episode broke off")

    (tmp_path / "film.gif").write_bytes(b"the one before")
    with pytest.raises(RuntimeError, match="broke off"):
        write_gif(tmp_path / "film.gif", broken(), 5)
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]
    assert (tmp_path / "film.gif").read_bytes() == b"the one before"


def test_a_png_has_the_frame_as_it_was(tmp_path: Path) -> None:
    frame = np.random.default_rng(3).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    write_png(tmp_path / "pictures" / "frame.png", frame)
    with Image.open(tmp_path / "pictures" / "frame.png") as image:
        np.testing.assert_array_equal(np.array(image), frame)


def test_what_is_no_picture_is_no_png(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected uint8 of shape"):
        write_png(tmp_path / "frame.png", np.zeros((4, 4, 4), np.uint8))
