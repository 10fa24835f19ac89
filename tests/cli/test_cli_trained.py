"""Folders of trained agents, whole and damaged, as ``crowdgym run`` and ``train --resume`` take them."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from training_runs import arguments, curve, refused

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym import make  # noqa: E402
from crowdgym.agents.learning.checkpoint import BEST, LAST, read_tensors  # noqa: E402
from crowdgym.agents.learning.description import DESCRIPTION, read_description  # noqa: E402
from crowdgym.learners import find_learner, learner_names, learner_settings  # noqa: E402
from crowdgym.policies import load_policy, trained_scenarios  # noqa: E402
from crowdgym.runner import run_episodes  # noqa: E402


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """The run's files, to be damaged."""
    for file in (DESCRIPTION, BEST, LAST):
        (tmp_path / file).write_bytes((whole / file).read_bytes())
    return tmp_path


def play(agent: object, env: str = "csc_v0") -> str:
    return refused("run", env, "--scenario", "tiny", "--agent", agent)


def test_weights_that_are_cut_short_are_refused_by_name(copy: Path) -> None:
    (copy / BEST).write_bytes((copy / BEST).read_bytes()[:1000])
    assert play(copy).startswith(f"{copy / BEST} is damaged or no checkpoint of CrowdGym")


def test_a_pickle_is_not_opened(copy: Path) -> None:
    torch.save({"actor": torch.zeros(1)}, copy / BEST)
    assert play(copy).startswith(f"{copy / BEST} is damaged or no checkpoint of CrowdGym")


def test_weights_of_another_network_are_refused_by_name(copy: Path) -> None:
    description = yaml.safe_load((copy / DESCRIPTION).read_text())
    description["hyperparameters"]["hidden"] = 16
    (copy / DESCRIPTION).write_text(yaml.safe_dump(description))
    assert play(copy).startswith(f"{copy / BEST} does not fit the network that the hyperparameters ask for: actor.")


def test_weights_that_are_no_numbers_are_refused_by_name(copy: Path) -> None:
    from safetensors.torch import save_file

    stored = read_tensors(copy / BEST)
    weights = dict(stored.tensors)
    name = next(name for name in weights if name.endswith("weight"))
    weights[name][0] = float("nan")
    save_file(weights, copy / BEST, {"crowdgym": json.dumps(stored.facts)})
    assert play(copy) == f"{copy / BEST} holds numbers that are not finite in actor"


def test_a_description_that_is_none_is_refused_by_name(copy: Path) -> None:
    file = copy / DESCRIPTION
    file.write_text("steps: [")
    assert play(copy).startswith(f"{file} cannot be read")
    file.write_text("!!python/object/apply:os.system ['true']")
    assert play(copy).startswith(f"{file} cannot be read")
    file.write_text("agent: ippo")
    assert play(copy).startswith(f"{file} is no description of an agent: format: Field required")
    file.unlink()
    assert play(copy) == f"{copy} holds no trained agent: it has no {DESCRIPTION}"


def test_an_agent_of_another_environment_is_refused(copy: Path) -> None:
    assert play(copy, "dasc_v0") == f"{copy} was trained on csc_v0, not on dasc_v0"


def test_resuming_from_a_damaged_checkpoint_is_refused_and_leaves_it(copy: Path) -> None:
    (copy / LAST).write_bytes(b"nothing")
    assert refused(*arguments(copy), "--resume").startswith(f"{copy / LAST} is damaged or no checkpoint of CrowdGym")
    assert (copy / LAST).read_bytes() == b"nothing"


def test_where_no_weights_come_with_crowdgym_it_says_so() -> None:
    message = play("ippo")
    assert message.startswith("no weights of 'ippo' come with CrowdGym for csc_v0 on 'tiny' (")
    assert "'crowdgym train ippo csc_v0' trains weights" in message
    assert "there are none for any scenario of sensing_v0" in refused("run", "sensing_v0", "--agent", "ippo")


PACKAGED = [
    (agent, environment, scenario)
    for agent in learner_names()
    for environment in ("csc_v0", "dasc_v0")
    for scenario in trained_scenarios(agent, environment)
]


