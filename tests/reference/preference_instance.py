"""What an episode of ``preference_v0`` is given: plain data for the reference simulator."""

from dataclasses import dataclass

from reference.csc_instance import Arc


@dataclass(frozen=True)
class ReferenceWorker:
    """A worker: where it starts, and its true preference for every category."""

    start_node: int
    preference: tuple[float, ...]


@dataclass(frozen=True)
class ReferenceTask:
    """A task."""

    node: int
    category: int
    created_s: float
    expiry_s: float


@dataclass(frozen=True)
class PreferenceReferenceInstance:
    """Everything that is fixed before the first step. Nodes are numbered 0..num_nodes - 1."""

    num_nodes: int
    unit_m: float
    arcs: tuple[Arc, ...]
    workers: tuple[ReferenceWorker, ...]
    tasks: tuple[ReferenceTask, ...]
    lots: tuple[tuple[float, ...], ...]  # U[w][s]
    num_centres: int
    horizon_s: float
    step_s: float
    speed_mps: float
    range_m: float
    max_candidates: int
    service_s: float
    pause_s: float
    max_offers: int
    always: bool  # acceptance = always
    a_min: float
    a_max: float
    gamma: float

    def __post_init__(self) -> None:
        """Refuse what the specification says nothing about."""
        if not self.workers or not self.tasks or not 1 <= self.num_centres <= len(self.workers):
            raise ValueError("an instance has workers, tasks, and no more centres than workers")
        if min(self.horizon_s, self.step_s, self.speed_mps, self.unit_m) <= 0:
            raise ValueError("horizon, step, speed and unit are positive")
        if min(self.max_candidates, self.max_offers) < 1 or min(self.range_m, self.service_s, self.pause_s) < 0:
            raise ValueError("a task has at least one offer; range, service and pause are not negative")
        for task in self.tasks:
            if not 0 <= task.created_s < task.expiry_s:
                raise ValueError(f"a task has 0 <= created < expiry, this is {task}")

    def centre(self, worker: int) -> int:
        """The centre of a worker."""
        return worker * self.num_centres // len(self.workers)

    def accepts(self, worker: int, task: int) -> bool:
        """Whether the worker is willing."""
        if self.always:
            return True
        preference = self.workers[worker].preference
        relative = preference[self.tasks[task].category] / max(preference)
        return self.lots[worker][task] < self.a_min + (self.a_max - self.a_min) * relative**self.gamma
