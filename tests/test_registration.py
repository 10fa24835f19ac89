"""What ``import crowdgym`` brings: little, but every environment by name."""

import json
import subprocess
import sys
import tomllib
from dataclasses import replace
from importlib import reload
from pathlib import Path
from typing import Any

import gymnasium
import pettingzoo
import pytest

import crowdgym
from crowdgym.common.entry_points import load_entry_point
from crowdgym.common.errors import ConfigError
from crowdgym.envs.api.spec import EnvironmentSpec
from crowdgym.policies import policy_names
from crowdgym.registration import environment_specs

SHORT: dict[str, dict[str, Any]] = {
    "csc_v0": {"scenario": "tiny"},
    "dasc_v0": {"scenario": "tiny"},
    "preference_v0": {"scenario": "preference-tiny"},
    "sensing_v0": {},
}
KNOWN = "csc_v0, dasc_v0, preference_v0, sensing_v0"
ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "osmnx", "geopandas", "matplotlib", "numba", "pandas", "scipy", "sklearn", "shapely", "pyproj")


def modules_after(statement: str) -> set[str]:
    program = f"{statement}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "statement", ["import crowdgym", "import crowdgym.cli.main", "from crowdgym.agents.csc.greedy import GreedyPolicy"]
)
def test_importing_brings_nothing_heavy(statement: str) -> None:
    assert not modules_after(statement) & set(HEAVY)


def test_importing_brings_no_environment_but_its_specification() -> None:
    there = {name for name in modules_after("import crowdgym") if name.startswith(("crowdgym.envs.", "crowdgym.data"))}
    of_folders = {name for name in there if name.count(".") > 2}
    assert of_folders == {f"crowdgym.envs.{folder}.spec" for folder in ("api", "csc", "dasc", "preference", "sensing")}


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert crowdgym.__version__ == project["version"]


