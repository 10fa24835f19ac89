"""The examples, as they are typed, cut short: each trains for some iterations, with no illegal action where masked."""

import os
import re
import runpy
import subprocess
import sys
import venv
import warnings
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STEPS = {
    "sb3_ppo": 4_096,  # two rollouts
    "sb3_maskable_ppo": 6_144,
    "supersuit_ppo": 3_072,
    "torchrl_ppo": 240,
    "cleanrl_ppo": 12_288,
}
UNMASKED = {"supersuit_ppo"}
OPTIONAL = {"skrl_ppo": "skrl", "agilerl_ppo": "agilerl"}  # libraries that are tested where they are installed


def illegal_actions(said: str) -> list[int]:
    return [int(number) for number in re.findall(r"illegal (\d+)", said)]


def run(name: str, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--steps", str(steps), "--seed", "1"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other people's libraries
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")


@pytest.mark.parametrize("name", STEPS)
def test_an_example_trains(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run(name, STEPS[name], monkeypatch)
    said = capsys.readouterr().out
    assert len(said.splitlines()) >= 2
    if name == "sb3_ppo":  # sensing_v0, where everything is legal
        assert float(re.findall(r"held-out: error ([\d.]+)", said)[0]) > 0
    elif name in UNMASKED:
        assert illegal_actions(said)[-1] > 0  # which is what the example says
    else:
        assert set(illegal_actions(said)) == {0}


@pytest.mark.parametrize("name", OPTIONAL)
def test_an_example_of_a_library_that_need_not_be_installed(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip(OPTIONAL[name], reason=f"{OPTIONAL[name]} is not installed: see docs/libraries.md")
    run(name, 240, monkeypatch)
    said = capsys.readouterr().out
    assert illegal_actions(said) == [0]
    assert float(re.findall(r"held-out: revenue ([\d,]+)", said)[0].replace(",", "")) > 0


@pytest.mark.slow
def test_rllib_trains_in_an_environment_of_its_own(tmp_path: Path) -> None:
    venv.create(tmp_path / "rllib", with_pip=True)
    python = tmp_path / "rllib" / "bin" / "python"
    requirements = ["-r", str(EXAMPLES / "rllib_requirements.txt"), "--editable", str(EXAMPLES.parent)]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True, timeout=1_800)
    program = [python, EXAMPLES / "rllib_ppo.py", "--steps", "480"]
    done = subprocess.run(
        program,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert illegal_actions(done.stdout) == [0, 0]


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["ippo", "mappo", "qmix"])
def test_benchmarl_trains_in_an_environment_of_its_own(
    algorithm: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "benchmarl"
    python = folder / "bin" / "python"
    if not folder.exists():
        venv.create(folder, with_pip=True)
        requirements = ["-r", str(EXAMPLES / "benchmarl_requirements.txt"), "--editable", f"{EXAMPLES.parent}[agents]"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True, timeout=1_800)
    program = [python, EXAMPLES / "benchmarl_ppo.py", "--steps", "240", "--algorithm", algorithm]
    environment = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(
        program, cwd=folder, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr
    assert float(re.findall(r"mean return of a worker's episode ([\d.]+)", done.stdout)[0]) > 0


def test_every_example_is_in_the_readme_of_the_folder_and_on_the_page_about_libraries() -> None:
    there = {file.name for file in EXAMPLES.glob("*.py")}
    assert there == {f"{name}.py" for name in (*STEPS, *OPTIONAL, "rllib_ppo", "benchmarl_ppo")}
    for page in (EXAMPLES / "README.md", EXAMPLES.parent / "docs" / "libraries.md"):
        named = set(re.findall(r"\w+_ppo\.py", page.read_text(encoding="utf-8")))
        assert named == there


@pytest.mark.parametrize("name", [*STEPS, *OPTIONAL, "rllib_ppo", "benchmarl_ppo"])
def test_an_example_says_how_it_is_run(name: str) -> None:
    assert f"python examples/{name}.py --steps " in (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
