"""What an episode of DASC is given: plain data for the reference simulator, sharing nothing with the package."""

from dataclasses import dataclass

from reference.csc_instance import Arc, ReferenceWorker

__all__ = ["Arc", "DascReferenceInstance", "ReferenceJob", "ReferenceSubtask", "ReferenceWorker"]


@dataclass(frozen=True)
class ReferenceSubtask:
    """A subtask; ``before``: its predecessors, numbered through the whole instance as all subtasks are."""

    node: int
    skills: frozenset[int]
    duration_s: float  # D
    before: tuple[int, ...] = ()


@dataclass(frozen=True)
class ReferenceJob:
    """A task; its subtasks are ``first``, ``first + 1``, … ``first + count - 1``."""

    created_s: float  # t_c
    expected_s: float  # t_e
    deadline_s: float  # t_d
    max_payment: float  # rho_max
    first: int
    count: int  # n

    @property
    def subtasks(self) -> range:
        """Their numbers."""
        return range(self.first, self.first + self.count)


@dataclass(frozen=True)
class DascReferenceInstance:
    """Everything that is fixed before the first step. Nodes are numbered 0..num_nodes - 1."""

    num_nodes: int
    unit_m: float
    arcs: tuple[Arc, ...]
    workers: tuple[ReferenceWorker, ...]
    jobs: tuple[ReferenceJob, ...]
    subtasks: tuple[ReferenceSubtask, ...]
    horizon_s: float
    step_s: float
    speed_mps: float
    range_m: float
    penalty_per_s: float  # zeta
    travel_cost_per_m: float  # c
    utility: tuple[float, float]  # alpha, beta
    max_candidates: int  # K
    num_slots: int  # S
    unmatched_penalty: float
    invalid_penalty: float
    selects: bool  # action_mode "select", else "recommend"
    after_finished: bool  # dependency "finished", else "assigned"

    def __post_init__(self) -> None:
        """Refuse what the specification says nothing about."""
        assert self.workers
        assert self.jobs
        assert min(self.horizon_s, self.step_s, self.speed_mps, self.unit_m, self.max_candidates) > 0
        assert self.num_slots >= len(self.subtasks)
        assert [i for job in self.jobs for i in job.subtasks] == list(range(len(self.subtasks)))
        for job in self.jobs:
            assert 0 <= job.created_s <= job.expected_s < job.deadline_s, job
            assert job.max_payment >= 0, job
            assert job.count >= 1, job
            for i in job.subtasks:
                assert self.subtasks[i].duration_s > 0, i
                assert all(job.first <= j < i for j in self.subtasks[i].before), i
        assert all(worker.skills for worker in self.workers)
