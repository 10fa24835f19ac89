"""Suites as YAML files: what a good one is, what is said of one that is not, and those that come with CrowdGym."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from crowdgym.bench.published.cafe import CITIES, points
from crowdgym.bench.published.points import published_points
from crowdgym.bench.suite import GridSuite
from crowdgym.bench.suites import Overrides, find_benchmark, known_suites
from crowdgym.common.errors import ConfigError
from crowdgym.configs.suites import SuiteSettings, key_of, named_suite, parse_suite, read_suite, suite_names
from crowdgym.execution.processes import WorkerPool

GOOD: dict[str, Any] = {
    "about": "a try",
    "environment": "csc_v0",
    "scenarios": ["tiny"],
    "settings": {"reward": "team"},
    "grid": [{"num_workers": [6, 12], "num_tasks": [20]}, {"num_tasks": [10, 20], "num_workers": [12]}],
    "agents": ["greedy", "random"],
    "first_seed": 3,
    "episodes": 2,
    "metric": "revenue",
    "share_of_bound": True,
    "time_limit_s": 30,
    "published": [
        {"scenario": "tiny", "agent": "greedy", "at": {"num_workers": 12, "num_tasks": 20}, "mean": 1e4, "sd": 5}
    ],
    "quick": {"episodes": 1, "grid": [{"num_workers": [6], "num_tasks": [20]}]},
}


def suite(**changes: Any) -> SuiteSettings:
    content = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}
    return parse_suite(yaml.safe_dump(content, sort_keys=False), "mine.yaml")


def refusal(**changes: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        GridSuite("mine", suite(**changes)).check()
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_cells_of_all_sweeps_are_there_once_in_order() -> None:
    assert [tuple(cell.values()) for cell in suite().cells()] == [(6, 20), (12, 20), (12, 10)]
    assert suite().parameters == ("num_workers", "num_tasks")


def test_quick_changes_what_it_names_and_nothing_else() -> None:
    corner = suite().corner()
    assert [tuple(cell.values()) for cell in corner.cells()] == [(6, 20)]
    assert (corner.episodes, corner.scenarios, corner.first_seed) == (1, ("tiny",), 3)


def test_a_good_one_is_all_right() -> None:
    GridSuite("mine", suite()).check()
    GridSuite("mine", suite(published=..., settings=..., quick=...)).check()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"agent": ["greedy"]}, "the suite mine.yaml: there is no key 'agent'; did you mean 'agents'? (known: about, "),
        ({"metric": ...}, "the suite mine.yaml: metric is missing"),
        ({"episodes": 0}, "the suite mine.yaml: episodes must be greater than or equal to 1, got 0"),
        ({"episodes": "ten"}, "episodes must be a valid integer, got 'ten'"),
        ({"episodes": 2.5}, "episodes must be a valid integer, got 2.5"),
        ({"first_seed": -1}, "first_seed must be greater than or equal to 0, got -1"),
        ({"time_limit_s": float("inf")}, "time_limit_s must be a finite number, got inf"),
        ({"agents": []}, "agents must be a list of at least one, got []"),
        ({"agents": "greedy"}, "agents must be a valid tuple, got 'greedy'"),
        ({"agents": ["greedy", "greedy"]}, "agents must be a list without repetitions ('greedy' is there twice)"),
        ({"grid": []}, "grid must be a list of at least one, got []"),
        ({"grid": [{}]}, "grid[0] must be a mapping of at least one setting to its values, got {}"),
        ({"grid": [{"num_tasks": []}]}, "grid[0].num_tasks must be a list of at least one, got []"),
        ({"grid": [{"num_tasks": 5}]}, "grid[0].num_tasks must be a valid tuple, got 5"),
        ({"grid": [{"seed": [1]}]}, "grid[0] must be a mapping of settings of the environment ('seed' has its own"),
        (
            {"grid": [{"num_tasks": [5]}, {"num_workers": [5]}], "quick": ...},
            "grid[1] must have the same parameters as the first sweep, num_tasks, got num_workers",
        ),
        (
            {"quick": {"grid": [{"num_tasks": [5]}]}},
            "quick.grid[0] must have the same parameters as the first sweep, num_workers, num_tasks, got num_tasks",
        ),
        ({"quick": {"agents": ["greedy"]}}, "there is no key 'quick.agents' (known: scenarios, grid, episodes)"),
        ({"settings": {"num_tasks": 5}}, "num_tasks must be either in settings or in grid, got both"),
        ({"published": [{"scenario": "tiny"}]}, "published[0].agent is missing"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_in_a_sentence(changes: dict[str, Any], message: str) -> None:
    assert message in refusal(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"environment": "csc_v9"}, "there is no environment 'csc_v9'; did you mean 'csc_v0'?"),
        ({"scenarios": ["nowhere"]}, "the suite mine needs the scenario 'nowhere': "),
        (
            {"metric": "profit"},
            "metric of the suite mine must be one of revenue, completed, expired, travel_m, illegal",
        ),
        (
            {"metric": "completed"},
            "share_of_bound of the suite mine must be false: there are bounds of revenue",
        ),
        ({"settings": {"rewards": "team"}}, "the suite mine: csc_v0 has no keyword 'rewards'; did you mean 'reward'?"),
        ({"settings": {"strict": True}}, "settings of the suite mine must not have 'strict'"),
        (
            {"grid": [{"num_workers": [6, -1], "num_tasks": [5]}]},
            "the suite mine: num_workers must be greater than or equal to 1, got -1",
        ),
        (
            {"grid": [{"num_workers": [6, 200], "num_tasks": [5]}], "quick": ...},
            "the suite mine, on tiny: num_workers must be at most 104, the number of places in 'tiny', got 200",
        ),
        ({"agents": ["greedi"]}, "there is no agent 'greedi' for csc_v0; did you mean 'greedy'?"),
        ({"published": "kafe"}, "published must be points or one of cafe, got 'kafe'"),
        (
            {"published": [{"scenario": "tiny", "agent": "greedy", "at": {"num_tasks": 1}, "mean": 1.0}]},
            "every point of published of the suite mine must be at a value of num_workers, num_tasks, got {'num_tasks'",
        ),
    ],
)
def test_what_does_not_exist_is_said_in_a_sentence(changes: dict[str, Any], message: str) -> None:
    assert message in refusal(**changes)


def test_the_one_in_the_documentation_is_all_right() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    settings = parse_suite(text, "docs/benchmarks.md")
    GridSuite("documented", settings).check()
    assert set(yaml.safe_load(text)) == set(SuiteSettings.model_fields)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the suite mine.yaml must be a mapping of names to values, got NoneType"),
        ("- a\n", "must be a mapping of names to values, got list"),
        ("about: 'a\n", "the suite mine.yaml, line 2 must be YAML: found unexpected end of stream"),
    ],
)
def test_what_is_no_suite_at_all(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_suite(text, "mine.yaml")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the suite .*none.yaml cannot be read: No such file or directory"):
        read_suite(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"the suite .*bytes.yaml must be text in UTF-8"):
        read_suite(tmp_path / "bytes.yaml")


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (Overrides(agents=["greedy", ""]), "--agents must be names with commas between them, got 'greedy,'"),
        (Overrides(agents=["greedy", "greedy"]), "--agents must name every agent once, got 'greedy' twice"),
        (Overrides(episodes=0), "--episodes must be at least 1, got 0"),
        (Overrides(time_limit_s=0.0), "--time-limit must be a positive number of seconds, got 0"),
        (Overrides(only={"num_tasks": ("15",)}), "num_tasks must be one of 20, 10, got '15'"),
        (
            Overrides(only={"reward": ("team",)}),
            "mine has no parameter 'reward' .known: suite, scenario, agent, ",
        ),
    ],
)
def test_wishes_that_cannot_be_met(tmp_path: Path, wishes: Overrides, message: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(GOOD, sort_keys=False))
    with WorkerPool(1) as pool, pytest.raises(ConfigError, match=message):
        find_benchmark(str(file), wishes, tmp_path, pool)


def test_all_agents_meet_the_same_instances_and_each_has_one_bound(tmp_path: Path) -> None:
    episodes, bounds = GridSuite("mine", suite()).parts(tmp_path, {}, traces=False)
    met = {agent: [e.instance for e in episodes.items if e.agent == agent] for agent in ("greedy", "random")}
    assert met["greedy"] == met["random"] == [bound.instance for bound in bounds.items]
    assert len(set(met["greedy"])) == 3 * 2
    assert {instance.seed for instance in met["greedy"]} == {3, 4}


def test_a_choice_of_cells_leaves_out_the_bounds_of_the_others(tmp_path: Path) -> None:
    episodes, bounds = GridSuite("mine", suite()).parts(tmp_path, {"num_workers": ("6",)}, traces=False)
    assert (len(episodes.items), len(bounds.items)) == (2 * 2, 2)


# Those that come with CrowdGym


def test_those_that_come_with_crowdgym() -> None:
    assert known_suites() == ("csc-paper", "dasc-dispatchers", "sensing-paper")


@pytest.mark.parametrize("name", suite_names())
def test_they_are_all_right(name: str) -> None:
    for settings in (named_suite(name), named_suite(name).corner()):
        GridSuite(name, settings).check()


def test_csc_paper_has_the_papers_points_ten_times() -> None:
    paper = named_suite("csc-paper")
    assert paper.episodes == 10
    assert paper.scenarios == tuple(f"{city}-paper" for city in CITIES)
    for city in CITIES:
        wanted = [{"num_workers": point.num_workers, "num_tasks": point.num_tasks} for point in points(city)]
        assert [cell for sweep in paper.grid for cell in paper.cells_of(sweep)] == wanted
    figures = {(p.scenario, p.agent, key_of(p.at)): p.mean for p in published_points(paper)}
    assert figures["chengdu-paper", "greedy", (("num_tasks", 50), ("num_workers", 200))] == pytest.approx(65_300)
    assert figures["haikou-paper", "pau", (("num_tasks", 200), ("num_workers", 350))] == pytest.approx(303_100)
