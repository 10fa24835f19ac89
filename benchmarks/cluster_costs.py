"""What a sweep of all suites costs on a cluster, from unit costs that are measured here.

    python benchmarks/cluster_costs.py suites     # an episode of each agent: processor time, bytes of row and trace
    python benchmarks/cluster_costs.py training   # an iteration of each learner: playing, learning, bytes sent back
    python benchmarks/cluster_costs.py driver     # jobs that do nothing: what the driver does for each
    python benchmarks/cluster_costs.py plan       # the tables of docs/clusters.md

What is measured is kept in --costs, and not measured again. Processor seconds are those of one process and do not
depend on what else the machine does, apart from its caches.
"""

import argparse
import json
import pickle
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from crowdgym.bench.jobs import EpisodeJob, keep_trace, play_episode, prepare
from crowdgym.bench.suite import Suite
from crowdgym.common.errors import CrowdGymError
from crowdgym.common.files import LineFile
from crowdgym.configs.suites import named_suite, suite_names
from crowdgym.execution.fingerprint import fingerprint_of
from crowdgym.execution.jobs import JobKind
from crowdgym.execution.processes import ProcessEngine
from crowdgym.learners import find_learner
from crowdgym.training.hyperparameters import split_keywords
from crowdgym.training.plan import TrainingPlan

LEARNERS: Final = 10
SEEDS: Final = 10
CORES: Final = 1_000
STEPS: Final = 200_000  # of the environment, of one training run; about what the packaged agents had
LINE_BYTES_PER_S: Final = 125e6  # 1 Gbit/s
LONG_S: Final = 20.0  # an episode that takes longer is not played a second time

# Each learner in an environment that it learns in, with a scenario; the smallest iteration, since only its parts count.
ROLLOUT: Final = {"num_envs": 1, "evaluation_episodes": 1}
TRAINED: Final = (
    ("ippo", "csc_v0", "chengdu-paper", ROLLOUT),
    ("cafe", "csc_v0", "chengdu-paper", ROLLOUT),
    ("ices", "csc_v0", "chengdu-paper", ROLLOUT),
    ("relara", "csc_v0", "chengdu-paper", ROLLOUT),
    ("es", "csc_v0", "chengdu-paper", {"population": 4, "episodes": 1, "evaluation_episodes": 1}),
    ("ippo", "dasc_v0", "dasc-scarce-haikou", ROLLOUT),
    ("rmo", "dasc_v0", "dasc-scarce-haikou", ROLLOUT),
    ("ippo", "preference_v0", "preference-synth", ROLLOUT),
    ("ippo", "sensing_v0", "piemonte-synth", ROLLOUT),
)

Costs = dict[str, dict[str, Any]]


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


# Suites


