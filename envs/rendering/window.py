"""A window that shows frames, where there is a display."""

import time
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError, CrowdGymWarning


class FrameWindow:
    """Shows frames one after the other in one window of matplotlib, through whichever backend the person uses.

    Nothing happens before the first frame: only then is pyplot imported. Where no window can be opened the first frame
    brings a warning and the others nothing, so that a program runs on without a display. A window that the person has
    closed stays closed.

    Raises:
        ConfigError: ``frames_per_second`` is not more than 0.
    """

    def __init__(self, title: str, frames_per_second: float) -> None:
        if not frames_per_second > 0:
            raise ConfigError(f"frames_per_second is {frames_per_second}; expected more than 0")
        self._title = title
        self._pause_s = 1.0 / frames_per_second
        self._figure: Any = None
        self._image: Any = None
        self._over = False  # no window, or not any more
        self._shown_s = -np.inf

    def show(self, frame: NDArray[np.uint8]) -> None:
        """Show ``frame``, shape [height, width, 3], not sooner than the previous one has been seen."""
        if self._over:
            return
        if self._figure is None:
            self._open(frame)
            return
        from matplotlib import pyplot

        if not pyplot.fignum_exists(self._figure.number):
            self._over = True
            return
        self._image.set_data(frame)
        self._refresh()

    def close(self) -> None:
        """Close the window, if there is one; the next frame opens another."""
        if self._figure is not None:
            from matplotlib import pyplot

            pyplot.close(self._figure)
            self._figure = self._image = None
        self._over = False

    def _open(self, frame: NDArray[np.uint8]) -> None:
        try:
            from matplotlib import pyplot

            height, width = frame.shape[:2]
            self._figure = pyplot.figure(figsize=(width / 100, height / 100), dpi=100, num=None)
        except Exception as error:  # a toolkit without a display raises whatever it likes
            self._give_up(f"{type(error).__name__}: {error}")
            return
        if self._figure.canvas.required_interactive_framework is None:
            self.close()
            self._give_up(f"matplotlib uses its backend {pyplot.get_backend()!r}, which draws to files")
            return
        axes = self._figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        self._image = axes.imshow(frame, interpolation="antialiased", aspect="equal")
        self._figure.canvas.manager.set_window_title(self._title)
        self._figure.show()
        self._refresh()

    def _refresh(self) -> None:
        """Draw, and let the window answer its events until the frame has been shown long enough."""
        canvas = self._figure.canvas
        canvas.draw_idle()
        canvas.flush_events()
        rest_s = self._shown_s + self._pause_s - time.monotonic()
        if rest_s > 0:
            canvas.start_event_loop(rest_s)
        self._shown_s = time.monotonic()

    def _give_up(self, reason: str) -> None:
        self._over = True
        warnings.warn(
            f'render_mode="human" cannot open a window ({reason}); nothing will be shown: '
            'use render_mode="rgb_array" and crowdgym.envs.rendering.animation to keep the pictures',
            CrowdGymWarning,
            stacklevel=4,
        )
