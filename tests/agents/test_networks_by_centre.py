"""IPPO with a network for each centre: who answers, who learns, what is stored and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents.ippo.ippo import IppoLearner  # noqa: E402
from crowdgym.agents.learning.by_centre import ByCentre, parts_of, with_centre  # noqa: E402
from crowdgym.agents.learning.checkpoint import LAST, read_tensors  # noqa: E402
from crowdgym.agents.learning.collect import CentreCollector, IterationSeeds, choose, log_policy_of  # noqa: E402
from crowdgym.agents.learning.rewards import EnvironmentReward  # noqa: E402
from crowdgym.cli.main import app  # noqa: E402
from crowdgym.common.layout import ObservationLayout  # noqa: E402
from crowdgym.configs.ippo import IppoSettings  # noqa: E402
from crowdgym.envs import preference_v0  # noqa: E402

WORKERS, CENTRES, COPIES = 6, 3, 2
SMALL = ("scenario=preference-tiny", "step_s=60.0", f"num_workers={WORKERS}", f"num_centres={CENTRES}")
NETWORKS = {"embedding": 8, "heads": 2, "hidden": 16}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def copies() -> Any:
    return preference_v0.vector_env(
        num_envs=COPIES, scenario="preference-tiny", num_workers=WORKERS, num_centres=CENTRES
    )


def learner_for(env: Any) -> IppoLearner:
    settings = IppoSettings.load("preference_v0", networks="centre", **NETWORKS)
    sets = ObservationLayout.from_metadata(env.metadata, env.single_observation_space.shape[0]).sets
    return IppoLearner(sets, int(env.single_action_space.n), settings, seed=0, num_centres=CENTRES)


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def train(out: Path, iterations: int, *more: object, sets: tuple[str, ...] = ("networks=centre",)) -> Any:
    small = (*SMALL, *(f"{name}={value}" for name, value in NETWORKS.items()), "num_envs=2", "evaluation_episodes=2")
    words = [word for each in (*small, *sets) for word in ("--set", each)]
    steps = iterations * COPIES * 30  # 1800 s in steps of 60 s
    return run("train", "ippo", "preference_v0", *words, "--steps", steps, "--out", out, *more)


class Times(torch.nn.Module):
    """Multiplies the first number of an observation."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, observations: Any) -> Any:
        return observations[:, :1] * self.factor


def test_each_row_is_answered_by_the_network_of_its_centre() -> None:
    """Rows 1, 2, 3, 4 of the centres 2, 0, 2, 0 times 1, 10, 100 by centre; centre 1 is not asked."""
    networks = ByCentre([Times(1.0), Times(10.0), Times(100.0)])
    seen = with_centre(np.array([[1.0], [2.0], [3.0], [4.0]], np.float32), np.array([2, 0, 2, 0]))
    assert networks(torch.from_numpy(seen))[:, 0].tolist() == [100.0, 2.0, 300.0, 4.0]
    assert [rows.tolist() for _, rows in parts_of(networks, seen)] == [[1, 3], [0, 2]]


def test_a_centre_answers_the_same_bits_whoever_else_asks() -> None:
    env = copies()
    actor = learner_for(env).actor
    generator = np.random.default_rng(0)
    width, actions = env.single_observation_space.shape[0], int(env.single_action_space.n)
    seen = with_centre(generator.random((90, width), np.float32), np.arange(90) % CENTRES)
    legal = np.ones((90, actions), np.bool_)
    own = np.arange(1, 90, CENTRES)
    together, alone = (choose(log_policy_of(actor), seen[rows], legal[rows], None)[1] for rows in (slice(None), own))
    assert np.array_equal(together[own], alone)


def test_a_centre_without_decisions_learns_nothing_and_the_others_do() -> None:
    """Only workers 2 and 3, those of centre 1, are left among the decisions."""
    env = copies()
    learner = learner_for(env)
    seeds = IterationSeeds.of(0, 0, COPIES)
    rollout = CentreCollector(env).collect(learner.actor, seeds.copies)
    assert np.array_equal(rollout.observations[:, -1], env.metadata["centre_of"][rollout.rows % WORKERS])
    learner.fit_scaling(rollout.observations)
    before = {name: tensor.clone() for name, tensor in learner.tensors().items()}
    learner.learn(only_of(1, rollout), EnvironmentReward(), seeds.order, progress=0.0)
    changed = {name.split(".")[2] for name, now in learner.tensors().items() if differs(before, name, now)}
    assert changed == {"1"}


def only_of(centre: int, rollout: Any) -> Any:
    from dataclasses import replace

    kept = rollout.observations[:, -1] == centre
    names = ("observations", "masks", "actions", "log_probabilities", "rows", "steps")
    return replace(rollout, **{name: getattr(rollout, name)[kept] for name in names})


def differs(before: dict[str, Any], name: str, now: Any) -> bool:
    return ".networks." in name and name in before and not torch.equal(before[name], now)


def test_it_is_trained_resumed_to_the_bit_and_played(tmp_path: Path) -> None:
    assert train(tmp_path / "whole", 2, "--set", "learning_rate_schedule=constant").exit_code == 0
    for iterations, more in ((1, ()), (2, ("--resume",))):
        found = train(tmp_path / "parts", iterations, "--set", "learning_rate_schedule=constant", *more)
        assert found.exit_code == 0, found.output
    whole, parts = (read_tensors(tmp_path / name / LAST).tensors for name in ("whole", "parts"))
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    played = run("run", "--agent", tmp_path / "whole", "--episodes", 1)
    assert played.exit_code == 0, played.output


def test_other_centres_than_those_of_training_are_refused(tmp_path: Path) -> None:
    train(tmp_path / "run", 1)
    played = run("run", "--agent", tmp_path / "run", "--set", "num_centres=2")
    assert played.exit_code != 0
    assert "has networks for 3 centres, the environment has 2" in " ".join(played.stderr.split())


def test_a_shared_network_begins_those_of_all_centres(tmp_path: Path) -> None:
    train(tmp_path / "shared", 1, sets=())
    train(tmp_path / "run", 1, "--init", tmp_path / "shared", "--set", "learning_rate=1e-12")
    shared, begun = (read_tensors(tmp_path / name / LAST) for name in ("shared", "run"))
    for name, tensor in shared.under("actor").items():
        for centre in range(CENTRES):
            torch.testing.assert_close(begun.under(f"actor.networks.{centre}")[name], tensor, atol=1e-6, rtol=0.0)


def test_agents_without_centres_are_refused(tmp_path: Path) -> None:
    words = ("--set", "networks=centre", "--steps", 1, "--out", tmp_path / "run")
    refused = run("train", "ippo", "csc_v0", "--scenario", "tiny", *words)
    assert refused.exit_code != 0
    assert "networks=centre needs an environment whose agents belong to centres" in " ".join(refused.stderr.split())


@pytest.mark.parametrize(("learner", "environment"), [("clone", "preference_v0"), ("rmo", "dasc_v0")])
def test_learners_that_have_shared_networks_only_say_so(learner: str, environment: str, tmp_path: Path) -> None:
    refused = run("train", learner, environment, "--set", "networks=centre", "--steps", 1, "--out", tmp_path / "run")
    assert refused.exit_code != 0
    assert "networks must be 'shared'" in " ".join(refused.stderr.split())


def test_a_clone_takes_no_mix(tmp_path: Path) -> None:
    words = ("--mix", "population_seed=1,2", "--steps", 1, "--out", tmp_path / "run")
    refused = run("train", "clone", "preference_v0", *words)
    assert refused.exit_code != 0
    assert "takes no --mix" in " ".join(refused.stderr.split())
