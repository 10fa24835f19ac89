"""IPPO or MAPPO of BenchMARL (``--variant``), one network for all agents."""

import logging
import tempfile

import numpy as np
import torch
from benchmarl.algorithms import IppoConfig, MappoConfig
from benchmarl.experiment import Experiment, ExperimentConfig
from benchmarl.models import MlpConfig
from numpy.typing import NDArray
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
    REWARD_SCALE,
    SETTING,
    Timer,
    TrainedPolicy,
    arguments,
    compile_first,
    report,
)
from tensordict import TensorDict
from torchrl.envs import ExplorationType, set_exploration_type

from crowdgym.integrations.benchmarl import make_task

chosen = arguments(__doc__)
torch.set_num_threads(1)
logging.disable(logging.WARNING)
agents = int(SETTING["num_workers"])
algorithm = {"": IppoConfig, "ippo": IppoConfig, "mappo": MappoConfig}[chosen.variant].get_from_yaml()
algorithm.entropy_coef, algorithm.clip_epsilon, algorithm.lmbda = ENTROPY, CLIP, GAE_LAMBDA
config = ExperimentConfig.get_from_yaml()
config.max_n_frames, config.max_n_iters = chosen.steps, None
config.on_policy_n_envs_per_worker = COPIES
config.on_policy_collected_frames_per_batch = COPIES * EPISODE_STEPS
config.on_policy_minibatch_size = MINIBATCH // agents
config.on_policy_n_minibatch_iters = EPOCHS
config.lr, config.gamma, config.clip_grad_val = LEARNING_RATE, DISCOUNT, MAX_GRADIENT_NORM
config.evaluation, config.render, config.loggers, config.create_json = False, False, [], False
model = MlpConfig(num_cells=[HIDDEN, HIDDEN], layer_class=torch.nn.Linear, activation_class=torch.nn.Tanh)

compile_first()
timer = Timer()
with tempfile.TemporaryDirectory() as out:
    config.save_folder = out
    task = make_task("csc_v0", reward_scale=REWARD_SCALE, strict=True, **SETTING)
    experiment = Experiment(
        task=task,
        algorithm_config=algorithm,
        model_config=model,
        critic_model_config=model,
        seed=chosen.seed,
        config=config,
    )
    with timer():
        experiment.run()


@torch.no_grad()
def choose(observations: NDArray[np.float32], masks: NDArray[np.int8], likeliest: bool) -> NDArray[np.int_]:
    """See `setting.Chooser`."""
    seen = {"observation": torch.as_tensor(observations), "action_mask": torch.as_tensor(masks) > 0}
    moment = TensorDict({"worker": TensorDict(seen, [agents])}, [])
    with set_exploration_type(ExplorationType.DETERMINISTIC if likeliest else ExplorationType.RANDOM):
        return experiment.policy(moment)["worker", "action"].numpy()


report(lambda likeliest: TrainedPolicy(choose, likeliest), timer.processor_s, ("benchmarl", "torchrl"))
