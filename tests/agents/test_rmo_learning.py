"""RMO in its environment: variants, checkpoints, and a market in which the right thing to do is known."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from worlds.dasc_worlds import Helper, Job, Part, World, a_world

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from typer.testing import CliRunner  # noqa: E402

from crowdgym.agents.learning.checkpoint import BEST, LAST, read_tensors  # noqa: E402
from crowdgym.agents.learning.collect import CopySeeds, IterationSeeds, LocalCollector  # noqa: E402
from crowdgym.agents.rmo.rewards import SparseAndShaped  # noqa: E402
from crowdgym.agents.rmo.rmo import RmoLearner  # noqa: E402
from crowdgym.agents.rmo.trainer import RmoTrainer  # noqa: E402
from crowdgym.cli.main import app  # noqa: E402
from crowdgym.common.layout import ObservationLayout  # noqa: E402
from crowdgym.configs.rmo import RmoSettings  # noqa: E402
from crowdgym.envs import dasc_v0  # noqa: E402
from crowdgym.envs.api.vector_env import BaseVectorEnv  # noqa: E402
from crowdgym.envs.core.seeding import InstanceSeeds  # noqa: E402
from crowdgym.envs.dasc.definition import DascDefinition  # noqa: E402
from crowdgym.envs.dasc.instance import DascInstance  # noqa: E402
from crowdgym.envs.dasc.reward import REWARDS  # noqa: E402
from crowdgym.traces import read_trace  # noqa: E402

COPIES = 4
SMALL: dict[str, Any] = {"hidden": 8, "epochs": 2, "minibatch_size": 64, "learning_rate": 0.01}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def learner_of(env: Any, **settings: Any) -> RmoLearner:
    sets = ObservationLayout.from_metadata(env.metadata, env.single_observation_space.shape[0]).sets
    return RmoLearner(sets, 2, RmoSettings.load("dasc_v0", **{**SMALL, **settings}), seed=0)


def trained(env: Any, iterations: int, **settings: Any) -> RmoLearner:
    learner, source, collector = learner_of(env, **settings), SparseAndShaped(1.0), LocalCollector(env)
    for iteration in range(iterations):
        seeds = IterationSeeds.of(0, iteration, env.batch_shape[0])
        rollout = collector.collect(learner.actor, seeds.copies, signals=source.signals, options=learner.reset_options)
        learner.learn(rollout, source, seeds.order, progress=0.0)
    return learner


def tiny() -> Any:
    return dasc_v0.vector_env(num_envs=COPIES, scenario="tiny", step_s=60.0, copy=False)


def same(one: RmoLearner, other: RmoLearner, name: str = "actor") -> bool:
    mine, theirs = one.networks[name].state_dict(), other.networks[name].state_dict()
    return all(torch.equal(mine[key], theirs[key]) for key in mine)


@pytest.fixture(scope="module")
def sparse() -> RmoLearner:
    return trained(tiny(), 2, transfer_weight=0.0, eta="fixed")


@pytest.mark.parametrize("transfer", ["meta", "mix", "lookahead"])
def test_without_weight_every_transfer_gives_the_bits_of_plain_ppo(sparse: RmoLearner, transfer: str) -> None:
    assert same(trained(tiny(), 2, transfer_weight=0.0, eta="fixed", transfer=transfer), sparse)


@pytest.mark.parametrize(
    "settings", [{"meta_sign": "poster"}, {"meta_sign": "exact"}, {"transfer": "mix"}, {"transfer": "lookahead"}]
)
def test_with_a_weight_every_transfer_changes_the_target_policy(sparse: RmoLearner, settings: dict[str, Any]) -> None:
    other = trained(tiny(), 2, eta="fixed", **settings)
    assert not same(other, sparse)
    assert same(other, sparse, "auxiliary") == (settings.get("transfer") == "mix")  # which has no use for it


def test_eta_stays_between_0_and_1() -> None:
    learner = learner_of(tiny())
    learner.set_eta(torch.tensor([1.2, -0.1]))
    assert learner.reset_options == {"utility": (1.0, 0.0)}
    moved = trained(tiny(), 2, eta_rate=50.0).eta.tolist()
    assert min(moved) >= 0.0
    assert max(moved) <= 1.0
    assert {0.0, 1.0} & set(moved)


class Scores:
    """A collector that plays nothing: the best weights of the utility are α = 0.7 and β = 0.4."""

    def __init__(self) -> None:
        self.seeds: list[CopySeeds] = []

    def collect(self, actor: Any, seeds: CopySeeds, *, signals: Any = (), options: Any = None) -> Any:
        self.seeds.append(seeds)
        alpha, beta = options["utility"]
        return SimpleNamespace(metrics={"profit": np.array([-((alpha - 0.7) ** 2) - (beta - 0.4) ** 2])})


def test_the_search_moves_eta_to_the_better_side_on_common_seeds() -> None:
    scores, learner = Scores(), learner_of(tiny(), eta="search")
    task: Any = SimpleNamespace(seed=0, metric="profit", settings=learner.settings)
    trainer = RmoTrainer(task, scores, scores, SparseAndShaped(1.0), learner)
    for number in range(40):
        trainer._search(number)
    np.testing.assert_allclose(learner.eta, [0.7, 0.4], atol=0.15)
    assert all(one is other for one, other in zip(scores.seeds[::2], scores.seeds[1::2], strict=True))


# ---- a market whose answer is known


class Fixed:
    """A generator of one instance."""

    def __init__(self, instance: DascInstance) -> None:
        self._instance = instance

    def generate(self, seeds: InstanceSeeds) -> DascInstance:
        return self._instance


def market() -> World:
    """One worker. The long subtask is nearer and pays 50, the short one pays 90, and there is time for one of them.

    Long first: 10 to 110 s, and the short one would end at 160 s. Short first: 30 to 50 s, and the long one at 180 s.
    """
    time = {"expected_s": 140.0, "deadline_s": 150.0}
    jobs = [Job((Part(1, 100.0),), payment=50.0, **time), Job((Part(3, 20.0),), payment=90.0, **time)]
    return a_world([Helper(0)], jobs, step_s=30.0, horizon_s=150.0)


def market_env(copies: int) -> Any:
    world = market()
    parts = DascDefinition(world.settings, world.instance.network, Fixed(world.instance), REWARDS["sparse"])
    return BaseVectorEnv(parts, copies, 1, False, "NextStep")


@pytest.mark.parametrize(
    "settings",
    [
        {"transfer_weight": 0.0},
        {"meta_sign": "poster"},
        {"meta_sign": "exact", "transfer_weight": 0.2},  # it sharpens what the policy prefers, right or wrong
        {"transfer": "mix"},
        {"transfer": "lookahead"},
    ],
)
def test_every_variant_learns_to_hold_the_long_subtask(settings: dict[str, Any]) -> None:
    learner = trained(market_env(16), 20, learning_rate=0.02, eta="fixed", **settings)
    draws = tuple(np.random.SeedSequence(1).spawn(64))
    seeds = CopySeeds(tuple(range(64)), draws)
    untrained, played = (
        LocalCollector(market_env(64)).collect(each.actor, seeds).metrics["revenue"].mean()
        for each in (learner_of(market_env(1)), learner)
    )
    assert untrained < 70.0
    assert played > 80.0


# ---- checkpoints


def crowdgym(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


def train(out: Path, iterations: int, *more: str) -> None:
    values = {**SMALL, "epochs": 1, "num_envs": 2, "step_s": 60.0, "eta_rate": 0.5}
    values |= {"evaluation_every": 2, "evaluation_episodes": 2}
    chosen = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    crowdgym("train", "rmo", "dasc_v0", "--scenario", "tiny", "--steps", 120 * iterations, "--out", out, *chosen, *more)


def test_a_run_that_was_stopped_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    train(tmp_path / "whole", 3)
    train(tmp_path / "parts", 1)
    train(tmp_path / "parts", 3, "--resume")
    whole, parts = (read_tensors(tmp_path / name / LAST).tensors for name in ("whole", "parts"))
    assert set(whole) == set(parts)
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert whole["eta"].tolist() != [0.2, 0.2]


def test_the_learnt_weights_of_the_utility_are_played_and_in_the_trace(tmp_path: Path) -> None:
    train(tmp_path / "run", 2)
    eta = read_tensors(tmp_path / "run" / BEST).tensors["eta"].tolist()
    crowdgym("run", "--agent", tmp_path / "run", "--trace", tmp_path / "played.trace")
    assert read_trace(tmp_path / "played.trace").header.options == {"utility": eta}
