"""PPO with masked actions in the manner of CleanRL, on the Gymnasium vector environment of csc_v0: one file, one loop.

    python examples/cleanrl_ppo.py --steps 400000

A row of the vector environment is a worker of a copy, and a step is one of one row. Nothing but PyTorch is needed.
"""

import argparse

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical

from crowdgym.envs import csc_v0

GAMMA, LAMBDA, CLIP, ENTROPY, EPOCHS, LEARNING_RATE = 0.99, 0.95, 0.2, 0.01, 4, 5e-4
REWARD_SCALE = 1e-3  # payments are about a thousand


class Agent(nn.Module):
    """Actor and critic of one worker, the same for all."""

    def __init__(self, numbers: int, actions: int) -> None:
        super().__init__()
        self.actor = nn.Sequential(*_layers(numbers), _layer(64, actions, 0.01))
        self.critic = nn.Sequential(*_layers(numbers), _layer(64, 1, 1.0))

    def policy(self, observations: Tensor, masks: Tensor) -> Categorical:
        """The distribution over legal actions."""
        return Categorical(logits=self.actor(observations).masked_fill(~masks, -1e8))

    def value(self, observations: Tensor) -> Tensor:
        """The value of an observation. Shape [...]."""
        return self.critic(observations).squeeze(-1)


def _layers(numbers: int) -> list[nn.Module]:
    return [_layer(numbers, 64), nn.Tanh(), _layer(64, 64), nn.Tanh()]


def _layer(inputs: int, outputs: int, gain: float = np.sqrt(2)) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


def advantages_of(rewards: Tensor, values: Tensor, ends: Tensor, last_value: Tensor) -> Tensor:
    """Generalised advantage estimates; all shapes [T, rows] but the last's, [rows]."""
    advantages, following, next_value = torch.zeros_like(rewards), torch.zeros_like(last_value), last_value
    for t in reversed(range(len(rewards))):
        goes_on = 1.0 - ends[t]
        error = rewards[t] + GAMMA * next_value * goes_on - values[t]
        following = error + GAMMA * LAMBDA * goes_on * following
        advantages[t], next_value = following, values[t]
    return advantages


def main() -> None:
    """Train, and print the results of each batch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=24_576)
    parser.add_argument("--copies", type=int, default=4)
    parser.add_argument("--length", type=int, default=128, help="steps of each row between two updates")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    torch.manual_seed(chosen.seed)

    # strict: an illegal action would raise. SameStep: an episode that is over begins anew at once.
    env = csc_v0.vector_env(chosen.copies, scenario="tiny", num_workers=12, autoreset_mode="SameStep", strict=True)
    agent = Agent(env.single_observation_space.shape[0], int(env.single_action_space.n))
    optimiser = torch.optim.Adam(agent.parameters(), lr=LEARNING_RATE, eps=1e-5)

    shape = chosen.length, env.num_envs
    observations = torch.zeros(*shape, *env.single_observation_space.shape)
    masks = torch.zeros(*shape, int(env.single_action_space.n), dtype=torch.bool)
    actions = torch.zeros(shape, dtype=torch.int64)
    log_probs, rewards, values, ends = (torch.zeros(shape) for _ in range(4))

    seen, infos = env.reset(seed=chosen.seed)
    for batch in range(max(1, chosen.steps // (chosen.length * env.num_envs))):
        revenue, illegal = [], 0
        for t in range(chosen.length):
            observations[t], masks[t] = torch.as_tensor(seen), torch.as_tensor(infos["action_mask"])
            with torch.no_grad():
                policy = agent.policy(observations[t], masks[t])
                actions[t] = policy.sample()
                log_probs[t], values[t] = policy.log_prob(actions[t]), agent.value(observations[t])
            seen, earned, _, truncated, infos = env.step(actions[t].numpy())
            rewards[t], ends[t] = torch.as_tensor(REWARD_SCALE * earned), torch.as_tensor(truncated)
            if truncated.any():  # truncated, not terminated: the value of the last observation counts
                with torch.no_grad():
                    rewards[t] += GAMMA * ends[t] * agent.value(torch.as_tensor(infos["final_obs"]))
                over = infos["_metrics"]
                revenue += infos["metrics"]["revenue"][over].tolist()
                illegal += int(infos["metrics"]["illegal"][over].sum())

        with torch.no_grad():
            last_value = agent.value(torch.as_tensor(seen))
        advantages = advantages_of(rewards, values, ends, last_value)
        update(agent, optimiser, [observations, masks, actions, log_probs, advantages, advantages + values])
        earned_text = f"{np.mean(revenue):,.0f}" if revenue else "-"
        print(f"batch {batch}: revenue of an episode {earned_text}, illegal {illegal}", flush=True)


def update(agent: Agent, optimiser: torch.optim.Optimizer, batch: list[Tensor]) -> None:
    """Some epochs over a batch, with the minibatches in a new order each time."""
    flat = [part.flatten(0, 1) for part in batch]
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(flat[0])).split(1024):
            observations, masks, actions, old, advantages, returns = (part[rows] for part in flat)
            policy = agent.policy(observations, masks)
            ratio = (policy.log_prob(actions) - old).exp()
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
            gain = torch.min(ratio * advantages, ratio.clamp(1 - CLIP, 1 + CLIP) * advantages).mean()
            value_loss = 0.5 * (agent.value(observations) - returns).square().mean()
            optimiser.zero_grad()
            (value_loss - gain - ENTROPY * policy.entropy().mean()).backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimiser.step()


if __name__ == "__main__":
    main()
