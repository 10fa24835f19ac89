"""Two routes to one number: the kernel of sensing against the reference simulator.

The reference is written from docs/sensing_dynamics.md in plain Python; it shares no code with the kernel.
"""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from reference.sensing_comparison import TOLERANCE, assert_same_moment, play_both
from reference.sensing_instance import SensingReferenceInstance
from reference.sensing_random_worlds import Flavour, Policy, random_world
from reference.sensing_reference import SensingReferenceSimulator

from crowdgym.agents.any.random_policy import RandomPolicy
from crowdgym.data.registry import load_series
from crowdgym.data.sensing import SensingSeries
from crowdgym.data.sensing.build import keep_series
from crowdgym.envs import sensing_v0

SIDES = [False, True]  # do the participants act?


@pytest.mark.parametrize("flavour", list(Flavour), ids=lambda flavour: flavour.value)
@pytest.mark.parametrize("inference", ["knn", "idw"])
def test_kernel_equals_reference(flavour: Flavour, inference: Any) -> None:
    rng = np.random.default_rng([list(Flavour).index(flavour), ["knn", "idw"].index(inference)])
    for participants_act, policy in product(SIDES, Policy):
        for _ in range(3):
            play_both(random_world(rng, flavour, inference=inference, participants_act=participants_act), policy, rng)


@pytest.mark.parametrize("flavour", list(Flavour), ids=lambda flavour: flavour.value)
def test_kernel_equals_reference_with_support_vectors(flavour: Flavour) -> None:
    rng = np.random.default_rng([list(Flavour).index(flavour), 2])
    for participants_act in SIDES:
        world = random_world(rng, flavour, inference="svr", participants_act=participants_act, cycles=3)
        play_both(world, Policy.RANDOM, rng)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
def test_kernel_equals_reference_in_many_worlds(seed: int) -> None:
    rng = np.random.default_rng(1_000 + seed)
    flavour = list(Flavour)[seed % len(Flavour)]
    for participants_act, policy, inference in product(SIDES, Policy, ("knn", "idw")):
        world = random_world(rng, flavour, inference=inference, participants_act=participants_act, cycles=12)
        play_both(world, policy, rng)


# ---- whole episodes of the environment, from its settings and a seed ----


def the_world(env: Any, series: SensingSeries, **changes: Any) -> SensingReferenceInstance:
    """What the page says that an episode of these settings is, the drawn placement apart."""
    settings = env.settings
    names = series.attributes if settings.attributes == "all" else settings.attributes
    columns = [series.attributes.index(name) for name in names]
    every = 1 if settings.step_s == "series" else round(settings.step_s / series.cycle_s)
    first = int(settings.start_s // series.cycle_s)
    cycles = list(range(first, series.num_cycles, every))
    if settings.horizon_s != "series":
        cycles = cycles[: int(np.ceil(settings.horizon_s / (every * series.cycle_s)))]
    values = series.values[cycles][:, :, columns]
    known = [[v for v in series.values[:, :, column].ravel().tolist() if v == v] for column in columns]
    scale = [max(v) - min(v) if settings.normalisation == "range" else float(np.percentile(v, 99)) for v in known]
    return SensingReferenceInstance(
        places_km=tuple(zip(series.x_km.tolist(), series.y_km.tolist(), strict=True)),
        values=tuple(tuple(tuple(None if v != v else v for v in row) for row in cycle) for cycle in values.tolist()),
        start=tuple(env.snapshot().participant_cell.tolist()),
        scale=tuple(scale),
        participants_act=settings.agents == "participants",
        inference=settings.inference,
        neighbours=settings.knn_neighbours if settings.inference == "knn" else settings.idw_neighbours,
        power=settings.idw_power,
        svr_c=settings.svr_c,
        svr_epsilon=settings.svr_epsilon,
        cost_weight=settings.cost_weight,
    )


def play_environment(env: Any, seed: int) -> None:
    """Play an episode of the environment and of the reference, comparing after every cycle."""
    observations, infos = env.reset(seed=seed)
    reference = SensingReferenceSimulator(the_world(env, load_series(env.settings.dataset)))
    assert len(set(reference.places)) == env.settings.num_participants
    assert_same_moment(env.snapshot(), reference)
    policy = RandomPolicy(seed)
    while env.agents:
        actions = dict(policy.act(observations, infos))
        observations, rewards, _, truncations, infos = env.step(actions)
        reference.step(list(actions.values()))
        assert_same_moment(env.snapshot(), reference)
        assert_allclose(list(rewards.values()), getattr(reference, env.settings.reward)(), **TOLERANCE)
        assert list(truncations.values()) == [reference.done] * len(actions)
    assert reference.done
    assert_allclose(env.metrics.error, reference.metrics().error, **TOLERANCE)


@pytest.mark.parametrize("agents", ["cells", "participants"])
@pytest.mark.parametrize(
    ("inference", "cycles"), [("knn", 182), ("idw", 182), ("svr", 8)], ids=lambda value: str(value)
)
def test_episodes_of_the_environment_equal_the_reference(agents: Any, inference: Any, cycles: int) -> None:
    env = sensing_v0.parallel_env(agents=agents, inference=inference, horizon_s=cycles * 86_400.0)
    assert env.settings.reward == "shared"
    play_environment(env, seed=7)


@pytest.mark.parametrize("agents", ["cells", "participants"])
def test_marginal_rewards_of_the_environment_equal_the_reference(agents: Any) -> None:
    """Another choice of cycles, attributes and scales as well."""
    env = sensing_v0.parallel_env(
        agents=agents,
        reward="marginal",
        cost_weight=0.05,
        attributes=("PM10", "EMI"),
        normalisation="p99",
        num_participants=5,
        start_s=3 * 86_400.0,
        step_s=7 * 86_400.0,
        horizon_s=6 * 7 * 86_400.0,
    )
    play_environment(env, seed=3)


@pytest.mark.real_data
@pytest.mark.parametrize("agents", ["cells", "participants"])
def test_an_episode_on_the_real_series_equals_the_reference(
    agents: Any, shared_data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from crowdgym.data.sensing.piemonte import read_piemonte

    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path))
    keep_series(read_piemonte(shared_data("piemonte")), [])
    play_environment(sensing_v0.parallel_env(scenario="piemonte", agents=agents, horizon_s=60 * 86_400.0), seed=1)
