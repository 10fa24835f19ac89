"""The subject of the checks: the factory, the seeds, and one recorded episode for each seed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from crowdgym.testing.check_episode import Environment, Episode, fresh, record
from crowdgym.testing.check_report import Finding


@dataclass(frozen=True)
class Subject:
    """An environment under test.

    Attributes:
        factory: Makes a new environment.
        seeds: Of the episodes; at least two different ones.
        max_steps: Where to stop if an episode does not end.
        vector_factory: Makes a vector environment with the given number of copies, if there is one.
    """

    factory: Callable[[], Environment]
    seeds: tuple[int, ...]
    max_steps: int
    vector_factory: Callable[[int], Any] | None = None
    _episodes: dict[int, Episode] = field(default_factory=dict)

    def episode(self, seed: int) -> Episode:
        """The episode of a seed, played by random legal actions in an environment of its own; kept after that."""
        if seed not in self._episodes:
            with fresh(self.factory) as env:
                self._episodes[seed] = record(env, seed, self.max_steps)
        return self._episodes[seed]

    def first(self, look: Callable[[Episode], Finding | None]) -> Finding | None:
        """The first that ``look`` finds in the episodes of the seeds."""
        return next(filter(None, (look(self.episode(seed)) for seed in self.seeds)), None)
