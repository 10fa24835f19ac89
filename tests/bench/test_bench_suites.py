"""Suites as YAML files: a good one, the messages about bad ones, and those that come with CrowdGym."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from worlds.spoilt import EDITS, ODD_PLACES, Edit, often, spoilt, with_odd_values

from crowdgym.bench.jobs import Agent, PolicyCheckJob, check_policy
from crowdgym.bench.published.cafe import CITIES, points
from crowdgym.bench.published.figures import published_figures
from crowdgym.bench.run_folder import open_run, play_all
from crowdgym.bench.suite import Suite
from crowdgym.bench.suites import Overrides, find_benchmark
from crowdgym.common.errors import ConfigError, PolicyError
from crowdgym.configs.suites import AgentEntry, SuiteSettings, key_of, named_suite, parse_suite, read_suite, suite_names
from crowdgym.execution.processes import ProcessEngine

GOOD: dict[str, Any] = {
    "about": "a try",
    "environment": "csc_v0",
    "scenarios": ["tiny"],
    "settings": {"reward": "team"},
    "grid": [{"num_workers": [6, 12], "num_tasks": [20]}, {"num_tasks": [10, 20], "num_workers": [12]}],
    "agents": ["greedy", "random"],
    "first_seed": 3,
    "episodes": 2,
    "metrics": ["revenue"],
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
        Suite("mine", suite(**changes)).check()
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_grid_points_of_all_sweeps_in_order_without_repetitions() -> None:
    assert [tuple(point.values()) for point in suite().points()] == [(6, 20), (12, 20), (12, 10)]
    assert suite().parameters == ("num_workers", "num_tasks")


def test_quick_changes_what_it_names_and_nothing_else() -> None:
    corner = suite().corner()
    assert [tuple(point.values()) for point in corner.points()] == [(6, 20)]
    assert (corner.episodes, corner.scenarios, corner.first_seed) == (1, ("tiny",), 3)


def test_a_good_one_is_all_right() -> None:
    Suite("mine", suite()).check()
    Suite("mine", suite(published=..., settings=..., quick=...)).check()


def test_a_suite_needs_an_environment_scenarios_a_grid_and_agents_and_the_rest_has_defaults(tmp_path: Path) -> None:
    file = tmp_path / "short.yaml"
    file.write_text("{environment: csc_v0, scenarios: [tiny], grid: [{num_tasks: [10]}], agents: [hold]}")

    with ProcessEngine(1) as engine:
        benchmark = find_benchmark(str(file), Overrides(), tmp_path / "out", engine)

    (episodes,) = benchmark.job_lists  # and no bounds
    assert [job.instance.seed for job in episodes.jobs] == list(range(10))
    assert "revenue" in " ".join(benchmark.output_names)  # the objective


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"agent": ["greedy"]}, "the suite mine.yaml: there is no key 'agent'; did you mean 'agents'? (known: about, "),
        ({"agents": ...}, "the suite mine.yaml: agents is missing"),
        (
            {"environment": ..., "grid": ..., "scenarios": ..., "agents": ..., "quick": ..., "published": ...},
            "the suite mine.yaml: environment, scenarios, grid, agents are missing",
        ),
        ({"metrics": []}, "metrics must be a list of at least one, got []"),
        ({"metric": "revenue"}, "there is no key 'metric'; did you mean 'metrics'?"),
        ({"episodes": 0}, "the suite mine.yaml: episodes must be greater than or equal to 1, got 0"),
        ({"episodes": "ten"}, "episodes must be a valid integer, got 'ten'"),
        ({"episodes": 2.5}, "episodes must be a valid integer, got 2.5"),
        ({"first_seed": -1}, "first_seed must be greater than or equal to 0, got -1"),
        ({"time_limit_s": float("inf")}, "time_limit_s must be less than or equal to 1000000, got inf"),
        ({"agents": []}, "agents must be a list of at least one, got []"),
        ({"agents": "greedy"}, "agents must be a valid tuple, got 'greedy'"),
        ({"agents": ["greedy", "greedy"]}, "agents must be a list without repetitions ('greedy' is there twice)"),
        ({"grid": []}, "grid must be a list of at least one, got []"),
        ({"grid": [{}]}, "grid[0] must be a mapping of at least one parameter to its values, got {}"),
        ({"grid": [{"num_tasks": []}]}, "grid[0].num_tasks must be a list of at least one, got []"),
        ({"grid": [{"num_tasks": 5}]}, "grid[0].num_tasks must be a valid tuple, got 5"),
        ({"grid": [{"seed": [1]}]}, "grid[0] must be a mapping of parameters ('seed' is the name of another column"),
        (
            {"grid": [{"num_tasks": [5]}, {"num_workers": [5]}], "quick": ...},
            "grid[1] must have the same parameters as the first sweep, num_tasks, got num_workers",
        ),
        (
            {"quick": {"grid": [{"num_tasks": [5]}]}},
            "quick.grid[0] must have the same parameters as the first sweep, num_workers, num_tasks, got num_tasks",
        ),
        (
            {"quick": {"agents": ["greedy"]}},
            "there is no key 'quick.agents' (known: scenarios, grid, ",
        ),
        ({"settings": {"num_tasks": 5}}, "num_tasks must be either in settings or in grid, got both"),
        ({"published": [{"scenario": "tiny"}]}, "published[0].agent, published[0].at, published[0].mean are missing"),
        ({"agents": [{"policy": "greedy"}]}, "agents[0].name is missing"),
        (
            {"agents": [{"name": "greedy", "argument": {"a": 1}}]},
            "there is no key 'agents[0].argument'; did you mean 'arguments'? (known: name, policy, arguments, only)",
        ),
        (
            {"agents": [{"name": "greedy", "only": {"horizon_s": [1.0]}}]},
            "only of the agent 'greedy' must name parameters of the grid (num_workers, num_tasks), got 'horizon_s'",
        ),
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
            {"metrics": ["profit"]},
            "metrics of the suite mine must be some of revenue, completed, expired, travel_m, illegal",
        ),
        (
            {"metrics": ["completed"]},
            "share_of_bound of the suite mine must be false: csc_v0 has a bound of revenue, ",
        ),
        ({"settings": {"rewards": "team"}}, "the suite mine: csc_v0 has no keyword 'rewards'; did you mean 'reward'?"),
        ({"settings": {"strict": True}}, "the suite mine: settings must not have 'strict'"),
        (
            {"grid": [{"num_workers": [6, -1], "num_tasks": [5]}]},
            "the suite mine: num_workers must be greater than or equal to 1, got -1",
        ),
        (
            {"grid": [{"num_workers": [6, 200], "num_tasks": [5]}], "quick": ...},
            "the suite mine, on tiny: num_workers must be at most 104, the number of places in 'tiny', got 200",
        ),
        (
            {"hook": "no.such:Hook"},
            "hook must be the module:Class of a child of SuiteHook, got 'no.such:Hook': 'no.such:Hook' does not",
        ),
        ({"hook": "json:JSONDecoder"}, "hook must be the module:Class of a child of SuiteHook, got 'json:JSONDecoder'"),
        ({"agents": ["greedi"]}, "there is no agent 'greedi' for csc_v0; did you mean 'greedy'?"),
        ({"published": "kafe"}, "published must be figures or one of cafe, qco-ta, got 'kafe'"),
        (
            {"published": [{"scenario": "tiny", "agent": "greedy", "at": {"num_tasks": 1}, "mean": 1.0}]},
            "every figure of published of the suite mine must be at a value of num_workers, num_tasks, got {'",
        ),
    ],
)
def test_what_does_not_exist_is_said_in_a_sentence(changes: dict[str, Any], message: str) -> None:
    assert message in refusal(**changes)


def test_the_one_in_the_documentation_is_all_right() -> None:
    settings = parse_suite(documented(), "docs/how_to_add/suite.md")
    Suite("documented", settings).check()
    assert set(yaml.safe_load(documented())) == set(SuiteSettings.model_fields) - {"hook", "board", "training"}


def test_the_one_in_the_documentation_can_be_played(tmp_path: Path) -> None:
    (tmp_path / "documented.yaml").write_text(documented())
    with ProcessEngine(1) as engine:
        benchmark = find_benchmark(str(tmp_path / "documented.yaml"), Overrides(quick=True), tmp_path / "run", engine)
        (tmp_path / "run").mkdir()
        finished = open_run(tmp_path / "run", benchmark, resume=False)
        play_all(tmp_path / "run", benchmark, engine, finished=finished, watch=lambda job, outcome: None)
    written = benchmark.report(tmp_path / "run").markdown
    assert "### error, piemonte-synth by num_participants (inference = knn)" in written
    assert "| num_participants | `uns-ta` | paper | off | `gaussian-swap` | `short-ways` |" in written
    played = [(job.agent.name, dict(job.instance.point)["inference"]) for job in benchmark.job_lists[0].jobs]
    assert len(played) == 3 * 3 + 2
    assert ("short-ways", "idw") not in played


def documented() -> str:
    """The example of the page on how to add a suite."""
    page = (Path(__file__).resolve().parents[2] / "docs/how_to_add/suite.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return str(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the suite mine.yaml must be a mapping of names to values, got NoneType"),
        ("- a\n", "must be a mapping of names to values, got list"),
        ("about: 'a\n", "the suite mine.yaml must be YAML: line 2: found unexpected end of stream"),
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
        (Overrides(time_limit_s=0.0), "--time-limit must be a positive number of seconds, at most 1,000,000, got 0"),
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
    with ProcessEngine(1) as engine, pytest.raises(ConfigError, match=message):
        find_benchmark(str(file), wishes, tmp_path, engine)


def test_all_agents_meet_the_same_instances_and_each_has_one_bound(tmp_path: Path) -> None:
    episodes, bounds = Suite("mine", suite()).job_lists(tmp_path, {}, traces=False)
    met = {agent: [e.instance for e in episodes.jobs if e.agent.name == agent] for agent in ("greedy", "random")}
    assert met["greedy"] == met["random"] == [bound.instance for bound in bounds.jobs]
    assert len(set(met["greedy"])) == 3 * 2
    assert {instance.seed for instance in met["greedy"]} == {3, 4}


def test_an_agent_plays_only_the_grid_points_that_it_names(tmp_path: Path) -> None:
    agents = ["greedy", {"name": "lucky", "policy": "random", "only": {"num_tasks": [10]}}]
    episodes, bounds = Suite("mine", suite(agents=agents)).job_lists(tmp_path, {}, traces=False)
    assert {job.instance.point for job in episodes.jobs if job.agent.name == "lucky"} == {
        (("num_workers", 12), ("num_tasks", 10))
    }
    assert len(bounds.jobs) == 3 * 2


def test_arguments_go_to_the_class_of_the_policy() -> None:
    with pytest.raises(PolicyError, match=r"'far' does not take the arguments {'cost_weight': -1.0}: cost_weight must"):
        check_policy(PolicyCheckJob("sensing_v0", "piemonte-synth", agent("far", {"cost_weight": -1.0})))
    with pytest.raises(PolicyError, match=r"the agent 'far' does not take the arguments {'weight': 1}: .*'weight'"):
        check_policy(PolicyCheckJob("sensing_v0", "piemonte-synth", agent("far", {"weight": 1})))


def agent(name: str, arguments: dict[str, Any]) -> Agent:
    return Agent.of(AgentEntry(name=name, policy="gaussian-swap", arguments=arguments))


def test_a_choice_of_grid_points_leaves_out_the_bounds_of_the_others(tmp_path: Path) -> None:
    episodes, bounds = Suite("mine", suite()).job_lists(tmp_path, {"num_workers": ("6",)}, traces=False)
    assert (len(episodes.jobs), len(bounds.jobs)) == (2 * 2, 2)


# Those that come with CrowdGym


def test_those_that_come_with_crowdgym() -> None:
    of_csc = ("csc-paper", "csc-planners", "csc-shift")
    of_boards = tuple(f"leaderboard-{name}-v1" for name in ("csc", "dasc", "preference", "sensing"))
    others = ("dasc-dispatchers", "dasc-rmo", "dasc-settings", *of_boards, "preference-sources", "sensing-paper")
    assert suite_names() == (*of_csc, *others)


@pytest.mark.parametrize("name", suite_names())
def test_they_are_all_right(name: str) -> None:
    for settings in (named_suite(name), named_suite(name).corner()):
        embedded = {"scenarios": ("piemonte-synth",)} if settings.scenarios == ("piemonte",) else {}
        Suite(name, settings.model_copy(update=embedded)).check()


def test_csc_paper_has_the_papers_points_ten_times() -> None:
    paper = named_suite("csc-paper")
    assert paper.episodes == 10
    assert paper.scenarios == tuple(f"{city}-paper" for city in CITIES)
    for city in CITIES:
        wanted = [{"num_workers": point.num_workers, "num_tasks": point.num_tasks} for point in points(city)]
        assert [point for sweep in paper.grid for point in paper.points_of(sweep)] == wanted
    figures = {(p.scenario, p.agent, key_of(p.at)): p.mean for p in published_figures(paper)}
    assert figures["chengdu-paper", "greedy", (("num_tasks", 50), ("num_workers", 200))] == pytest.approx(65_300)
    assert figures["haikou-paper", "pau", (("num_tasks", 200), ("num_workers", 350))] == pytest.approx(303_100)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"grid": [{"num_workers": list(range(1, 1001)), "num_tasks": list(range(1, 1001))}]},
            "grid must have at most 100,000 points, got 1,000,000",
        ),
        (
            {"episodes": 1_000_000, "agents": [{"name": f"a{number}", "policy": "hold"} for number in range(1000)]},
            "a suite must have at most 10,000,000 episodes, got 4,000,000,000",
        ),
        ({"grid": [{"num_workers": list(range(1, 1002)), "num_tasks": [1]}]}, r"at most 1,000 \(it has 1,001\)"),
    ],
)
def test_a_suite_that_would_never_end_is_refused_with_its_size(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        suite(**changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 5_000, "it has too many levels"),
        ("a: " + "[" * 40 + "]" * 40, "it has more than 32 levels"),
        ("episodes: " + "9" * 5_000, "digits"),
        ("about: " + "a" * 2**21, "it has 2,097,159 characters, more than 1,048,576"),
        ("a: &a [1]\n" + "b: [*a]\n" * 21, "it has 21 aliases, more than 20"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
    ],
)
def test_odd_yaml_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        parse_suite(text, "mine.yaml")
    assert "\n" not in str(raised.value)


def test_a_pipe_or_a_device_is_no_suite(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    for file in (tmp_path / "pipe.yaml", Path("/dev/zero")):
        with pytest.raises(ConfigError, match="cannot be read: it is a device or a pipe, not a plain file"):
            read_suite(file)


def judge_suite(file: Path) -> None:
    try:
        read_suite(file)
    except ConfigError as error:
        assert "spoilt.yaml" in str(error) or "the suite" in str(error)  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017


@often(200)
@given(changes=EDITS)
def test_a_spoilt_suite(tmp_path: Path, changes: list[Edit]) -> None:
    file = tmp_path / "spoilt.yaml"
    file.write_bytes(spoilt(yaml.safe_dump(GOOD).encode(), changes))
    judge_suite(file)


@often(200)
@given(changes=ODD_PLACES)
def test_odd_values_in_a_suite(tmp_path: Path, changes: list[tuple[int, Any]]) -> None:
    file = tmp_path / "spoilt.yaml"
    file.write_text(yaml.safe_dump(with_odd_values(GOOD, changes)))
    judge_suite(file)
