"""The adapted baselines: what ICES predicts and pays for, and what the reward agent of ReLara learns from."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents.ices.source import CHANGING, mean_changes  # noqa: E402
from crowdgym.agents.learning.rollout import Rollout  # noqa: E402
from crowdgym.agents.relara.source import RelaraSource, RewardActor, Transitions, next_decisions  # noqa: E402
from crowdgym.common.layout import ObservationLayout  # noqa: E402
from crowdgym.configs.ices import IcesSettings  # noqa: E402
from crowdgym.configs.relara import RelaraSettings  # noqa: E402

K = 2
SETS = ObservationLayout.of((("w_self", 1, ("elapsed",)), ("T_optional", K, ("present", *CHANGING)))).sets


def rollout_of(rows: list[int], steps: list[int], ids: list[list[int]], work: list[list[float]]) -> Rollout:
    """Decisions of four agents in two copies; of a candidate, ``work`` is "work_left", and the rest is 0."""
    seen = np.zeros((len(rows), 1 + 5 * K), np.float32)
    for k in range(K):
        seen[:, 1 + 5 * k] = np.array(ids)[:, k] >= 0
        seen[:, 2 + 5 * k] = np.array(work)[:, k]
    candidates = np.full((4, 4, K), -1)
    candidates[steps, rows] = ids
    nothing: Any = np.zeros(0)
    return Rollout(
        observations=seen,
        masks=nothing,
        actions=np.zeros(len(rows), np.int64),
        log_probabilities=nothing,
        rows=np.array(rows),
        steps=np.array(steps),
        rewards=np.zeros((3, 4)),
        joint_actions=nothing,
        num_agents=np.array([2, 2]),
        metrics={},
        environment_s=0.0,
        signals={"candidates": candidates},
        groups=np.zeros(2, np.int64),
    )


def test_a_change_of_a_candidate_is_what_anybody_of_the_copy_sees_at_the_next_step() -> None:
    """Agent 0 sees tasks 4 and 7. At the next step agent 1 sees task 4, with 0.2 less work; task 7 is not seen. The
    mean over both candidates is −0.1. In the other copy, task 4 is another task."""
    rollout = rollout_of(
        rows=[0, 2, 1, 3],
        steps=[0, 0, 1, 1],
        ids=[[4, 7], [4, -1], [4, -1], [9, -1]],
        work=[[0.5, 0.6], [0.8, 0.0], [0.3, 0.0], [0.1, 0.0]],
    )
    changes = mean_changes(rollout, SETS[1])
    assert changes.shape == (4, 4)
    np.testing.assert_allclose(changes[0], [-0.1, 0.0, 0.0, 0.0], atol=1e-7)
    assert (changes[1:] == 0).all()


def test_the_weight_of_exploration_falls_to_nothing_over_the_run() -> None:
    settings = IcesSettings.load("csc_v0")
    assert (settings.exploration_weight, settings.length_matters, settings.latents) == (0.1, True, 16)


def test_the_next_decision_is_that_of_the_same_agent() -> None:
    no_one = [[-1, -1]] * 5
    rollout = rollout_of([1, 2, 1, 2, 1], [0, 0, 1, 2, 2], no_one, [[0.0, 0.0]] * 5)
    following, steps = next_decisions(rollout)
    assert following.tolist() == [2, 3, 4, -1, -1]
    assert steps.tolist() == [1, 2, 1, 0, 0]


def test_the_density_of_the_reward_agent_is_that_of_a_squashed_normal_distribution() -> None:
    torch.manual_seed(0)
    actor = RewardActor(SETS, RelaraSettings.load("csc_v0", hidden=8, embedding=8, heads=2)).double()
    inputs, noise = torch.randn(50, 1 + 5 * K, dtype=torch.float64), torch.randn(50, dtype=torch.float64)
    reward, density = actor(inputs, noise)
    mean, log_deviation = actor.network(inputs).unbind(dim=1)
    normal = torch.distributions.Normal(mean, log_deviation.clamp(-5, 2).exp())
    squashed = torch.distributions.TransformedDistribution(normal, torch.distributions.transforms.TanhTransform())
    assert (reward.abs() <= 1).all()
    torch.testing.assert_close(density, squashed.log_prob(reward), atol=1e-6, rtol=1e-6)


def test_the_reward_agent_learns_to_give_what_pays() -> None:
    """A world where r^E = −r^S and nothing follows: the rewards that are given fall."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    nothing: Any = None
    settings = RelaraSettings.load(
        "csc_v0", hidden=16, embedding=8, heads=2, reward_actor_learning_rate=0.003, reward_critic_learning_rate=0.003
    )
    source = RelaraSource(settings, SETS, nothing, seed=0)
    draws = np.random.default_rng(0)
    width = source.layout.sets[-1].stop
    inputs = torch.from_numpy(draws.random((256, width), np.float32))
    given = torch.from_numpy(draws.uniform(-1.0, 1.0, 256).astype(np.float32))
    now = Transitions(inputs, -given, torch.zeros(256), torch.zeros(256, dtype=torch.int64))
    before = source._act(inputs, torch.zeros(256)).mean()
    for _ in range(150):
        chosen = torch.from_numpy(draws.integers(256, size=64))
        source._update(now, given, chosen, torch.from_numpy(draws.standard_normal((2, 64)).astype(np.float32)))
    assert source._act(inputs, torch.zeros(256)).mean() < before - 0.5