def test_make_makes_an_environment_by_name() -> None:
    env = crowdgym.make("csc_v0", scenario="tiny", num_workers=3)
    assert env.metadata["name"] == "csc_v0"
    assert len(env.possible_agents) == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "csc_v1",
            f"there is no environment 'csc_v1'; did you mean 'csc_v0'? (known: {KNOWN})",
        ),
        ("pong", f"there is no environment 'pong' (known: {KNOWN})"),
        (None, f"there is no environment None (known: {KNOWN})"),
    ],
)
def test_an_unknown_name_lists_those_there_are(name: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        crowdgym.make(name)
    assert str(caught.value) == message


def test_pettingzoo_knows_the_parallel_form() -> None:
    env = pettingzoo.make("parallel", "crowdgym/csc-v0", scenario="tiny", num_workers=3)
    assert isinstance(env, pettingzoo.ParallelEnv)
    observations, _ = env.reset(seed=0)
    assert list(observations) == ["worker_0", "worker_1", "worker_2"]


def test_pettingzoo_knows_the_agent_by_agent_form() -> None:
    env = pettingzoo.make("aec", "crowdgym/csc-v0", scenario="tiny", num_workers=3)
    assert isinstance(env, pettingzoo.AECEnv)
    env.reset(seed=0)
    assert env.agent_selection == "worker_0"


def test_subtasks_of_dasc_are_made_by_every_name_it_has() -> None:
    keywords: dict[str, Any] = {"scenario": "tiny", "num_tasks": 2, "num_workers": 3}
    agents = [f"subtask_{s}" for s in range(8)]
    assert crowdgym.make("dasc_v0", **keywords).possible_agents == agents
    assert pettingzoo.make("parallel", "crowdgym/dasc-v0", **keywords).possible_agents == agents
    assert pettingzoo.make("aec", "crowdgym/dasc-v0", **keywords).possible_agents == agents
    for name in ("crowdgym/DASC-v0", "crowdgym/dasc-v0"):
        assert gymnasium.make(name, **keywords).action_space == gymnasium.spaces.MultiDiscrete([2] * 8)
        assert gymnasium.make_vec(name, num_envs=3, **keywords).num_envs == 3 * 8


def test_importing_again_registers_nothing_twice() -> None:
    reload(crowdgym)  # a second registration would warn, and warnings are errors here
    assert "crowdgym/csc-v0" in pettingzoo.parallel_registry
    assert "crowdgym/csc-v0" in pettingzoo.aec_registry


def test_every_environment_is_registered() -> None:
    ours = {name.replace("_v", "-v") for name in crowdgym.environment_names()}
    assert {name.removeprefix("crowdgym/") for name in pettingzoo.parallel_registry if "crowdgym/" in name} == ours
    assert {name.removeprefix("crowdgym/") for name in pettingzoo.aec_registry if "crowdgym/" in name} == ours


@pytest.mark.parametrize("spec", environment_specs(), ids=lambda spec: spec.name)
def test_a_specification_says_what_is_there(spec: EnvironmentSpec) -> None:
    """Metrics, traced quantities, settings, policy and entry points are those of the environment itself."""
    env: Any = crowdgym.make(spec.name, **SHORT[spec.name])
    env.reset(seed=0)
    whole = [name for name, value in vars(env.metrics).items() if isinstance(value, int | float)]
    assert [metric.name for metric in spec.metrics] == whole
    assert spec.objective.metric in whole
    assert set(spec.traced) <= set(vars(env.snapshot()))
    assert type(env.settings) is spec.settings_class()
    assert spec.default_policy in policy_names(spec.name)
    assert env.metadata["name"] == spec.name
    if spec.solution_checker is not None:
        assert callable(load_entry_point(spec.solution_checker))
    if spec.bound is not None:
        assert spec.bound.metric in whole
        assert load_entry_point(spec.bound.entry_point)(env.instance, env.settings) > 0


def test_a_name_that_is_taken_is_not_registered_again() -> None:
    crowdgym.register(crowdgym.environment_spec("csc_v0"))  # the same once more changes nothing
    other = replace(crowdgym.environment_spec("csc_v0"), module="elsewhere.csc_v0")
    with pytest.raises(ConfigError, match=r"the name 'csc_v0' belongs to another environment \(crowdgym.envs.csc_v0\)"):
        crowdgym.register(other)


def test_an_environment_of_a_package_that_cannot_be_imported() -> None:
    with pytest.raises(ConfigError, match="'no_such_package:pong_v0' does not exist: there is no module 'no_such_"):
        crowdgym.make("no_such_package:pong_v0")
    with pytest.raises(ConfigError, match="the module 'json' registers no environment 'pong_v0'"):
        crowdgym.make("json:pong_v0")


@pytest.mark.parametrize(
    ("source", "raised"),
    [
        ("import nothing_such", r"ModuleNotFoundError: No module named 'nothing_such' \(.*, line 1\)"),
        ("\n1 / 0", r"ZeroDivisionError: division by zero \(.*, line 2\)"),
        ("def (:", r"SyntaxError: .*, line 1\)"),
        ("import sys\nsys.exit(0)", r"SystemExit: 0 \(.*, line 2\)"),
    ],
)
def test_an_environment_of_a_module_that_fails_names_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, raised: str
) -> None:
    (tmp_path / "failing_market.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=f"'failing_market:pong_v0' cannot be loaded: importing .* raised {raised}"):
        crowdgym.make("failing_market:pong_v0")


@pytest.mark.parametrize("name", [":", ":pong_v0", ".x:pong_v0", "a b:pong_v0", "a::pong_v0", "a..b:pong_v0"])
def test_an_environment_of_what_is_no_module_name(name: str) -> None:
    with pytest.raises(ConfigError, match="names no module as in an import"):
        crowdgym.make(name)


def test_only_specifications_are_registered() -> None:
    with pytest.raises(ConfigError, match="register takes an EnvironmentSpec, got 3"):
        crowdgym.register(3)  # type: ignore[arg-type]
