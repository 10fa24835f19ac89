"""The policy that plays a trained agent."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.csc.turn_taking import TurnTaking, network_sets, takes_turns
from crowdgym.agents.information import Information
from crowdgym.agents.learning.by_centre import CENTRE, count_centres, for_centres, with_centre
from crowdgym.agents.learning.checkpoint import BEST, LAST, StoredTensors, read_tensors
from crowdgym.agents.learning.collect import choose, log_policy_of
from crowdgym.agents.learning.description import DESCRIPTION, read_description
from crowdgym.agents.learning.networks import Actor
from crowdgym.agents.learning.rollout import Integers
from crowdgym.agents.learning.row_network import LogPolicy
from crowdgym.agents.policy import Actions, Episode, Infos, Observations
from crowdgym.common.errors import CheckpointError
from crowdgym.common.layout import ObservationLayout, ObservationSet
from crowdgym.configs.ippo import IppoSettings, TurnIppoSettings


class IppoPolicy:
    """Every agent acts on its own observation; all agents share one network, or those of each centre.

    Attention networks take sets of any size, so an agent trained with 10 candidates also plays with 5. The features
    must be those of training.

    Args:
        folder: a checkpoint; its best weights are played, or its last weights if there are no best ones yet.
        environment: name of the environment to be played.

    Attributes:
        settings_class: the class of the learner's hyperparameters.
        description: the description of the trained agent.
        files: the files that have been read.
        facts: plain data that were stored with the weights.

    Raises:
        CheckpointError: the folder is no checkpoint, is damaged, or is for another environment.
    """

    settings_class: ClassVar[type[IppoSettings]] = IppoSettings

    def __init__(self, folder: Path, environment: str) -> None:
        self.description = read_description(folder)
        if self.description.environment != environment:
            raise CheckpointError(f"{folder} was trained on {self.description.environment}, not on {environment}")
        self._settings = self.settings_class.load(environment, **self.description.hyperparameters)
        file = folder / (BEST if (folder / BEST).is_file() else LAST)
        self.files = (folder / DESCRIPTION, file)
        self._stored = read_tensors(file)
        self.facts = self._stored.facts
        self._trained = tuple(
            ObservationSet(part.name, part.start, part.rows, part.features) for part in self.description.sets
        )
        self._num_centres = _centres_of(self._stored) if self._settings.networks == "centre" else None
        self._generator: np.random.Generator | None = None
        self._taking: TurnTaking | None = None
        self._log_policy = self._build(self._trained, self.description.num_actions)

    @property
    def information(self) -> Information:
        """Workers that choose in turn, or by gains, know what the others have chosen."""
        return Information.CENTRALISED if takes_turns(self._settings) else Information.DECENTRALISED

    def check_fit(self, width: int, num_actions: int, metadata: Mapping[str, Any]) -> None:
        """Check that the network can play an environment.

        Args:
            width: F, the length of an observation.
            num_actions: A.
            metadata: metadata of the environment.

        Raises:
            CheckpointError: the network does not take the observations or actions of the environment.
        """
        sets = ObservationLayout.from_metadata(metadata, width).sets
        if {part.name: part.features for part in sets} != {part.name: part.features for part in self._trained}:
            raise CheckpointError(f"{self._stored.file} was trained on observations of other features")
        if self._num_centres is not None and (found := count_centres(metadata)) != self._num_centres:
            raise CheckpointError(
                f"{self._stored.file} has networks for {self._num_centres} centres, the environment has {found}"
            )
        self._log_policy = self._build(sets, num_actions)

    def reset(self, episode: Episode) -> None:
        """Prepare for this episode. Raises `CheckpointError`, see `check_fit`."""
        width = int(np.prod(episode.observation_space.shape or (0,)))
        self.check_fit(width, int(getattr(episode.action_space, "n", 0)), episode.metadata)
        self._generator = np.random.default_rng(episode.seed) if self._settings.play == "sampled" else None
        self._taking = TurnTaking(episode, self._settings) if takes_turns(self._settings) else None

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        if not infos:
            return {}
        return (
            self._act_at_once(observations, infos)
            if self._taking is None
            else self._act_in_turn(self._taking, observations, infos)
        )

    def _act_in_turn(self, taking: TurnTaking, observations: Observations, infos: Infos) -> Actions:
        agents = list(infos)
        seen = np.stack([observations[agent] for agent in agents])
        taking.begin(seen, np.array([infos[agent]["candidates"] for agent in agents], np.int64))
        while (asked := taking.ask()) is not None:
            taking.answer(self._chosen(asked.observations, asked.masks))
        return dict(zip(agents, taking.actions.tolist(), strict=True))

    def _act_at_once(self, observations: Observations, infos: Infos) -> Actions:
        agents = list(infos)
        masks = np.stack([infos[agent]["action_mask"] for agent in agents]) > 0  # [N, A]
        actions = masks.argmax(axis=1)
        rows = np.flatnonzero(masks.sum(axis=1) > 1)
        if len(rows):
            seen = np.stack([observations[agents[row]] for row in rows])
            if self._num_centres is not None:
                seen = with_centre(seen, np.array([infos[agents[row]][CENTRE] for row in rows]))
            actions[rows] = self._chosen(seen, masks[rows])
        return dict(zip(agents, actions.tolist(), strict=True))

    def _chosen(self, observations: NDArray[np.float32], masks: NDArray[np.bool_]) -> Integers:
        """Actions, [M], for observations, [M, F], with masks, [M, A]."""
        noise = None if self._generator is None else self._generator.gumbel(size=masks.shape)
        return choose(self._log_policy, observations, masks, noise)[0]

    def _build(self, sets: tuple[ObservationSet, ...], num_actions: int) -> LogPolicy:
        seen = network_sets(ObservationLayout(sets), self._settings)
        actor = for_centres(lambda: Actor(seen, num_actions, self._settings), self._num_centres)
        self._stored.fill(actor, "actor")
        return log_policy_of(actor.eval())


class TurnIppoPolicy(IppoPolicy):
    """Plays an agent trained with turn-ippo."""

    settings_class: ClassVar[type[IppoSettings]] = TurnIppoSettings


def _centres_of(stored: StoredTensors) -> int:
    """For how many centres a file has an actor. Raises `CheckpointError` if there is none."""
    centres = {name.partition(".")[0] for name in stored.under("actor.networks")}
    if not centres:
        raise CheckpointError(f"{stored.file} is no checkpoint of this learner: it has no actor of a centre")
    return len(centres)
