"""The policy that plays a trained agent: a matching by the preferences that centres have told of their workers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from crowdgym.agents.learning.checkpoint import BEST, read_tensors
from crowdgym.agents.learning.description import DESCRIPTION, read_description
from crowdgym.agents.policy import Actions, Episode, Infos, Observations
from crowdgym.agents.preference.policies import GreedyPolicy, KmPolicy, LexicographicKmPolicy, MatchingPolicy
from crowdgym.agents.preference.sources import TableSource
from crowdgym.agents.ta_fpl.policy import LiteralTopKPolicy, TopKPolicy
from crowdgym.common.errors import CheckpointError
from crowdgym.configs.ta_fpl import TaFplSettings

MODEL, PREFERENCES, POPULATION = "model", "preferences", "population"  # of the stored tensors


def matching_policy(settings: TaFplSettings, preferences: np.ndarray[Any, np.dtype[np.float64]]) -> MatchingPolicy:
    """The matching that the hyperparameters name, by a table of preferences of shape [W, C]."""
    source = TableSource(preferences)
    if settings.matching == "top-k":
        return TopKPolicy(source, settings.matched_best)
    if settings.matching == "top-k-literal":
        return LiteralTopKPolicy(source, settings.matched_best)
    if settings.matching == "greedy":
        return GreedyPolicy(source)
    return KmPolicy(source) if settings.matching == "km" else LexicographicKmPolicy(source)


class TaFplPolicy:
    """Plays the folder of a trained agent, with the workers whose preferences it has learnt.

    Args:
        folder: a checkpoint, whose best round is played.
        environment: name of the environment to be played.

    Attributes:
        description: the description of the trained agent.
        files: the files that have been read.

    Raises:
        CheckpointError: the folder is no checkpoint, is damaged, or is for another environment.
    """

    def __init__(self, folder: Path, environment: str) -> None:
        self.description = read_description(folder)
        if self.description.environment != environment:
            raise CheckpointError(f"{folder} was trained on {self.description.environment}, not on {environment}")
        settings = TaFplSettings.load(environment, **self.description.hyperparameters)
        self._stored = read_tensors(folder / BEST)
        self.files = (folder / DESCRIPTION, folder / BEST)
        self._policy = matching_policy(settings, self._stored.get(PREFERENCES).numpy())

    def check_fit(self, width: int, num_actions: int, metadata: Mapping[str, Any]) -> None:
        """Check that the workers are those of training. Sizes of observations and actions do not matter.

        Raises:
            CheckpointError: they are others.
        """
        known = self._stored.get(POPULATION).numpy()
        if not np.array_equal(known, metadata["population"]):
            raise CheckpointError(f"{self._stored.file} has the preferences of other workers")

    def reset(self, episode: Episode) -> None:
        """Prepare for this episode. Raises `CheckpointError`, see `check_fit`."""
        self.check_fit(0, 0, episode.metadata)
        self._policy.reset(episode)

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        return self._policy.act(observations, infos)
