"""The reward of CAFE as a whole: its terms and weights, what they do to a policy, and resumed runs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from safetensors.torch import load_file  # noqa: E402

from crowdgym.agents.cafe.cafe import make_source  # noqa: E402
from crowdgym.agents.csc.turn_collector import collector_of  # noqa: E402
from crowdgym.agents.csc.turn_taking import network_sets  # noqa: E402
from crowdgym.agents.ippo.ippo import IppoLearner  # noqa: E402
from crowdgym.agents.learning.advantages import generalised_advantages, term_advantages, weighted_sum  # noqa: E402
from crowdgym.agents.learning.collect import IterationSeeds  # noqa: E402
from crowdgym.agents.learning.trainer import TrainingTask  # noqa: E402
from crowdgym.common.errors import ConfigError  # noqa: E402
from crowdgym.common.layout import ObservationLayout  # noqa: E402
from crowdgym.configs.cafe import CafeSettings  # noqa: E402
from crowdgym.envs.csc_v0 import vector_env  # noqa: E402
from crowdgym.learners import find_learner  # noqa: E402
from crowdgym.training.folder import RunFolder  # noqa: E402
from crowdgym.training.hyperparameters import split_keywords  # noqa: E402
from crowdgym.training.plan import TrainingPlan  # noqa: E402
from crowdgym.training.run import IterationReport, TrainingRun  # noqa: E402

SMALL = {"num_envs": 3, "embedding": 8, "heads": 2, "hidden": 16, "encoder_first_passes": 2, "epochs": 2}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def task_of(environment: str = "csc_v0", **keywords: Any) -> TrainingTask:
    settings = CafeSettings.load("csc_v0", **{**SMALL, **keywords})
    nothing: Any = None
    return TrainingTask(
        environment=environment,
        settings=settings,
        make_vector_env=nothing,
        make_env=nothing,
        make_centres=nothing,
        load_policy=nothing,
        metric="revenue",
        evaluation_seeds=(),
        steps=0,
        seed=0,
        device="cpu",
    )


class Played:
    """One iteration on ``tiny``: a rollout of a random policy, a source fitted to it, and a learner."""

    def __init__(self, progress: float = 0.0, **keywords: Any) -> None:
        task = task_of(**keywords)
        env = vector_env(num_envs=3, copy=False, scenario="tiny", horizon_s=1500.0)
        layout = ObservationLayout.from_metadata(env.metadata, env.single_observation_space.shape[0])
        sets = network_sets(layout, task.settings)
        self.source: Any = make_source(task, env, sets)
        self.learner = IppoLearner(sets, 11, task.settings, 0, len(self.source.term_names))
        seeds = IterationSeeds.of(0, 0, 3)
        self.rollout = collector_of(env, task.settings).collect(
            self.learner.actor, seeds.copies, signals=self.source.signals
        )
        self.learner.fit_scaling(self.rollout.observations)
        self.source.fit(self.rollout, seeds.source, progress)
        self.order = seeds.order


def test_terms_are_scaled_to_sums_of_one_and_the_constant_is_paid_at_every_step() -> None:
    played = Played(terms="wide")
    terms = played.source.terms(played.rollout)
    assert tuple(terms) == ("influence", "constant", "effect", "contribution")
    assert np.ptp(terms["constant"]) == 0
    for term in terms.values():
        sums = term.sum(axis=0).reshape(3, -1).mean(axis=1)
        assert np.abs(sums).mean() == pytest.approx(1.0)
    decided = np.zeros(played.rollout.rewards.shape, np.bool_)
    decided[played.rollout.steps, played.rollout.rows] = True
    assert (terms["influence"][~decided] == 0).all()
    assert played.source.weights(played.rollout).tolist() == [1.0, 0.0, 0.0, 0.0]


def test_the_advantage_of_the_sum_is_the_sum_of_the_advantages() -> None:
    played = Played()
    draws = np.random.default_rng(0)
    terms = played.source.terms(played.rollout)
    values = draws.normal(size=(2, len(played.rollout.rows)))
    phi = np.array([0.7, -0.3])
    each = term_advantages(played.rollout, terms, values, discount=0.98, gae_lambda=0.9)
    summed = generalised_advantages(
        phi[0] * terms["influence"] + phi[1] * terms["constant"],
        played.rollout.rows,
        played.rollout.steps,
        phi @ values,
        discount=0.98,
        gae_lambda=0.9,
    )
    np.testing.assert_allclose(weighted_sum(each, phi, played.rollout.copies), summed, atol=1e-10)


def test_the_constant_teaches_nothing_once_its_value_is_known() -> None:
    """V of a decision at step t is the discounted sum from t on: c (1 − γ^(T − t)) / (1 − γ)."""
    played = Played()
    constant = played.source.terms(played.rollout)["constant"]
    left = played.rollout.num_steps - played.rollout.steps
    values = constant[0, 0] * (1.0 - 0.98**left) / (1.0 - 0.98)
    found = generalised_advantages(
        constant, played.rollout.rows, played.rollout.steps, values, discount=0.98, gae_lambda=0.9
    )
    assert np.abs(found).max() < 1e-12


def test_a_larger_weight_of_the_influence_alone_gives_the_same_policy() -> None:
    """φ = (1, 0) and (10, 0): normalised advantages are blind to the factor."""
    one, ten = Played(phi_learning_rate=1e-12), Played(phi_learning_rate=1e-12)
    ten.source.weights_of_terms.phi.data[0] = 10.0
    for played in (one, ten):
        played.learner.learn(played.rollout, played.source, played.order, 0.0)
    assert ten.source.phi[0] == pytest.approx(10.0)
    for ours, theirs in zip(one.learner.actor.parameters(), ten.learner.actor.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


IN_TURN = {"turns": "gain", "mask_idle_gain": True, "gain_features": True}


@pytest.mark.parametrize("keywords", [{}, {"outer_layers": "scoring"}, {"terms": "wide", "outer": "revenue"}, IN_TURN])
def test_phi_makes_a_step_after_each_pass(keywords: Any) -> None:
    """Adam's first steps are as long as its learning rate; two passes."""
    played = Played(**keywords)
    before = played.source.phi
    played.learner.learn(played.rollout, played.source, played.order, 0.0)
    moved = np.abs(played.source.phi - before)
    assert (moved > 0).all()
    assert (moved < 0.0021).all()
    figures = played.source.figures()
    assert figures["source/phi_influence"] == played.source.phi[0]
    assert all(np.isfinite(figure) for name, figure in figures.items() if "eigenvalue" not in name)


