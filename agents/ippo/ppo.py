"""Independent proximal policy optimisation (De Witt et al. 2020): every agent learns for itself, all with one network.

An iteration plays one episode of every copy of a vector environment (`collect`), works out how much better than
expected each decision was (`generalised_advantages`), and improves actor and critic on all decisions (`Learner.learn`).
All that is random in an iteration comes from the run's seed and the number of the iteration (`IterationSeeds`), so that
a run that goes on from a saved iteration goes on as if it had never been stopped.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crowdgym.agents.ippo.decisions import Rollout, generalised_advantages, shared_rewards
from crowdgym.agents.ippo.network import Actor, Critic
from crowdgym.common.errors import ConfigError
from crowdgym.common.layout import ObservationSet
from crowdgym.common.seeds import TRAINING
from crowdgym.configs.ippo import IppoSettings

_CHUNK = 512  # observations that are looked at together where no gradient is needed


class VectorEnvironment(Protocol):
    """What is asked of an environment: rows are (copy, agent), copies end together, masks are in the infos."""

    num_envs: int
    metadata: dict[str, Any]
    batch_shape: tuple[int, int]

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[NDArray[np.float32], dict[str, Any]]: ...  # noqa: D102

    def step(self, actions: Any, /) -> tuple[Any, Any, Any, Any, dict[str, Any]]: ...  # noqa: D102


@dataclass(frozen=True)
class IterationSeeds:
    """All that is random in one iteration: the instances, the actions, the order of the decisions."""

    instances: tuple[int, ...]  # a seed for each copy
    actions: np.random.Generator
    order: np.random.Generator

    @classmethod
    def of(cls, seed: int, iteration: int, copies: int) -> "IterationSeeds":
        """Those of iteration number ``iteration`` of the run of ``seed``."""
        instances, actions, order = np.random.SeedSequence((seed, iteration)).spawn(3)
        drawn = np.random.default_rng(instances).integers(TRAINING.start, TRAINING.stop, size=copies)
        return cls(tuple(drawn.tolist()), np.random.default_rng(actions), np.random.default_rng(order))


def collect(
    env: VectorEnvironment, actor: Actor, seeds: Sequence[int], generator: np.random.Generator | None, device: str
) -> Rollout:
    """Play one episode of every copy.

    Args:
        env: the copies. Their episodes have to be of one length.
        actor: chooses for every agent that has more than one legal action; the others take the one they have.
        seeds: of the copies.
        generator: actions are drawn with it; None takes the likeliest of each.
        device: of the actor.
    """
    parts: list[tuple[NDArray[Any], ...]] = []
    rewards: list[NDArray[np.float64]] = []
    environment_s = -time.perf_counter()
    observations, infos = env.reset(seed=list(seeds))
    environment_s += time.perf_counter()
    while True:
        masks = infos["action_mask"] > 0  # [R, A]
        joint = masks.argmax(axis=1)
        rows = np.flatnonzero(masks.sum(axis=1) > 1)
        if len(rows):
            seen, legal = observations[rows], masks[rows]
            chosen, log_probabilities = choose(actor, seen, legal, generator, device)
            joint[rows] = chosen
            parts.append((seen, legal, chosen, log_probabilities, rows, np.full(len(rows), len(rewards))))
        environment_s -= time.perf_counter()
        observations, reward, _, truncated, infos = env.step(joint)
        environment_s += time.perf_counter()
        rewards.append(reward)
        if truncated.any():
            break
    if not truncated.all():
        raise ConfigError("IPPO needs episodes of one length, but some copies ended before others")
    if not parts:
        raise ConfigError("IPPO has nothing to learn: no agent ever had more than one legal action")
    seen, legal, chosen, log_probabilities, who, when = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Rollout(
        seen, legal, chosen, log_probabilities, who, when, np.stack(rewards), infos["metrics"], environment_s
    )


def choose(
    actor: Actor,
    observations: NDArray[np.float32],
    masks: NDArray[np.bool_],
    generator: np.random.Generator | None,
    device: str,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Choose actions, [M], for observations, [M, F], with masks, [M, A]; and the logarithms of their probabilities."""
    with torch.no_grad():
        log_policy = actor(_tensor(observations, device), _tensor(masks, device)).cpu().numpy()
    # The largest sum of a logarithm and Gumbel noise is a draw from the distribution; masked ones stay at -inf.
    lots = log_policy if generator is None else log_policy + generator.gumbel(size=log_policy.shape)
    actions = lots.argmax(axis=1)
    return actions, log_policy[np.arange(len(actions)), actions]


