"""From real files to results: the streets of Haikou and two weeks of orders, with the commands of the README."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from crowdgym.cli.main import app
from crowdgym.common.errors import ConfigError
from crowdgym.configs.csc import CscSettings
from crowdgym.data.registry import load_dataset
from crowdgym.envs import csc_v0

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


SMALL = {"scenario": "haikou", "num_workers": 20, "num_tasks": 60, "window_s": 3600.0}


def rows_of(shared_data: Callable[[str], Path], day: str) -> pd.DataFrame:
    """The orders of a day by the clock, times in seconds since 08:00. Some are in the file of another day."""
    files = sorted(shared_data("haikou/orders").glob("*.csv"))
    orders = pd.concat([pd.read_csv(file) for file in files])
    clock = pd.to_datetime(orders["dwv_order_make_haikou_1.departure_time"])
    orders["second"] = (clock - pd.Timestamp(f"{day} 08:00:00")).dt.total_seconds()
    return orders[clock.dt.date.astype(str) == day].sort_values("second", kind="stable")


def test_a_real_morning_is_replayed_order_by_order(
    haikou: Path, shared_data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROWDGYM_DATA", str(haikou))
    rows = rows_of(shared_data, "2017-05-03").head(60)

    env: Any = csc_v0.parallel_env(**SMALL, orders="replay", days="2017-05-03")
    env.reset(seed=0)

    network = load_dataset("haikou").network
    assert env.instance.created_s.tolist() == rows["second"].tolist()
    assert network.node_ids[env.instance.task_node].tolist() == rows["origin_id"].tolist()


def test_episodes_of_a_day_each_have_orders_of_one_of_two_days(
    haikou: Path, shared_data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROWDGYM_DATA", str(haikou))
    placed = [set(rows_of(shared_data, day)["second"]) for day in ("2017-05-03", "2017-05-04")]

    env: Any = csc_v0.parallel_env(**{**SMALL, "scenario": "haikou@2017-05-03..2017-05-04"}, days="each")

    days = []
    for seed in range(8):
        env.reset(seed=seed)
        created = set(env.instance.created_s.tolist())
        days.append([created <= seconds for seconds in placed])
    assert all(any(day) for day in days)
    assert any(day == [True, False] for day in days)
    assert any(day == [False, True] for day in days)


def test_a_day_with_too_few_orders_is_refused(haikou: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files have seven orders of the day after the two weeks."""
    monkeypatch.setenv("CROWDGYM_DATA", str(haikou))
    with pytest.raises(
        ConfigError, match="at most 7, the orders of 'haikou' in 3600 s from 08:00 of 2017-05-15 on, got 60"
    ):
        csc_v0.parallel_env(**SMALL, days="each")


def test_a_suite_on_a_chosen_real_day_runs(haikou: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROWDGYM_DATA", str(haikou))
    suite = tmp_path / "morning.yaml"
    suite.write_text(
        "about: a real morning\nenvironment: csc_v0\nscenarios: [haikou@2017-05-03]\n"
        "settings: {orders: replay, num_workers: 20, horizon_s: 300.0}\ngrid: [{num_tasks: [60]}]\n"
        "agents: [greedy, hold]\nfirst_seed: 0\nepisodes: 1\nmetrics: [revenue]\n"
    )

    said = crowdgym("bench", suite, "--jobs", 1, "--out", tmp_path / "out")

    assert "haikou@2017-05-03" in said
    assert "greedy: 1 played now" in said


def test_fares_deadlines_and_drivers_of_chengdu_are_used(
    shared_data: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path))
    folder = shared_data("chengdu")
    keys = {"order_id": 1, "origin_lat": 2, "origin_lng": 3, "time": 4, "deadline": 5, "quantity": 6, "payment": 7}
    columns = [word for key, number in keys.items() for word in ("--column", f"{key}={number}")]
    workers = ("--worker-column", "time=Start_time", "--worker-column", "origin_node=NodeS")
    crowdgym(
        *("data", "build", "chengdu", "--nodes", folder / "Node.csv", "--links", folder / "edges_derived.csv"),
        *("--orders", folder / "pick_up_tasks.txt", *columns, "--crs", "gcj02", "--times", "seconds-of-day"),
        *("--workers", folder / "Drivers1101.csv", *workers, "--worker-times", "auto"),
    )
    tasks = pd.read_csv(folder / "pick_up_tasks.txt", header=None)
    drivers = pd.read_csv(folder / "Drivers1101.csv")

    env: Any = csc_v0.parallel_env(
        scenario="chengdu", orders="replay", from_data="all", window_start_s=0, num_tasks=100, num_workers=50
    )
    env.reset(seed=0)

    instance = env.instance
    played = zip(instance.created_s.tolist(), instance.deadline_s.tolist(), instance.payment.tolist(), strict=True)
    assert set(played) <= set(zip(tasks[3].astype(float), tasks[4].astype(float), tasks[6], strict=True))
    mean_s = CscSettings.load().workload_mean_s
    quantity = load_dataset("chengdu").orders.quantity
    assert quantity is not None
    workloads_s = (mean_s * tasks[5] / quantity[quantity > 0].mean()).to_numpy()
    assert np.abs(workloads_s - instance.workload_s[:, np.newaxis]).min(axis=1).max() < 1e-6
    nodes = load_dataset("chengdu").network.node_ids[env.instance.worker_node]
    assert set(nodes.tolist()) <= set(drivers["NodeS"].tolist())
