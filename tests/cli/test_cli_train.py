"""``crowdgym train``, and how ``crowdgym run`` plays what it made; on the smallest city, with small networks."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from training_runs import SCENARIO, SMALL, arguments, crowdgym, curve, ran, refused, tensors

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents.learning.checkpoint import BEST, LAST, read_tensors  # noqa: E402
from crowdgym.agents.learning.description import DESCRIPTION  # noqa: E402
from crowdgym.configs.ippo import IppoSettings  # noqa: E402
from crowdgym.learners import learner_names  # noqa: E402
from crowdgym.policies import packaged_weights  # noqa: E402
from crowdgym.training import folder as folder_module  # noqa: E402


def test_a_run_leaves_what_it_takes_to_build_the_agent_again(whole: Path) -> None:
    assert sorted(file.name for file in whole.iterdir()) == sorted(
        [DESCRIPTION, BEST, LAST, "curve.csv", "tensorboard"]
    )
    description = yaml.safe_load((whole / DESCRIPTION).read_text())
    assert description["config"]["num_workers"] == 4
    assert description["hyperparameters"]["embedding"] == 8
    assert description["command"].startswith("crowdgym train ippo csc_v0 --scenario tiny --steps 240 --seed 0")
    assert description["baseline_agent"] == "greedy"
    assert os.listdir(whole / "tensorboard")


def test_the_curve_has_a_row_for_each_iteration_and_evaluations_as_often_as_asked(whole: Path) -> None:
    rows = curve(whole)
    assert [row["iteration"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert [row["steps"] for row in rows] == ["0", "60", "120", "180", "240"]
    assert [bool(row["evaluation"]) for row in rows] == [True, False, True, False, True]


def test_best_is_the_best_evaluation(whole: Path) -> None:
    facts = read_tensors(whole / BEST).facts
    evaluations = {int(row["iteration"]): float(row["evaluation"]) for row in curve(whole) if row["evaluation"]}
    assert facts["score"] == pytest.approx(max(evaluations.values()), rel=1e-5)
    assert evaluations[facts["iteration"]] == max(evaluations.values())


def test_the_baseline_is_greedy_on_the_instances_of_evaluation(whole: Path) -> None:
    words = [w for name, value in SMALL["csc_v0"].items() for w in ("--set", f"{name}={value}")]
    file = whole.parent / "greedy.json"
    ran("run", "csc_v0", "--scenario", "tiny", *words, "--episodes", 2, "--seed", 1_000_000, "--json", file)
    described = yaml.safe_load((whole / DESCRIPTION).read_text())
    assert json.loads(file.read_text())["mean"]["revenue"] == pytest.approx(described["baseline_score"])


def test_a_checkpoint_is_played_as_it_was_evaluated(whole: Path) -> None:
    """The dict interface, one episode at a time, gives the same mean as the vector environment."""
    words = [w for name, value in SMALL["csc_v0"].items() for w in ("--set", f"{name}={value}")]
    file = whole.parent / "played.json"
    run = ("run", "csc_v0", "--scenario", "tiny", *words, "--episodes", 2, "--seed", 1_000_000)
    ran(*run, "--agent", whole, "--json", file)
    mean = json.loads(file.read_text())["mean"]
    assert mean["revenue"] == pytest.approx(read_tensors(whole / BEST).facts["score"])
    assert mean["illegal"] == 0


def test_a_trained_folder_is_played_with_the_settings_it_was_trained_with(whole: Path) -> None:
    """With and without the environment's name. What is given on the command line wins."""
    file = whole.parent / "remembered.json"
    for words in ((), ("csc_v0",)):
        ran("run", *words, "--agent", whole, "--json", file)
        config = json.loads(file.read_text())["config"]
        assert {name: config[name] for name in SMALL["csc_v0"]} == SMALL["csc_v0"]
        assert config["scenario"] == "tiny"
    ran("run", "--agent", whole, "--set", "num_workers=5", "--json", file)
    config = json.loads(file.read_text())["config"]
    assert (config["num_workers"], config["num_tasks"]) == (5, 8)


def test_a_run_without_an_environment_and_a_trained_folder_is_refused() -> None:
    known = "csc_v0, dasc_v0, preference_v0, sensing_v0"
    assert refused("run", "--agent", "greedy").startswith(f"name an environment ({known}), or give ")


def test_sizes_that_a_flat_network_does_not_take_are_refused_by_name(tmp_path: Path) -> None:
    ran(*arguments(tmp_path / "run", iterations=1, network="mlp"))
    message = refused("run", "--agent", tmp_path / "run", "--set", "max_candidates=3")
    assert message.startswith("the agent was trained with max_candidates=10, but this run has max_candidates=3 (")


def test_the_hyperparameters_are_listed_with_defaults_and_meanings() -> None:
    lines = ran("train", "ippo", "csc_v0", "--settings").stdout.splitlines()
    listed = {words[0]: words[1:] for line in lines if len(words := line.split(maxsplit=2)) == 3}
    assert [text.strip() for text in listed["discount"]] == ["0.98", "discount gamma for each step of the environment"]
    assert set(IppoSettings.model_fields) <= set(listed)