class ValueNormaliser:
    """Mean and deviation of what the critic has to predict, forgotten slowly, so that it predicts numbers around 0."""

    def __init__(self, memory: float) -> None:
        self.memory = memory
        self.sums = np.zeros(3)  # of weights, values, squares

    def update(self, values: NDArray[np.float64]) -> None:
        """Take in the values of an iteration."""
        seen = np.array([1.0, values.mean(), (values**2).mean()])
        self.sums = self.memory * self.sums + (1.0 - self.memory) * seen

    @property
    def mean(self) -> float:
        """0 before anything was seen."""
        return float(self.sums[1] / self.sums[0]) if self.sums[0] > 0 else 0.0

    @property
    def deviation(self) -> float:
        """1 before anything was seen, and where there is none."""
        if self.sums[0] == 0:
            return 1.0
        variance = self.sums[2] / self.sums[0] - self.mean**2
        return float(np.sqrt(variance)) if variance > 1e-12 * max(1.0, self.mean**2) else 1.0


class Learner:
    """Actor, critic, and what improves them."""

    def __init__(
        self, sets: Sequence[ObservationSet], num_actions: int, settings: IppoSettings, seed: int, device: str = "cpu"
    ) -> None:
        self.settings = settings
        self.device = device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.actor = Actor(sets, num_actions, settings).to(device)
            self.critic = Critic(sets, settings).to(device)
        self.normaliser = ValueNormaliser(settings.value_memory)
        self.optimisers = {
            name: torch.optim.Adam(network.parameters(), settings.learning_rate, eps=settings.adam_epsilon)
            for name, network in self.networks.items()
        }

    @property
    def networks(self) -> dict[str, nn.Module]:
        """By name, as in ``optimisers``."""
        return {"actor": self.actor, "critic": self.critic}

    def fit_scaling(self, observations: NDArray[np.float32]) -> None:
        """Fix how features are scaled, from observations, [M, F]; before the first iteration."""
        for trunk in (self.actor.trunk, self.critic.trunk):
            trunk.scaling.fit(_tensor(observations, self.device))

    def values(self, observations: NDArray[np.float32]) -> NDArray[np.float64]:
        """What the critic expects, [M], in the units of the rewards."""
        with torch.no_grad():
            chunks = torch.split(_tensor(observations, self.device), _CHUNK)
            found = torch.cat([self.critic(chunk) for chunk in chunks]).cpu().numpy().astype(np.float64)
        return found * self.normaliser.deviation + self.normaliser.mean

    def learn(
        self, rollout: Rollout, num_agents: int, order: np.random.Generator, progress: float
    ) -> Mapping[str, float]:
        """Improve actor and critic on what was decided.

        Args:
            rollout: the decisions.
            num_agents: of a copy.
            order: shuffles the decisions.
            progress: share of the run that is over, 0 to 1, for the learning rate.

        Returns:
            Figures for the logs.
        """
        settings = self.settings
        values = self.values(rollout.observations)
        advantages = generalised_advantages(
            shared_rewards(rollout.rewards, num_agents, settings.team_share),
            rollout.rows,
            rollout.steps,
            values,
            discount=settings.discount,
            gae_lambda=settings.gae_lambda,
        )
        returns = advantages + values
        self.normaliser.update(returns)
        scaled = (returns - self.normaliser.mean) / self.normaliser.deviation
        normal = (advantages - advantages.mean()) / max(float(advantages.std()), 1e-8)
        batch = Batch(
            observations=_tensor(rollout.observations, self.device),
            masks=_tensor(rollout.masks, self.device),
            actions=_tensor(rollout.actions, self.device),
            log_probabilities=_tensor(rollout.log_probabilities, self.device),
            advantages=_tensor(normal.astype(np.float32), self.device),
            returns=_tensor(scaled.astype(np.float32), self.device),
        )
        for optimiser in self.optimisers.values():
            optimiser.param_groups[0]["lr"] = self._learning_rate(progress)
        figures = self._passes(batch, order)
        spread = float(returns.var())
        explained = 1.0 - float((returns - values).var()) / spread if spread > 0 else 0.0
        return {**figures, "explained_variance": explained, "mean_return": float(returns.mean())}

    def _learning_rate(self, progress: float) -> float:
        left = 1.0 - progress if self.settings.learning_rate_schedule == "linear" else 1.0
        return self.settings.learning_rate * left

    def _passes(self, batch: "Batch", order: np.random.Generator) -> Mapping[str, float]:
        """Pass over all decisions a number of times, in minibatches of about equal size."""
        decisions = len(batch.actions)
        pieces = max(1, round(decisions / self.settings.minibatch_size))
        totals: dict[str, float] = {}
        for _ in range(self.settings.epochs):
            for chosen in np.array_split(order.permutation(decisions), pieces):
                minibatch = batch.part(torch.from_numpy(chosen).to(self.device))
                for name, figure in self._improve(minibatch).items():
                    totals[name] = totals.get(name, 0.0) + figure
        return {name: total / (pieces * self.settings.epochs) for name, total in totals.items()}

    def _improve(self, batch: "Batch") -> Mapping[str, float]:
        settings = self.settings
        losses = policy_loss(self.actor, batch, settings.clip)
        value_loss = 0.5 * (self.critic(batch.observations) - batch.returns).square().mean()
        self._descend("actor", losses.surrogate - settings.entropy_coefficient * losses.entropy)
        self._descend("critic", value_loss)
        return {
            "policy_loss": losses.surrogate.item(),
            "entropy": losses.entropy.item(),
            "kl": losses.divergence.item(),
            "clipped": losses.clipped.item(),
            "value_loss": value_loss.item(),
        }

    def _descend(self, name: str, loss: Tensor) -> None:
        self.optimisers[name].zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.networks[name].parameters(), self.settings.max_gradient_norm)
        self.optimisers[name].step()


