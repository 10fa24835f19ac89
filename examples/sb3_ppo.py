"""Stable-Baselines3's PPO on sensing_v0, where every action is legal: one policy for all participants.

    python examples/sb3_ppo.py --steps 200000

A step is one of one participant, as Stable-Baselines3 counts. Where actions are masked, PPO does not see that: an
illegal action holds and is counted in the metrics, and ``sb3_maskable_ppo.py`` is the better example.
"""

import argparse
from typing import Any

import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

from crowdgym.envs import sensing_v0
from crowdgym.integrations.sb3 import make_vec_env
from crowdgym.runner import run_episodes

SETTINGS = {"agents": "participants", "num_participants": 8, "attributes": ("EMI", "PM10")}


class Trained:
    """A trained model as a policy: `crowdgym run` takes such objects too."""

    def __init__(self, model: PPO) -> None:
        self._model = model

    def act(self, observations: dict[str, Any], infos: dict[str, Any]) -> dict[str, int]:
        """An action for each participant."""
        actions, _ = self._model.predict(np.stack(list(observations.values())))
        return dict(zip(observations, actions.tolist(), strict=True))


def main() -> None:
    """Train, then play on held-out seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=24_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()

    env = VecNormalize(VecMonitor(make_vec_env("sensing_v0", num_envs=4, **SETTINGS)), norm_obs=False)
    model = PPO("MlpPolicy", env, n_steps=64, batch_size=512, seed=chosen.seed, verbose=1)
    model.learn(chosen.steps)
    rewards = [episode["r"] for episode in model.ep_info_buffer]
    print(f"training: {model.num_timesteps:,} steps, mean reward of a participant's episode {np.mean(rewards):.2f}")

    played = run_episodes(sensing_v0.parallel_env(**SETTINGS), Trained(model), agent="trained", episodes=2, seed=1_000)
    print(f"held-out: error {played.mean['error']:.4f}, cost {played.mean['cost_km']:.3f} km")


if __name__ == "__main__":
    main()
