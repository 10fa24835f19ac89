"""TorchRL's PPO on csc_v0 through its PettingZooWrapper: shared weights, a critic that sees one worker, masked actions.

    python examples/torchrl_ppo.py --steps 12000

A step is one of all workers at once. TorchRL warns that it is tested with an older PettingZoo; it works all the same.
"""

import argparse
import warnings

import torch
from tensordict import TensorDictBase
from tensordict.nn import TensorDictModule
from torchrl.collectors import Collector
from torchrl.envs import ExplorationType, RewardScaling, TransformedEnv, set_exploration_type
from torchrl.envs.libs.pettingzoo import PettingZooWrapper
from torchrl.modules import MaskedCategorical, MultiAgentMLP, ProbabilisticActor, ValueOperator
from torchrl.objectives import ClipPPOLoss, ValueEstimators

from crowdgym.envs import csc_v0
from crowdgym.wrappers import KeepInInfos

GROUP = "worker"  # the agents are worker_0, worker_1, …: TorchRL makes one group of them
OBSERVATION, MASK, ACTION = (GROUP, "observation"), (GROUP, "action_mask"), (GROUP, "action")
REWARD_SCALE = 1e-3  # payments are about a thousand


def make_env(seed: int) -> tuple[TransformedEnv, csc_v0.parallel_env]:
    """TorchRL's view of the environment, and the environment itself, which has the metrics."""
    env = csc_v0.parallel_env(scenario="tiny", num_workers=6, strict=True)  # strict: an illegal action would raise
    wrapped = PettingZooWrapper(KeepInInfos(env), seed=seed)
    return TransformedEnv(wrapped, RewardScaling(loc=0.0, scale=REWARD_SCALE, in_keys=[(GROUP, "reward")])), env


def make_networks(env: TransformedEnv) -> tuple[ProbabilisticActor, ValueOperator]:
    """Actor and critic, the same weights for all workers."""
    agents, numbers = env.observation_spec[OBSERVATION].shape
    actions = env.observation_spec[MASK].shape[-1]
    common = {"n_agents": agents, "centralized": False, "share_params": True, "depth": 2, "num_cells": 64}
    actor = ProbabilisticActor(
        TensorDictModule(
            MultiAgentMLP(n_agent_inputs=numbers, n_agent_outputs=actions, **common),
            in_keys=[OBSERVATION],
            out_keys=[(GROUP, "logits")],
        ),
        spec=env.action_spec,
        in_keys={"logits": (GROUP, "logits"), "mask": MASK},
        out_keys=[ACTION],
        distribution_class=MaskedCategorical,
        return_log_prob=True,
        log_prob_key=(GROUP, "action_log_prob"),
    )
    critic = ValueOperator(MultiAgentMLP(n_agent_inputs=numbers, n_agent_outputs=1, **common), in_keys=[OBSERVATION])
    critic.out_keys = [(GROUP, "state_value")]
    return actor, critic


def make_loss(actor: ProbabilisticActor, critic: ValueOperator) -> ClipPPOLoss:
    """PPO's loss, with the keys of its inputs."""
    loss = ClipPPOLoss(
        actor, critic, entropy_coeff=0.01, normalize_advantage=True, normalize_advantage_exclude_dims=(-1,)
    )
    loss.set_keys(
        reward=(GROUP, "reward"),
        action=ACTION,
        sample_log_prob=(GROUP, "action_log_prob"),
        value=(GROUP, "state_value"),
        done=(GROUP, "done"),
        terminated=(GROUP, "terminated"),
    )
    loss.make_value_estimator(ValueEstimators.GAE, gamma=0.99, lmbda=0.95)
    return loss


def update(loss: ClipPPOLoss, optimiser: torch.optim.Optimizer, batch: TensorDictBase) -> None:
    """Some epochs over a batch, with the minibatches in a new order each time."""
    with torch.no_grad():
        loss.value_estimator(batch, params=loss.critic_network_params, target_params=loss.target_critic_network_params)
    for _ in range(4):
        for part in torch.randperm(len(batch)).split(60):
            losses = loss(batch[part])
            optimiser.zero_grad()
            (losses["loss_objective"] + losses["loss_critic"] + losses["loss_entropy"]).backward()
            torch.nn.utils.clip_grad_norm_(loss.parameters(), 1.0)
            optimiser.step()


def main() -> None:
    """Train, then play an episode that training has not met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=480, help="of all workers at once")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    torch.manual_seed(chosen.seed)
    warnings.filterwarnings("ignore", "PettingZoo in TorchRL is tested", UserWarning)

    env, bare = make_env(chosen.seed)
    actor, critic = make_networks(env)
    loss = make_loss(actor, critic)
    optimiser = torch.optim.Adam(loss.parameters(), lr=5e-4)
    collector = Collector(
        env, actor, frames_per_batch=120, total_frames=chosen.steps, auto_register_policy_transforms=True
    )
    for number, batch in enumerate(collector):
        update(loss, optimiser, batch)
        print(
            f"batch {number}: reward of all workers {batch['next', GROUP, 'reward'].sum().item() / REWARD_SCALE:,.0f}",
            flush=True,
        )

    env, bare = make_env(1_000)
    with torch.no_grad(), set_exploration_type(ExplorationType.RANDOM):
        env.rollout(10_000, actor)
    print(f"held-out: revenue {bare.metrics.revenue:,.0f}, illegal {bare.metrics.illegal}")


if __name__ == "__main__":
    main()
