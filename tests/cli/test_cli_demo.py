"""``crowdgym demo``, on the smallest city."""

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from crowdgym.cli.demo import note_on_random
from crowdgym.cli.main import app

TINY = ("demo", "--scenario", "tiny", "--episodes", "2")


def demo(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [*TINY, *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_it_compares_four_agents_by_what_they_earn(tmp_path: Path) -> None:
    code, said, _ = demo("--out", tmp_path)
    assert code == 0
    lines = said.splitlines()
    assert lines[0] == "csc_v0 on tiny: 12 workers, 30 tasks, mean of 2 episodes (seeds 0 to 1)"
    revenue = {line.split()[0]: line.split()[1] for line in lines if " ± " in line}
    assert list(revenue) == ["greedy", "lookahead", "random", "hold"]
    assert revenue["hold"] == "0"
    assert int(revenue["greedy"].replace(",", "")) > 0


def test_it_explains_why_more_tasks_can_earn_less_where_they_do() -> None:
    greedy = {"completed": 181.7, "revenue": 219_457.0}

    assert "later" in note_on_random({"greedy": greedy, "random": {"completed": 184.7, "revenue": 191_696.0}})
    assert note_on_random({"greedy": greedy, "random": {"completed": 180.0, "revenue": 191_696.0}}) == ""
    assert note_on_random({"greedy": greedy, "random": {"completed": 184.7, "revenue": 219_458.0}}) == ""


def test_it_says_the_same_as_run(tmp_path: Path) -> None:
    _, said, _ = demo("--out", tmp_path, "--seed", 3)
    CliRunner().invoke(
        app, ["run", "csc_v0", "--scenario", "tiny", "--episodes", "2", "--seed", "3", "--json", f"{tmp_path}/run.json"]
    )
    mean = json.loads((tmp_path / "run.json").read_text())["mean"]
    assert f"greedy      {mean['revenue']:,.0f} ± " in said


def test_it_draws_a_map_and_says_where(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    _, said, _ = demo("--out", folder)
    picture = folder / "csc_tiny.png"
    assert sorted(folder.iterdir()) == [picture, folder / "replay.html"]
    assert f"map, greedy at work: {picture}" in said.replace("\n", "")
    with Image.open(picture) as image:
        assert image.size == (1000, 1000)
        assert len(image.convert("RGB").getcolors(1_000_000) or ()) > 20  # something is drawn on it


def test_it_writes_two_episodes_that_play_in_a_browser(tmp_path: Path) -> None:
    _, said, _ = demo("--out", tmp_path)
    assert said.endswith(f"greedy beside lookahead, to watch: open {tmp_path / 'replay.html'} in a browser\n")
    page = (tmp_path / "replay.html").read_text(encoding="utf-8")
    assert "csc_v0 on tiny, seed 0" in page


def test_the_same_seed_draws_the_same_map(tmp_path: Path) -> None:
    demo("--out", tmp_path / "first")
    demo("--out", tmp_path / "second")
    demo("--out", tmp_path / "third", "--seed", 1)
    first, second, third = ((tmp_path / name / "csc_tiny.png").read_bytes() for name in ("first", "second", "third"))
    assert first == second
    assert first != third


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--episodes", 0), "error: --episodes must be at least 1, got 0\n"),
        (("--seed", -1), "error: --seed must be at least 0, got -1\n"),
        (
            ("--out", "/dev/null/x"),
            "error: --out must be a folder, and '/dev/null/x' cannot be created: Not a directory\n",
        ),
        (("--out", "/dev/null"), "error: --out must be a folder, and '/dev/null' cannot be created: File exists\n"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(arguments: tuple[object, ...], message: str, tmp_path: Path) -> None:
    code, said, error = demo("--out", tmp_path, *arguments)
    assert (code, said, error) == (2, "", message)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_scenario_is_said_in_one_line(tmp_path: Path) -> None:
    code, said, error = demo("--out", tmp_path, "--scenario", "atlantis")
    assert (code, said) == (2, "")
    assert "'atlantis'" in error
    assert error.count("\n") == 1