def test_the_influence_is_never_punished() -> None:
    played = Played(least_influence_weight=1.5)
    played.learner.learn(played.rollout, played.source, played.order, 0.0)
    assert played.source.phi[0] >= 1.5
    assert played.source.figures()["source/phi_at_least"] == 1.0


def test_weights_are_refined_late_in_the_run_only() -> None:
    early, late = Played(progress=0.59), Played(progress=0.6)
    assert early.source.weights(early.rollout).shape == (2,)
    refined = late.source.weights(late.rollout)
    assert refined.shape == (3, 2)
    assert (refined == refined[0]).all()  # one size, one group
    assert not np.allclose(refined[0], late.source.phi)
    never = Played(progress=0.99, refine_from=1.0)
    assert never.source.weights(never.rollout).shape == (2,)


def test_another_environment_is_refused() -> None:
    env = vector_env(num_envs=1, scenario="tiny")
    with pytest.raises(ConfigError, match="cafe is for csc_v0 only, got dasc_v0"):
        make_source(task_of("dasc_v0"), env, ())


class StoppedError(Exception):
    """Ends a run as a kill would."""


def run(agent: str, folder: Path, stop: int | None, **keywords: Any) -> dict[str, Any]:
    """A run of four iterations; killed after ``stop``. Returns all tensors."""
    learner = find_learner(agent)
    settings = {**SMALL, "num_envs": 2, "evaluation_episodes": 1, "evaluation_every": 9, **keywords}
    settings = {name: value for name, value in settings.items() if agent != "relara" or "encoder" not in name}
    env, chosen = split_keywords(learner, "csc_v0", {"scenario": "tiny", "horizon_s": 600.0, **settings})
    plan = TrainingPlan(agent, learner, "csc_v0", env, chosen, 2 * 20 * 4, 0, 1, "cpu", "")

    def watch(report: IterationReport) -> None:
        if report.iteration == stop:
            raise StoppedError

    training = TrainingRun(plan, RunFolder(folder))
    try:
        training(watch)
    except StoppedError:
        pass
    finally:
        training.close()
    return load_file(folder / "last.safetensors")


@pytest.mark.parametrize("agent", ["cafe", "cafe-revenue", "ices", "relara"])
def test_a_resumed_run_ends_with_the_same_bits(agent: str, tmp_path: Path) -> None:
    """CAFE refines φ from iteration 2 of 4 on, so the run is resumed within refinement."""
    keywords = {"reward_updates": 3} if agent == "relara" else {"refine_from": 0.5} if "cafe" in agent else {}
    whole = run(agent, tmp_path / "whole", None, **keywords)
    run(agent, tmp_path / "parts", 3, **keywords)
    parts = run(agent, tmp_path / "parts", None, **keywords)
    assert whole.keys() == parts.keys()
    assert any(name.startswith("source.") for name in whole)
    assert [name for name in whole if not torch.equal(whole[name], parts[name])] == []


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    run("cafe", tmp_path / "cafe", None)
    return tmp_path / "cafe"


def test_playing_needs_the_actor_alone(trained: Path) -> None:
    from crowdgym import make
    from crowdgym.policies import load_policy
    from crowdgym.runner import run_episodes

    assert {name.split(".")[0] for name in load_file(trained / "best.safetensors")} == {"actor"}
    env = make("csc_v0", scenario="tiny", horizon_s=600.0)
    result = run_episodes(env, load_policy(str(trained), "csc_v0"), agent="cafe", episodes=1, seed=0)
    assert result.mean["revenue"] >= 0
