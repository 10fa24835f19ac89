"""The engine that executes jobs on the machines of a Ray cluster.

A seat is an actor on one node. A lost seat's job is executed again elsewhere if its policy comes with CrowdGym or its
node is gone; a policy of a user that ends its process has failed, as with the engine for local processes.
"""

import os
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from crowdgym.common.errors import ConfigError
from crowdgym.common.extras import needs
from crowdgym.execution.answers import Answer, prepare_elsewhere, run, too_long
from crowdgym.execution.jobs import AnyJob, Job, JobKind, Outcome
from crowdgym.execution.processes import THREADS

MOST_LOSSES: Final = 3  # of the same job
_LOOK_S: Final = 2.0  # time between two looks at the nodes of the cluster


class RayEngine:
    """Executes jobs on a Ray cluster; see `crowdgym.execution.jobs.Engine`.

    Use it with ``with``: the end of the block ends all seats, and a cluster that it has started itself.

    Args:
        num_seats: the most jobs that run at the same time; None: as many as the cluster has cores.
        address: of a cluster that runs, such as "auto" or "10.0.0.1:6379"; None: one on this machine is started.
        seat_class: makes a seat; another one is for measurements.
    """

    def __init__(
        self, num_seats: int | None = None, address: str | None = None, seat_class: "type[Seat] | None" = None
    ) -> None:
        self._num_seats, self._address, self._seat_class = num_seats, address, seat_class or Seat
        self._seats: list[Seat] = []
        self._ready: set[str] = set()  # nodes on which a job was prepared: what it compiled is cached
        self._nodes: dict[str, int] = {}  # cores of each node that is alive
        self._looked_s = -_LOOK_S

    def __enter__(self) -> "RayEngine":
        _connect(self._address)
        return self

    def __exit__(self, *exception: object) -> None:
        while self._seats:
            self._seats.pop().end()
        _ray().shutdown()

    def run(self, kind: JobKind[AnyJob], jobs: Sequence[AnyJob]) -> Iterator[tuple[AnyJob, Outcome]]:
        """See `crowdgym.execution.jobs.Engine.run`.

        The first job of a node is prepared alone: what it compiles is cached, and the others do not compile it again.

        Raises:
            DataError: a node has other code or other data than this machine.
            RuntimeError: the same job was lost `MOST_LOSSES` times, or the cluster has no node left.
        """
        try:
            yield from self._outcomes(kind, _Waiting(jobs))
        finally:
            for seat in self._busy():  # the caller has stopped, or an error stopped the run
                self._remove(seat)

    def _outcomes(self, kind: JobKind[AnyJob], waiting: "_Waiting") -> Iterator[tuple[AnyJob, Outcome]]:
        losses: dict[int, int] = {}
        while waiting or self._busy():
            self._look()
            while waiting and (seat := self._free_seat(waiting)) is not None:
                seat.begin(kind, waiting.take(seat.group))
            for seat, has_answered in self._first_to_answer():
                outcome = self._advance(seat, has_answered, kind)
                if isinstance(outcome, Outcome):
                    yield seat.leave(), outcome
                elif outcome is not None:
                    job = seat.leave()
                    losses[id(job)] = losses.get(id(job), 0) + 1
                    if losses[id(job)] >= MOST_LOSSES:
                        raise RuntimeError(f"a job was lost {MOST_LOSSES} times, at last because {outcome}")
                    waiting.put_back(job)

    def _busy(self) -> "list[Seat]":
        return [seat for seat in self._seats if seat.job is not None]

    def _look(self) -> None:
        """See which nodes there are."""
        if time.monotonic() - self._looked_s < _LOOK_S:
            return
        self._looked_s = time.monotonic()
        alive = [node for node in _ray().nodes() if node["Alive"]]
        self._nodes = {node["NodeID"]: int(node["Resources"].get("CPU", 0)) for node in alive}
        self._seats = [seat for seat in self._seats if seat.job is not None or seat.node in self._nodes]

    def _free_seat(self, waiting: "_Waiting") -> "Seat | None":
        """A seat for one of the jobs that wait, in a place that is free; None if there is none."""
        free = [seat for seat in self._seats if seat.job is None and self._may_begin_on(seat.node)]
        for seat in free:
            if waiting.has(seat.group):
                return seat
        place = self._free_place()
        if place is None and free:
            place = free[0].node
            free[0].end()
            self._seats.remove(free[0])
        if place is None:
            return None
        self._seats.append(self._seat_class(place, waiting.first_group()))
        return self._seats[-1]

    def _free_place(self) -> str | None:
        """A node with a core for another seat; None if there is none."""
        if self._num_seats is not None and len(self._seats) >= self._num_seats:
            return None
        there = Counter(seat.node for seat in self._seats)
        nodes = self._nodes.items()
        return next((node for node, cores in nodes if there[node] < cores and self._may_begin_on(node)), None)

    def _may_begin_on(self, node: str) -> bool:
        return node in self._nodes and (node in self._ready or all(seat.node != node for seat in self._busy()))

    def _first_to_answer(self) -> "list[tuple[Seat, bool]]":
        """Wait until a seat has an answer or has reached its deadline, at most until the next look at the nodes.

        Returns:
            All such seats, and whether each has answered. To ask takes time for each busy seat, so one question serves
            all of them.
        """
        busy = self._busy()
        if not busy and not self._nodes:
            raise RuntimeError("the Ray cluster has no node left on which jobs can run")
        if not busy:
            return []
        ends = [seat.deadline for seat in busy if seat.deadline is not None]
        timeout_s = max(0.0, min([_LOOK_S, *(end - time.monotonic() for end in ends)]))
        first, others = _ray().wait([seat.answer for seat in busy], num_returns=1, timeout=timeout_s)
        more, _ = _ray().wait(others, num_returns=len(others), timeout=0) if first and others else ([], [])
        answered, now = {*first, *more}, time.monotonic()
        found = [(seat, seat.answer in answered) for seat in busy]
        return [(seat, there) for seat, there in found if there or (seat.deadline is not None and now >= seat.deadline)]

    def _advance(self, seat: "Seat", has_answered: bool, kind: JobKind[Any]) -> Outcome | str | None:
        """The outcome of a seat's job, or why it was lost; None if it goes on."""
        ray = _ray()
        if not has_answered:
            self._remove(seat)
            return Outcome({}, too_long(kind.time_limit_s), seat.wall_s())
        try:
            answer: Answer = ray.get(seat.answer)
        except (
            ray.exceptions.RayActorError,
            ray.exceptions.ObjectLostError,
            ray.exceptions.ActorUnschedulableError,  # the node was lost before the seat was there
        ) as error:
            self._remove(seat)
            return self._lost(seat, " ".join(str(error).split()))
        if answer.kind != "begun":
            return answer.outcome(seat.wall_s())
        self._ready.add(seat.node)
        seat.go_on(kind)
        return None

    def _remove(self, seat: "Seat") -> None:
        seat.end()
        self._seats.remove(seat)

    def _lost(self, seat: "Seat", why: str) -> Outcome | str:
        """What has become of the job of a seat that is gone."""
        self._looked_s = -_LOOK_S
        self._look()
        if seat.group and seat.begun_s is not None and seat.node in self._nodes:
            return Outcome({}, "its process ended", seat.wall_s())
        return why


