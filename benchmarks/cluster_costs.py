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
import sys
import tempfile
import time
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from cluster_driver import driver_costs

from crowdgym.bench.jobs import EpisodeJob, keep_trace, play_episode, prepare, recorded_trace
from crowdgym.bench.suite import Suite
from crowdgym.bench.training import training_jobs
from crowdgym.common.errors import CrowdGymError
from crowdgym.configs.suites import named_suite, suite_names
from crowdgym.learners import find_learner
from crowdgym.training.hyperparameters import split_keywords
from crowdgym.training.plan import TrainingPlan

LEARNERS: Final = 10
SEEDS: Final = 10
CORES: Final = 1_000
STEPS: Final = 200_000  # of the environment, of one training run; about what the packaged agents had
HUNDREDS: Final = (2, 16, 64, 256, 1024)
DRIVERS: Final = {"local": (2,), "ray-engine": HUNDREDS, "ray": HUNDREDS}  # by engine, numbers of seats
RESULT_BYTES: Final = (0, 150_000)
LINE_BYTES_PER_S: Final = 125e6  # 1 Gbit/s

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
    ("clone", "csc_v0", "chengdu-paper", ROLLOUT),
    ("ta-fpl", "preference_v0", "preference-synth", {}),
)

Costs = dict[str, dict[str, Any]]


# Suites


