"""``crowdgym run``, on the smallest city."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from crowdgym.cli.main import app
from crowdgym.cli.shared.assignments import parse_assignments
from crowdgym.common.errors import ConfigError
from crowdgym.configs.csc import CscSettings

TINY = ("run", "csc_v0", "--scenario", "tiny")


def crowdgym(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def ran(*arguments: object) -> str:
    result = crowdgym(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: object) -> str:
    """The one line that a command says instead of doing anything."""
    result = crowdgym(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    line = result.stderr.removesuffix("\n")
    assert "\n" not in line
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


def json_of(file: Path, *arguments: object) -> Any:
    ran(*TINY, "--json", file, *arguments)
    return json.loads(file.read_text(encoding="utf-8"))


def without_time(results: Any) -> Any:
    for episode in results["episodes"]:
        assert episode.pop("wall_s") >= 0
    return results


# What it writes


def test_a_policy_whose_actions_are_mostly_illegal_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stubborn_rule.py").write_text("def third(observations, infos):\n    return dict.fromkeys(infos, 3)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    said = crowdgym(*TINY, "--agent", "stubborn_rule:third").stderr

    assert re.fullmatch(r"WARNING: \d+% of the actions of 'stubborn_rule:third' other than 0 were illegal, .*\n", said)
    assert crowdgym(*TINY, "--agent", "greedy").stderr == ""


def test_the_json_has_what_was_run_and_what_came_of_it(tmp_path: Path) -> None:
    results = json_of(tmp_path / "out.json", "--episodes", 2, "--seed", 5, "--set", "num_workers=4")
    assert list(results) == ["env", "scenario", "agent", "information", "seed", "config", "episodes", "mean", "played"]
    assert (results["information"], results["played"]) == ("decentralised", "inside")
    assert (results["env"], results["scenario"], results["agent"], results["seed"]) == ("csc_v0", "tiny", "greedy", 5)
    assert results["config"] == CscSettings.load(scenario="tiny", num_workers=4).model_dump(mode="json")
    assert [episode["seed"] for episode in results["episodes"]] == [5, 6]
    columns = {"seed", "revenue", "completed", "expired", "travel_m", "steps", "illegal", "wall_s"}
    assert all(set(episode) == columns for episode in results["episodes"])
    first, second = results["episodes"]
    assert set(results["mean"]) == columns - {"seed", "wall_s"}
    assert results["mean"]["revenue"] == pytest.approx((first["revenue"] + second["revenue"]) / 2)
    assert first["steps"] == 120  # an hour in steps of half a minute


@pytest.mark.parametrize("agent", ["greedy", "random"])
def test_the_same_seed_gives_the_same_json(tmp_path: Path, agent: str) -> None:
    options = ("--agent", agent, "--episodes", 3, "--seed", 9)
    first = json_of(tmp_path / "first.json", *options)
    second = json_of(tmp_path / "second.json", *options)
    assert without_time(first) == without_time(second)


def test_another_process_gives_the_same_json(tmp_path: Path) -> None:
    here = json_of(tmp_path / "here.json", "--agent", "random", "--seed", 2)
    program = [sys.executable, "-c", "from crowdgym.cli.start import main; main()", *TINY]
    subprocess.run([*program, "--agent", "random", "--seed", "2", "--json", tmp_path / "there.json"], check=True)
    assert without_time(json.loads((tmp_path / "there.json").read_text())) == without_time(here)


def test_another_seed_gives_other_results(tmp_path: Path) -> None:
    first = json_of(tmp_path / "first.json", "--seed", 1)
    second = json_of(tmp_path / "second.json", "--seed", 2)
    assert first["mean"]["revenue"] != second["mean"]["revenue"]


def test_an_episode_can_be_had_again_by_its_own_seeds(tmp_path: Path) -> None:
    three = without_time(json_of(tmp_path / "three.json", "--agent", "random", "--episodes", 3, "--seed", 5))
    last = without_time(json_of(tmp_path / "last.json", "--agent", "random", "--seed", 7, "--policy-seed", 2))
    assert three["episodes"][2] == last["episodes"][0]


def test_a_json_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text("old")
    assert json_of(tmp_path / "out.json")["env"] == "csc_v0"
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_the_table_has_a_row_for_every_episode_and_their_mean() -> None:
    lines = [line.split() for line in ran(*TINY, "--agent", "hold", "--episodes", 2, "--seed", 3).splitlines()]
    assert ["csc_v0", "on", "tiny,", "agent", "hold", "(decentralised,", "inside)"] in lines
    assert ["seed", "revenue", "completed", "expired", "travel,", "km", "illegal", "steps", "wall,", "s"] in lines
    rows = {line[0]: line[1:] for line in lines if line}
    for row in ("3", "4"):
        assert rows[row][:2] == ["0", "0"]
        assert rows[row][3:6] == ["0.0", "0", "120"]
    assert rows["mean"][0] == "0"


def test_one_episode_needs_no_mean() -> None:
    assert "mean" not in ran(*TINY)


def test_everything_has_a_default() -> None:
    table = ran("run", "csc_v0", "--set", "scenario=tiny")
    assert "csc_v0 on tiny, agent greedy (decentralised, inside)" in table


def test_a_policy_of_ones_own_is_run_and_its_illegal_actions_are_counted(policies: Path) -> None:
    results = json_of(policies / "out.json", "--agent", "bad_rules:Two")
    assert results["agent"] == "bad_rules:Two"
    assert (results["information"], results["played"]) == ("centralised", "isolated")
    assert results["mean"]["illegal"] > 0


@pytest.mark.parametrize("how", [["--isolated"], ["--step-limit", "60"], ["--memory-limit", "60000"]])
def test_a_policy_of_crowdgym_s_is_isolated_on_request_and_where_it_has_limits(how: list[str]) -> None:
    table = ran(*TINY, "--set", "horizon_s=60", "--agent", "hold", *how)
    assert "csc_v0 on tiny, agent hold (decentralised, isolated)" in table


def test_limits_are_refused_inside() -> None:
    result = CliRunner().invoke(app, [*TINY, "--agent", "hold", "--inside", "--step-limit", "60"])
    assert result.exit_code == 2
    assert "error: limits of time and memory are those of a process of the policy's own: do not" in result.stderr


def test_the_gif_shows_the_first_episode_and_changes_no_result(tmp_path: Path) -> None:
    from PIL import Image

    options = ("--episodes", 2, "--set", "horizon_s=300", "--set", "step_s=60")
    plain = json_of(tmp_path / "plain.json", *options)
    drawn = json_of(tmp_path / "drawn.json", *options, "--render", tmp_path / "out.gif")
    assert without_time(plain) == without_time(drawn)
    with Image.open(tmp_path / "out.gif") as gif:
        assert gif.format == "GIF"
        assert gif.size == (1000, 1000)
        assert 2 <= gif.n_frames <= 6  # the start and five steps; frames that are alike may be one
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drawn.json", "out.gif", "plain.json"]


def test_the_trace_is_of_the_first_episode_can_be_verified_and_changes_no_result(tmp_path: Path) -> None:
    plain = json_of(tmp_path / "plain.json", "--agent", "random", "--episodes", 2, "--seed", 4)
    traced = json_of(
        tmp_path / "traced.json", "--agent", "random", "--episodes", 2, "--seed", 4, "--trace", tmp_path / "out.trace"
    )
    assert without_time(plain) == without_time(traced)
    said = ran("trace", "verify", tmp_path / "out.trace")
    assert "verified, 120 steps" in said
    assert f"revenue {traced['episodes'][0]['revenue']:,.10g}" in said
    assert "agent random" in ran("trace", "show", tmp_path / "out.trace")


def test_it_says_where_the_files_are(tmp_path: Path) -> None:
    said = ran(*TINY, "--seed", 3, "--json", tmp_path / "out.json", "--trace", tmp_path / "out.trace").splitlines()
    assert said[-2:] == [f"results: {tmp_path / 'out.json'}", f"episode of seed 3: {tmp_path / 'out.trace'}"]


# --set


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("200", 200),
        ("2.5", 2.5),
        ("1e3", 1000.0),
        ("true", True),
        ("team", "team"),
        ("busiest", "busiest"),
        (" 7", 7),
        ("-1", -1),
    ],
)
def test_a_value_is_what_it_looks_like(text: str, value: object) -> None:
    parsed = parse_assignments([f"name={text}"])["name"]
    assert parsed == value
    assert type(parsed) is type(value)


def test_a_day_is_text() -> None:
    assert parse_assignments(["days=2017-05-03"]) == {"days": "2017-05-03"}


@pytest.mark.parametrize("text", ["[1, 2]", "{a: 1}", "", "null", "[", "'", "a: b: c"])
def test_a_value_is_one_number_or_word(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--set name must be a number, true, false or a word, got "):
        parse_assignments([f"name={text}"])


def test_a_time_of_day_is_not_taken_for_a_number() -> None:
    assert refused(*TINY, "--set", "window_start_s=8:30").startswith("--set window_start_s must be a number")


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("num_workers", "--set must be NAME=VALUE, such as num_workers=200, got 'num_workers'"),
        ("=3", "--set must be NAME=VALUE, such as num_workers=200, got '=3'"),
        ("render_mode=human", "--set takes settings, but render_mode is not a setting"),
        ("generator=x", "--set takes settings, but generator is not a setting"),
        ("num_worker=3", "csc_v0 has no keyword 'num_worker'; did you mean 'num_workers'? (known: scenario, num_w"),
        ("num_workers=-1", "num_workers must be greater than or equal to 1, got -1"),
        ("num_workers=0", "num_workers must be greater than or equal to 1, got 0"),
        ("num_tasks=0", "num_tasks must be greater than or equal to 1, got 0"),
        ("num_workers=2.5", "num_workers must be a valid integer, got 2.5"),
        ("num_workers=many", "num_workers must be a valid integer, got 'many'"),
        ("horizon_s=nan", "horizon_s must be"),
        ("horizon_s=-5", "horizon_s must be greater than 0, got -5"),
        ("reward=most", "reward must be 'contribution', 'team', 'individual', 'marginal' or 'difference', got 'most'"),
        ("num_workers=5000", "num_workers must be at most"),
        ("num_tasks=900000", "num_tasks must be at most"),
        ("scenario=tiny", "the scenario is given twice: 'tiny' and 'tiny'"),
    ],
)
def test_a_bad_setting_is_named_with_its_value(assignment: str, message: str) -> None:
    assert refused(*TINY, "--set", assignment).startswith(message)


def test_a_setting_given_twice_is_refused() -> None:
    assert refused(*TINY, "--set", "num_tasks=5", "--set", "num_tasks=6").startswith("--set num_tasks is given twice")


# What else can be wrong


def test_an_unknown_environment_lists_those_there_are() -> None:
    assert (
        refused("run", "csc")
        == "there is no environment 'csc'; did you mean 'csc_v0'? (known: csc_v0, dasc_v0, preference_v0, sensing_v0)"
    )


def test_an_unknown_scenario_lists_those_there_are() -> None:
    message = refused("run", "csc_v0", "--scenario", "atlantis")
    assert "'atlantis'" in message
    assert "chengdu-paper, chengdu-synth, " in message
    assert "haikou-paper, haikou-synth, " in message


def test_an_unknown_agent_lists_those_there_are() -> None:
    assert refused(*TINY, "--agent", "xyz") == (
        "there is no agent 'xyz' for csc_v0 (known: greedy, pau, pau-nohelp, pau-fair, turn-random, turn-nearest, "
        "turn-gain, lookahead, random, hold, cafe, es, ippo, turn-ippo; "
        "your own is given as module:Class, a trained one as its folder)"
    )


@pytest.mark.parametrize("count", [0, -3])
def test_there_is_at_least_one_episode(count: int) -> None:
    assert refused(*TINY, "--episodes", count) == f"--episodes must be at least 1, got {count}"


def test_a_seed_is_not_negative() -> None:
    assert refused(*TINY, "--seed", -1) == "--seed must be at least 0, got -1"


@pytest.mark.parametrize("arguments", [("--episodes", "many"), ("--seed", "1.5"), ("--sets", "a=1")])
def test_a_bad_option_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    result = crowdgym(*TINY, *arguments)
    assert result.exit_code == 2
    assert arguments[0] in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        ("Raises", r"step 1, raised RuntimeError: the network is not trained \(.*bad_rules\.py, line 8\)"),
        (
            "Floats",
            "step 1, chose an invalid action: the action of worker_0 must be a whole number .*, got 0.5",
        ),
        (
            "Outside",
            "step 1, chose an invalid action: the action of worker_0 must be a whole number .*, got 99",
        ),
    ],
)
def test_a_bad_policy_is_named_with_its_episode_and_step(policies: Path, agent: str, message: str) -> None:
    said = refused(*TINY, "--agent", f"bad_rules:{agent}", "--json", policies / "out.json", "--seed", 4)
    assert re.fullmatch(f"the agent 'bad_rules:{agent}', in episode 0 \\(seed 4\\), {message}", said)
    assert not (policies / "out.json").exists()


def test_an_illegal_action_is_refused_where_the_environment_is_strict(policies: Path) -> None:
    said = refused(*TINY, "--agent", "bad_rules:Two", "--set", "strict=true")
    assert re.search(
        r"in episode 0 \(seed 0\), step \d+, chose an invalid action: worker_\d+ may not take action", said
    )
    assert re.search(r"may not take action 2\b", said)


def test_a_bad_policy_leaves_no_half_of_a_gif(policies: Path) -> None:
    refused(*TINY, "--agent", "bad_rules:Raises", "--render", policies / "out.gif")
    assert not list(policies.glob("*.gif*"))
    assert not list(policies.glob(".*"))


# Files that cannot be written: said before the first step


@pytest.fixture
def no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **keywords: object) -> None:
        raise AssertionError("an environment was made before the files were checked")

    monkeypatch.setattr("crowdgym.cli.run.crowdgym.make", fail)


def test_an_animation_has_every_nth_moment_and_the_last_at_its_rate_and_size(tmp_path: Path) -> None:
    from PIL import Image

    episode = ("--agent", "greedy", "--set", "horizon_s=300", "--set", "step_s=30")  # ten steps
    ran(*TINY, *episode, "--render", tmp_path / "out.gif", "--every", 4, "--fps", 2, "--size", 250)
    with Image.open(tmp_path / "out.gif") as gif:
        assert gif.size == (250, 250)
        assert gif.n_frames == 4  # after 0, 4, 8 and 10 steps
        assert gif.info["duration"] == 500


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--every", 2), "--every is for animations: give a .gif or .mp4 file as --render"),
        (("--render", "out.gif", "--size", 5000), "--size must be from 100 to 1000, got 5000"),
        (("--render", "out.gif", "--every", 0), "--every must be at least 1, got 0"),
    ],
)
def test_options_of_animations_are_checked_before_the_first_step(options: tuple[object, ...], message: str) -> None:
    assert refused(*TINY, *options) == message


@pytest.mark.usefixtures("no_step")
@pytest.mark.parametrize(
    ("option", "name"), [("--json", "out.json"), ("--render", "out.gif"), ("--trace", "out.trace")]
)
class TestFilesAreCheckedFirst:
    def test_a_folder_that_is_missing(self, tmp_path: Path, option: str, name: str) -> None:
        folder = tmp_path / "missing"
        assert refused(*TINY, option, folder / name) == (
            f"{option} must be in a folder that exists, but {str(folder)!r} does not"
        )

    def test_a_file_where_a_folder_should_be(self, tmp_path: Path, option: str, name: str) -> None:
        (tmp_path / "file").write_text("")
        assert f"but {str(tmp_path / 'file')!r} does not" in refused(*TINY, option, tmp_path / "file" / name)

    def test_a_folder_where_a_file_should_be(self, tmp_path: Path, option: str, name: str) -> None:
        (tmp_path / name).mkdir()
        assert refused(*TINY, option, tmp_path / name) == (
            f"{option} must be a file, but {str(tmp_path / name)!r} is a folder or a device"
        )

    def test_another_kind_of_file(self, tmp_path: Path, option: str, name: str) -> None:
        kind = {".gif": ".gif or .mp4"}.get(Path(name).suffix, Path(name).suffix)
        assert refused(*TINY, option, tmp_path / "out.txt") == (
            f"{option} must be a {kind} file, got {str(tmp_path / 'out.txt')!r}"
        )

    @pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that is closed to every user: /proc")
    def test_a_folder_that_is_closed_to_every_user(self, option: str, name: str) -> None:
        assert refused(*TINY, option, f"/proc/{name}").startswith(
            f"{option} must be in a folder that can be written to: '/proc': "
        )

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_that_is_closed_to_us(self, tmp_path: Path, option: str, name: str) -> None:
        tmp_path.chmod(0o500)
        try:
            assert "Permission denied" in refused(*TINY, option, tmp_path / name)
        finally:
            tmp_path.chmod(0o700)
