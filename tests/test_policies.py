"""Policies by name, and every way in which there can be none."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crowdgym import environment_names, make
from crowdgym.agents.any.hold import HoldPolicy
from crowdgym.agents.any.random_policy import RandomPolicy
from crowdgym.agents.csc.greedy import GreedyPolicy
from crowdgym.common.errors import PolicyError
from crowdgym.policies import PolicySource, load_policy, policy_names
from crowdgym.runner import run_episodes

MODULE = """
class Mine:
    def act(self, observations, infos):
        return {agent: 0 for agent in infos}

class Outer:
    class Inner(Mine):
        pass

def made():
    return Mine()

ready = Mine()

def rule(observations, infos, action=0):
    return {agent: action for agent in infos}

class NoAct:
    pass

class NeedsWeights:
    def __init__(self, weights):
        self.weights = weights
    def act(self, observations, infos):
        return {}

number = 3
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current folder with modules of our own; they and the folder are forgotten at the end."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_rules.py").write_text(MODULE)
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "rules.py").write_text(MODULE)
    (tmp_path / "broken_rules.py").write_text("weights = 1 / 0\n")
    (tmp_path / "misspelt_rules.py").write_text("class Mine:\n    def act(self:\n")
    (tmp_path / "needy_rules.py").write_text("import a_missing_library\n")
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def refusal(name: str) -> str:
    with pytest.raises(PolicyError) as caught:
        load_policy(name, "csc_v0")
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(("name", "kind"), [("greedy", GreedyPolicy), ("random", RandomPolicy), ("hold", HoldPolicy)])
def test_those_that_come_with_crowdgym(name: str, kind: type) -> None:
    assert type(load_policy(name, "csc_v0")) is kind
    assert name in policy_names("csc_v0")


def test_names_are_those_of_an_environment() -> None:
    assert policy_names("csc_v0") == (
        "greedy",
        "pau",
        "pau-nohelp",
        "pau-fair",
        "turn-random",
        "turn-nearest",
        "turn-gain",
        "lookahead",
        "random",
        "hold",
    )
    assert policy_names("dasc_v0") == (
        "greedy",
        "recommend-all",
        "critical-path",
        "rolling-horizon",
        "task-schedule",
        "random",
        "hold",
    )
    assert policy_names("foreign_v0") == ("random", "hold")  # masks are all that these two need


@pytest.mark.parametrize(("name", "kind"), [("random", RandomPolicy), ("hold", HoldPolicy)])
@pytest.mark.parametrize("environment", ["csc_v0", "dasc_v0", "foreign_v0"])
def test_those_that_play_everything(name: str, kind: type, environment: str) -> None:
    assert type(load_policy(name, environment)) is kind


SHORT: dict[str, dict[str, Any]] = {
    "csc_v0": {"scenario": "tiny", "horizon_s": 600.0},
    "dasc_v0": {"scenario": "tiny", "horizon_s": 600.0},
    "preference_v0": {"scenario": "preference-tiny", "horizon_s": 600.0},
    "sensing_v0": {"horizon_s": 10 * 86_400.0},
}


@pytest.mark.parametrize("environment", environment_names())
@pytest.mark.parametrize("seed", [0, 1])
def test_random_and_hold_do_nothing_illegal_anywhere(environment: str, seed: int) -> None:
    env: Any = make(environment, strict=True, **SHORT[environment])
    for name in ("random", "hold"):
        run_episodes(env, load_policy(name, environment), agent=name, episodes=1, seed=seed)
        assert getattr(env.metrics, "illegal", 0) == 0  # in sensing nothing can be


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "name",
    [
        "my_rules:Mine",
        "my_rules:Outer.Inner",
        "my_rules:made",
        "my_rules:ready",
        "my_rules:rule",
        "my_package.rules:Mine",
    ],
    ids=["class", "inner class", "function that makes one", "object", "function", "module in a folder"],
)
def test_those_of_a_module_in_the_current_folder(name: str) -> None:
    assert load_policy(name, "csc_v0").act({"a": 0}, {"a": {}}) == {"a": 0}


@pytest.mark.usefixtures("here")
def test_a_benchmark_knows_the_file_of_a_function() -> None:
    policy: Any = load_policy("my_rules:rule", "csc_v0")
    assert [Path(file).name for file in policy.files] == ["my_rules.py"]


@pytest.mark.usefixtures("here")
def test_a_function_takes_arguments_by_name() -> None:
    policy = load_policy("my_rules:rule", "csc_v0", arguments={"action": 3})
    assert policy.act({"a": 0}, {"a": {}}) == {"a": 3}
    with pytest.raises(PolicyError, match=r"'my_rules:rule' does not take the arguments {'chance': 1}: .*'chance'"):
        load_policy("my_rules:rule", "csc_v0", arguments={"chance": 1})


def test_those_of_an_installed_module() -> None:
    assert type(load_policy("crowdgym.agents.csc.greedy:GreedyPolicy", "csc_v0")) is GreedyPolicy


def test_an_unknown_name() -> None:
    assert refusal("gredy") == (
        "there is no agent 'gredy' for csc_v0; did you mean 'greedy'? "
        "(known: greedy, pau, pau-nohelp, pau-fair, turn-random, turn-nearest, turn-gain, lookahead, random, hold, "
        "cafe, es, ippo, turn-ippo; your own is given as module:Class, "
        "a trained one as its folder)"
    )


