"""What an instance of DASC may be: every defect is named in one sentence."""

from typing import Any

import numpy as np
import pytest
from reference.csc_arrays import to_network
from reference.hand_worlds import a_task, a_world

from crowdgym.common.errors import ConfigError
from crowdgym.envs.dasc.instance import NUM_SKILLS, DascInstance


def skills(*rows: tuple[int, ...]) -> np.ndarray:
    return np.array([[k in row for k in range(NUM_SKILLS)] for row in rows])


def arrays(**others: Any) -> dict[str, Any]:
    """Nodes 0 - 1 - 2 - 3 in a line. Task 0 is a diamond 0 < 1, 2 < 3; task 1 is the chain 4 < 5."""
    whole: dict[str, Any] = {
        "network": to_network(a_world([0], [a_task(0)])),
        "worker_node": np.array([0, 3], np.int32),
        "worker_skills": skills((0, 1), (2,)),
        "created_s": np.array([0.0, 50.0]),
        "expected_s": np.array([100.0, 200.0]),
        "deadline_s": np.array([200.0, 400.0]),
        "payment": np.array([10.0, 20.0]),
        "subtask_task": np.array([0, 0, 0, 0, 1, 1], np.int32),
        "subtask_node": np.array([0, 1, 2, 3, 3, 3], np.int32),
        "subtask_skills": skills((0,), (1,), (2,), (0, 1), (), (9,)),
        "duration_s": np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0]),
        "predecessor_start": np.array([0, 0, 1, 2, 4, 4, 5], np.int32),
        "predecessors": np.array([0, 0, 1, 2, 4], np.int32),
    }
    return whole | others


def changed(name: str, index: int, value: Any) -> dict[str, Any]:
    array = arrays()[name].copy()
    array[index] = value
    return {name: array}


def test_an_instance_knows_its_sizes_and_who_comes_before_whom() -> None:
    instance = DascInstance(**arrays())
    assert (instance.num_workers, instance.num_tasks, instance.num_subtasks) == (2, 2, 6)
    assert [list(instance.subtasks_of(task)) for task in (0, 1)] == [[0, 1, 2, 3], [4, 5]]
    assert [list(instance.predecessors_of(i)) for i in range(6)] == [[], [0], [0], [1, 2], [], [4]]


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        (changed("worker_node", 1, 4), "worker_node[1] must be a node, 0 to 3, got 4"),
        ({"worker_skills": skills((0,), ())}, "worker_skills[1] must be at least one skill, got none"),
        ({"worker_skills": skills((0,))}, "worker_skills must have shape (2, 10), got (1, 10)"),
        ({"worker_skills": np.ones((2, 10))}, "worker_skills must hold booleans, got float64"),
        (changed("created_s", 0, -1.0), "created_s[0] must be finite and not negative, got -1.0"),
        (changed("created_s", 0, np.nan), "created_s[0] must be finite and not negative, got nan"),
        (
            changed("created_s", 0, 60.0),
            "created_s[1] must be no earlier than the one before, as tasks are in order of creation, got 50.0",
        ),
        (changed("expected_s", 1, 49.0), "expected_s[1] must be no earlier than created_s, got 49.0"),
        (changed("deadline_s", 1, 50.0), "deadline_s[1] must be after created_s, got 50.0"),
        (changed("deadline_s", 0, 100.0), "deadline_s[0] must be after expected_s, got 100.0"),
        (changed("deadline_s", 0, np.inf), "deadline_s[0] must be after created_s, got inf"),
        (changed("payment", 1, -0.5), "payment[1] must be finite and not negative, got -0.5"),
        ({"payment": np.array([10, 20])}, "payment must hold floating-point numbers, got int64"),
        ({"payment": np.array([10.0])}, "payment must have shape (2,), got (1,)"),
        (changed("subtask_task", 5, 2), "subtask_task[5] must be a task, 0 to 1, got 2"),
        (changed("subtask_task", 1, 1), "subtask_task[2] must be no smaller than the one before, got 0"),
        (
            {"subtask_task": np.zeros(6, np.int32)},
            "every task must have at least one subtask, task 1 has none",
        ),
        (changed("subtask_node", 0, -1), "subtask_node[0] must be a node, 0 to 3, got -1"),
        (changed("duration_s", 2, 0.0), "duration_s[2] must be finite and positive, got 0.0"),
        (changed("predecessors", 4, 5), "predecessors[4] must be the number of an earlier subtask, got 5"),
        (changed("predecessors", 4, 3), "predecessors[4] must be a subtask of the same task, got 3"),
        (changed("predecessors", 3, 1), "predecessors[3] must be greater than the one before, got 1"),
        (
            changed("predecessor_start", 6, 4),
            "predecessor_start must ascend from 0 to 5, the number of predecessors, got 0 to 4",
        ),
        (
            changed("predecessor_start", 2, 9),
            "predecessor_start must ascend from 0 to 5, the number of predecessors, got 0 to 5",
        ),
    ],
)
def test_a_defect_is_named(others: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DascInstance(**arrays(**others))
    assert str(caught.value) == sentence


@pytest.mark.parametrize("what", ["worker", "task"])
def test_there_is_at_least_one_worker_and_one_task(what: str) -> None:
    no_workers = {"worker_node": np.zeros(0, np.int32), "worker_skills": np.zeros((0, NUM_SKILLS), np.bool_)}
    nothing = {name: np.zeros(0) for name in ("created_s", "expected_s", "deadline_s", "payment", "duration_s")}
    nothing |= {name: np.zeros(0, np.int32) for name in ("subtask_task", "subtask_node", "predecessors")}
    nothing |= {"subtask_skills": np.zeros((0, NUM_SKILLS), np.bool_), "predecessor_start": np.zeros(1, np.int32)}
    with pytest.raises(ConfigError, match=f"must have at least one {what}, got none"):
        DascInstance(**arrays(**(no_workers if what == "worker" else nothing)))
