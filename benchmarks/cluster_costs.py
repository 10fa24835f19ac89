"""What whole suites cost in core-hours, and how many jobs a second one driver hands out.

    python benchmarks/cluster_costs.py                     # suites: one episode of each agent at the first grid point
    python benchmarks/cluster_costs.py --driver            # and the driver, with jobs that do nothing

An episode is timed in processor seconds of one process, without compiling: it is played twice, and the second time
counts. The cost of a suite is the mean over its agents, times its episodes. Grid points differ in size; the first and
the last one are timed, and their mean is taken.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdgym.bench.jobs import EpisodeJob, play_episode, prepare
from crowdgym.bench.suite import Suite
from crowdgym.common.errors import CrowdGymError
from crowdgym.configs.suites import named_suite, suite_names
from crowdgym.execution.jobs import JobKind
from crowdgym.execution.processes import ProcessEngine

JOBS = 2_000  # that do nothing


@dataclass(frozen=True)
class Nothing:
    """A job that does nothing."""

    number: int

    def parameters(self) -> dict[str, Any]:
        """See `crowdgym.execution.jobs.Job`."""
        return {"number": self.number}

    def isolation_group(self) -> str:
        """See `crowdgym.execution.jobs.Job`."""
        return ""


def nothing(job: Nothing) -> dict[str, Any]:
    """The work on such a job."""
    return {"number": job.number}


def cost_of(name: str) -> str:
    """A row of the table: episodes, processor seconds of an episode, core-hours of the suite."""
    suite = Suite(name, named_suite(name))
    try:
        suite.check()
    except CrowdGymError as error:
        return f"| `{name}` | | | not measured: {error} |"
    jobs = suite.job_lists(Path("unused"), {}, traces=False)[0].jobs
    seconds = [_seconds(job) for job in _sample(jobs)]
    mean = sum(seconds) / len(seconds)
    return f"| `{name}` | {len(jobs):,} | {mean:.2f} | {mean * len(jobs) / 3600:.1f} |"


def _sample(jobs: Any) -> Iterator[EpisodeJob]:
    """For each agent, an episode at its first grid point and one at its last."""
    agents = list(dict.fromkeys(job.agent for job in jobs))
    for agent in agents:
        own = [job for job in jobs if job.agent == agent]
        yield own[0]
        yield own[-1]


def _seconds(job: EpisodeJob) -> float:
    prepare(job)
    play_episode(job)
    began_s = time.process_time()
    play_episode(job)
    return time.process_time() - began_s


def handed_out_per_s(engine: Any) -> float:
    """Jobs a second, all of them handed out by one driver."""
    list(engine.run(JobKind(nothing), [Nothing(0), Nothing(1)]))  # starts the processes
    began_s = time.perf_counter()
    list(engine.run(JobKind(nothing), [Nothing(number) for number in range(JOBS)]))
    return JOBS / (time.perf_counter() - began_s)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--driver", action="store_true")
    parser.add_argument("--suites", default=",".join(suite_names()))
    chosen = parser.parse_args()
    print("| suite | episodes | processor s an episode | core-hours |\n| --- | ---: | ---: | ---: |")
    for name in chosen.suites.split(","):
        print(cost_of(name), flush=True)
    if chosen.driver:
        with ProcessEngine(2) as processes:
            print(f"driver, local: {handed_out_per_s(processes):,.0f} jobs/s")
        from crowdgym.execution.ray_engine import RayEngine

        with RayEngine(2) as ray:
            print(f"driver, ray: {handed_out_per_s(ray):,.0f} jobs/s")


if __name__ == "__main__":
    main()