class Seat:
    """An actor on one node, as the engine sees it. It only executes jobs of one isolation group."""

    def __init__(self, node: str, group: str) -> None:
        self.node, self.group = node, group
        self.job: Job | None = None
        self.answer: Any = None
        self.begun_s: float | None = None
        self.deadline: float | None = None
        self._actor = self.make_actor()

    def make_actor(self) -> Any:
        """Start the actor, on the node."""
        ray = _ray()
        strategy = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node_id=self.node, soft=False)
        return (
            ray.remote(num_cpus=1, max_restarts=0)(Executor).options(scheduling_strategy=strategy).remote(os.getcwd())
        )

    def begin(self, kind: JobKind[AnyJob], job: AnyJob) -> None:
        """Send a job."""
        self.job, self.begun_s, self.deadline = job, None, None
        self.answer = self._actor.prepare.remote(kind, job, kind.fingerprint(job))

    def go_on(self, kind: JobKind[AnyJob]) -> None:
        """Run the job that was prepared."""
        self.begun_s = time.monotonic()
        self.deadline = None if kind.time_limit_s is None else self.begun_s + kind.time_limit_s
        self.answer = self._actor.run.remote(kind, self.job)

    def leave(self) -> Any:
        """The job, which this seat no longer has."""
        job, self.job = self.job, None
        return job

    def wall_s(self) -> float:
        """Time since the job has begun."""
        return 0.0 if self.begun_s is None else time.monotonic() - self.begun_s

    def end(self) -> None:
        """Kill the actor, whatever it is doing."""
        _ray().kill(self._actor)


