"""Recorded episodes as the frames of an animation."""

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.envs.rendering.canvas import PANEL, Canvas, Text
from crowdgym.envs.rendering.markers import NAVY, SIZE_PX
from crowdgym.player.page import check_together
from crowdgym.traces.format import Trace
from crowdgym.traces.replaying import Files, begin, steps

Frame = NDArray[np.uint8]  # [height, width, 3]
HEADING_PX: Final = 44
_NO_HEADING: Final = np.empty((0, SIZE_PX, 3), np.uint8)
Wanted = Callable[[int, int | None], bool]


def frames_per_second(traces: Sequence[Trace], files: Files) -> float:
    """How fast the environment of the traces is usually shown."""
    return float(begin(traces[0], files).metadata["render_fps"])


def frames(traces: Sequence[Trace], files: Files, wanted: Wanted) -> Iterator[Frame]:
    """Play traces again; yields pictures of the same moments side by side. Shape [height, width, 3].

    Args:
        traces: one or two of the same environment and city.
        files: for each setting that names a file, the file to be read.
        wanted: whether the moment after a step has a frame, given the number of the last step.

    Raises:
        TraceError: a trace cannot be played here, or they do not go together.
    """
    check_together(traces)
    headings = [_heading(trace.header.agent) for trace in traces] if len(traces) > 1 else [_NO_HEADING]
    latest: list[Frame] = []
    for pictures in zip_longest(*(_pictures(trace, files, wanted) for trace in traces)):
        # An episode that has ended stays as it was.
        latest = [
            old if picture is None else picture for picture, old in zip(pictures, latest or pictures, strict=True)
        ]
        yield np.concatenate([np.vstack(pair) for pair in zip(headings, latest, strict=True)], axis=1)


def _heading(agent: str) -> Frame:
    """A strip with the name of a policy. Shape [44, 1000, 3]."""
    canvas = Canvas(SIZE_PX, HEADING_PX, NAVY)
    canvas.add_fixed(Text(24, 14, agent, size_px=20, bold=True, colour=PANEL))
    return canvas.frame()


def _pictures(trace: Trace, files: Files, wanted: Wanted) -> Iterator[Frame]:
    env = begin(trace, files, render_mode="rgb_array")
    try:
        yield env.render()
        for step in steps(trace, env):
            if wanted(step + 1, trace.header.steps):
                yield env.render()
    finally:
        env.close()
