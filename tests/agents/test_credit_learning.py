"""What the reward ``marginal`` is worth to a learner, on the smallest city."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents.ippo.ippo import make_trainer  # noqa: E402
from crowdgym.agents.learning.trainer import TrainingTask  # noqa: E402
from crowdgym.common.seeds import EVALUATION  # noqa: E402
from crowdgym.configs.ippo import IppoSettings  # noqa: E402
from crowdgym.envs.csc_v0 import parallel_env, vector_env  # noqa: E402
from crowdgym.policies import load_policy  # noqa: E402
from crowdgym.runner import run_episodes  # noqa: E402

ITERATIONS, INSTANCES = 20, 32


def revenue_after_training(reward: str) -> float:
    """The mean on the instances of evaluation. Agents choose at once, as published."""
    torch.set_num_threads(1)
    settings = IppoSettings.load("csc_v0", num_envs=8, evaluation_episodes=INSTANCES)

    def make(copies: int) -> Any:
        return vector_env(num_envs=copies, copy=False, scenario="tiny", reward=reward)

    nothing: Any = None
    task = TrainingTask(
        environment="csc_v0",
        settings=settings,
        make_vector_env=make,
        make_env=parallel_env,
        make_centres=nothing,
        load_policy=nothing,
        metric="revenue",
        evaluation_seeds=EVALUATION[:INSTANCES],
        steps=ITERATIONS * 8 * 120,
        seed=0,
        device="cpu",
    )
    trainer = make_trainer(task)
    trainer.begin(fresh=True)
    assert trainer.iterations == ITERATIONS
    for number in range(ITERATIONS):
        trainer.iterate(number)
    return trainer.evaluate()["evaluation"]


@pytest.mark.slow
def test_marginal_beats_individual_and_random_after_20_iterations() -> None:
    env = parallel_env(scenario="tiny")
    result = run_episodes(env, load_policy("random", "csc_v0"), agent="", episodes=INSTANCES, seed=EVALUATION.start)
    random = float(np.mean([episode.metrics["revenue"] for episode in result.episodes]))
    marginal, individual = revenue_after_training("marginal"), revenue_after_training("individual")
    assert marginal > 1.02 * max(individual, random)
