"""skrl's IPPO on csc_v0, one network for all workers, with masks of legal actions.

    python examples/skrl_ppo.py --steps 12000

A step is one of the environment, in which all workers act.
"""

import argparse
from typing import Any

import numpy as np
import torch
from skrl.envs.wrappers.torch import wrap_env
from skrl.memories.torch import RandomMemory
from skrl.models.torch import CategoricalMixin, DeterministicMixin, Model
from skrl.multi_agents.torch.ippo import IPPO, IPPO_CFG
from skrl.trainers.torch import SequentialTrainer, SequentialTrainerCfg
from skrl.utils import set_seed
from torch import nn

from crowdgym.envs import csc_v0
from crowdgym.runner import run_episodes
from crowdgym.wrappers import MaskInObservation

SETTINGS = {"scenario": "tiny", "num_workers": 6, "strict": True}  # strict: an illegal action would raise
ROLLOUT = 120  # steps, an episode
REWARD_SCALE = 1e-3  # payments are about a thousand


class Masked(MaskInObservation):
    """skrl reads the spaces of the innermost environment, which has no mask in its observations: this one is it."""

    @property
    def unwrapped(self) -> "Masked":
        """Itself."""
        return self


class Policy(CategoricalMixin, Model):
    """Scores of all actions. skrl flattens an observation with its mask into one row, sorted by key: first the mask."""

    def __init__(self, space: Any, actions: Any) -> None:
        Model.__init__(self, observation_space=space, action_space=actions, device="cpu")
        CategoricalMixin.__init__(self, unnormalized_log_prob=True)
        self.num_actions = int(actions.n)
        self.net = _mlp(space["observation"].shape[0], self.num_actions)

    def compute(self, inputs: dict[str, Any], role: str) -> tuple[torch.Tensor, dict[str, Any]]:
        """Illegal actions get a score so low that they have a probability of 0."""
        rows = inputs["observations"]
        mask, seen = rows[:, : self.num_actions], rows[:, self.num_actions :]
        return self.net(seen).masked_fill(mask < 0.5, torch.finfo(torch.float32).min), {}


class Value(DeterministicMixin, Model):
    """The value of an observation."""

    def __init__(self, space: Any, actions: Any) -> None:
        Model.__init__(self, observation_space=space, action_space=actions, device="cpu")
        DeterministicMixin.__init__(self)
        self.num_actions = int(actions.n)
        self.net = _mlp(space["observation"].shape[0], 1)

    def compute(self, inputs: dict[str, Any], role: str) -> tuple[torch.Tensor, dict[str, Any]]:
        """The mask is left out."""
        return self.net(inputs["observations"][:, self.num_actions :]), {}


def _mlp(wide: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(wide, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, out))


def make_config(agents: list[str]) -> IPPO_CFG:
    """The hyperparameters. skrl's own empty mappings are refused in multi-agent use, so they are filled by agent."""
    empty = {name: {agent: {} for agent in agents} for name in _MAPPINGS}
    config = IPPO_CFG(
        rollouts=ROLLOUT,
        learning_epochs=4,
        mini_batches=1,
        learning_rate=5e-4,
        discount_factor=0.98,
        entropy_loss_scale=0.01,
        time_limit_bootstrap=True,  # every episode ends by time
        rewards_shaper=lambda rewards, *_: rewards * REWARD_SCALE,
        **empty,
    )
    config.experiment.write_interval = config.experiment.checkpoint_interval = 0  # no files
    return config


_MAPPINGS = (
    "learning_rate_scheduler_kwargs",
    "observation_preprocessor_kwargs",
    "state_preprocessor_kwargs",
    "value_preprocessor_kwargs",
)


class Trained:
    """The trained network as a policy of CrowdGym."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def act(self, observations: dict[str, Any], infos: dict[str, Any]) -> dict[str, int]:
        """An action for each worker."""
        rows = [np.concatenate([infos[agent]["action_mask"], seen]) for agent, seen in observations.items()]
        with torch.no_grad():
            actions, _ = self._policy.act({"observations": torch.as_tensor(np.stack(rows), dtype=torch.float32)})
        return dict(zip(observations, actions.flatten().tolist(), strict=True))


def main() -> None:
    """Train, then play on held-out seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=480)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    set_seed(chosen.seed)

    env = wrap_env(Masked(csc_v0.parallel_env(**SETTINGS)), wrapper="pettingzoo")
    agents = env.possible_agents
    space, actions = env.observation_spaces[agents[0]], env.action_spaces[agents[0]]
    models = {"policy": Policy(space, actions), "value": Value(space, actions)}  # the same for all workers
    learner = IPPO(
        possible_agents=agents,
        models=dict.fromkeys(agents, models),
        memories={agent: RandomMemory(memory_size=ROLLOUT, num_envs=env.num_envs) for agent in agents},
        observation_spaces=env.observation_spaces,
        state_spaces=env.state_spaces,
        action_spaces=env.action_spaces,
        device="cpu",
        cfg=make_config(agents),
    )
    trainer = SequentialTrainer(
        env=env, agents=learner, cfg=SequentialTrainerCfg(timesteps=chosen.steps, disable_progressbar=True)
    )
    trainer.train()
    print(f"trained for {chosen.steps:,} steps")

    env = csc_v0.parallel_env(**SETTINGS)
    played = run_episodes(env, Trained(models["policy"]), agent="trained", episodes=2, seed=1_000)
    print(f"held-out: revenue {played.mean['revenue']:,.0f}, illegal {played.mean['illegal']:.0f}")


if __name__ == "__main__":
    main()
