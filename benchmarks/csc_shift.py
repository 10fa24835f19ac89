r"""What learners of `csc_v0` earn after the demand has changed, and what they keep of their old skill.

    python benchmarks/csc_shift.py runs/ippo-0 runs/ippo-1 runs/cafe-0 --out out/shift
    python benchmarks/csc_shift.py runs/cafe-0 --set refine_from=0 --label "cafe, refined" --out out/shift
    python benchmarks/csc_shift.py --table --out out/shift

Each folder holds the last networks of a training run. For every shift, training goes on from them in the new state for
eight iterations with a constant learning rate. Evaluation plays the same held-out instances of the new state before the
first iteration and after 1, 2, 4 and 8; nothing is chosen by it. Then the last networks play the old state again. The
same instances are played by policies that do not learn. ``--out`` keeps what has been measured: a command goes on from
there. Revenues are means over folders of one learner; intervals are 95 % intervals of Student's t over them.
"""

import argparse
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

import crowdgym
from crowdgym.agents.learning.checkpoint import LAST
from crowdgym.agents.learning.description import DESCRIPTION, AgentDescription, read_description
from crowdgym.bench.preference.hook import difference_text
from crowdgym.common.files import write_bytes
from crowdgym.common.seeds import EVALUATION
from crowdgym.learners import find_learner
from crowdgym.policies import load_policy
from crowdgym.runner import run_episodes
from crowdgym.training.folder import RunFolder
from crowdgym.training.hyperparameters import split_keywords
from crowdgym.training.plan import TrainingPlan
from crowdgym.training.run import TrainingRun

SHIFTS: dict[str, dict[str, Any]] = {
    "half the workers": {"num_workers": 50},
    "twice the workers": {"num_workers": 200},
    "half the tasks": {"num_tasks": 100},
    "one skill a worker": {"skills_mean": 1.0},
    "night": {"window_start_s": 0.0},
    "Haikou": {"scenario": "haikou-paper"},
}
SHOWN = (0, 1, 2, 4, 8)  # iterations after the shift
CONTROLS = ("pau", "turn-gain", "lookahead")


@dataclass(frozen=True)
class Options:
    """What is measured.

    Attributes:
        folders: of trained agents.
        changes: hyperparameters of training after the shift that differ from those before.
        label: name of the rows; None for the name of the learner.
        shifts: names of `SHIFTS`.
        episodes: instances of an evaluation.
        out: folder of the results.
    """

    folders: tuple[Path, ...]
    changes: Mapping[str, Any]
    label: str | None
    shifts: tuple[str, ...]
    episodes: int
    out: Path


def after_shift(folder: Path, shift: str, options: Options) -> dict[str, float]:
    """Train on after one shift: revenue after each of `SHOWN`, and in the old state before and in the end."""
    old = read_description(folder)
    run_folder = options.out / "runs" / f"{options.label or old.agent}-{folder.name}-{shift}".replace(" ", "-")
    shutil.rmtree(run_folder, ignore_errors=True)
    run = TrainingRun(_plan(old, folder, shift, options), RunFolder(run_folder))
    try:
        run(lambda _: None)
    finally:
        run.close()
    found = {str(row["iteration"]): row["evaluation"] for row in run.folder.rows if row["iteration"] in SHOWN}
    in_old_state = crowdgym.make(old.environment, **old.keywords)
    found["before, old"] = _played_last(folder, in_old_state, options)
    found["after, old"] = _played_last(run_folder, in_old_state, options)
    return found


def _plan(old: AgentDescription, folder: Path, shift: str, options: Options) -> TrainingPlan:
    learner = find_learner(old.agent)
    constant = {"learning_rate_schedule": "constant"} if "learning_rate_schedule" in old.hyperparameters else {}
    often = {"evaluation_every": 1, "evaluation_episodes": options.episodes}
    keywords = {**old.keywords, **SHIFTS[shift]}
    hyperparameters = {**old.hyperparameters, **constant, **often, **options.changes}
    of_env, settings = split_keywords(learner, old.environment, {**keywords, **hyperparameters})
    plan = TrainingPlan(
        agent=old.agent,
        learner=learner,
        environment=old.environment,
        keywords=of_env,
        settings=settings,
        steps=1,
        seed=old.seed + 1000,  # other instances than before the shift
        threads=1,
        device="cpu",
        command=f"python benchmarks/csc_shift.py {folder}",
        init=folder,
    )
    trainer = plan.make_trainer()
    try:
        trainer.begin(fresh=False)
        return replace(plan, steps=SHOWN[-1] * trainer.steps_per_iteration)
    finally:
        trainer.close()