def suite_costs(name: str, known: Container[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """For each agent of a suite that is not known, an episode in the middle of its jobs; with the key of the costs."""
    suite = Suite(name, named_suite(name))
    suite.check()
    with tempfile.TemporaryDirectory() as folder:
        lists = suite.job_lists(Path(folder), {}, traces=True)
        jobs = next(of.jobs for of in lists if of.jobs and isinstance(of.jobs[0], EpisodeJob))
        instances = len({job.instance for job in jobs})
        for agent in dict.fromkeys(job.agent for job in jobs):
            key = f"suite {name} {agent.name}"
            if key in known:
                continue
            own = [job for job in jobs if job.agent == agent]
            job = own[len(own) // 2]
            try:
                prepare(job)
                processor_s, values = _timed(lambda job=job: play_episode(job))
                if processor_s < LONG_S:  # the first time compiled code was loaded, too
                    processor_s, values = _timed(lambda job=job: play_episode(job))
            except CrowdGymError as error:
                yield key, {"error": " ".join(str(error).split())}
                continue
            trace = next(value for value in values.values() if isinstance(value, bytes))
            began_s = time.process_time()
            with LineFile(Path(folder) / "rows") as lines:
                row = json.dumps({**job.parameters(), **keep_trace(job, values), "checksum": "0" * 64}) + "\n"
                lines.append(row)
            yield (
                key,
                {
                    "episodes": len(own),
                    "instances": instances,
                    "processor_s": processor_s,
                    "write_s": time.process_time() - began_s,
                    "row_bytes": len(row),
                    "trace_bytes": len(trace),
                },
            )


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    began_s = time.process_time()
    value = call()
    return time.process_time() - began_s, value


# Training


def training_cost(agent: str, environment: str, scenario: str, smallest: dict[str, Any]) -> dict[str, Any]:
    """An iteration of a learner: processor seconds of playing and of the rest, for a step of the environment."""
    import torch

    torch.set_num_threads(1)
    spec = find_learner(agent)
    of_env, settings = split_keywords(spec, environment, {"scenario": scenario, **smallest})
    plan = TrainingPlan(agent, spec, environment, of_env, settings, 10**6, 0, 1, "cpu", "")
    trainer = plan.make_trainer()
    playing_s, rollout_bytes = 0.0, 0
    collect = getattr(getattr(trainer, "training", None), "collect", None)

    def timed(*arguments: Any, **keywords: Any) -> Any:
        nonlocal playing_s, rollout_bytes
        seconds, rollout = _timed(lambda: collect(*arguments, **keywords))
        playing_s, rollout_bytes = playing_s + seconds, rollout_bytes + len(pickle.dumps(rollout, protocol=5))
        return rollout

    try:
        trainer.begin(fresh=True)
        if collect is not None:
            trainer.training.collect = timed
        processor_s, _ = _timed(lambda: trainer.iterate(0))
        playing_s = playing_s if collect is not None else processor_s
        steps = trainer.steps_per_iteration
        return {
            "playing_s": playing_s / steps,
            "learning_s": (processor_s - playing_s) / steps,
            "bytes": rollout_bytes / steps,
        }
    finally:
        trainer.close()


# The driver


def driver_costs(seats: int, num_bytes: int, jobs: int, name: str) -> dict[str, float]:
    """Processor seconds of the driver for a job, with so many jobs at the same time; Ray takes at most one a core."""
    from crowdgym.execution.ray_engine import RayEngine

    kind: JobKind[Job] = JobKind(nothing, fingerprint=fingerprint)
    with ProcessEngine(seats) if name == "local" else RayEngine(seats) as engine:
        list(engine.run(kind, [Job(number, 0) for number in range(3 * seats)]))  # starts the processes
        began, began_s = _own_s(), time.perf_counter()
        list(engine.run(kind, [Job(number, num_bytes) for number in range(jobs)]))
        return {"processor_s": (_own_s() - began) / jobs, "wall_s": (time.perf_counter() - began_s) / jobs}


def _own_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


# The plan


def plan(costs: Costs) -> None:
    """Print the tables."""
    _plan_suites(costs)
    _plan_training(costs)
    _plan_driver(costs)


def _plan_suites(costs: Costs) -> None:
    print("| suite | measured: s an episode | row, bytes | trace, kB | computed: episodes | core-hours | traces, GB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    total_hours, total_episodes, total_gb = 0.0, 0, 0.0
    for name in suite_names():
        found = [one for key, one in costs.items() if key.startswith(f"suite {name} ")]
        played = [one for one in found if "processor_s" in one]
        if not played:
            why = f": {found[0]['error']}" if found else ""
            print(f"| `{name}` | not measured{why} | | | | | |")
            continue
        seconds, row, trace = (fmean(one[of] for one in played) for of in ("processor_s", "row_bytes", "trace_bytes"))
        episodes = played[0]["instances"] * LEARNERS * SEEDS + sum(one["episodes"] for one in played)
        hours, gigabytes = seconds * episodes / 3600, trace * episodes / 1e9
        total_hours, total_episodes, total_gb = total_hours + hours, total_episodes + episodes, total_gb + gigabytes
        print(
            f"| `{name}` | {seconds:.2f} | {row:,.0f} | {trace / 1000:,.0f} | {episodes:,} | {hours:,.1f} "
            f"| {gigabytes:,.1f} |"
        )
    print(f"| all | | | | {total_episodes:,} | {total_hours:,.1f} | {total_gb:,.1f} |\n")


def _plan_training(costs: Costs) -> None:
    print(
        "| learner | measured: playing, ms a step | learning, ms a step | bytes a step | computed: core-hours of "
        f"{SEEDS} seeds | hours of one run, 1 worker | 16 workers | most speed-up by workers "
        "| workers that fill a line of 1 Gbit/s |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for agent, environment, scenario, _ in TRAINED:
        one = costs.get(f"training {agent} {environment}")
        if one is None:
            continue
        playing, learning = one["playing_s"], one["learning_s"]
        alone, many = ((playing / workers + learning) * STEPS / 3600 for workers in (1, 16))
        most = f"{(playing + learning) / learning:.1f}" if learning > 0 else "no limit"
        line = f"{playing * LINE_BYTES_PER_S / one['bytes']:.0f}" if one["bytes"] else "no limit"
        print(
            f"| `{agent}`, `{scenario}` | {playing * 1e3:.1f} | {learning * 1e3:.1f} | {one['bytes']:,.0f} "
            f"| {alone * SEEDS:,.1f} | {alone:.2f} | {many:.2f} | {most} | {line} |"
        )
    print()


def _plan_driver(costs: Costs) -> None:
    rows = {key: one for key, one in costs.items() if key.startswith("driver ")}
    print("| engine, seats, bytes a result | measured: driver, ms a job | computed: jobs/s of one driver | MB/s |")
    print("| --- | ---: | ---: | ---: |")
    for key, one in rows.items():
        rate = 1 / one["processor_s"]
        print(
            f"| {key.removeprefix('driver ')} | {one['processor_s'] * 1e3:.2f} | {rate:,.0f} "
            f"| {rate * int(key.split()[-1]) / 1e6:,.1f} |"
        )
    print()
    most = {
        int(key.split()[2]): one for key, one in rows.items() if key.startswith("driver ray") and key.split()[3] != "0"
    }
    if not most:
        return
    driver_s = most[max(most)]["processor_s"]
    print("| suite | computed: workers that fill one driver | with traces, a line of 1 Gbit/s |")
    print("| --- | ---: | ---: |")
    for name in suite_names():
        played = [one for key, one in costs.items() if key.startswith(f"suite {name} ") and "processor_s" in one]
        if played:
            names = ("processor_s", "write_s", "trace_bytes")
            seconds, write_s, trace = (fmean(one[of] for one in played) for of in names)
            print(f"| `{name}` | {seconds / (driver_s + write_s):,.0f} | {seconds * LINE_BYTES_PER_S / trace:,.0f} |")


# The command


def measured(costs: Costs, part: str, chosen: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is missing of a part."""
    if part == "suites":
        for name in chosen.names.split(",") if chosen.names else suite_names():
            try:
                yield from suite_costs(name, set(costs))
            except CrowdGymError as error:
                yield f"suite {name} -", {"error": " ".join(str(error).split())}
    elif part == "training":
        for agent, environment, scenario, smallest in TRAINED:
            if f"training {agent} {environment}" not in costs:
                yield f"training {agent} {environment}", training_cost(agent, environment, scenario, smallest)
    else:
        engine, seats, num_bytes = chosen.names.split(",") if chosen.names else ("ray", "2", "150000")
        jobs = max(200, 10 * int(seats))
        yield f"driver {engine} {seats} {num_bytes}", driver_costs(int(seats), int(num_bytes), jobs, engine)


def main() -> None:
    """Measure a part, or print the plan."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("suites", "training", "driver", "plan"))
    parser.add_argument("--names", help="suites, by commas; or of the driver: ENGINE,SEATS,BYTES")
    parser.add_argument("--costs", type=Path, default=Path("out/cluster-costs.json"))
    chosen = parser.parse_args()
    costs: Costs = json.loads(chosen.costs.read_text(encoding="utf-8")) if chosen.costs.is_file() else {}
    if chosen.part == "plan":
        plan(costs)
        return
    chosen.costs.parent.mkdir(parents=True, exist_ok=True)
    for key, one in measured(costs, chosen.part, chosen):
        print(key, one, file=sys.stderr, flush=True)
        costs[key] = one
        chosen.costs.write_text(json.dumps(costs, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
