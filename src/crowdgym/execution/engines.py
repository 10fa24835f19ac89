"""The engines by name, as ``--engine`` takes them."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from crowdgym.common.errors import ConfigError
from crowdgym.execution.jobs import Engine
from crowdgym.execution.processes import ProcessEngine


class EngineName(StrEnum):
    """Where jobs are executed: in processes of this machine, on a Ray cluster, or as jobs of Slurm."""

    LOCAL = "local"
    RAY = "ray"
    SLURM = "slurm"


@dataclass(frozen=True)
class EngineChoice:
    """What the user has chosen.

    Attributes:
        name: of the engine.
        jobs: the most jobs that run at the same time; None: as many as there are cores.
        address: of a Ray cluster that runs; None: one on this machine is started.
        parameters: of the jobs of Slurm, as ``sbatch`` takes them. ``cluster=local`` plays them on this machine.
    """

    name: EngineName = EngineName.LOCAL
    jobs: int | None = None
    address: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)

    def open(self, folder: Path) -> AbstractContextManager[Engine]:
        """The engine, to be used with ``with``.

        Args:
            folder: of the run; Slurm's files are kept in it.

        Raises:
            ConfigError: an option belongs to another engine. ``with`` raises it if the engine cannot be started.
        """
        if self.address is not None and self.name is not EngineName.RAY:
            raise ConfigError(f"--address belongs to --engine ray, got --engine {self.name}")
        if self.parameters and self.name is not EngineName.SLURM:
            raise ConfigError(f"--engine-arg belongs to --engine slurm, got --engine {self.name}")
        if self.name is EngineName.RAY:
            from crowdgym.execution.ray_engine import RayEngine

            return RayEngine(self.jobs, self.address)
        if self.name is EngineName.SLURM:
            from crowdgym.execution.slurm_engine import SlurmEngine

            parameters = dict(self.parameters)
            cluster = parameters.pop("cluster", "slurm")
            return SlurmEngine(self.jobs or cores(), folder / "slurm", parameters, cluster)
        return ProcessEngine(self.jobs or cores())


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
