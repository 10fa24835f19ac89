"""AgileRL's IPPO on csc_v0, one policy for all workers, with masks of legal actions.

    python examples/agilerl_ppo.py --steps 12000

A step is one of the environment, in which all workers act. AgileRL does not take masks of NumPy from infos: it stops
with a ValueError. It would also use them when it acts and not when it learns. So the mask travels in the observation
here, and the actor takes it from there, at both times.
"""

import argparse
from typing import Any

import gymnasium
import numpy as np
import torch
from agilerl.algorithms import IPPO
from agilerl.networks.actors import StochasticActor
from agilerl.networks.value_networks import ValueNetwork
from agilerl.training.train_multi_agent_on_policy import train_multi_agent_on_policy
from pettingzoo.utils.wrappers import BaseParallelWrapper

from crowdgym.envs import csc_v0
from crowdgym.runner import run_episodes

SETTINGS = {"scenario": "tiny", "num_workers": 6, "strict": True}  # strict: an illegal action would raise
REWARD_SCALE = 1e-3  # payments are about a thousand
ROLLOUT = 120  # steps, an episode


class MaskFirst(BaseParallelWrapper):
    """Puts the mask before the observation, in one row; rewards are scaled; infos are empty."""

    def observation_space(self, agent: str) -> gymnasium.spaces.Box:
        """The mask, then what was there before."""
        mask = np.zeros(self.env.action_space(agent).n, np.float32)
        space = self.env.observation_space(agent)
        return gymnasium.spaces.Box(np.concatenate([mask, space.low]), np.concatenate([mask + 1, space.high]))

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[Any, Any]:
        """Begin an episode."""
        observations, infos = self.env.reset(seed=seed, options=options)
        return _joined(observations, infos), {agent: {} for agent in infos}

    def step(self, actions: dict[str, Any]) -> tuple[Any, Any, Any, Any, Any]:
        """Play a step."""
        observations, rewards, terminations, truncations, infos = self.env.step(actions)
        scaled = {agent: reward * REWARD_SCALE for agent, reward in rewards.items()}
        return _joined(observations, infos), scaled, terminations, truncations, {agent: {} for agent in infos}


def _joined(observations: Any, infos: Any) -> dict[str, np.ndarray]:
    rows = {agent: [infos[agent]["action_mask"], seen] for agent, seen in observations.items()}
    return {agent: np.concatenate(row).astype(np.float32) for agent, row in rows.items()}


class MaskedActor(StochasticActor):
    """Takes the mask from the observation, so it needs none from its caller."""

    def forward(self, obs: torch.Tensor, action_mask: Any = None) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """See the class."""
        return super().forward(obs, action_mask=obs[..., : self.action_space.n] > 0.5)


class Trained:
    """The trained actor as a policy of CrowdGym."""

    def __init__(self, actor: MaskedActor) -> None:
        self._actor = actor

    def act(self, observations: dict[str, Any], infos: dict[str, Any]) -> dict[str, int]:
        """An action for each worker."""
        rows = torch.as_tensor(np.stack(list(_joined(observations, infos).values())))
        with torch.no_grad():
            actions, _, _ = self._actor(rows)
        return dict(zip(observations, actions.tolist(), strict=True))


def main() -> None:
    """Train, then play on held-out seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=480)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    torch.manual_seed(chosen.seed)
    np.random.seed(chosen.seed)  # noqa: NPY002 - AgileRL draws its minibatches from NumPy's global generator

    env = MaskFirst(csc_v0.parallel_env(**SETTINGS))
    env.reset(seed=chosen.seed)
    agents = env.possible_agents
    seen, actions = env.observation_space(agents[0]), env.action_space(agents[0])
    learner = IPPO(
        observation_spaces=[env.observation_space(agent) for agent in agents],
        action_spaces=[env.action_space(agent) for agent in agents],
        agent_ids=agents,  # worker_0, worker_1, …: AgileRL makes one group of them, with one policy
        actor_networks=[MaskedActor(seen, actions)],
        critic_networks=[ValueNetwork(seen)],
        learn_step=ROLLOUT,
        batch_size=240,
        lr=5e-4,
        gamma=0.98,
    )
    (learner,), _ = train_multi_agent_on_policy(
        env, "csc_v0", "IPPO", [learner], max_steps=chosen.steps, evo_steps=ROLLOUT, eval_steps=ROLLOUT, verbose=False
    )
    print(f"trained for {chosen.steps:,} steps")

    env = csc_v0.parallel_env(**SETTINGS)
    (actor,) = learner.actors.values()
    played = run_episodes(env, Trained(actor), agent="trained", episodes=2, seed=1_000)
    print(f"held-out: revenue {played.mean['revenue']:,.0f}, illegal {played.mean['illegal']:.0f}")


if __name__ == "__main__":
    main()
