"""From real files to results: the streets of Haikou and two weeks of orders, with the commands of the README."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from crowdgym.cli.main import app

pytestmark = pytest.mark.real_data


def crowdgym(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def haikou(shared_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with the dataset ``haikou`` built from the real files."""
    folder = shared_data("haikou")
    cache = tmp_path_factory.mktemp("haikou")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROWDGYM_DATA", str(cache))
        roads = ("--nodes", folder / "node.csv", "--links", folder / "link.csv")
        crowdgym("data", "build", "haikou", *roads, "--orders", folder / "orders" / "*.csv")
    return cache


@pytest.fixture
def run(haikou: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs five episodes on the real city; returns the JSON without the time it took."""
    monkeypatch.setenv("CROWDGYM_DATA", str(haikou))

    def run(agent: str) -> Any:
        size = ("--set", "num_workers=200", "--set", "num_tasks=200")
        file = tmp_path / "out.json"
        crowdgym("run", "csc_v0", "--scenario", "haikou", "--agent", agent, "--episodes", 5, *size, "--json", file)
        results = json.loads(file.read_text())
        for episode in results["episodes"]:
            del episode["wall_s"]
        return results

    return run


def test_the_dataset_has_every_street_and_order_of_the_files(haikou: Path) -> None:
    counts = json.loads((haikou / "datasets" / "haikou" / "dataset.json").read_text())["counts"]
    assert (counts["nodes"], counts["edges"], counts["orders"]) == (3_901, 5_458, 42_943)


def test_the_same_seed_gives_the_same_json(run: Callable[[str], Any]) -> None:
    first = run("greedy")
    assert first == run("greedy")
    assert [episode["seed"] for episode in first["episodes"]] == [0, 1, 2, 3, 4]


def test_greedy_earns_more_than_random_and_random_more_than_hold(run: Callable[[str], Any]) -> None:
    greedy, random, hold = (run(agent)["mean"]["revenue"] for agent in ("greedy", "random", "hold"))
    assert greedy > 1.03 * random
    assert random > hold == 0