@dataclass(frozen=True)
class Batch:
    """Decisions as tensors; advantages and returns normalised."""

    observations: Tensor  # [D, F]
    masks: Tensor  # [D, A]
    actions: Tensor  # [D]
    log_probabilities: Tensor  # [D]
    advantages: Tensor  # [D]
    returns: Tensor  # [D]

    def part(self, chosen: Tensor) -> "Batch":
        """Some of the decisions, by number."""
        return Batch(*(tensor[chosen] for tensor in vars(self).values()))


@dataclass(frozen=True)
class PolicyLoss:
    """The loss of the actor and what goes with it: scalars."""

    surrogate: Tensor
    entropy: Tensor
    divergence: Tensor  # an estimate of the KL divergence from the policy that acted
    clipped: Tensor  # share of the decisions


def policy_loss(actor: Actor, batch: Batch, clip: float) -> PolicyLoss:
    """The clipped surrogate of PPO (Schulman et al. 2017, equation 7), to be made small, and the entropy.

    J = E min(ψ A, clip(ψ, 1 ± ε) A), with ψ the probability of the action over what it was when it was chosen.
    """
    log_policy = actor(batch.observations, batch.masks)  # [D, A]
    log_ratio = log_policy.gather(1, batch.actions.unsqueeze(1)).squeeze(1) - batch.log_probabilities
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1.0 - clip, 1.0 + clip)
    surrogate = -torch.minimum(ratio * batch.advantages, clipped * batch.advantages).mean()
    policy = log_policy.exp()
    entropy = -(policy * log_policy.masked_fill(~batch.masks, 0.0)).sum(dim=1).mean()
    with torch.no_grad():
        divergence = (ratio - 1.0 - log_ratio).mean()
        outside = (ratio != clipped).float().mean()
    return PolicyLoss(surrogate, entropy, divergence, outside)


def _tensor(array: NDArray[Any], device: str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)
