"""MaskablePPO of sb3-contrib, one network for all agents."""

import numpy as np
import torch
from numpy.typing import NDArray
from sb3_contrib import MaskablePPO
from setting import (
    CLIP,
    COPIES,
    DISCOUNT,
    ENTROPY,
    EPISODE_STEPS,
    EPOCHS,
    GAE_LAMBDA,
    HIDDEN,
    LEARNING_RATE,
    MAX_GRADIENT_NORM,
    MINIBATCH,
    SETTING,
    Timer,
    TrainedPolicy,
    arguments,
    compile_first,
    report,
    training_seed,
)
from stable_baselines3.common.vec_env import VecNormalize

from crowdgym.integrations.sb3 import make_vec_env

chosen = arguments(__doc__)
torch.set_num_threads(1)
compile_first()
env = VecNormalize(make_vec_env("csc_v0", num_envs=COPIES, strict=True, **SETTING), norm_obs=False, gamma=DISCOUNT)
model = MaskablePPO(
    "MlpPolicy",
    env,
    n_steps=EPISODE_STEPS,
    batch_size=MINIBATCH,
    n_epochs=EPOCHS,
    learning_rate=lambda left: LEARNING_RATE * left,
    gamma=DISCOUNT,
    gae_lambda=GAE_LAMBDA,
    clip_range=CLIP,
    ent_coef=ENTROPY,
    max_grad_norm=MAX_GRADIENT_NORM,
    policy_kwargs={"net_arch": [HIDDEN, HIDDEN]},
    seed=chosen.seed,
)
env.seed(training_seed(chosen.seed))
timer = Timer()
with timer():
    model.learn(chosen.steps * int(SETTING["num_workers"]))


def choose(observations: NDArray[np.float32], masks: NDArray[np.int8], likeliest: bool) -> NDArray[np.int_]:
    """See `setting.Chooser`."""
    actions, _ = model.predict(observations, action_masks=masks, deterministic=likeliest)
    return actions


report(lambda likeliest: TrainedPolicy(choose, likeliest), timer.processor_s, ("sb3-contrib", "stable-baselines3"))
