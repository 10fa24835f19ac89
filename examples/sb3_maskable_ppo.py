"""sb3-contrib's MaskablePPO on csc_v0, one policy for all workers; no illegal action is ever taken.

    python examples/sb3_maskable_ppo.py --steps 200000

A step is one of one worker, as Stable-Baselines3 counts. The trained model is then played like any policy of CrowdGym.
"""

import argparse
from typing import Any

import numpy as np
from sb3_contrib import MaskablePPO
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

from crowdgym.envs import csc_v0
from crowdgym.integrations.sb3 import make_vec_env
from crowdgym.runner import run_episodes

SETTINGS = {"scenario": "tiny", "num_workers": 12, "strict": True}  # strict: an illegal action would raise


class Trained:
    """A trained model as a policy: `crowdgym run` takes such objects too."""

    def __init__(self, model: MaskablePPO) -> None:
        self._model = model

    def act(self, observations: dict[str, Any], infos: dict[str, Any]) -> dict[str, int]:
        """An action for each worker."""
        masks = np.stack([info["action_mask"] for info in infos.values()])
        actions, _ = self._model.predict(np.stack(list(observations.values())), action_masks=masks)
        return dict(zip(observations, actions.tolist(), strict=True))


def main() -> None:
    """Train, then play on held-out seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=24_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()

    env = VecMonitor(make_vec_env("csc_v0", num_envs=4, **SETTINGS), info_keywords=("metrics",))
    env = VecNormalize(env, norm_obs=False)  # observations are scaled as they are; payments are about a thousand
    model = MaskablePPO("MlpPolicy", env, n_steps=64, batch_size=512, ent_coef=0.01, seed=chosen.seed, verbose=1)
    model.learn(chosen.steps)
    illegal = sum(episode["metrics"]["illegal"] for episode in model.ep_info_buffer)
    print(f"training: {model.num_timesteps:,} steps, illegal {illegal}")

    played = run_episodes(csc_v0.parallel_env(**SETTINGS), Trained(model), agent="trained", episodes=2, seed=1_000)
    print(f"held-out: revenue {played.mean['revenue']:,.0f}, illegal {played.mean['illegal']:.0f}")


if __name__ == "__main__":
    main()