@pytest.mark.parametrize(("agent", "environment", "scenario"), PACKAGED)
def test_weights_that_come_with_crowdgym_are_small_and_say_where_they_are_from(
    agent: str, environment: str, scenario: str
) -> None:
    folder = Path(str(files(find_learner(agent).weights or "").joinpath(environment).joinpath(scenario)))
    assert {file.name for file in folder.iterdir()} == {DESCRIPTION, BEST, "curve.csv"}
    assert (folder / BEST).stat().st_size < 2_000_000
    described = read_description(folder)
    assert scenario in (described.config["scenario"], *described.mix.get("scenario", ()))
    assert described.command.startswith(f"crowdgym train {agent} {environment} ")
    facts = read_tensors(folder / BEST).facts
    evaluations = [float(row["evaluation"]) for row in curve(folder) if row["evaluation"]]
    assert facts["score"] == pytest.approx(max(evaluations), rel=1e-5)
    assert facts["score"] > described.baseline_score
    load_policy(agent, environment, scenario)


@pytest.mark.slow
@pytest.mark.parametrize(("learner", "scenario"), [(agent, of) for agent, env, of in PACKAGED if env == "csc_v0"])
def test_weights_that_come_with_crowdgym_beat_greedy(learner: str, scenario: str) -> None:
    """On instances that were used neither in training nor in tuning."""
    revenue = {}
    for agent in ("greedy", learner):
        env: Any = make("csc_v0", scenario=scenario, num_workers=100, num_tasks=200, strict=True)
        policy = load_policy(agent, "csc_v0", scenario)
        revenue[agent] = run_episodes(env, policy, agent=agent, episodes=3, seed=0).mean["revenue"]
    assert revenue[learner] > 1.05 * revenue["greedy"]


def test_hyperparameters_and_keywords_have_names_of_their_own() -> None:
    """ "--set" is for both."""
    from crowdgym.configs.csc import CscSettings
    from crowdgym.configs.dasc import DascSettings
    from crowdgym.configs.sensing import SensingSettings

    for learner in map(learner_settings, map(find_learner, learner_names())):
        for settings in (CscSettings, DascSettings, SensingSettings):
            assert not set(settings.model_fields) & set(learner.model_fields)


def test_a_folder_s_name_is_a_name_of_an_agent_only_where_there_is_one(tmp_path: Path) -> None:
    message = play(tmp_path / "nowhere")
    assert re.match(r"there is no agent '.*nowhere' for csc_v0 \(known: ", message)
    assert "a trained one as its folder" in message


def test_weights_of_another_type_are_refused_by_name(copy: Path) -> None:
    """The bits of floats, as whole numbers."""
    from safetensors.torch import save_file

    stored = read_tensors(copy / BEST)
    weights = dict(stored.tensors)
    name = next(name for name in weights if name.startswith("actor.") and name.endswith("weight"))
    weights[name] = weights[name].view(torch.int32)
    save_file(weights, copy / BEST, {"crowdgym": json.dumps(stored.facts)})
    assert play(copy) == f"{copy / BEST} holds {name} as torch.int32, expected torch.float32"


@pytest.mark.parametrize("start", [-1, 1, 10**30])
def test_sets_that_are_not_side_by_side_are_refused(copy: Path, start: int) -> None:
    description = yaml.safe_load((copy / DESCRIPTION).read_text())
    description["sets"][0]["start"] = start
    (copy / DESCRIPTION).write_text(yaml.safe_dump(description))
    assert play(copy).startswith(f"{copy / DESCRIPTION} is no description of an agent: sets")


@pytest.mark.parametrize("text", ["[" * 5000, "seed: " + "9" * 5000, "a: &a [1]\n" + "b: [*a, *a]\n" * 50])
def test_a_description_of_odd_yaml_is_one_sentence(copy: Path, text: str) -> None:
    (copy / DESCRIPTION).write_text(text)
    assert play(copy).startswith(f"{copy / DESCRIPTION} cannot be read (")
