"""One instance of CSC: who the workers are and what the tasks will be, before anyone acts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.data.roads import RoadNetwork

NUM_SKILLS = 8


@dataclass(frozen=True)
class CscInstance:
    """Workers and tasks of one episode. W workers, T tasks, S = 8 skills; tasks are in order of creation.

    Raises:
        ConfigError: an array of the wrong shape, or a value that the dynamics cannot take: says which.
    """

    network: RoadNetwork
    worker_node: NDArray[np.int32]  # [W] where each starts
    worker_skills: NDArray[np.bool_]  # [W, S]
    task_node: NDArray[np.int32]  # [T]
    task_skill: NDArray[np.int8]  # [T] k
    created_s: NDArray[np.float64]  # [T] t_c
    expected_s: NDArray[np.float64]  # [T] t_e
    deadline_s: NDArray[np.float64]  # [T] t_d
    workload_s: NDArray[np.float64]  # [T] q, worker-seconds
    payment: NDArray[np.float64]  # [T] rho_max

    def __post_init__(self) -> None:
        workers, tasks = len(self.worker_node), len(self.task_node)
        if self.worker_skills.shape != (workers, NUM_SKILLS):
            raise ConfigError(f"worker_skills must have shape {(workers, NUM_SKILLS)}, got {self.worker_skills.shape}")
        for name in ("task_skill", "created_s", "expected_s", "deadline_s", "workload_s", "payment"):
            if getattr(self, name).shape != (tasks,):
                raise ConfigError(f"{name} must have shape {(tasks,)}, got {getattr(self, name).shape}")
        self._check("worker_node", (self.worker_node >= 0) & (self.worker_node < self.network.num_nodes), "a node")
        self._check("task_node", (self.task_node >= 0) & (self.task_node < self.network.num_nodes), "a node")
        self._check("task_skill", (self.task_skill >= 0) & (self.task_skill < NUM_SKILLS), f"0 to {NUM_SKILLS - 1}")
        self._check("created_s", np.isfinite(self.created_s) & (self.created_s >= 0), "finite and not negative")
        self._check("expected_s", np.isfinite(self.expected_s), "finite")
        self._check("deadline_s", np.isfinite(self.deadline_s) & (self.deadline_s > self.created_s), "after created_s")
        self._check("workload_s", np.isfinite(self.workload_s) & (self.workload_s > 0), "finite and positive")
        self._check("payment", np.isfinite(self.payment) & (self.payment >= 0), "finite and not negative")

    def _check(self, name: str, holds: NDArray[np.bool_], wanted: str) -> None:
        if not holds.all():
            index = int(np.flatnonzero(~holds)[0])
            raise ConfigError(f"{name}[{index}] must be {wanted}, got {getattr(self, name)[index]}")