def test_an_unknown_keyword_lists_those_of_the_environment_and_the_hyperparameters(tmp_path: Path) -> None:
    message = refused(*arguments(tmp_path / "run", lerning_rate=0.1))
    assert "csc_v0 has no keyword 'lerning_rate' (known: scenario, num_workers, " in message
    assert "did you mean ippo's 'learning_rate'? (hyperparameters of ippo: " in message
    assert "discount=0.98, " in message


def test_steps_and_a_folder_are_needed_to_train() -> None:
    assert refused("train", "ippo", "csc_v0") == (
        "'crowdgym train' needs --steps and --out; --settings lists the hyperparameters"
    )


def test_tensorboard_has_cleanrl_s_names(whole: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(whole / "tensorboard"))
    events.Reload()
    names = set(events.Tags()["scalars"])
    of_losses = {"policy_loss", "value_loss", "entropy", "approx_kl", "clipfrac", "explained_variance"}
    assert {f"losses/{name}" for name in of_losses} <= names
    assert {"charts/SPS", "charts/learning_rate", "charts/training", "charts/evaluation"} <= names
    assert [event.step for event in events.Scalars("charts/training")] == [60, 120, 180, 240]


def test_it_plays_any_number_of_workers_tasks_and_candidates(whole: Path) -> None:
    ran("run", "csc_v0", "--scenario", "tiny", "--agent", whole, "--set", "max_candidates=3", "--set", "horizon_s=600")


def test_the_same_seed_gives_the_same_weights_and_another_one_others(whole: Path, tmp_path: Path) -> None:
    ran(*arguments(tmp_path / "again"))
    assert tensors(tmp_path / "again") == tensors(whole)
    assert curve(tmp_path / "again") == curve(whole)
    ran(*arguments(tmp_path / "other"), "--seed", 1)
    assert tensors(tmp_path / "other") != tensors(whole)


class _Stopped(BaseException):
    """What a process that is killed does not get to handle."""


