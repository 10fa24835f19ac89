"""Random: each agent draws one of its legal actions with equal probability."""

from typing import ClassVar

import numpy as np

from crowdgym.agents.information import Information
from crowdgym.agents.policy import Actions, Episode, Infos, Observations


class RandomPolicy:
    """Draws uniformly among the legal actions, holding included.

    Args:
        seed: fixes the draws until the first ``reset``; from there on the seed of the episode does.
    """

    information: ClassVar[Information] = Information.DECENTRALISED

    def __init__(self, seed: int = 0) -> None:
        self._generator = np.random.default_rng(seed)

    def reset(self, episode: Episode) -> None:
        """Begin the draws of this episode: the same for the same seed."""
        self._generator = np.random.default_rng(episode.seed)

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        if not infos:
            return {}
        legal = np.stack([info["action_mask"] for info in infos.values()]).astype(bool)  # [agents, actions]
        lots = np.where(legal, self._generator.random(legal.shape), -1.0)
        return dict(zip(infos, lots.argmax(axis=1).tolist(), strict=True))
