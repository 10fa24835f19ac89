"""Independent proximal policy optimisation (De Witt et al. 2020): agents learn independently and share a network.

It is one network for all of them, or one for those of each centre.

The whole algorithm is `IppoLearner.learn`, from a rollout to better networks: advantages of each term of the reward,
then passes over all decisions in minibatches, each a step down the clipped surrogate for the actor and the squared
error for the critic. Agents decide at different times; see `crowdgym.agents.learning.advantages`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crowdgym.agents.csc.turn_collector import collector_of
from crowdgym.agents.csc.turn_taking import network_sets
from crowdgym.agents.learning.advantages import term_advantages, weighted_sum
from crowdgym.agents.learning.block_network import for_learning
from crowdgym.agents.learning.by_centre import count_centres, for_centres, parts_of
from crowdgym.agents.learning.checkpoint import StoredTensors
from crowdgym.agents.learning.collect import CentreCollector, LocalCollector, VectorEnvironment
from crowdgym.agents.learning.learner import NetworkLearner, ValueNormaliser
from crowdgym.agents.learning.mixing import make_collectors
from crowdgym.agents.learning.networks import Actor, Critic, scaling_of
from crowdgym.agents.learning.rewards import EnvironmentReward, PassResult, RewardSource, TeamShare
from crowdgym.agents.learning.rollout import Floats, Rollout
from crowdgym.agents.learning.trainer import RolloutTrainer, TrainingTask
from crowdgym.common.layout import ObservationLayout, ObservationSet
from crowdgym.configs.ippo import IppoSettings

_CHUNK = 512  # observations in one pass of the critic without gradients

# Makes a reward source for an environment; the sets are those of the rows that the network sees.
SourceMaker = Callable[[TrainingTask, VectorEnvironment, Sequence[ObservationSet]], RewardSource]


def environment_reward(task: TrainingTask, env: VectorEnvironment, sets: Sequence[ObservationSet]) -> RewardSource:
    """The reward of the environment, or a share of the mean of all agents' rewards."""
    del env, sets
    share: float = task.settings.team_share
    return TeamShare(share) if share > 0 else EnvironmentReward()


def make_trainer(task: TrainingTask, make_source: SourceMaker = environment_reward) -> RolloutTrainer:
    """The trainer of IPPO; ``task.settings`` are `IppoSettings`. Learners with another reward give its source."""
    settings: IppoSettings = task.settings
    training, evaluation, env = make_collectors(task, partial(_collector_of, settings=settings))
    sets = network_sets(ObservationLayout.from_metadata(env.metadata, env.single_observation_space.shape[0]), settings)
    source = make_source(task, env, sets)
    num_actions = int(env.single_action_space.n)
    num_centres = count_centres(env.metadata) if settings.networks == "centre" else None
    learner = IppoLearner(sets, num_actions, settings, task.seed, len(source.term_names), task.device, num_centres)
    return RolloutTrainer(task, training, evaluation, source, learner)


def _collector_of(env: VectorEnvironment, settings: IppoSettings) -> LocalCollector:
    if settings.networks == "centre":
        return CentreCollector(env)
    return collector_of(env, settings)