@pytest.fixture
def stops_at_write(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes the n-th file of a run the last thing that it does not write any more."""
    write = folder_module.write_bytes

    def stop(number: int) -> None:
        written = iter(range(1, number))

        def counted(target: Path, content: bytes) -> None:
            if next(written, None) is None:
                raise _Stopped
            write(target, content)

        monkeypatch.setattr(folder_module, "write_bytes", counted)

    yield stop
    monkeypatch.undo()


# A run writes: 1 agent.yaml; 2 best, 3 curve, 4 last before the first iteration; 5 curve, 6 last; 7 best or curve, ...
@pytest.mark.parametrize("number", [1, 2, 4, 5, 6, 9])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    number: int, whole: Path, tmp_path: Path, stops_at_write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stops_at_write(number)
    with pytest.raises(_Stopped):
        crowdgym(*arguments(tmp_path / "run"))
    monkeypatch.undo()
    ran(*arguments(tmp_path / "run"), "--resume")
    assert tensors(tmp_path / "run") == tensors(whole)
    assert curve(tmp_path / "run") == curve(whole)
    assert (tmp_path / "run" / BEST).read_bytes() == (whole / BEST).read_bytes()


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    code = "from crowdgym.cli.start import main; main()"
    process = subprocess.Popen([sys.executable, "-c", code, *arguments(out)], stderr=subprocess.DEVNULL)
    while process.poll() is None and not (out / LAST).is_file():
        time.sleep(0.01)
    time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    ran(*arguments(out), "--resume")
    assert tensors(out) == tensors(whole)


def test_a_run_that_is_over_can_be_made_longer_with_a_constant_rate(tmp_path: Path) -> None:
    constant = {"learning_rate_schedule": "constant"}
    ran(*arguments(tmp_path / "long", iterations=3, **constant))
    ran(*arguments(tmp_path / "short", iterations=2, **constant))
    ran(*arguments(tmp_path / "short", iterations=3, **constant), "--resume")
    assert tensors(tmp_path / "long") == tensors(tmp_path / "short")


def test_a_run_that_is_over_is_not_made_shorter(tmp_path: Path) -> None:
    constant = {"learning_rate_schedule": "constant"}
    ran(*arguments(tmp_path, iterations=2, **constant))
    before = tensors(tmp_path)
    again = ran(*arguments(tmp_path, iterations=1, **constant), "--resume")
    assert "iteration 2 of 2, 120 steps" in again.stderr
    assert "the run had 2 iterations already, more than the 1 of --steps: it was not trained further" in again.stdout
    assert tensors(tmp_path) == before


def test_a_run_of_an_older_version_goes_on_without_the_settings_that_are_newer(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(whole, out)
    description = yaml.safe_load((out / DESCRIPTION).read_text())
    for name in ("orders", "days", "from_data"):
        del description["config"][name]
    (out / DESCRIPTION).write_text(yaml.safe_dump(description))
    ran(*arguments(out), "--resume")
    assert "has days = 'all', not '1..14'" in refused(*arguments(out, days="1..14"), "--resume")


def test_a_run_may_begin_with_the_networks_of_another(whole: Path, tmp_path: Path) -> None:
    """It is measured before it has learnt anything: as the other at its end."""
    ran(*arguments(tmp_path / "next", iterations=1), "--init", whole)
    assert curve(tmp_path / "next")[0]["evaluation"] == curve(whole)[-1]["evaluation"]
    assert "--init run" in yaml.safe_load((tmp_path / "next" / DESCRIPTION).read_text())["command"]
    message = refused(*arguments(tmp_path / "other", iterations=1, hidden=16), "--init", whole)
    assert message.startswith(f"{whole / LAST} does not fit the network that the hyperparameters ask for: actor.")
    assert not (tmp_path / "other" / DESCRIPTION).exists()


def test_a_run_may_begin_with_the_packaged_weights_of_a_scenario(tmp_path: Path) -> None:
    """Of these there is the actor only; it is measured before it has learnt anything."""
    big = {"embedding": 32, "hidden": 64, "heads": 4}
    named = (*arguments(tmp_path / "named", iterations=1, **big), "--init", "chengdu-synth")
    ran(*named)
    assert "--init chengdu-synth" in yaml.safe_load((tmp_path / "named" / DESCRIPTION).read_text())["command"]
    packaged = packaged_weights("ippo", "csc_v0", "chengdu-synth")
    ran(*arguments(tmp_path / "folder", iterations=1, **big), "--init", packaged)
    ran(*arguments(tmp_path / "random", iterations=1, **big))
    first = {run: curve(tmp_path / run)[0]["evaluation"] for run in ("named", "folder", "random")}
    assert first["named"] == first["folder"] != first["random"]


@pytest.mark.parametrize(
    ("env", "changed"),
    [
        ("dasc_v0", {"action_mode": "recommend"}),
        ("dasc_v0", {"action_mode": "select"}),
        ("preference_v0", {}),
        ("sensing_v0", {}),
        ("sensing_v0", {"agents": "participants"}),
    ],
)
def test_it_trains_and_plays_on_the_other_environments(env: str, changed: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = ran(*arguments(out, env, iterations=1, **changed))
    assert "trained agent" in result.stdout
    words = [w for name, value in {**SMALL[env], **changed}.items() for w in ("--set", f"{name}={value}")]
    scenario = ["--scenario", SCENARIO[env]] if env in SCENARIO else []
    assert "agent" in ran("run", env, *scenario, *words, "--agent", out).stdout


@pytest.mark.parametrize(
    ("changed", "more", "message"),
    [
        ({"lerning_rate": 0.1}, (), "csc_v0 has no keyword 'lerning_rate'"),
        ({"clip": -1}, (), "clip must be greater than 0, got -1"),
        ({"embedding": 9}, (), "embedding must be a multiple of heads, got embedding = 9 with heads = 2"),
        ({}, ("--device", "abacus"), "--device must be cpu or cuda, got 'abacus'"),
        ({}, ("--steps", "0"), "--steps must be at least 1, got 0"),
        ({}, ("--seed", "-1"), "--seed must be at least 0, got -1"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    changed: dict[str, Any], more: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    assert message in refused(*arguments(tmp_path / "run", **changed), *more)
    assert not (tmp_path / "run" / DESCRIPTION).exists()


def test_another_learner_or_device_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = ", ".join(learner_names())
    assert {"cafe", "es", "ippo", "rmo", "ta-fpl"} <= set(learner_names())
    assert f"there is no learner 'qmix' (known: {known}; your own is given as module:ATTRIBUTE)" in refused(
        "train", "qmix", "csc_v0", "--steps", 1, "--out", tmp_path
    )
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "needs a CUDA device" in refused(*arguments(tmp_path), "--device", "cuda")


def test_a_folder_that_holds_a_run_is_not_written_over(whole: Path) -> None:
    assert "continue it with --resume, or give another folder" in refused(*arguments(whole))
    assert "has seed = 0, not 5" in refused(*arguments(whole), "--resume", "--seed", 5)
    assert "has num_workers = 4, not 5" in refused(*arguments(whole, num_workers=5), "--resume")
    assert "has steps = 240, not 300" in refused(*arguments(whole, iterations=5), "--resume")
    assert "has threads = 1, not 2" in refused(*arguments(whole), "--resume", "--threads", 2)


@pytest.mark.parametrize("package", ["torch", "safetensors", "tensorboard"])
def test_without_the_extra_it_says_which(package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from crowdgym.cli import train as cli_train

    monkeypatch.setattr(cli_train, "find_spec", lambda name: None if name == package else object())
    assert refused(*arguments(tmp_path)) == (
        f"'crowdgym train' needs the package {package}, which is not installed: pip install 'crowdgym[agents]'"
    )


def test_playing_without_the_extra_says_which(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [
        name for name in sys.modules if name.startswith(("crowdgym.agents.ippo.", "crowdgym.agents.learning."))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    message = refused("run", "csc_v0", "--scenario", "tiny", "--agent", whole)
    assert message.endswith("needs the package torch, which is not installed: pip install 'crowdgym[agents]'")
