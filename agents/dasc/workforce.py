"""The times and places at which workers will be idle, read from the global state."""

from typing import Final

import numpy as np

from crowdgym.agents.dasc.observation_reader import Floats
from crowdgym.agents.policy import Episode
from crowdgym.common.layout import ObservationLayout

DETOUR: Final = 1.35  # road distance over straight-line distance, a typical value for cities
_FLAG: Final = 0.5


class Workforce:
    """Reads workers from ``state()``.

    Args:
        episode: the episode that begins; its ``metadata["state_layout"]`` describes the state.
    """

    def __init__(self, episode: Episode) -> None:
        self._state = episode.state
        self._workers = ObservationLayout.from_metadata(episode.metadata, 0, "state_layout")["workers"]
        features = self._workers.features
        self._skills = [column for column, name in enumerate(features) if name.startswith("skill_")]
        self._range_m = float(episode.metadata["rules"]["range_m"])

    def soon_idle(self, x_m: Floats, y_m: Floats, skills: Floats, within_s: float) -> tuple[Floats, Floats]:
        """The m workers that wait for or work on a subtask that is finished within ``within_s``.

        Args:
            x_m: coordinates of n places. Shape [n].
            y_m: likewise.
            skills: the skills required there, as flags. Shape [n, skills].
            within_s: the time, in seconds.

        Returns:
            The time until each is idle, and its distance to each place, infinite if it lacks a skill or the place is
            out of range. Shapes [1, m] and [n, m].
        """
        crowd = self._workers.take(self._state())  # [W, features]
        waiting, working = self._workers.column("waiting"), self._workers.column("working")
        there = (crowd[:, waiting] > _FLAG) | (crowd[:, working] > _FLAG)
        until_s = self._values(crowd, "until_idle")
        soon = there & (until_s <= within_s)
        crowd, until_s = crowd[soon], until_s[soon]
        east_m = self._values(crowd, "x")[np.newaxis] - x_m[:, np.newaxis]
        north_m = self._values(crowd, "y")[np.newaxis] - y_m[:, np.newaxis]
        way_m = DETOUR * np.hypot(east_m, north_m)
        has = (crowd[:, self._skills] > _FLAG).astype(np.float64)
        able = (skills @ (1.0 - has).T < _FLAG) & (way_m <= self._range_m)
        return until_s[np.newaxis], np.where(able, way_m, np.inf)

    def _values(self, crowd: Floats, name: str) -> Floats:
        """A feature of workers, in its unit."""
        values: Floats = crowd[:, self._workers.column(name)].astype(np.float64) * self._workers.scale(name)
        return values
