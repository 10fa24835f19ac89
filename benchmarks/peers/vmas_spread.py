"""VMAS, simple_spread: a batch of copies in PyTorch on the CPU, its own interface (a tensor for every agent)."""

import torch
from timing import Variant, arguments, report, time_calls
from vmas import make_env

chosen = arguments(__doc__, copies=32)
torch.set_num_threads(1)
env = make_env(
    "simple_spread",
    num_envs=chosen.copies,
    device="cpu",
    continuous_actions=False,
    seed=0,
    n_agents=chosen.agents,
)
observations = env.reset()


def actions() -> list[torch.Tensor]:
    """Random actions: for every agent one a copy."""
    return [env.get_random_action(agent) for agent in env.agents]


with torch.no_grad():
    timed = time_calls(actions, env.step, chosen.runs, chosen.run_s)
width = observations[0].shape[-1]
report([Variant("tensors", chosen.copies, chosen.agents, width, 1, *timed)], ["vmas", "torch"])
