"""Pictures of `preference_v0`: they show what is there, and the same moment gives the same bytes."""

import numpy as np
from preference_worlds import NEVER, a_task, a_world, moment, start

from crowdgym.data.registry import load_dataset
from crowdgym.envs import preference_v0
from crowdgym.envs.preference.scene import task_states
from crowdgym.envs.preference.viewer import PreferenceViewer


def test_the_states_of_tasks() -> None:
    lots = {(0, 0): NEVER}
    tasks = [a_task(0), a_task(1), a_task(2), a_task(3, expiry_s=2.0), a_task(3, created_s=50.0)]
    simulation = start(a_world([0, 1], tasks, lots))
    simulation.step(np.array([[1, 1]]))
    states = task_states(moment(simulation))
    assert {name: np.flatnonzero(flags).tolist() for name, flags in states.items()} == {
        "open": [2],
        "declined": [0],
        "accepted": [1],
        "closed": [],
        "expired": [3],
    }


def test_a_picture_of_an_episode() -> None:
    env = preference_v0.parallel_env(scenario="preference-tiny", render_mode="rgb_array")
    env.reset(seed=0)
    before = env.render()
    assert before.shape == (1000, 1000, 3)
    _, infos = env.reset(seed=0)
    np.testing.assert_array_equal(env.render(), before)
    env.step({agent: int(info["action_mask"][1]) for agent, info in infos.items()})
    assert (env.render() != before).any()


def test_a_large_city_gets_an_inset() -> None:
    env = preference_v0.parallel_env(num_workers=30, num_tasks=30)
    env.reset(seed=0)
    network = load_dataset("haikou-synth").network
    viewer = PreferenceViewer(network, title="a title")
    snapshot = env.snapshot()
    frame = viewer.draw(snapshot)
    np.testing.assert_array_equal(PreferenceViewer(network, title="a title").draw(snapshot), frame)
