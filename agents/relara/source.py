"""ReLara (Ma et al., "Reward shaping for reinforcement learning with an assistant reward agent", 2024) for IPPO.

A second agent observes what the first one sees and does, and acts by giving it a reward r^S in [−1, 1]. It learns by
soft actor-critic (Haarnoja et al. 2018) to maximise the environment's reward r^E; the first agent learns from
r^E + 0.2 r^S. **Adapted**: the first agent is IPPO in place of soft actor-critic, an action of the second belongs to a
decision, the networks are those of CAFE's encoder in place of residual blocks, and the replay memory holds one
iteration: the 200,000 decisions of its memory would be two iterations, and would make every checkpoint 200 MB larger.

What it can learn here: within an iteration r^E does not depend on r^S, which only changes later policies. So the
critics see no effect of r^S but that of chance and of the slow change of the policy, as in the paper's own form.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crowdgym.agents.cafe.influence import JointLayout
from crowdgym.agents.csc.projection import CANDIDATES, Projector
from crowdgym.agents.learning.advantages import generalised_advantages
from crowdgym.agents.learning.checkpoint import StoredTensors, module_tensors
from crowdgym.agents.learning.learner import NetworkLearner
from crowdgym.agents.learning.networks import Critic
from crowdgym.agents.learning.rewards import PassResult
from crowdgym.agents.learning.rollout import Floats, Integers, Rollout
from crowdgym.common.layout import ObservationSet
from crowdgym.configs.relara import RelaraSettings

_LEAST_LOG, _MOST_LOG = -5.0, 2.0  # limits of log σ of the reward agent's policy
_CRITICS: Final = ("critic_0", "critic_1")
_CHUNK = 4096  # decisions in one pass without gradients


class RewardActor(nn.Module):
    """The reward agent's policy: the hyperbolic tangent of a normal distribution."""

    def __init__(self, sets: Sequence[ObservationSet], settings: RelaraSettings) -> None:
        super().__init__()
        self.network = Critic(sets, settings, 2)

    def forward(self, inputs: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """A reward and the logarithm of its density, [M] each, from inputs, [M, F], and normal noise, [M]."""
        mean, log_deviation = self.network(inputs).unbind(dim=1)
        log_deviation = log_deviation.clamp(_LEAST_LOG, _MOST_LOG)
        raw = mean + log_deviation.exp() * noise
        density = -0.5 * noise.square() - log_deviation - 0.5 * float(np.log(2.0 * np.pi))
        # log(1 − tanh²), in a form that is exact for large values
        squashed = 2.0 * (float(np.log(2.0)) - raw - nn.functional.softplus(-2.0 * raw))
        return raw.tanh(), density - squashed


class RewardCritic(nn.Module):
    """Q of the reward agent."""

    def __init__(self, sets: Sequence[ObservationSet], settings: RelaraSettings) -> None:
        super().__init__()
        self.network = Critic(sets, settings, settings.hidden)
        self.head = nn.Sequential(
            nn.Linear(settings.hidden + 1, settings.hidden), nn.ReLU(), nn.Linear(settings.hidden, 1)
        )

    def forward(self, inputs: Tensor, reward: Tensor) -> Tensor:
        """[M], from inputs, [M, F], and rewards, [M]."""
        context = self.network(inputs).relu()
        return cast(Tensor, self.head(torch.cat([context, reward.unsqueeze(1)], dim=1)).squeeze(1))


class Temperature(nn.Module):
    """The weight α of the entropy."""

    def __init__(self) -> None:
        super().__init__()
        self.log_alpha = nn.Parameter(torch.zeros(()))


@dataclass(frozen=True)
class Transitions:
    """D decisions, each with the next one of the same agent.

    Attributes:
        inputs: observations with the agent's action, [D, F].
        earned: r^E up to the next decision, discounted, [D].
        passing: γ to the power of the steps up to the next decision, [D]; 0 after the last decision.
        following: the number of the next decision, [D]; any number after the last one.
    """

    inputs: Tensor
    earned: Tensor
    passing: Tensor
    following: Tensor


class RelaraSource(NetworkLearner):
    """The environment's reward in mean payments, and the reward of the reward agent.

    Args:
        settings: hyperparameters.
        sets: the sets of the rows in a rollout.
        projector: works out who chooses what.
        seed: seed of the initial weights.
        device: device of the networks.
    """

    name = "relara"
    signals: tuple[str, ...] = (CANDIDATES,)
    term_names = ("contribution", "reward_agent")

    def __init__(
        self,
        settings: RelaraSettings,
        sets: Sequence[ObservationSet],
        projector: Projector,
        seed: int,
        device: str = "cpu",
    ) -> None:
        super().__init__()
        self.settings, self.projector, self.device = settings, projector, device
        self.layout = JointLayout(sets, settings.action_set or "")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.reward_actor = RewardActor(self.layout.sets, settings).to(device)
            self.critics = [RewardCritic(self.layout.sets, settings).to(device) for _ in _CRITICS]
        self.temperature = Temperature().to(device)
        self.slow = nn.ModuleList(deepcopy(self.critics)).requires_grad_(False)
        self.networks |= {"reward_actor": self.reward_actor, "temperature": self.temperature}
        self.networks |= dict(zip(_CRITICS, self.critics, strict=True))
        rates = dict.fromkeys(self.networks, settings.reward_critic_learning_rate)
        rates["reward_actor"] = settings.reward_actor_learning_rate
        self.optimisers |= {
            name: torch.optim.Adam(self.networks[name].parameters(), rate) for name, rate in rates.items()
        }
        self._scaled = False
        self._reward: Floats
        self._figures: dict[str, float] = {}

    def fit(self, rollout: Rollout, generator: np.random.Generator, progress: float) -> None:
        """Let the reward agent act on the rollout, then learn from it."""
        now = self._transitions(rollout)
        if not self._scaled:
            for network in (self.reward_actor.network, *(critic.network for critic in self.critics)):
                network.trunk.scaling.fit(now.inputs)
            self.slow.load_state_dict(nn.ModuleList(self.critics).state_dict())
            self._scaled = True
        reward = self._act(now.inputs, self._tensor(generator.standard_normal(len(now.inputs))))
        for _ in range(self.settings.reward_updates):
            chosen = generator.integers(len(now.inputs), size=self.settings.reward_batch_size)
            noise = self._tensor(generator.standard_normal((2, len(chosen))))
            self._update(now, reward, torch.from_numpy(chosen).to(self.device), noise)
        given = reward.double().cpu().numpy()
        self._reward = rollout.at_steps(given)
        self._figures |= {
            "source/reward_mean": float(given.mean()),
            "source/reward_deviation": float(given.std()),
            "source/reward_hold": float(given[rollout.actions == 0].mean()),
            "source/alpha": self.temperature.log_alpha.exp().item(),
        }

    def terms(self, rollout: Rollout) -> Mapping[str, Floats]:
        """The terms of the rollout that `fit` was given."""
        return {"contribution": rollout.rewards / self.projector.payment_mean, "reward_agent": self._reward}

    def weights(self, rollout: Rollout) -> Floats:
        """1, and the weight of the reward agent's reward."""
        return np.array([1.0, self.settings.reward_weight])

    def improve(self, result: PassResult) -> None:
        """Nothing."""

    def figures(self) -> Mapping[str, float]:
        """What the reward agent gives, and its temperature."""
        return self._figures

    def tensors(self) -> dict[str, Tensor]:
        """All networks, the slow copies of the critics included."""
        return super().tensors() | module_tensors("slow", self.slow)

    def restore(self, stored: StoredTensors) -> None:
        """See `RewardSource`."""
        super().restore(stored)
        stored.fill(self.slow, "slow")
        self._scaled = True

    def _transitions(self, rollout: Rollout) -> Transitions:
        settings = self.settings
        others = self.projector.project(rollout).others
        actions = torch.from_numpy(rollout.actions).to(self.device)
        inputs = self.layout.fill(
            self._tensor(rollout.observations), self._tensor(others), actions, torch.ones(len(actions)).to(self.device)
        )
        earned = generalised_advantages(  # with values and λ of 0: what is earned up to the next decision
            rollout.rewards / self.projector.payment_mean,
            rollout.rows,
            rollout.steps,
            np.zeros(len(actions)),
            discount=settings.discount,
            gae_lambda=0.0,
        )
        following, steps = next_decisions(rollout)
        passing = np.where(following >= 0, settings.discount**steps, 0.0)
        return Transitions(
            inputs, self._tensor(earned), self._tensor(passing), torch.from_numpy(following).to(self.device)
        )

    def _act(self, inputs: Tensor, noise: Tensor) -> Tensor:
        with torch.no_grad():
            chunks = zip(torch.split(inputs, _CHUNK), torch.split(noise, _CHUNK), strict=True)
            return torch.cat([self.reward_actor(*chunk)[0] for chunk in chunks])

    def _update(self, now: Transitions, reward: Tensor, chosen: Tensor, noise: Tensor) -> None:
        """One step of soft actor-critic on chosen decisions; noise: [2, M]."""
        settings, inputs = self.settings, now.inputs[chosen]
        alpha = self.temperature.log_alpha.detach().exp()
        with torch.no_grad():
            later = now.inputs[now.following[chosen]]
            action, density = self.reward_actor(later, noise[0])
            value = torch.minimum(*(critic(later, action) for critic in self.slow)) - alpha * density
            wanted = now.earned[chosen] + now.passing[chosen] * value
        for name, critic in zip(_CRITICS, self.critics, strict=True):
            self._descend(name, (critic(inputs, reward[chosen]) - wanted).square().mean())
        action, density = self.reward_actor(inputs, noise[1])
        valued = torch.minimum(*(critic(inputs, action) for critic in self.critics))
        self._descend("reward_actor", (alpha * density - valued).mean())
        surplus = (density.detach() + settings.reward_target_entropy).mean()
        self._descend("temperature", -self.temperature.log_alpha * surplus)
        with torch.no_grad():
            for slow, quick in zip(self.slow.parameters(), nn.ModuleList(self.critics).parameters(), strict=True):
                slow.lerp_(quick, settings.reward_target_rate)

    def _descend(self, name: str, loss: Tensor) -> None:
        self.optimisers[name].zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimisers[name].step()

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(self.device)


def next_decisions(rollout: Rollout) -> tuple[Integers, Integers]:
    """The number of the next decision of the same agent, −1 after its last one, and the steps up to it, [D] each."""
    order = np.lexsort((rollout.steps, rollout.rows))
    same = rollout.rows[order][1:] == rollout.rows[order][:-1]
    following, steps = np.full(len(order), -1), np.zeros(len(order), np.int64)
    before, after = order[:-1][same], order[1:][same]
    following[before] = after
    steps[before] = rollout.steps[after] - rollout.steps[before]
    return following, steps
