"""What choices add to payments, as read from observations, against the environment and by hand."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents.csc.projection import CANDIDATES, Projector  # noqa: E402
from crowdgym.agents.csc.turn_collector import collector_of  # noqa: E402
from crowdgym.agents.learning.collect import IterationSeeds  # noqa: E402
from crowdgym.agents.learning.rollout import Rollout  # noqa: E402
from crowdgym.common.layout import ObservationLayout  # noqa: E402
from crowdgym.configs.ippo import IppoSettings  # noqa: E402
from crowdgym.envs.csc_v0 import vector_env  # noqa: E402


class HoldsOften(torch.nn.Module):
    """All legal actions are equally probable, but holding is e times as probable."""

    def forward(self, observations: Any, masks: Any) -> Any:
        scores = torch.zeros(masks.shape, device=observations.device)
        scores[:, 0] = 1.0
        return scores.masked_fill(~masks, -torch.inf).log_softmax(dim=1)


@pytest.mark.parametrize("turns", ["none", "gain", "idle"])
def test_what_joins_add_sums_to_the_revenue(turns: Any) -> None:
    """Whether agents choose at once or in turn; up to the single precision of observations."""
    env = vector_env(num_envs=2, copy=False, scenario="tiny", horizon_s=2700.0)
    settings = IppoSettings.load("csc_v0", turns=turns, mask_idle_gain=turns != "none")
    rollout = collector_of(env, settings).collect(
        HoldsOften(), IterationSeeds.of(0, 0, 2).copies, signals=(CANDIDATES,)
    )
    sets = ObservationLayout.from_metadata(env.metadata, env.single_observation_space.shape[0]).sets
    found = Projector(env.metadata, sets).project(rollout)
    revenue = rollout.metrics["revenue"]
    assert (revenue > 0).all()
    assert (rollout.metrics["expired"] > 0).any()
    np.testing.assert_allclose(found.revenue, revenue, rtol=1e-6)
    np.testing.assert_allclose(np.bincount(rollout.copies, found.marginal), revenue, rtol=1e-6)
    assert (found.marginal[rollout.actions == 0] == 0).all()
    if turns == "gain":  # what agents are told, but for the end of the episode, which they do not reckon with
        alone = rollout.decision_infos["alone"][np.arange(len(rollout.actions)), rollout.actions - 1]
        joins = (rollout.actions > 0) & (rollout.steps < 40)
        np.testing.assert_allclose(found.marginal[joins], alone[joins], atol=0.05)


RULES = {"step_s": 10.0, "horizon_s": 1000.0, "speed_mps": 10.0, "penalty_per_s": 0.001}
FEATURES = ("present", "distance", "work_left", "until_expected", "until_deadline", "payment_now")
SCALES = (1.0, 1000.0, 1000.0, 1000.0, 1000.0, 400.0)


def two_workers(actions: list[int], distances_m: list[float]) -> tuple[Rollout, Projector]:
    """One step at which two workers see one task: work 300, expected after 200 s, deadline after 300 s, payment 100."""
    layout = {"T_optional": {"start": 0, "shape": (1, 6), "features": FEATURES, "scales": SCALES, "units": ("",) * 6}}
    seen = np.array([[1.0, d / 1000, 0.3, 0.2, 0.3, 0.25] for d in distances_m], np.float32)
    nothing: Any = np.zeros(0)
    rollout = Rollout(
        observations=seen,
        masks=np.ones((2, 2), np.bool_),
        actions=np.array(actions),
        log_probabilities=nothing,
        rows=np.array([0, 1]),
        steps=np.array([0, 0]),
        rewards=np.zeros((1, 2)),
        joint_actions=np.array([actions]),
        num_agents=np.array([2]),
        metrics={},
        environment_s=0.0,
        signals={CANDIDATES: np.full((2, 2, 1), 7)},
        groups=np.zeros(1, np.int64),
    )
    metadata = {"observation_layout": layout, "rules": RULES}
    return rollout, Projector(metadata, ObservationLayout.from_metadata(metadata, 6).sets)


def test_a_task_that_needs_two_is_paid_for_the_second() -> None:
    """Alone, worker 0 is there after 50 s and done after 350 s: too late. With worker 1, there after 100 s, 250 s of
    work are left to two, who finish at 225 s: 25 s late, so 97.5 are paid."""
    rollout, projector = two_workers([1, 1], [500.0, 1000.0])
    found = projector.project(rollout)
    np.testing.assert_allclose(found.marginal, [0.0, 97.5], atol=1e-4)
    np.testing.assert_allclose(found.increment, [97.5, 97.5], atol=1e-4)
    np.testing.assert_allclose(found.realised, [97.5, 97.5], atol=1e-4)
    assert found.others.tolist() == [[1], [1]]


def test_who_holds_sees_what_others_add() -> None:
    """Worker 1 alone, at the task at once, finishes at 300 s: the deadline, so nothing is paid."""
    rollout, projector = two_workers([0, 1], [500.0, 0.0])
    found = projector.project(rollout)
    assert found.marginal.tolist() == [0.0, 0.0]
    assert found.others.tolist() == [[1], [0]]
    assert projector.payment_mean == 100.0
