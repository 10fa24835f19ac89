"""Plays what was trained."""

from pathlib import Path

import numpy as np

from crowdgym.agents.ippo.checkpoint import BEST, DESCRIPTION, LAST, read_description, read_tensors, restore_actor
from crowdgym.agents.ippo.network import Actor
from crowdgym.agents.ippo.ppo import choose
from crowdgym.agents.policy import Actions, Episode, Infos, Observations
from crowdgym.common.errors import CheckpointError
from crowdgym.common.layout import ObservationLayout


class IppoPolicy:
    """Every agent acts on its own observation; all have the same network.

    Attention networks take sets of any size, so that an agent trained with 10 candidates plays with 5 as well. Features
    have to be those it was trained with.

    Args:
        folder: a checkpoint; its best weights are played, or its last where there are no best yet.
        environment: the name of the one to be played.

    Attributes:
        files: that have been read.
        facts: that came with the weights.

    Raises:
        CheckpointError: it is no checkpoint, is damaged, or is for another environment.
    """

    def __init__(self, folder: Path, environment: str) -> None:
        self._description = read_description(folder)
        if self._description.environment != environment:
            raise CheckpointError(f"{folder} was trained on {self._description.environment}, not on {environment}")
        self._settings = self._description.settings
        self._file = folder / (BEST if (folder / BEST).is_file() else LAST)
        self.files = (folder / DESCRIPTION, self._file)
        self._tensors, self.facts = read_tensors(self._file)
        self._actor: Actor | None = None
        self._generator: np.random.Generator | None = None
        self._build(self._description.observation_sets, self._description.num_actions)

    def reset(self, episode: Episode) -> None:
        """Get ready for this episode. Raises `CheckpointError` if its observations or actions are not those learnt."""
        width = int(np.prod(episode.observation_space.shape or (0,)))
        sets = ObservationLayout.from_metadata(episode.metadata, width)
        trained = {part.name: part.features for part in self._description.observation_sets}
        if {part.name: part.features for part in sets} != trained:
            raise CheckpointError(f"{self._file} was trained on observations of other features")
        self._build(sets, int(getattr(episode.action_space, "n", 0)))
        self._generator = np.random.default_rng(episode.seed) if self._settings.play == "sampled" else None

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        if not infos:
            return {}
        assert self._actor is not None
        agents = list(infos)
        masks = np.stack([infos[agent]["action_mask"] for agent in agents]) > 0  # [N, A]
        actions = masks.argmax(axis=1)
        rows = np.flatnonzero(masks.sum(axis=1) > 1)
        if len(rows):
            seen = np.stack([observations[agents[row]] for row in rows])
            actions[rows], _ = choose(self._actor, seen, masks[rows], self._generator, "cpu")
        return dict(zip(agents, actions.tolist(), strict=True))

    def _build(self, sets: ObservationLayout, num_actions: int) -> None:
        actor = Actor(sets.sets, num_actions, self._settings)
        restore_actor(actor, self._tensors, self._file)
        self._actor = actor.eval()
