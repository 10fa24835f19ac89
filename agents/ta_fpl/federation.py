"""The server of TA-FPL. It asks centres and puts their answers together; it has no record of a worker."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from crowdgym.agents.learning.centres import Centres, Order
from crowdgym.agents.learning.checkpoint import StoredTensors
from crowdgym.agents.learning.trainer import TrainingTask
from crowdgym.agents.policy import Episode, EpisodicPolicy
from crowdgym.agents.ta_fpl.model import initial_parameters
from crowdgym.agents.ta_fpl.strategies import ServerState, strategy_of
from crowdgym.agents.ta_fpl.trained import MODEL, POPULATION, PREFERENCES, matching_policy
from crowdgym.common.errors import CheckpointError
from crowdgym.configs.ta_fpl import TaFplSettings

_TO_ASSESS = 2**31  # number of the order by which centres assess; no round has it
_COMMON, _CENTRE = "common", "centre"  # of the tensors of a checkpoint, with those of `trained`


class Federation:
    """The server's side of federated learning: rounds, and what centres say of the parameters.

    Args:
        settings: the rule and its hyperparameters.
        centres: that take part.
        seed: of the first parameters and of the choice of centres.

    Attributes:
        state: of the server, after the latest round.
    """

    def __init__(self, settings: TaFplSettings, centres: Centres, seed: int) -> None:
        self.settings, self.centres, self.seed = settings, centres, seed
        self.strategy = strategy_of(settings)
        self.state = ServerState(initial_parameters(centres.places, settings, seed))

    def round(self, number: int) -> dict[str, float]:
        """Play round ``number``, from 0 on, and return its figures."""
        orders = {k: self.strategy.order(self.state, k, number) for k in self._chosen(number)}
        updates = self.centres.fit(orders)
        self.state = self.strategy.aggregate(self.state, updates, self.centres.num_centres)
        events = sum(update.num_examples for update in updates.values())
        loss = sum(update.num_examples * update.figures["loss"] for update in updates.values())
        return {"charts/centres": float(len(updates)), "losses/loss": loss / max(events, 1)}

    def to_assess(self, centre: int) -> Order:
        """The order by which a centre assesses the parameters that it uses now."""
        return Order(_TO_ASSESS, self.strategy.deployed(self.state, centre))

    def assess(self) -> "FederationAssessment":
        """Ask all centres."""
        orders = {k: self.to_assess(k) for k in range(self.centres.num_centres)}
        answers = list(self.centres.assess(orders).values())
        workers = torch.cat([one.workers for one in answers])
        preferences = torch.cat([one.preferences for one in answers])[torch.argsort(workers)]
        return FederationAssessment(_pooled([one.figures for one in answers]), preferences)

    def _chosen(self, number: int) -> list[int]:
        """The centres that take part in a round."""
        everyone = self.centres.num_centres
        count = max(1, round(self.settings.centre_share * everyone))
        generator = np.random.default_rng((self.seed, number))
        return sorted(generator.choice(everyone, count, replace=False).tolist())


@dataclass(frozen=True)
class FederationAssessment:
    """What all centres say of the present parameters.

    Attributes:
        figures: means over the validation events of all centres.
        preferences: of all workers, by number. Shape [W, C].
    """

    figures: Mapping[str, float]
    preferences: Tensor


class FederatedTrainer:
    """See `crowdgym.agents.learning.trainer.Trainer`. An iteration is a round, which counts as one step.

    The best round is that of the smallest loss on the validation events of all centres. Evaluation also plays
    episodes with the preferences that centres tell after that round.

    Args:
        task: what to train on; its settings are `TaFplSettings`.
    """

    iterations = 0
    steps_per_iteration = 1

    def __init__(self, task: TrainingTask) -> None:
        self.task = task
        self.settings: TaFplSettings = task.settings
        self.federation = Federation(self.settings, task.make_centres(), task.seed)
        self._env = task.make_env()
        self._assessment: FederationAssessment | None = None  # of the present state

    def begin(self, fresh: bool) -> None:
        """See `Trainer`."""
        self.iterations = self.task.steps

    def iterate(self, number: int) -> Mapping[str, float]:
        """One round."""
        self._assessment = None
        return self.federation.round(number)

    def evaluate(self) -> Mapping[str, float]:
        """See `Trainer`."""
        assessed = self._assessed()
        policy = matching_policy(self.settings, assessed.preferences.numpy())
        played = [_episode_metric(self._env, policy, seed, self.task.metric) for seed in self.task.evaluation_seeds]
        of_validation = {f"validation/{name}": value for name, value in assessed.figures.items()}
        return {"evaluation": float(np.mean(played)), "selection": -assessed.figures["loss"], **of_validation}

    def tensors(self) -> dict[str, Tensor]:
        """See `Trainer`."""
        state = self.federation.state
        named = {MODEL: state.parameters, _COMMON: state.common}
        named |= {f"{_CENTRE}.{k}": own for k, own in state.of_centre.items()}
        return {f"{group}.{name}": tensor for group, own in named.items() for name, tensor in own.items()}

    def policy_tensors(self) -> dict[str, Tensor]:
        """The preferences of all workers, which are played; which population they are of; and the common model."""
        shared = {} if self.settings.strategy == "local" else self.federation.state.parameters
        return {
            PREFERENCES: self._assessed().preferences,
            POPULATION: torch.from_numpy(self._env.metadata["population"]),
            **{f"{MODEL}.{name}": tensor for name, tensor in shared.items()},
        }

    def restore(self, stored: StoredTensors) -> None:
        """See `Trainer`."""
        self.start_from(stored)
        of_centre = {k: stored.under(f"{_CENTRE}.{k}") for k in range(self.federation.centres.num_centres)}
        own = {k: tensors for k, tensors in of_centre.items() if tensors}
        self.federation.state = ServerState(self.federation.state.parameters, stored.under(_COMMON), own)

    def start_from(self, stored: StoredTensors) -> None:
        """See `Trainer`; the rule starts fresh."""
        given, wanted = stored.under(MODEL), self.federation.state.parameters
        wrong = sorted(set(given) ^ set(wanted)) or [name for name in wanted if wanted[name].shape != given[name].shape]
        if wrong:
            raise CheckpointError(f"{stored.file} is of another model: {wrong[0]} does not fit")
        self.federation.state = ServerState(given)
        self._assessment = None

    def close(self) -> None:
        """See `Trainer`."""
        self.federation.centres.close()
        self._env.close()

    def _assessed(self) -> FederationAssessment:
        if self._assessment is None:
            self._assessment = self.federation.assess()
        return self._assessment


def _pooled(figures: list[Mapping[str, float]]) -> dict[str, float]:
    """The means over the events of all centres."""
    known = [one for one in figures if one["events"] > 0]
    events = sum(one["events"] for one in known)
    names = [name for name in (known[0] if known else {"loss": 0.0}) if name != "events"]
    return {name: sum(one["events"] * one[name] for one in known) / max(events, 1.0) for name in names}


def _episode_metric(env: Any, policy: EpisodicPolicy, seed: int, metric: str) -> float:
    observations, infos = env.reset(seed=seed)
    agents = tuple(env.possible_agents)
    spaces = env.observation_space(agents[0]), env.action_space(agents[0])
    policy.reset(Episode(seed, agents, *spaces, env.metadata, env.state))
    while env.agents:
        observations, _, _, _, infos = env.step(policy.act(observations, infos))
    return float(infos[agents[0]]["metrics"][metric])
