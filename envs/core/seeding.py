"""Where the randomness of an episode comes from: all of it is drawn at reset, from children of one seed sequence.

Tasks, workers and noise have a child each, so that two episodes of one seed that differ in the number of workers still
meet the same tasks.
"""

from dataclasses import dataclass

import numpy as np

from crowdgym.common.errors import ConfigError
from crowdgym.common.seeds import BENCHMARK_ENTROPY
from crowdgym.common.text import shown


@dataclass(frozen=True)
class InstanceSeeds:
    """One generator for each thing that is drawn."""

    tasks: np.random.Generator
    workers: np.random.Generator
    noise: np.random.Generator

    @classmethod
    def of(cls, sequence: np.random.SeedSequence) -> "InstanceSeeds":
        """The three children of ``sequence`` (which is left as it was)."""
        fresh = np.random.SeedSequence(entropy=sequence.entropy, spawn_key=sequence.spawn_key)
        return cls(*(np.random.Generator(np.random.PCG64(child)) for child in fresh.spawn(3)))


def benchmark_sequence(instance: int) -> np.random.SeedSequence:
    """The seed sequence of the ``instance``-th instance of a scenario's benchmark set."""
    return np.random.SeedSequence(entropy=(BENCHMARK_ENTROPY, instance))


class EpisodeSeeds:
    """The seed sequences of the episodes of one environment copy, one after the other.

    After ``restart(seed)`` the first is that of ``seed`` itself; the following ones come from its spawns, so that a
    run of episodes is fixed by one seed, and a single episode is repeated by its own seed.
    """

    def __init__(self) -> None:
        self._root = np.random.SeedSequence()
        self._episode = 0

    def restart(self, seed: object) -> None:
        """Begin again from ``seed``.

        Raises:
            ConfigError: it is not a whole number from 0 on.
        """
        if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
            raise ConfigError(f"seed must be a whole number from 0 on, got {shown(seed)}")
        self._root = np.random.SeedSequence(int(seed))
        self._episode = 0

    def next(self) -> np.random.SeedSequence:
        """The seed sequence of the next episode."""
        episode, self._episode = self._episode, self._episode + 1
        if episode == 0:
            return self._root
        return np.random.SeedSequence(entropy=self._root.entropy, spawn_key=(1_000 + episode,))