def suite_costs(name: str, known: Container[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """For each agent of a suite that is not known, the mean of three episodes of it; with the key of the costs."""
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
            try:
                _played(own[len(own) // 6])  # loads compiled code
                played = [_played(own[len(own) * place // 6]) for place in (1, 3, 5)]
            except CrowdGymError as error:
                yield key, {"error": " ".join(str(error).split())}
                continue
            means = {of: fmean(one[of] for one in played) for of in played[0]}
            yield key, {"episodes": len(own), "instances": instances, **means}


def _played(job: EpisodeJob) -> dict[str, float]:
    """An episode: processor seconds, bytes of row and trace."""
    prepare(job)
    processor_s, values = _timed(lambda: play_episode(job))
    row = json.dumps({**job.parameters(), **keep_trace(job, values), "checksum": "0" * 64}) + "\n"
    return {"processor_s": processor_s, "row_bytes": len(row), "trace_bytes": len(recorded_trace(values))}


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    began_s = time.process_time()
    value = call()
    return time.process_time() - began_s, value


# Training


def training_cost(agent: str, environment: str, scenario: str, smallest: dict[str, Any]) -> dict[str, Any]:
    """An iteration of a learner: processor seconds of playing and of the rest, for a step of the environment.

    Nothing is played in a round of a federation, which counts as a step: its centres learn.
    """
    import torch

    torch.set_num_threads(1)
    spec = find_learner(agent)
    of_env, settings = split_keywords(spec, environment, {"scenario": scenario, **smallest})
    plan = TrainingPlan(agent, spec, environment, of_env, settings, 10**6, 0, 1, "cpu", "")
    trainer = plan.make_trainer()
    playing_s, rollouts = 0.0, []
    # A clone's episodes are its teacher's, and those of an evolution strategy are all that it does.
    player, name = (trainer, "_taught") if agent == "clone" else (getattr(trainer, "training", None), "collect")
    collect = getattr(player, name, None)

    def timed(*arguments: Any, **keywords: Any) -> Any:
        nonlocal playing_s
        seconds, rollout = _timed(lambda: collect(*arguments, **keywords))
        playing_s += seconds
        rollouts.append(rollout)
        return rollout

    try:
        trainer.begin(fresh=True)
        trainer.iterate(0)  # loads compiled code
        if collect is not None:
            setattr(player, name, timed)
        processor_s, _ = _timed(lambda: trainer.iterate(1))
        if collect is None and plan.settings.takes_workers:
            playing_s = processor_s
        sent = rollouts if plan.settings.takes_workers else []
        steps = trainer.steps_per_iteration
        return {
            "playing_s": playing_s / steps,
            "learning_s": (processor_s - playing_s) / steps,
            "bytes": sum(len(pickle.dumps(rollout, protocol=5)) for rollout in sent) / steps,
        }
    finally:
        trainer.close()


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
    total_hours = 0.0
    for agent, environment, scenario, smallest in TRAINED:
        one = costs.get(f"training {agent} {environment}")
        if one is None:
            continue
        settings = split_keywords(find_learner(agent), environment, {"scenario": scenario, **smallest})[1]
        rounds = getattr(settings, "rounds", None)  # of a federation; each is a step
        playing, learning, steps = one["playing_s"], one["learning_s"], rounds or STEPS
        alone, many = ((playing / workers + learning) * steps / 3600 for workers in (1, 16))
        total_hours += alone * SEEDS
        by_workers = "– | – | –"
        if settings.takes_workers:
            most = f"{(playing + learning) / learning:.1f}" if learning > 0 else "no limit"
            line = f"{playing * LINE_BYTES_PER_S / one['bytes']:.0f}" if one["bytes"] else "no limit"
            by_workers = f"{many:.3f} | {most} | {line}"
        name = f"`{agent}`, `{scenario}`" + (f" ({rounds} rounds, each a step)" if rounds else "")
        print(
            f"| {name} | {playing * 1e3:,.2f} | {learning * 1e3:,.2f} | {one['bytes']:,.0f} "
            f"| {alone * SEEDS:,.1f} | {alone:.3f} | {by_workers} |"
        )
    print(f"| all | | | | {total_hours:,.1f} | | | | |\n")
    _plan_training_of_suites(costs)


def _plan_training_of_suites(costs: Costs) -> None:
    """What the runs cost that suites train before they play, without their evaluations."""
    for name in suite_names():
        suite, folder = named_suite(name), Path()
        one = suite.training and costs.get(f"training {suite.training.learner} {suite.environment}")
        if one:
            runs = training_jobs(name, suite, folder)
            seconds = (one["playing_s"] + one["learning_s"]) * sum(run.steps for run in runs)
            print(f"`{name}` trains {len(runs)} runs of its own: {seconds / 3600:.1f} core-hours.\n")


def _plan_driver(costs: Costs) -> None:
    rows = {key: one for key, one in costs.items() if key.startswith("driver ")}
    print(
        "| engine, seats, bytes a result | measured: driver, ms a job | writing, ms | computed: jobs/s of one driver "
        "| MB/s |"
    )
    print("| --- | ---: | ---: | ---: | ---: |")
    for key, one in rows.items():
        rate = 1 / (one["processor_s"] + one["write_s"])
        print(
            f"| {key.removeprefix('driver ')} | {one['processor_s'] * 1e3:.2f} | {one['write_s'] * 1e3:.2f} "
            f"| {rate:,.0f} | {rate * int(key.split()[-1]) / 1e6:,.1f} |"
        )
    print()
    of_ray = [
        (int(key.split()[2]), one) for key, one in rows.items() if key.startswith("driver ray ") and key[-2:] != " 0"
    ]
    if not of_ray:
        return
    driver_s = max(of_ray, key=lambda pair: pair[0])[1]
    print("| suite | computed: workers that fill one driver | with traces, a line of 1 Gbit/s |")
    print("| --- | ---: | ---: |")
    for name in suite_names():
        played = [one for key, one in costs.items() if key.startswith(f"suite {name} ") and "processor_s" in one]
        if played:
            seconds, trace = (fmean(one[of] for one in played) for of in ("processor_s", "trace_bytes"))
            full = seconds / (driver_s["processor_s"] + driver_s["write_s"])
            print(f"| `{name}` | {full:,.0f} | {seconds * LINE_BYTES_PER_S / trace:,.0f} |")


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
        for engine in chosen.names.split(",") if chosen.names else DRIVERS:
            yield from driver_costs(engine, DRIVERS[engine], RESULT_BYTES)


def main() -> None:
    """Measure a part, or print the plan."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("suites", "training", "driver", "plan"))
    parser.add_argument("--names", help="suites or engines, by commas; default: all")
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
