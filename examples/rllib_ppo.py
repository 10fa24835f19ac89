"""RLlib's PPO on csc_v0 with masked actions, one policy for all workers.

    python -m venv rllib && rllib/bin/pip install -r examples/rllib_requirements.txt --editable .
    rllib/bin/python examples/rllib_ppo.py --steps 24000

A step is one of all workers at once. RLlib pins gymnasium==1.2.2, so it lives in an environment of its own.
"""

import argparse
from typing import Any

from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv
from ray.rllib.examples.rl_modules.classes.action_masking_rlm import ActionMaskingTorchRLModule
from ray.tune.registry import register_env

from crowdgym.envs import csc_v0
from crowdgym.wrappers import MaskInObservation

SETTINGS = {"scenario": "tiny", "num_workers": 6}  # not strict: RLlib tries an action of its own first, mask or not


class LogMetrics(RLlibCallback):
    """The results of an episode, from the infos of its last step."""

    def on_episode_end(self, *, episode: Any, metrics_logger: Any, **_: Any) -> None:
        """Log revenue and illegal actions of the platform, which are the same in everyone's info."""
        last = next(iter(episode.get_infos(-1).values()))["metrics"]
        metrics_logger.log_value("revenue", last["revenue"], window=10)
        metrics_logger.log_value("illegal", last["illegal"], window=10)


def make_env(settings: dict[str, Any]) -> ParallelPettingZooEnv:
    """RLlib's view of the environment; its module looks for the key "observations" beside the mask."""
    return ParallelPettingZooEnv(MaskInObservation(csc_v0.parallel_env(**settings), key="observations"))


def main() -> None:
    """Train, and print the results of each iteration."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=960, help="of all workers at once")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()

    register_env("csc_v0", make_env)
    module = RLModuleSpec(
        module_class=ActionMaskingTorchRLModule, model_config={"fcnet_hiddens": [64, 64], "head_fcnet_hiddens": []}
    )
    config = (
        PPOConfig()
        .environment("csc_v0", env_config=SETTINGS)
        .env_runners(num_env_runners=0)  # in this process
        .multi_agent(policies={"worker"}, policy_mapping_fn=lambda agent, *_, **__: "worker")
        .rl_module(rl_module_spec=MultiRLModuleSpec(rl_module_specs={"worker": module}))
        .training(train_batch_size_per_learner=240, minibatch_size=120, num_epochs=4, lr=5e-4, gamma=0.99)
        .callbacks(LogMetrics)
        .debugging(seed=chosen.seed)
    )
    algorithm = config.build_algo()
    for iteration in range(max(1, chosen.steps // 240)):
        played = algorithm.train()["env_runners"]
        print(f"iteration {iteration}: revenue {played['revenue']:,.0f}, illegal {played['illegal']:.0f}", flush=True)
    algorithm.stop()


if __name__ == "__main__":
    main()
