"""``crowdgym envs``, ``agents`` and ``scenarios``, and the presets wherever scenarios are named."""

import json

from typer.testing import CliRunner, Result

from crowdgym import environment_names
from crowdgym.cli.main import app
from crowdgym.configs.csc import CscSettings
from crowdgym.configs.loading import scenario_names
from crowdgym.configs.preference import PreferenceSettings
from crowdgym.policies import policy_names


def crowdgym(line: str) -> Result:
    return CliRunner().invoke(app, line.split())


def listed(line: str) -> str:
    result = crowdgym(line)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(line: str) -> str:
    result = crowdgym(line)
    assert result.exit_code == 2
    return result.stderr


def test_envs_lists_every_environment_with_its_objective() -> None:
    lines = listed("envs").splitlines()
    for name in environment_names():
        assert sum(line.split()[:1] == [name] for line in lines) == 1
    (csc,) = [line for line in lines if line.split()[:1] == ["csc_v0"]]
    assert csc.split()[1:4] == ["workers", "most", "revenue"]


def test_envs_describes_one_with_all_its_settings() -> None:
    said = listed("envs csc_v0")
    rows = {line.split()[0]: line.strip().split(maxsplit=2)[1:] for line in said.splitlines() if len(line.split()) > 2}
    assert set(CscSettings.model_fields) <= set(rows)
    assert rows["num_workers"][0] == "200"
    assert rows["num_workers"][1].strip() == "workers, N_w in the paper"
    described = json.loads(listed("envs csc_v0 --json"))
    rewards = ["contribution", "team", "individual", "marginal", "difference"]
    assert described["settings"]["reward"]["choices"] == rewards
    meaning = f"how the revenue of an interval becomes rewards: {', '.join(rewards)}"
    assert rows["reward"] == ["contribution", meaning]
    assert rows["orders"][1].count("replay") == 1  # the meaning names the words already
    assert described["settings"]["num_workers"] == {"default": 200, "meaning": "workers, N_w in the paper"}
    assert list(described["metrics"]) == ["revenue", "completed", "expired", "travel_m", "illegal"]


def test_agents_lists_policies_and_learners() -> None:
    there = json.loads(listed("agents csc_v0 --json"))
    assert {one["name"] for one in there["policies"]} == set(policy_names("csc_v0"))
    (ippo,) = [one for one in there["learners"] if one["name"] == "ippo"]
    assert "csc_v0 haikou-paper" in ippo["weights"]
    assert "lookahead" in listed("agents")


def test_scenarios_lists_the_presets_of_an_environment() -> None:
    assert [one["name"] for one in json.loads(listed("scenarios --json"))] == list(scenario_names())
    of_dasc = [one["name"] for one in json.loads(listed("scenarios dasc_v0 --json"))]
    scarce = ["dasc-scarce-chengdu", "dasc-scarce-haikou"]
    assert of_dasc == ["chengdu-synth", "dasc-large", "dasc-paper", *scarce, "dasc-small", "haikou-synth", "tiny"]


def test_an_unknown_environment_is_one_sentence() -> None:
    assert refused("envs pong").startswith("error: there is no environment 'pong' (known: csc_v0, ")


def test_a_preset_of_another_environment_is_refused_and_a_dataset_is_not() -> None:
    assert refused("run dasc_v0 --scenario chengdu-paper") == (
        "error: the preset 'chengdu-paper' has no settings of dasc_v0, only of csc_v0; expected another preset, or its "
        "dataset 'chengdu-synth'\n"
    )
    assert PreferenceSettings.load(scenario="tiny").num_workers == 200


def test_presets_are_named_where_datasets_are() -> None:
    assert "chengdu-paper (on chengdu-synth)" in listed("data list")
    said = listed("data info chengdu-paper")
    assert "csc_v0        horizon_s=6100.0, step_s=10.3, " in said
    assert "dataset       chengdu-synth" in said
    message = refused("run csc_v0 --scenario chengdu-papr")
    assert (
        "unknown dataset or scenario 'chengdu-papr' (did you mean 'chengdu-paper'?); known are chengdu-paper, "
        in message
    )
