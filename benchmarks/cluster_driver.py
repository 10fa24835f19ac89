"""What the driver does for each job: it hands jobs out, takes answers, and writes rows and traces.

`cluster_costs.py driver` calls it. The jobs do nothing, so that the driver is what is full. The functions are here and
not in that program so that an engine sends their names, as with the jobs of a suite, and not their code.
"""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final
from unittest.mock import patch

from crowdgym.common.files import LineFile, write_bytes
from crowdgym.execution.fingerprint import fingerprint_of
from crowdgym.execution.jobs import Engine, JobKind
from crowdgym.execution.processes import ProcessEngine

ROW: Final = "x" * 400 + "\n"  # about as long as a row of a suite
PROCESSES: Final = 2


@dataclass(frozen=True)
class Job:
    """A job that returns so many bytes and does nothing else."""

    number: int
    num_bytes: int

    def parameters(self) -> dict[str, Any]:
        """See `crowdgym.execution.jobs.Job`."""
        return {"number": self.number}

    def isolation_group(self) -> str:
        """See `crowdgym.execution.jobs.Job`."""
        return ""


def nothing(job: Job) -> dict[str, Any]:
    """The work on such a job."""
    return {"number": job.number, "bytes": bytes(job.num_bytes)}


def fingerprint(job: Job) -> dict[str, str]:
    """As of an episode."""
    return fingerprint_of("tiny")


def driver_costs(name: str, seats: Sequence[int], num_bytes: Sequence[int]) -> Iterator[tuple[str, dict[str, float]]]:
    """What the driver does for a job, for each number of seats that are busy at the same time and each size of results.

    Ray's seats share `PROCESSES` processes of this machine, since hundreds do not fit on it. The driver, which is what
    is measured, sends the same messages to each seat and waits for the same answers.

    Yields:
        The key of the costs; with it ``processor_s``, of the driver's process for a job, without writing, and
        ``write_s``, the wall-clock time in which a row and its bytes are on the disk.
    """
    kind: JobKind[Job] = JobKind(nothing, fingerprint=fingerprint)
    with _engines(name, max(seats)) as engine_of:
        for number in seats:
            engine = engine_of(number)
            list(engine.run(kind, [Job(job, 0) for job in range(4 * number)]))  # starts the processes
            for size in num_bytes:
                jobs = [Job(job, size) for job in range(max(400, 4 * number))]
                began_s = _own_s()
                list(engine.run(kind, jobs))
                processor_s = (_own_s() - began_s) / len(jobs)
                yield f"driver {name} {number} {size}", {"processor_s": processor_s, "write_s": _write_s(size)}


def _write_s(num_bytes: int, times: int = 200) -> float:
    """Wall-clock time in which a row and a trace are on the disk."""
    with tempfile.TemporaryDirectory(dir=".") as folder, LineFile(Path(folder) / "rows") as lines:
        began_s = time.perf_counter()
        for number in range(times):
            lines.append(ROW)
            if num_bytes:
                write_bytes(Path(folder) / "traces" / str(number), bytes(num_bytes))
        return (time.perf_counter() - began_s) / times


@contextmanager
def _engines(name: str, most_seats: int) -> Iterator[Callable[[int], Engine]]:
    """Makes an engine with a number of seats: "local", "ray", or "ray-engine", with actors that answer at once."""
    if name == "local":
        with ExitStack() as stack:
            yield lambda seats: stack.enter_context(ProcessEngine(seats))
        return
    if name == "ray-engine":
        sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "execution"))
        import fake_ray

        from crowdgym.execution import ray_engine

        fake = fake_ray.FakeRay({"node": most_seats})
        with patch.object(ray_engine, "_ray", lambda: fake):
            yield ray_engine.RayEngine
        return
    import ray
    from ray.cluster_utils import Cluster

    from crowdgym.execution import ray_engine

    class Seat(ray_engine.Seat):
        """A seat in one of few processes."""

        actors: ClassVar[list[Any]] = []
        made = 0

        def make_actor(self) -> Any:
            if len(self.actors) < PROCESSES:
                shared = ray.remote(num_cpus=0, max_concurrency=most_seats)(ray_engine.Executor)
                self.actors.append(shared.remote(os.getcwd()))
            Seat.made += 1
            return self.actors[Seat.made % len(self.actors)]

        def end(self) -> None:
            """The processes end with the cluster."""

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": most_seats, "include_dashboard": False})
    try:
        with ray_engine.RayEngine(most_seats, cluster.address):  # joins the cluster, for all of them
            yield lambda seats: ray_engine.RayEngine(seats, seat_class=Seat)
    finally:
        cluster.shutdown()


def _own_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