class Executor:
    """Executes jobs, in a process of a node.

    Args:
        folder: the current folder of the engine, where relative paths begin. It is the current folder here too, if this
            node sees it.
    """

    def __init__(self, folder: str) -> None:
        with suppress(OSError):
            os.chdir(folder)

    def prepare(self, kind: JobKind[AnyJob], job: AnyJob, expected: Mapping[str, str]) -> Answer:
        """See `crowdgym.execution.answers.prepare_elsewhere`."""
        return prepare_elsewhere(kind, job, expected, f"the node {_ray().util.get_node_ip_address()}")

    def run(self, kind: JobKind[AnyJob], job: AnyJob) -> Answer:
        """See `crowdgym.execution.answers.run`."""
        return run(kind, job)


class _Waiting:
    """The jobs that wait, by isolation group. The time of each call does not depend on how many there are."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._of_group: dict[str, deque[tuple[int, Job]]] = {}
        self._put_back = 0
        for number, job in enumerate(jobs):
            self._of_group.setdefault(job.isolation_group(), deque()).append((number, job))

    def __bool__(self) -> bool:
        return bool(self._of_group)

    def has(self, group: str) -> bool:
        """Whether a job of the group waits."""
        return group in self._of_group

    def first_group(self) -> str:
        """The group of the first of all jobs."""
        return min(self._of_group, key=lambda group: self._of_group[group][0][0])

    def take(self, group: str) -> Any:
        """The first job of a group, which waits no more."""
        jobs = self._of_group[group]
        _, job = jobs.popleft()
        if not jobs:
            del self._of_group[group]
        return job

    def put_back(self, job: Job) -> None:
        """Let a job wait again, before all others."""
        self._put_back -= 1
        self._of_group.setdefault(job.isolation_group(), deque()).appendleft((self._put_back, job))


def _ray() -> Any:
    try:
        import ray
        import ray.exceptions
        import ray.util.scheduling_strategies
    except ImportError:
        raise ConfigError(needs("--engine ray", "ray")) from None
    return ray


def _connect(address: str | None) -> None:
    """Join a cluster, or start one on this machine."""
    ray = _ray()
    one_thread = {name: os.environ.get(name, "1") for name in THREADS}
    try:
        ray.init(
            address=address or "local",
            runtime_env={"env_vars": one_thread},
            log_to_driver=False,
            logging_level="error",
            include_dashboard=False if address is None else None,
        )
    except Exception as error:
        where = "on this machine" if address is None else f"at {address!r}"
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ConfigError(
            f"there is no Ray cluster {where}: {reason}; start one with 'ray start --head', wait until 'ray status' "
            "shows its nodes, and give its address with --address"
        ) from error