def _played_last(folder: Path, env: Any, options: Options) -> float:
    """Mean revenue of the last networks of a run; a folder's best ones would be played if they were there."""
    last = options.out / "last"
    shutil.rmtree(last, ignore_errors=True)
    last.mkdir(parents=True)
    for name in (DESCRIPTION, LAST):
        shutil.copy(folder / name, last / name)
    return _revenue(str(last), env, options.episodes)


def _revenue(agent: str, env: Any, episodes: int) -> float:
    policy = load_policy(agent, "csc_v0", None)
    played = run_episodes(env, policy, agent=agent, episodes=episodes, seed=EVALUATION[0]).episodes
    return float(np.mean([episode.metrics["revenue"] for episode in played]))


def measure(options: Options) -> None:
    """Measure what is not there yet: first the policies that do not learn, then one folder after the other."""
    for shift in options.shifts:
        for control in CONTROLS:
            state = {"scenario": "chengdu-paper", "num_workers": 100, "num_tasks": 200, **SHIFTS[shift]}
            if str(options.episodes) not in rows(options.out).get(control, {}).get(shift, {}):
                revenue = _revenue(control, crowdgym.make("csc_v0", **state), options.episodes)
                _keep(options.out, control, shift, str(options.episodes), {"0": revenue})
    for folder in options.folders:
        label = options.label or read_description(folder).agent
        for shift in options.shifts:
            if folder.name not in rows(options.out).get(label, {}).get(shift, {}):
                _keep(options.out, label, shift, folder.name, after_shift(folder, shift, options))
                print(f"{label}, {folder.name}: {shift}", flush=True)


Rows = dict[str, dict[str, dict[str, dict[str, float]]]]  # by label, shift and folder


def rows(out: Path) -> Rows:
    """What has been measured."""
    file = out / "shift.json"
    found: Rows = json.loads(file.read_text()) if file.is_file() else {}
    return found


def _keep(out: Path, label: str, shift: str, folder: str, found: dict[str, float]) -> None:
    kept = rows(out)
    kept.setdefault(label, {}).setdefault(shift, {})[folder] = found
    write_bytes(out / "shift.json", json.dumps(kept, indent=1).encode())


def table(found: Rows) -> Iterator[str]:
    """A row for each shift and learner: revenue in the new state after so many iterations, and in the old state."""
    heads = [
        "shift",
        "learner",
        "runs",
        *(f"after {number}" for number in SHOWN),
        "last less first",
        "old state: change",
    ]
    yield f"| {' | '.join(heads)} |"
    yield f"| --- | --- |{' ---: |' * (len(heads) - 2)}"
    for shift in SHIFTS:
        for label, by_shift in found.items():
            runs = list(by_shift.get(shift, {}).values())
            if not runs:
                continue
            means = [_mean([run[str(number)] for run in runs if str(number) in run]) for number in SHOWN]
            trained = [run for run in runs if str(SHOWN[-1]) in run]
            gains = [100 * (run[str(SHOWN[-1])] / run["0"] - 1) for run in trained]
            kept = [100 * (run["after, old"] / run["before, old"] - 1) for run in trained]
            changes = (difference_text(np.array(percent)) for percent in (gains, kept))
            cells = [str(len(trained)) if trained else "", *means, *changes]
            yield f"| {shift} | `{label}` | {' | '.join(cells)} |"


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):,.0f}" if values else ""


def main() -> None:
    """Measure, and print the table."""
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a hyperparameter")
    parser.add_argument("--label")
    parser.add_argument("--shifts", default=",".join(SHIFTS), help="names, with commas")
    parser.add_argument("--episodes", type=int, default=4)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    given = parser.parse_args()
    changes = {name: yaml.safe_load(value) for name, _, value in (pair.partition("=") for pair in given.set)}
    shifts = tuple(given.shifts.split(","))
    if unknown := set(shifts) - set(SHIFTS):
        parser.error(f"unknown shifts {', '.join(sorted(unknown))}; there are {', '.join(SHIFTS)}")
    if not given.table:
        measure(Options(tuple(given.folders), changes, given.label, shifts, given.episodes, given.out))
    print("\n".join(table(rows(given.out))))


if __name__ == "__main__":
    main()