def test_a_name_of_another_environment() -> None:
    assert refusal("critical-path") == (
        "there is no agent 'critical-path' for csc_v0, only for dasc_v0 "
        "(known: greedy, pau, pau-nohelp, pau-fair, turn-random, turn-nearest, turn-gain, lookahead, random, hold, "
        "cafe, es, ippo, turn-ippo; your own is given as module:Class, "
        "a trained one as its folder)"
    )


def test_a_module_that_is_not_there(here: Path) -> None:
    assert refusal("no_rules:Mine") == (
        f"the agent 'no_rules:Mine' cannot be loaded: there is no module 'no_rules', neither in {here} nor installed"
    )


@pytest.mark.usefixtures("here")
def test_a_folder_that_is_not_there() -> None:
    assert "there is no module 'my_package.nothing'" in refusal("my_package.nothing:Mine")


def test_a_class_that_is_not_there(here: Path) -> None:
    assert refusal("my_rules:Yours") == (
        f"the agent 'my_rules:Yours' cannot be loaded: the module 'my_rules' ({here / 'my_rules.py'}) has no 'Yours'"
    )


def test_a_module_that_raises_is_told_with_its_line(here: Path) -> None:
    assert refusal("broken_rules:Mine") == (
        "the agent 'broken_rules:Mine' cannot be loaded: importing 'broken_rules' raised "
        f"ZeroDivisionError: division by zero ({here / 'broken_rules.py'}, line 1)"
    )


def test_a_module_that_leaves_the_program_is_told(here: Path) -> None:
    (here / "leaving_rules.py").write_text("import sys\nsys.exit(0)\n")
    assert refusal("leaving_rules:Mine").endswith(
        f"importing 'leaving_rules' raised SystemExit: 0 ({here / 'leaving_rules.py'}, line 2)"
    )


def test_a_module_that_is_not_python_is_told_with_its_line(here: Path) -> None:
    message = refusal("misspelt_rules:Mine")
    assert "SyntaxError" in message
    assert f"({here / 'misspelt_rules.py'}, line 2)" in message


@pytest.mark.usefixtures("here")
def test_a_module_whose_own_import_is_missing_is_not_said_to_be_missing() -> None:
    message = refusal("needy_rules:Mine")
    assert "importing 'needy_rules' raised ModuleNotFoundError: No module named 'a_missing_library'" in message


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("my_rules:NoAct", "must have a method act(observations, infos) that returns an action for every agent"),
        ("my_rules:NeedsWeights", "must be made without arguments, but making it raised TypeError"),
        ("my_rules:number", "must be a class with a method 'act', but it is int 3"),
        ("my_rules.py:Mine", "without .py, its folders separated by dots"),
        ("my_package/rules:Mine", "without .py, its folders separated by dots"),
        ("my_rules:", "must be given as module:Class, such as my_policies:MyPolicy"),
        (":Mine", "must be given as module:Class, such as my_policies:MyPolicy"),
        ("my rules:Mine", "must be given as module:Class, such as my_policies:MyPolicy"),
        (".my_rules:Mine", "must be given as module:Class, such as my_policies:MyPolicy"),
    ],
)
def test_what_is_no_policy(name: str, expected: str) -> None:
    message = refusal(name)
    assert expected in message
    assert repr(name) in message


@pytest.mark.usefixtures("here")
def test_the_current_folder_comes_first_and_once() -> None:
    load_policy("my_rules:Mine", "csc_v0")
    load_policy("my_package.rules:Mine", "csc_v0")
    assert sys.path[0] == os.getcwd()
    assert sys.path.count(os.getcwd()) == 1


@pytest.mark.parametrize("value", [1, 1.5, b"x", [], {}, object(), ("csc_v0",), {"a"}, np.array([1, 2]), float("nan")])
def test_names_of_other_types_are_refused_in_one_sentence(value: Any) -> None:
    for arguments in ((value, "csc_v0"), ("greedy", value), ("greedy", "csc_v0", value)):
        with pytest.raises(PolicyError, match=r"^the name of an? [a-z]+ must be text"):
            load_policy(*arguments)
        with pytest.raises(PolicyError, match=r"^the name of an? [a-z]+ must be text"):
            PolicySource(*arguments)


@pytest.mark.parametrize("value", [1, "k=3", [1], [("k", 3)], {1: 2}, ("k", 3)])
def test_arguments_of_other_types_are_refused_in_one_sentence(value: Any) -> None:
    with pytest.raises(PolicyError, match=r"^arguments of an agent must be a dict with names, got "):
        load_policy("greedy", "csc_v0", arguments=value)
    with pytest.raises(PolicyError, match=r"^arguments of an agent must be a "):
        PolicySource("greedy", "csc_v0", arguments=value)


@pytest.mark.parametrize("name", ["x" * 300, "x" * 100_000, "a\0b"])
def test_a_name_that_no_file_can_have_is_an_unknown_agent(name: str) -> None:
    with pytest.raises(PolicyError, match=r"^there is no agent ") as caught:
        load_policy(name, "csc_v0")
    assert len(str(caught.value)) < 600
