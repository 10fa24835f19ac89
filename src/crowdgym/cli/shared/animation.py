"""The options of animations: for every command that writes one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
import typer
from numpy.typing import NDArray

from crowdgym.cli.shared.options import number
from crowdgym.common.errors import ConfigError

Frame = NDArray[np.uint8]  # [height, width, 3]

SUFFIXES = (".gif", ".mp4")
LARGEST_PX = 1000


def _side(parameter: typer.CallbackParam, value: int | None) -> int | None:
    if value is not None and not 100 <= value <= LARGEST_PX:
        raise ConfigError(f"{parameter.opts[0]} must be from 100 to {LARGEST_PX}, got {value}")
    return value


@dataclass(frozen=True)
class AnimationOptions:
    """How an animation is made."""

    section: ClassVar[str] = "Animation"

    every: Annotated[int | None, number("Epochs from one frame to the next; default: 1.", "--every")] = None
    rate: Annotated[
        float | None, number("Frames a second; default: the environment's, 5 as a rule.", "--fps", least=0.1)
    ] = None
    side_px: Annotated[
        int | None,
        typer.Option("--size", help=f"Height of a frame, 100 to {LARGEST_PX} pixels (the default).", callback=_side),
    ] = None

    def check(self, file: Path | None, option: str) -> None:
        """Refuse options of an animation where none is written.

        Raises:
            ConfigError: there are some, and ``file`` is no animation.
        """
        given = {"--every": self.every, "--fps": self.rate, "--size": self.side_px}
        name = next((name for name, value in given.items() if value is not None), None)
        if name is not None and (file is None or file.suffix.lower() not in SUFFIXES):
            raise ConfigError(f"{name} is for animations: give a {' or '.join(SUFFIXES)} file as {option}")

    def is_wanted(self, step: int, last: int | None) -> bool:
        """Whether the moment after a step has a frame: every so many, and the last one where it is known."""
        return step % (self.every or 1) == 0 or step == last

    def write(self, file: Path, frames: Iterator[Frame], usual_rate: float) -> None:
        """Write the frames."""
        from crowdgym.envs.rendering.video import write_animation

        write_animation(file, (self._resized(frame) for frame in frames), self.rate or usual_rate)

    def _resized(self, frame: Frame) -> Frame:
        if self.side_px is None or self.side_px == len(frame):
            return frame
        from PIL import Image

        width = round(frame.shape[1] * self.side_px / len(frame))
        return np.asarray(Image.fromarray(frame).resize((width, self.side_px), Image.Resampling.LANCZOS))