class IppoLearner(NetworkLearner):
    """Actor and critic, their optimisers and the value normaliser.

    Args:
        sets: the sets of an observation.
        num_actions: A.
        settings: hyperparameters.
        seed: seed of the networks' initial weights.
        num_terms: K, the number of terms of the reward; the critic has a head for each.
        device: device of the networks.
        num_centres: P, for an actor and a critic of each centre; None for those that all agents share.
    """

    def __init__(
        self,
        sets: Sequence[ObservationSet],
        num_actions: int,
        settings: IppoSettings,
        seed: int,
        num_terms: int = 1,
        device: str = "cpu",
        num_centres: int | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings
        self.device = device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            actor = for_centres(lambda: Actor(sets, num_actions, settings), num_centres)
            critic = for_centres(lambda: Critic(sets, settings, num_terms), num_centres)
        self.networks |= {"actor": actor.to(device), "critic": critic.to(device)}
        self.normaliser = ValueNormaliser(settings.value_memory, num_terms)
        self.optimisers |= {
            name: torch.optim.Adam(
                network.parameters(), settings.learning_rate, eps=settings.adam_epsilon, fused=device == "cpu"
            )
            for name, network in self.networks.items()
        }

    def learn(
        self, rollout: Rollout, source: RewardSource, generator: np.random.Generator, progress: float
    ) -> Mapping[str, float]:
        """See `crowdgym.agents.learning.learner.Learner`."""
        settings = self.settings
        values = self.values(rollout.observations)  # [K, D]
        advantages = term_advantages(  # [K, D]
            rollout, source.terms(rollout), values, discount=settings.discount, gae_lambda=settings.gae_lambda
        )
        returns = advantages + values
        self.normaliser.update(returns)
        batch = self._batch(rollout, (returns - self.normaliser.mean) / self.normaliser.deviation)
        learning_rate = self.set_learning_rate(progress)
        before = {name: tensor.clone() for name, tensor in self.actor.state_dict().items()}
        losses = Means()
        for _ in range(settings.epochs):
            self._pass(
                batch, normal(weighted_sum(advantages, source.weights(rollout), rollout.copies)), generator, losses
            )
            source.improve(PassResult(self.actor, before, batch, advantages))
        weights = source.weights(rollout)
        returned, expected = (weighted_sum(each, weights, rollout.copies) for each in (returns, values))
        return {
            **losses.figures(),
            "losses/explained_variance": _explained_variance(returned, expected),
            "charts/mean_return": float(returned.mean()),
            "charts/learning_rate": learning_rate,
        }

    def values(self, observations: NDArray[np.float32]) -> Floats:
        """The value that the critic predicts for each term, [K, M], in the units of the rewards."""
        chunks = torch.split(_tensor(observations, self.device), _CHUNK)
        critic = for_learning(self.networks["critic"])
        found: dict[bool, list[Tensor]] = {}

        def value(later: bool, some: Sequence[Tensor]) -> None:
            with torch.no_grad():
                found[later] = [critic(chunk) for chunk in some]

        half = len(chunks) // 2
        at_once(partial(value, False, chunks[:half]), partial(value, True, chunks[half:]))
        normalised = torch.cat([*found[False], *found[True]]).cpu().numpy().astype(np.float64)
        values: Floats = normalised.T * self.normaliser.deviation + self.normaliser.mean
        return values

    def fit_scaling(self, observations: NDArray[np.float32]) -> None:
        """See `crowdgym.agents.learning.learner.Learner`."""
        for network in self.networks.values():
            for part, rows in parts_of(network, observations):
                scaling_of(part).fit(_tensor(observations[rows], self.device))

    def tensors(self) -> dict[str, Tensor]:
        """Networks, optimisers and the value normaliser."""
        return super().tensors() | {"normaliser": torch.from_numpy(self.normaliser.sums)}

    def restore(self, stored: StoredTensors) -> None:
        """See `NetworkLearner`."""
        super().restore(stored)
        self._restore_normaliser(stored)

    def start_from(self, stored: StoredTensors) -> None:
        """See `NetworkLearner`."""
        super().start_from(stored)
        if "normaliser" in stored.tensors:
            self._restore_normaliser(stored)

    def _restore_normaliser(self, stored: StoredTensors) -> None:
        self.normaliser.sums = stored.get("normaliser").numpy().copy().reshape(self.normaliser.sums.shape)

    def _batch(self, rollout: Rollout, returns: Floats) -> "Batch":
        return Batch(
            observations=_tensor(rollout.observations, self.device),
            masks=_tensor(rollout.masks, self.device),
            actions=_tensor(rollout.actions, self.device),
            log_probabilities=_tensor(rollout.log_probabilities, self.device),
            returns=_tensor(returns.T.astype(np.float32), self.device),
        )

    def set_learning_rate(self, progress: float) -> float:
        """Set the learning rate of all optimisers for a finished share of the run, and return it."""
        left = 1.0 - progress if self.settings.learning_rate_schedule == "linear" else 1.0
        rate = self.settings.learning_rate * left
        for optimiser in self.optimisers.values():
            optimiser.param_groups[0]["lr"] = rate
        return rate

    def _pass(self, batch: "Batch", advantages: Floats, generator: np.random.Generator, losses: "Means") -> None:
        """Pass over all decisions, in minibatches of about equal size, with the actor and with the critic.

        Neither reads the other, so with two threads or more they learn at the same time.
        """
        decisions = len(batch.actions)
        all_advantages = _tensor(advantages.astype(np.float32), self.device)
        pieces = max(1, round(decisions / self.settings.minibatch_size))
        minibatches = [
            torch.from_numpy(chosen).to(self.device)
            for chosen in np.array_split(generator.permutation(decisions), pieces)
        ]

        actor, critic = for_learning(self.actor), for_learning(self.networks["critic"])

        def teach_actor() -> None:
            for numbers in minibatches:
                losses.add(self._improve_actor(actor, batch.part(numbers), all_advantages[numbers]))

        def teach_critic() -> None:
            for numbers in minibatches:
                losses.add(self._improve_critic(critic, batch.observations[numbers], batch.returns[numbers]))

        at_once(teach_actor, teach_critic)

    def _improve_actor(self, actor: Callable[..., Tensor], batch: "Batch", advantages: Tensor) -> Mapping[str, float]:
        policy = policy_loss(actor, batch, advantages, self.settings.clip)
        self.descend("actor", policy.surrogate - self.settings.entropy_coefficient * policy.entropy)
        return {
            "losses/policy_loss": policy.surrogate.item(),
            "losses/entropy": policy.entropy.item(),
            "losses/approx_kl": policy.approx_kl.item(),
            "losses/clipfrac": policy.clipfrac.item(),
        }

    def _improve_critic(
        self, critic: Callable[..., Tensor], observations: Tensor, returns: Tensor
    ) -> Mapping[str, float]:
        value_loss = 0.5 * (critic(observations) - returns).square().mean()
        self.descend("critic", value_loss)
        return {"losses/value_loss": value_loss.item()}

    def descend(self, name: str, loss: Tensor) -> None:
        """A step of a network's optimiser down the loss."""
        self.optimisers[name].zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.networks[name].parameters(), self.settings.max_gradient_norm)
        self.optimisers[name].step()


