"""An evolution strategy: candidates for the parameters of a policy play the same fresh episodes, and the better win.

An iteration is a generation of CMA-ES (Hansen, "The CMA evolution strategy: a tutorial", 2016). All its candidates play
the same instances (common random numbers), so that their difference is that of the parameters. Candidates are scored by
how far they are above the mean candidate on the same instance, as a share of it: with a mix, no setting counts more
because more can be earned there. What is maximised is the metric of the environment or the sum of all rewards.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from crowdgym.agents.es.search import Search
from crowdgym.agents.es.searched import PARAMETERS, searched_policy
from crowdgym.agents.learning.checkpoint import StoredTensors
from crowdgym.agents.learning.collect import IterationSeeds, VectorEnvironment
from crowdgym.agents.learning.trainer import TrainingTask
from crowdgym.agents.learning.workers import MakeCopies, forget, kept, new_token
from crowdgym.agents.row_policy import Floats, RowPolicy
from crowdgym.common.errors import CheckpointError, ConfigError
from crowdgym.configs.es import EsSettings


@dataclass(frozen=True)
class Played:
    """The episodes of B copies: metric and sum of rewards of each, [B], their steps, and the number of decisions."""

    metric: Floats
    rewards: Floats
    steps: int
    decisions: int
    environment_s: float


class EsTrainer:
    """Trains the parameters of a policy; see `crowdgym.agents.learning.trainer.Trainer`."""

    iterations = 0
    steps_per_iteration = 0

    def __init__(self, task: TrainingTask) -> None:
        self.task = task
        self.settings: EsSettings = task.settings
        self.policy = searched_policy(self.settings)
        self._parameters = self.policy.parameters
        makers = task.mix or (task.make_vector_env,)
        instances = len(task.evaluation_seeds)
        if self.settings.episodes % len(makers) or instances % len(makers):
            raise ConfigError(
                f"episodes and evaluation_episodes must be multiples of the {len(makers)} mixed settings, "
                f"got {self.settings.episodes} and {instances}"
            )
        self._training = Copies(tuple(makers), self.settings.episodes // len(makers), new_token())
        self._evaluation = Copies(tuple(makers), instances // len(makers), new_token())
        self._restart()

    def begin(self, fresh: bool) -> None:
        """Play an episode, to find the length of episodes."""
        del fresh
        seeds = IterationSeeds.of(self.task.seed, 0, self.settings.episodes).copies.instances
        (played,) = self._play(self._training, [self._parameters.start], seeds)
        self.steps_per_iteration = self.settings.population * sum(one.steps * len(one.metric) for one in played)
        self.iterations = math.ceil(self.task.steps / self.steps_per_iteration)

    def iterate(self, number: int) -> Mapping[str, float]:
        """One generation."""
        seeds = IterationSeeds.of(self.task.seed, number, self.settings.episodes).copies.instances
        played = self._play(self._training, list(self.search.ask()), seeds)
        scores = relative_scores(np.stack([self._scored(each) for each in played]))
        self.search.tell(scores)
        every = [one for each in played for one in each]
        return {
            "decisions": sum(one.decisions for one in every),
            "training": float(np.mean([one.metric.mean() for one in every])),
            "environment_s": sum(one.environment_s for one in every),
            "charts/step_size": self.search.step_size,
            "charts/best_score": float(scores.max()),
            **{
                f"parameters/{name}": value
                for name, value in zip(self._parameters.names, self.search.mean.tolist(), strict=True)
            },
        }

    def evaluate(self) -> Mapping[str, float]:
        """Play the evaluation instances with the mean of the search."""
        (played,) = self._play(self._evaluation, [self.search.mean], tuple(self.task.evaluation_seeds))
        return {
            "evaluation": float(np.concatenate([one.metric for one in played]).mean()),
            "environment_s": sum(one.environment_s for one in played),
            **({"selection": float(self._scored(played).mean())} if self.settings.score == "rewards" else {}),
        }

    def tensors(self) -> dict[str, Tensor]:
        """The scores of all generations: they fix the search."""
        return {"scores": torch.from_numpy(self.search.scores), **self.policy_tensors()}

    def policy_tensors(self) -> dict[str, Tensor]:
        """The mean of the search."""
        return {PARAMETERS: torch.from_numpy(self.search.mean)}

    def restore(self, stored: StoredTensors) -> None:
        """Repeat the search from its scores. Raises `CheckpointError` if that leads to other parameters."""
        self._restart()
        scores = stored.get("scores").numpy()
        if scores.ndim != 2 or scores.shape[1] != self.settings.population:
            raise CheckpointError(f"{stored.file} holds scores of another population")
        self.search.replay(scores)
        if not np.array_equal(self.search.mean, stored.get(PARAMETERS).numpy()):
            raise CheckpointError(
                f"{stored.file} holds a search that cannot be repeated here: another version of cma or NumPy wrote it"
            )

    def start_from(self, stored: StoredTensors) -> None:
        """Begin the search where another one has ended."""
        try:
            start = self._parameters.checked(stored.get(PARAMETERS).numpy())
        except ConfigError as error:
            raise CheckpointError(f"{stored.file} is of another policy: {error}") from None
        self._parameters = replace(self._parameters, start=start)
        self._restart()

    def close(self) -> None:
        """Close the environments of this process."""
        for copies in (self._training, self._evaluation):
            forget(copies.token)

    def _restart(self) -> None:
        settings = self.settings
        self.search = Search(self._parameters, settings.population, settings.step_size, self.task.seed)

    def _scored(self, played: Sequence[Played]) -> Floats:
        """What is maximised, of every episode. Shape [episodes]."""
        return np.concatenate([one.rewards if self.settings.score == "rewards" else one.metric for one in played])

    def _play(self, copies: "Copies", candidates: Sequence[Floats], seeds: Sequence[int]) -> list[list[Played]]:
        """Play an episode of every copy with each candidate; ``seeds`` has one for each copy."""
        shares = [
            CandidateShare(copies, self.settings, candidate, tuple(seeds), self.task.metric) for candidate in candidates
        ]
        workers = self.task.workers
        return list(map(play_candidate, shares)) if workers is None else workers.map(play_candidate, shares)


@dataclass(frozen=True)
class Copies:
    """What a candidate is played on: some copies of each of the mixed settings. A process keeps them by the token."""

    makers: tuple[MakeCopies, ...]
    number: int
    token: str


@dataclass(frozen=True)
class CandidateShare:
    """One candidate, and the seeds of its episodes, one for each copy."""

    copies: Copies
    settings: EsSettings
    values: Floats
    seeds: tuple[int, ...]
    metric: str


def play_candidate(share: CandidateShare) -> list[Played]:
    """Play an episode of every copy with one candidate, in this process."""
    copies = share.copies
    policy: RowPolicy = kept((copies.token, "policy"), lambda: searched_policy(share.settings))
    policy.set_parameters(share.values)
    played = []
    for number, make in enumerate(copies.makers):
        env = kept((copies.token, number), partial(make, copies.number))
        seeds = share.seeds[number * copies.number : (number + 1) * copies.number]
        played.append(play_rows(env, policy, seeds, share.metric))
    return played


def relative_scores(metric: Floats) -> Floats:
    """How far candidates are above the mean candidate of the same episode, as a share of it, in the mean.

    Args:
        metric: of λ candidates on the same episodes. Shape [λ, episodes].

    Returns:
        The scores, [λ]; their mean is 0.
    """
    mean = metric.mean(axis=0)
    scores: Floats = ((metric - mean) / np.maximum(np.abs(mean), 1e-300)).mean(axis=1)
    return scores


def play_rows(env: VectorEnvironment, policy: RowPolicy, seeds: Sequence[int], metric: str) -> Played:
    """Play one episode of every copy.

    Args:
        env: the copies; their episodes have one length.
        policy: plays them.
        seeds: of their instances.
        metric: name of the metric of an episode.

    Raises:
        ConfigError: episodes have different lengths.
    """
    copies, agents = env.batch_shape
    environment_s = -time.perf_counter()
    observations, infos = env.reset(seed=list(seeds))
    environment_s += time.perf_counter()
    policy.begin(copies, agents, observations.shape[1], env.metadata)
    steps = decisions = 0
    truncated = np.zeros(copies, np.bool_)
    earned = np.zeros(copies)
    while not truncated.any():
        decisions += int((infos["action_mask"].sum(axis=1) > 1).sum())
        read = {name: infos[name].reshape(copies, agents, *infos[name].shape[1:]) for name in policy.reads}
        if policy.reads_state:
            read["state"] = env.state()
        joint = policy.choose(observations.reshape(copies, agents, -1), read)
        environment_s -= time.perf_counter()
        observations, rewards, _, truncated, infos = env.step(joint.reshape(-1))
        environment_s += time.perf_counter()
        earned += rewards.reshape(copies, agents).sum(axis=1)
        steps += 1
    if not truncated.all():
        raise ConfigError("the evolution strategy needs episodes of one length, but some copies ended before others")
    return Played(np.asarray(infos["metrics"][metric], np.float64), earned, steps, decisions, environment_s)
