"""One instance of `preference_v0`: who the workers are, what the tasks will be, and who is willing to do which."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.data.dataset import CATEGORIES
from crowdgym.data.roads import RoadNetwork

NUM_CATEGORIES = len(CATEGORIES)

_SUM_TOLERANCE = 1e-6  # of a distribution


@dataclass(frozen=True)
class PreferenceInstance:
    """Workers and tasks of one episode. W workers, T tasks, C = 8 categories; tasks are in order of creation.

    ``preference`` and ``lots`` are hidden truth: they are in no observation, info or state.

    Raises:
        ConfigError: an array of the wrong shape, or a value that the dynamics cannot take: says which.
    """

    network: RoadNetwork
    centre: NDArray[np.int32]  # [W]
    worker_node: NDArray[np.int32]  # [W] where each starts
    history_share: NDArray[np.float64]  # [W, C] of the categories in the worker's history
    preference: NDArray[np.float64]  # [W, C] p_w, sums to 1
    lots: NDArray[np.float64]  # [W, T] U, in [0, 1): a worker is willing where its lot is below a(w, s)
    task_node: NDArray[np.int32]  # [T]
    task_category: NDArray[np.int8]  # [T] c_s
    created_s: NDArray[np.float64]  # [T] t_c
    expiry_s: NDArray[np.float64]  # [T] e

    def __post_init__(self) -> None:
        workers, tasks = len(self.worker_node), len(self.task_node)
        shapes: dict[str, tuple[int, ...]] = {
            "centre": (workers,),
            "history_share": (workers, NUM_CATEGORIES),
            "preference": (workers, NUM_CATEGORIES),
            "lots": (workers, tasks),
            "task_category": (tasks,),
            "created_s": (tasks,),
            "expiry_s": (tasks,),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ConfigError(f"{name} must have shape {shape}, got {getattr(self, name).shape}")
        nodes = self.network.num_nodes
        self._check("centre", self.centre >= 0, "not negative")
        self._check("worker_node", (self.worker_node >= 0) & (self.worker_node < nodes), "a node")
        self._check("task_node", (self.task_node >= 0) & (self.task_node < nodes), "a node")
        known = (self.task_category >= 0) & (self.task_category < NUM_CATEGORIES)
        self._check("task_category", known, f"0 to {NUM_CATEGORIES - 1}")
        self._check("created_s", np.isfinite(self.created_s) & (self.created_s >= 0), "finite and not negative")
        self._check("expiry_s", np.isfinite(self.expiry_s) & (self.expiry_s > self.created_s), "after created_s")
        for name, least, most, wanted in (
            ("history_share", 0.0, 1.0, "shares from 0 to 1"),
            ("lots", 0.0, np.nextafter(1.0, 0.0), "in [0, 1)"),
        ):
            rows = getattr(self, name)
            self._check(name, (rows.min(axis=1) >= least) & (rows.max(axis=1) <= most), wanted)
        whole = np.abs(self.preference.sum(axis=1) - 1.0) <= _SUM_TOLERANCE
        self._check("preference", whole & (self.preference.min(axis=1) >= 0), "a distribution that sums to 1")

    def _check(self, name: str, holds: NDArray[np.bool_], wanted: str) -> None:
        if not holds.all():
            index = int(np.flatnonzero(~holds)[0])
            raise ConfigError(f"{name}[{index}] must be {wanted}, got {getattr(self, name)[index]}")
