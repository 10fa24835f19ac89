"""A new environment is one folder: every command and registry finds it, and no other file is edited."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import gymnasium
import pettingzoo
import pytest
from typer.testing import CliRunner, Result

import crowdgym
import crowdgym.envs
from crowdgym.cli.main import app
from crowdgym.testing import check_env

FOLDERS = str(Path(__file__).parent / "envs")  # as if tests/plugins/envs/market were envs/market

Command = Callable[..., Result]

SUITE = """
about: markets
environment: market_plugin:market_v0
scenarios: [corner]
grid: [{highest_price: [10, 100]}]
agents: [random, hold]
first_seed: 1000
episodes: 2
metrics: [revenue]
share_of_bound: true
time_limit_s: 60
"""


@pytest.fixture(autouse=True)
def market(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(crowdgym.envs, "__path__", [*crowdgym.envs.__path__, FOLDERS])
    monkeypatch.setattr(crowdgym.registration, "_added", {})
    registries = (gymnasium.registry, pettingzoo.parallel_registry, pettingzoo.aec_registry)
    before = [dict(registry) for registry in registries]
    crowdgym.registration.register_environments()  # as importing crowdgym does
    yield
    for registry, entries in zip(registries, before, strict=True):
        registry.clear()
        registry.update(entries)


@pytest.fixture
def command() -> Command:
    def typed(line: str) -> Result:
        result = CliRunner().invoke(app, line.split())
        assert result.exit_code == 0, result.output
        return result

    return typed


def test_it_is_made_by_name_in_every_form() -> None:
    assert crowdgym.make("market_v0", highest_price=5).possible_agents == ["seller_0", "seller_1", "seller_2"]
    assert pettingzoo.make("aec", "crowdgym/market-v0").possible_agents == ["seller_0", "seller_1", "seller_2"]
    assert gymnasium.make("crowdgym/market-v0").action_space == gymnasium.spaces.MultiDiscrete([3, 3, 3])
    assert gymnasium.make_vec("crowdgym/market-v0", num_envs=4).num_envs == 12


def test_it_passes_the_checks_for_environments() -> None:
    check_env(lambda: crowdgym.make("market_v0"))


def test_commands_list_it(command: Command) -> None:
    assert "market_v0" in command("envs").stdout
    described = json.loads(command("envs market_v0 --json").stdout)
    assert described["objective"] == {"metric": "revenue", "sign": 1}
    assert described["settings"]["highest_price"] == {"default": 100, "meaning": "above every price, currency"}


def test_it_is_played_recorded_and_verified(command: Command, tmp_path: Path) -> None:
    trace = tmp_path / "market.trace"
    said = command(f"run market_v0 --episodes 2 --set highest_price=9 --trace {trace}").stdout
    assert "market_v0 on corner, agent random" in said
    assert "verified" in command(f"trace verify {trace}").stdout


def test_its_speed_is_measured(command: Command) -> None:
    assert "agent-steps" in command("speed market_v0 --num-envs 2 --runs 1 --steps 3").stdout


def test_a_suite_of_it_is_played_with_its_bound(command: Command, tmp_path: Path) -> None:
    (tmp_path / "markets.yaml").write_text(SUITE)
    command(f"bench {tmp_path / 'markets.yaml'} --jobs 1 --out {tmp_path / 'out'}")
    bounds = [json.loads(line)["bound"] for line in (tmp_path / "out" / "bounds.jsonl").read_text().splitlines()]
    assert len(bounds) == 4
    assert all(0 < bound <= 3 * 3 * 99 for bound in bounds)
