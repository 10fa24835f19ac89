"""One instance of DASC: who the workers are and what the tasks and their subtasks will be, before anyone acts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.data.roads import RoadNetwork

NUM_SKILLS = 10


@dataclass(frozen=True)
class DascInstance:
    """Workers, tasks and subtasks of one episode. W workers, Q tasks, S subtasks, E precedences, K = 10 skills.

    Tasks are in order of creation. The subtasks of a task follow each other, in a topological order: a predecessor has
    a smaller number. ``predecessors[predecessor_start[i]:predecessor_start[i + 1]]`` are those of subtask i.

    Raises:
        ConfigError: an array of the wrong shape, or a value that the dynamics cannot take: says which.
    """

    network: RoadNetwork
    worker_node: NDArray[np.int32]  # [W] where each starts
    worker_skills: NDArray[np.bool_]  # [W, K]
    created_s: NDArray[np.float64]  # [Q] t_c
    expected_s: NDArray[np.float64]  # [Q] t_e
    deadline_s: NDArray[np.float64]  # [Q] t_d
    payment: NDArray[np.float64]  # [Q] rho_max
    subtask_task: NDArray[np.int32]  # [S] ascending
    subtask_node: NDArray[np.int32]  # [S]
    subtask_skills: NDArray[np.bool_]  # [S, K]
    duration_s: NDArray[np.float64]  # [S] D
    predecessor_start: NDArray[np.int32]  # [S + 1]
    predecessors: NDArray[np.int32]  # [E] ascending within a subtask

    def __post_init__(self) -> None:
        self._check_shapes()
        self._check_workers_and_tasks()
        self._check_subtasks()
        self._check_precedence()

    @property
    def num_workers(self) -> int:
        """W."""
        return len(self.worker_node)

    @property
    def num_tasks(self) -> int:
        """Q."""
        return len(self.created_s)

    @property
    def num_subtasks(self) -> int:
        """S."""
        return len(self.subtask_node)

    def subtasks_of(self, task: int) -> range:
        """The subtasks of a task, in topological order."""
        first, after = np.searchsorted(self.subtask_task, (task, task + 1))
        return range(int(first), int(after))

    def predecessors_of(self, subtask: int) -> NDArray[np.int32]:
        """The subtasks that must be done before ``subtask``. Ascending."""
        return self.predecessors[self.predecessor_start[subtask] : self.predecessor_start[subtask + 1]]

    def _check_shapes(self) -> None:
        workers, tasks, subtasks = len(self.worker_node), len(self.created_s), len(self.subtask_node)
        shapes: dict[str, tuple[tuple[int, ...], str]] = {
            "worker_node": ((workers,), "iu"),
            "worker_skills": ((workers, NUM_SKILLS), "b"),
            "created_s": ((tasks,), "f"),
            "expected_s": ((tasks,), "f"),
            "deadline_s": ((tasks,), "f"),
            "payment": ((tasks,), "f"),
            "subtask_task": ((subtasks,), "iu"),
            "subtask_node": ((subtasks,), "iu"),
            "subtask_skills": ((subtasks, NUM_SKILLS), "b"),
            "duration_s": ((subtasks,), "f"),
            "predecessor_start": ((subtasks + 1,), "iu"),
            "predecessors": ((len(self.predecessors),), "iu"),
        }
        words = {"iu": "whole numbers", "b": "booleans", "f": "floating-point numbers"}
        for name, (shape, kinds) in shapes.items():
            array: NDArray[Any] = getattr(self, name)
            if array.shape != shape:
                raise ConfigError(f"{name} must have shape {shape}, got {array.shape}")
            if array.dtype.kind not in kinds:
                raise ConfigError(f"{name} must hold {words[kinds]}, got {array.dtype}")
        for name, count in (("worker", workers), ("task", tasks)):
            if count == 0:
                raise ConfigError(f"an instance must have at least one {name}, got none")

    def _check_workers_and_tasks(self) -> None:
        nodes = f"a node, 0 to {self.network.num_nodes - 1}"
        self._check("worker_node", (self.worker_node >= 0) & (self.worker_node < self.network.num_nodes), nodes)
        skilled: NDArray[np.bool_] = np.asarray(self.worker_skills.any(axis=1))
        self._check("worker_skills", skilled, "at least one skill")
        self._check("created_s", np.isfinite(self.created_s) & (self.created_s >= 0), "finite and not negative")
        ascending: NDArray[np.bool_] = np.diff(self.created_s, prepend=0.0) >= 0
        self._check("created_s", ascending, "no earlier than the one before, as tasks are in order of creation")
        not_before = np.isfinite(self.expected_s) & (self.expected_s >= self.created_s)
        self._check("expected_s", not_before, "no earlier than created_s")
        later = np.isfinite(self.deadline_s) & (self.deadline_s > self.created_s)
        self._check("deadline_s", later, "after created_s")
        self._check("deadline_s", self.deadline_s > self.expected_s, "after expected_s")
        self._check("payment", np.isfinite(self.payment) & (self.payment >= 0), "finite and not negative")

    def _check_subtasks(self) -> None:
        nodes = f"a node, 0 to {self.network.num_nodes - 1}"
        owner = self.subtask_task
        self._check("subtask_task", (owner >= 0) & (owner < self.num_tasks), f"a task, 0 to {self.num_tasks - 1}")
        self._check("subtask_task", np.diff(owner, prepend=0) >= 0, "no smaller than the one before")
        empty = np.flatnonzero(np.bincount(owner, minlength=self.num_tasks) == 0)
        if len(empty):
            raise ConfigError(f"every task must have at least one subtask, task {empty[0]} has none")
        self._check("subtask_node", (self.subtask_node >= 0) & (self.subtask_node < self.network.num_nodes), nodes)
        self._check("duration_s", np.isfinite(self.duration_s) & (self.duration_s > 0), "finite and positive")

    def _check_precedence(self) -> None:
        start, before = self.predecessor_start, self.predecessors
        if start[0] != 0 or start[-1] != len(before) or (np.diff(start) < 0).any():
            raise ConfigError(
                f"predecessor_start must ascend from 0 to {len(before)}, the number of predecessors, "
                f"got {start[0]} to {start[-1]}"
            )
        after = np.repeat(np.arange(self.num_subtasks), np.diff(start))  # [E] whose predecessor each is
        self._check("predecessors", (before >= 0) & (before < after), "the number of an earlier subtask")
        self._check("predecessors", self.subtask_task[before] == self.subtask_task[after], "a subtask of the same task")
        first = np.zeros(len(before), np.bool_)
        first[start[:-1][np.diff(start) > 0]] = True
        self._check("predecessors", first | (np.diff(before, prepend=-1) > 0), "greater than the one before")

    def _check(self, name: str, holds: NDArray[np.bool_], wanted: str) -> None:
        if not holds.all():
            index = int(np.flatnonzero(~holds)[0])
            value = getattr(self, name)[index]
            shown = "none" if name == "worker_skills" else value
            raise ConfigError(f"{name}[{index}] must be {wanted}, got {shown}")
