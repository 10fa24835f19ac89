"""CrowdGym's IPPO, BenchMARL's IPPO, and MaskablePPO of sb3-contrib: same instances, same budget, one table.

    python -m venv benchmarl
    benchmarl/bin/pip install -r examples/benchmarl_requirements.txt --editable '.[agents]'
    python benchmarks/library_learners.py --benchmarl benchmarl/bin/python --out out/library-learners

Each training run is a process of its own (`benchmarks/learners/`), whose result is kept in --out: a second call trains
only what is missing. Without --benchmarl its rows are left out.
"""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.bench.report.statistics import Interval, mean_difference, resampled
from crowdgym.envs import csc_v0
from crowdgym.policies import load_policy
from crowdgym.runner import run_episodes

PROGRAMS = Path(__file__).resolve().parent / "learners"
sys.path.insert(0, str(PROGRAMS))
from setting import HELD_OUT, INSTANCES, SETTING  # noqa: E402

CONTROLS = ("random", "greedy", "lookahead")
AGAINST = "greedy"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Learner:
    """A row of the table."""

    title: str
    program: str
    variant: str = ""
    in_benchmarl: bool = False


LEARNERS = (
    Learner("CrowdGym IPPO, network for sets", "crowdgym_ippo.py", "attention"),
    Learner("CrowdGym IPPO, mlp", "crowdgym_ippo.py", "mlp"),
    Learner("sb3-contrib MaskablePPO, mlp", "sb3_maskable_ppo.py"),
    Learner("BenchMARL IPPO, mlp", "benchmarl_ppo.py", "ippo", in_benchmarl=True),
)


def result_of(learner: Learner, python: str, seed: int, steps: int, out: Path) -> dict[str, Any]:
    """The JSON object of a training run, which is made if it is not there yet."""
    file = out / f"{Path(learner.program).stem}-{learner.variant or 'default'}-{steps}-{seed}.json"
    if not file.is_file():
        print(f"training {learner.title}, seed {seed}", file=sys.stderr, flush=True)
        words = [python, str(PROGRAMS / learner.program), "--steps", str(steps), "--seed", str(seed)]
        words += ["--variant", learner.variant] if learner.variant else []
        done = subprocess.run(words, env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE, text=True, check=True)
        file.write_text(done.stdout.splitlines()[-1] + "\n", encoding="utf-8")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def revenues_of(agent: str) -> NDArray[np.float64]:
    """The revenue of a control on each held-out instance."""
    policy = load_policy(agent, "csc_v0", str(SETTING["scenario"]))
    env = csc_v0.parallel_env(**SETTING)
    played = run_episodes(env, policy, agent=agent, episodes=INSTANCES, seed=HELD_OUT)
    return np.array([episode.metrics["revenue"] for episode in played.episodes], np.float64)


def row(title: str, scores: NDArray[np.float64], drawn: str, processor: str, others: NDArray[np.float64]) -> str:
    """A row of the table.

    Args:
        title: of the row.
        scores: shape [instances, training seeds].
        drawn: what the policy earns when it draws its actions.
        processor: seconds of training.
        others: of the control it is compared with, shape [instances].
    """
    of_instances = scores.mean(
        axis=1, keepdims=True
    )  # so that the interval resamples instances, the same for all seeds
    seeds = ", ".join(f"{value:,.0f}" for value in scores.mean(axis=0))
    mean = resampled(of_instances, lambda *strata, axis: strata[0].mean(axis=axis))[0]
    above = mean_difference(of_instances, others[:, np.newaxis])
    return f"| {title} | {_text(mean, 1, ',.0f')} | {seeds} | {_text(above, 100, '+.1f')} | {drawn} | {processor} |"


def _text(interval: Interval, factor: float, form: str) -> str:
    low, high = interval.low * factor, interval.high * factor
    return f"{interval.value * factor:{form}} [{low:{form}}, {high:{form}}]"


def main() -> None:
    """Train what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmarl", help="the Python of an environment with BenchMARL")
    parser.add_argument("--steps", type=int, default=12_000, help="of each training run")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("out/library-learners"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)

    controls = {agent: revenues_of(agent) for agent in CONTROLS}
    against = controls[AGAINST]
    rows, packages = [], {}
    for learner in LEARNERS:
        python = chosen.benchmarl if learner.in_benchmarl else sys.executable
        if python is None:
            print(f"{learner.title} is left out: --benchmarl is not given", file=sys.stderr)
            continue
        found = [result_of(learner, python, seed, chosen.steps, chosen.out) for seed in range(chosen.seeds)]
        packages |= found[0]["packages"]
        likeliest, drawn = (np.array([one[play] for one in found]).T for play in ("likeliest", "drawn"))
        processor_s = [one["processor_s"] for one in found]
        rows.append(row(learner.title, likeliest, f"{drawn.mean():,.0f}", f"{np.mean(processor_s):.0f}", against))
    print(
        f"{chosen.steps:,} steps of the environment for each run; {', '.join(f'{n} {v}' for n, v in packages.items())}"
    )
    print(f"| | revenue | each training seed | over {AGAINST}, % | drawn actions | processor s of training |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for line in rows:
        print(line)
    for agent, scores in controls.items():
        print(row(agent, scores[:, np.newaxis], "", "", against))


if __name__ == "__main__":
    main()
