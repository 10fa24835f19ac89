"""csc_v0 through SuperSuit to Stable-Baselines3's PPO: the path that works for any PettingZoo environment.

    python examples/supersuit_ppo.py --steps 200000

It is slower than our own (``sb3_maskable_ppo.py``): a Python call for each worker and step. It also lacks features. It
has no masks for MaskablePPO, so an illegal action holds and is counted. It drops the seed, and all copies would play
the same episodes, so they are seeded here. It does not report that an episode was truncated, so SB3 takes the value
after the last step as 0.
"""

import argparse
from typing import Any

import numpy as np
import supersuit
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

from crowdgym.envs import csc_v0
from crowdgym.runner import run_episodes

SETTINGS = {"scenario": "tiny", "num_workers": 12}


class Trained:
    """A trained model as a policy: `crowdgym run` takes such objects too."""

    def __init__(self, model: PPO) -> None:
        self._model = model

    def act(self, observations: dict[str, Any], infos: dict[str, Any]) -> dict[str, int]:
        """An action for each worker, legal or not."""
        actions, _ = self._model.predict(np.stack(list(observations.values())))
        return dict(zip(observations, actions.tolist(), strict=True))


def main() -> None:
    """Train, then play on seeds that training has not met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()

    one = supersuit.pettingzoo_env_to_vec_env_v1(csc_v0.parallel_env(**SETTINGS))
    several = supersuit.concat_vec_envs_v1(one, num_vec_envs=2, num_cpus=1, base_class="stable_baselines3")
    for copy, part in enumerate(several.venv.vec_envs):
        part.par_env.reset(seed=chosen.seed + copy)  # SuperSuit passes no seed on; this fixes all that follows
    env = VecNormalize(VecMonitor(several), norm_obs=False)  # observations are scaled, payments are about a thousand
    model = PPO("MlpPolicy", env, n_steps=64, batch_size=512, ent_coef=0.01, verbose=1)
    model.learn(chosen.steps)
    print(f"training: {model.num_timesteps:,} steps")

    played = run_episodes(csc_v0.parallel_env(**SETTINGS), Trained(model), agent="trained", episodes=2, seed=1_000)
    print(f"held-out: revenue {played.mean['revenue']:,.0f}, illegal {played.mean['illegal']:.0f}")


if __name__ == "__main__":
    main()
