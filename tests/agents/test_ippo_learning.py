"""That it learns, from what it should, and the same every time."""

from typing import Any

import numpy as np
import pytest
from toy_vector_market import BUSY_STEPS, EPISODE_STEPS, OFFERS, ToyVectorMarket

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents.ippo.ppo import (  # noqa: E402
    IterationSeeds,
    Learner,
    ValueNormaliser,
    collect,
)
from crowdgym.common.errors import ConfigError  # noqa: E402
from crowdgym.common.layout import ObservationLayout  # noqa: E402
from crowdgym.configs.ippo import IppoSettings  # noqa: E402

COPIES = 16


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def settings(**keywords: Any) -> IppoSettings:
    small = {"embedding": 8, "heads": 2, "hidden": 16, "epochs": 4, "minibatch_size": 128, "learning_rate": 0.01}
    return IppoSettings.load("csc_v0", **{**small, **keywords})


def learner_of(env: ToyVectorMarket, seed: int = 0, **keywords: Any) -> Learner:
    sets = ObservationLayout.from_metadata(env.metadata, env.single_observation_space.shape[0]).sets
    return Learner(sets, OFFERS + 1, settings(**keywords), seed)


def trained(iterations: int, *, noise: float = 0.0, seed: int = 0, **keywords: Any) -> Learner:
    env = ToyVectorMarket(COPIES, noise)
    learner = learner_of(env, seed, **keywords)
    for iteration in range(iterations):
        seeds = IterationSeeds.of(seed, iteration, COPIES)
        rollout = collect(env, learner.actor, seeds.instances, seeds.actions, "cpu")
        learner.learn(rollout, 2, seeds.order, progress=0.0)
    return learner


def played(learner: Learner, draws: np.random.Generator | None = None) -> Any:
    return collect(ToyVectorMarket(COPIES), learner.actor, range(COPIES), draws, "cpu")


def same_weights(one: Learner, other: Learner) -> bool:
    return all(
        torch.equal(mine, theirs)
        for name in one.networks
        for mine, theirs in zip(
            one.networks[name].state_dict().values(), other.networks[name].state_dict().values(), strict=True
        )
    )


@pytest.mark.parametrize("network", ["attention", "mlp"])
def test_it_learns_to_take_the_best_offer(network: str) -> None:
    learner = trained(25, network=network)
    rollout = played(learner)
    pays = np.where(rollout.masks[:, 1:], rollout.observations[:, 2::2], -1.0)
    takes = rollout.actions > 0
    chosen = pays[np.flatnonzero(takes), rollout.actions[takes] - 1]
    assert takes.mean() > 0.9
    assert chosen.mean() > 0.95 * pays[takes].max(axis=1).mean()
    untrained = played(learner_of(ToyVectorMarket(COPIES)), np.random.default_rng(0))
    assert rollout.metrics["revenue"].mean() > 1.3 * untrained.metrics["revenue"].mean()


def test_agents_that_have_nothing_to_decide_are_not_among_the_decisions() -> None:
    rollout = played(learner_of(ToyVectorMarket(COPIES)), np.random.default_rng(0))
    assert (rollout.masks.sum(axis=1) > 1).all()
    assert (np.diff(rollout.steps) >= 0).all()
    for row in range(2 * COPIES):
        own = rollout.rows == row
        steps, takes = rollout.steps[own], rollout.actions[own] > 0
        assert (np.diff(steps)[takes[:-1]] >= BUSY_STEPS).all()
    assert rollout.rewards.shape == (EPISODE_STEPS, 2 * COPIES)


def test_what_busy_agents_see_has_no_influence_on_the_weights() -> None:
    """Not the least, and not even if it is no number at all."""
    assert same_weights(trained(2), trained(2, noise=1e6))
    assert same_weights(trained(2), trained(2, noise=float("nan")))


def test_the_same_seed_gives_the_same_weights_and_another_one_others() -> None:
    assert same_weights(trained(2), trained(2))
    assert not same_weights(trained(2), trained(2, seed=1))


def test_an_iteration_is_fixed_by_the_seed_and_its_number() -> None:
    one, again, next_one = (IterationSeeds.of(3, number, 4) for number in (7, 7, 8))
    assert one.instances == again.instances != next_one.instances
    assert one.actions.random() == again.actions.random() != next_one.actions.random()
    assert one.order.random() == again.order.random()
    assert min(one.instances) >= 2**32  # below are the seeds of people and of evaluation


def test_a_minibatch_of_everything_and_a_learning_rate_of_nothing() -> None:
    """At the end of a linear schedule nothing changes any more."""
    env = ToyVectorMarket(COPIES)
    learner, before = learner_of(env, learning_rate_schedule="linear"), learner_of(env)
    seeds = IterationSeeds.of(0, 0, COPIES)
    rollout = collect(env, learner.actor, seeds.instances, seeds.actions, "cpu")
    learner.learn(rollout, 2, seeds.order, progress=1.0)
    assert same_weights(learner, before)


def test_the_normaliser_by_hand() -> None:
    """Weights ¼ and ½ for the means 1 and 4, squares 1 and 16: mean 3, variance 11 − 9."""
    normaliser = ValueNormaliser(memory=0.5)
    assert (normaliser.mean, normaliser.deviation) == (0.0, 1.0)
    normaliser.update(np.array([1.0, 1.0]))
    assert (normaliser.mean, normaliser.deviation) == (1.0, 1.0)  # no deviation to speak of
    normaliser.update(np.array([4.0, 4.0]))
    assert normaliser.mean == pytest.approx(3.0)
    assert normaliser.deviation == pytest.approx(2.0**0.5)


def test_an_environment_in_which_nobody_ever_decides_is_refused() -> None:
    env = ToyVectorMarket(1)
    learner = learner_of(env)
    look = env._look
    env._look = lambda: (look()[0], {"action_mask": np.eye(1, OFFERS + 1, dtype=np.int8).repeat(2, axis=0)})  # type: ignore[method-assign]
    with pytest.raises(ConfigError, match="nothing to learn"):
        collect(env, learner.actor, [0], None, "cpu")
