"""Settings whose times are closer together than numbers can tell: what is constructed can be reset, for every seed."""

from typing import Any

import numpy as np
import pytest

import crowdgym
from crowdgym.envs.core.sampling import later


def test_a_time_is_a_moment_later_only_where_it_is_not_later() -> None:
    times = later(np.array([5.0, 5.0, 1e9]), np.array([4.0, 5.0, 1e9 + 1]))
    assert times.tolist() == [5.0, np.nextafter(5.0, 6.0), np.nextafter(1e9 + 1, np.inf)]


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        ("csc_v0", {"deadline_factor": 1e-9, "expected_factor": 0.0}),
        ("csc_v0", {"workload_mean_s": 1e-300}),
        ("csc_v0", {"deadline_factor": 1e-300, "workload_log_sd": 5.0}),
        ("dasc_v0", {"expected_factor": 1e-9, "deadline_factor": 1.0000001e-9}),
        ("dasc_v0", {"duration_mean_s": 1e-12, "spread_m": 0.0}),
        ("preference_v0", {"scenario": "preference-tiny", "expiry_mean_s": 1e-300}),
    ],
)
def test_what_can_be_constructed_can_be_reset(name: str, keywords: dict[str, Any]) -> None:
    env: Any = crowdgym.make(name, **{"scenario": "tiny", **keywords})
    for seed in range(5):
        env._definition.instance(env._seeds, seed)