@dataclass(frozen=True)
class Batch:
    """Decisions as tensors."""

    observations: Tensor  # [D, F]
    masks: Tensor  # [D, A]
    actions: Tensor  # [D]
    log_probabilities: Tensor  # [D]
    returns: Tensor  # [D, K], normalised

    def part(self, chosen: Tensor) -> "Batch":
        """Some of the decisions, by number."""
        return Batch(*(tensor[chosen] for tensor in vars(self).values()))


@dataclass(frozen=True)
class PolicyLoss:
    """The loss of the actor and its diagnostics: scalars."""

    surrogate: Tensor
    entropy: Tensor
    approx_kl: Tensor  # an estimate of the KL divergence from the policy that acted
    clipfrac: Tensor  # share of the decisions whose ratio is outside the clip


def policy_loss(actor: Callable[..., Tensor], batch: Batch, advantages: Tensor, clip: float) -> PolicyLoss:
    """The clipped surrogate of PPO (Schulman et al. 2017, equation 7) as a loss, and the entropy.

    J = E min(ψ A, clip(ψ, 1 ± ε) A), ψ the probability of the action divided by that when it was chosen.

    Args:
        actor: the policy: from observations and masks to logarithms of probabilities.
        batch: D decisions.
        advantages: A, [D].
        clip: ε.
    """
    log_policy = actor(batch.observations, batch.masks)  # [D, A]
    log_ratio = log_policy.gather(1, batch.actions.unsqueeze(1)).squeeze(1) - batch.log_probabilities
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1.0 - clip, 1.0 + clip)
    surrogate = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    policy = log_policy.exp()
    entropy = -(policy * log_policy.masked_fill(~batch.masks, 0.0)).sum(dim=1).mean()
    with torch.no_grad():
        approx_kl = (ratio - 1.0 - log_ratio).mean()
        clipfrac = (ratio != clipped).float().mean()
    return PolicyLoss(surrogate, entropy, approx_kl, clipfrac)


class Means:
    """Means of figures over the minibatches of an iteration."""

    def __init__(self) -> None:
        self._totals: dict[str, float] = {}
        self._counts: Counter[str] = Counter()

    def add(self, figures: Mapping[str, float]) -> None:
        """Add the figures of a minibatch."""
        self._counts.update(figures.keys())
        for name, figure in figures.items():
            self._totals[name] = self._totals.get(name, 0.0) + figure

    def figures(self) -> dict[str, float]:
        """The means so far."""
        return {name: total / self._counts[name] for name, total in self._totals.items()}


def at_once(first: Callable[[], None], second: Callable[[], None]) -> None:
    """Do both, at the same time if PyTorch has two threads or more; each then has half of them."""
    threads = torch.get_num_threads()
    if threads < 2:
        first()
        second()
        return
    torch.set_num_threads(threads // 2)
    try:
        with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(threads // 2,)) as pool:
            beside = pool.submit(second)
            first()
            beside.result()
    finally:
        torch.set_num_threads(threads)


def normal(advantages: Floats) -> Floats:
    """The values scaled to mean 0 and standard deviation 1."""
    normal: Floats = (advantages - advantages.mean()) / max(float(advantages.std()), 1e-8)
    return normal


def _explained_variance(returns: Floats, values: Floats) -> float:
    spread = float(returns.var())
    return 1.0 - float((returns - values).var()) / spread if spread > 0 else 0.0


def _tensor(array: NDArray[Any], device: str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)
