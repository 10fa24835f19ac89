"""Short training runs on the smallest city, with small networks."""

import csv
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from crowdgym.cli.main import app

SMALL = {
    "csc_v0": {"num_workers": 4, "num_tasks": 8, "horizon_s": 900, "window_s": 300},
    "dasc_v0": {"num_workers": 12, "num_tasks": 6, "horizon_s": 900},
    "preference_v0": {"horizon_s": 900},
    "sensing_v0": {"horizon_s": 10 * 86_400, "num_participants": 3},
}
SCENARIO = {"csc_v0": "tiny", "dasc_v0": "tiny", "preference_v0": "preference-tiny"}
NETWORK = {"embedding": 8, "hidden": 8, "heads": 2, "num_envs": 2, "epochs": 2, "minibatch_size": 64}
EVALUATION = {"evaluation_every": 2, "evaluation_episodes": 2}
STEPS = 30 * 2  # of an iteration in csc_v0: 900 s in steps of 30 s, two copies


def arguments(out: Path, env: str = "csc_v0", iterations: int = 4, **changed: Any) -> list[str]:
    settings = {**SMALL[env], **NETWORK, **EVALUATION, **changed}
    scenario = ["--scenario", SCENARIO[env]] if env in SCENARIO else []
    chosen = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    return ["train", "ippo", env, *scenario, "--steps", str(iterations * STEPS), "--out", str(out), *chosen]


def crowdgym(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def ran(*words: object) -> Result:
    result = crowdgym(*words)
    assert result.exit_code == 0, result.output
    return result


def refused(*words: object) -> str:
    """The one line that a command says instead of doing anything."""
    result = crowdgym(*words)
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


def tensors(out: Path) -> dict[str, bytes]:
    from crowdgym.agents.learning.checkpoint import LAST, read_tensors

    return {name: tensor.numpy().tobytes() for name, tensor in read_tensors(out / LAST).tensors.items()}


def curve(out: Path) -> list[dict[str, str]]:
    """Without the times, which no seed fixes."""
    with (out / "curve.csv").open(newline="") as lines:
        return [{name: row[name] for name in row if not name.endswith("_s")} for row in csv.DictReader(lines)]
