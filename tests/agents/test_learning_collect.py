"""What a collector keeps of the episodes, and that it does not matter which copies are played together."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from toy_vector_market import EPISODE_STEPS, OFFERS, ToyVectorMarket

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from crowdgym.agents.learning.collect import CopySeeds, IterationSeeds, LocalCollector  # noqa: E402
from crowdgym.agents.learning.networks import Actor  # noqa: E402
from crowdgym.agents.learning.rewards import EnvironmentReward, TeamShare  # noqa: E402
from crowdgym.agents.learning.rollout import Rollout, join  # noqa: E402
from crowdgym.agents.learning.workers import SharedCollector  # noqa: E402
from crowdgym.common.errors import ConfigError  # noqa: E402
from crowdgym.common.layout import ObservationLayout  # noqa: E402
from crowdgym.configs.ippo import IppoSettings  # noqa: E402

SEEDS = IterationSeeds.of(0, 0, 4).copies


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def actor_of(env: Any, num_actions: int = OFFERS + 1, **keywords: Any) -> Actor:
    """Weights that are not all alike."""
    torch.manual_seed(3)
    sets = ObservationLayout.from_metadata(env.metadata, env.single_observation_space.shape[0]).sets
    actor = Actor(sets, num_actions, IppoSettings.load("csc_v0", **keywords))
    for parameter in actor.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return actor


def collected(env: Any, seeds: CopySeeds = SEEDS, **more: Any) -> Rollout:
    return LocalCollector(env).collect(actor_of(env), seeds, **more)


def assert_same_bits(one: Rollout, other: Rollout) -> None:
    for each in fields(Rollout):
        mine, theirs = getattr(one, each.name), getattr(other, each.name)
        if each.name in ("metrics", "signals", "decision_infos"):
            assert {name: array.tobytes() for name, array in mine.items()} == {
                name: array.tobytes() for name, array in theirs.items()
            }
        elif isinstance(mine, np.ndarray):
            assert mine.dtype == theirs.dtype, each.name
            assert np.array_equal(mine, theirs), each.name


@pytest.mark.parametrize("split", [(2, 2), (1, 3), (1, 1, 1, 1)])
def test_four_copies_together_are_the_same_as_apart(split: tuple[int, ...]) -> None:
    ends = np.cumsum(split).tolist()
    parts = [
        collected(ToyVectorMarket(n), SEEDS.part(slice(end - n, end)), signals=("action_mask",))
        for n, end in zip(split, ends, strict=True)
    ]
    assert_same_bits(join(parts), collected(ToyVectorMarket(4), signals=("action_mask",)))


def test_the_same_holds_of_csc_with_more_decisions_than_the_network_takes_at_once() -> None:
    from crowdgym.envs.csc_v0 import vector_env

    def rollout(seeds: CopySeeds) -> Rollout:
        env = vector_env(
            num_envs=len(seeds.instances), copy=False, scenario="tiny", num_workers=100, num_tasks=40, horizon_s=600
        )
        actor = actor_of(env, int(env.single_action_space.n))
        return LocalCollector(env).collect(actor, seeds, signals=("candidates",))

    together = rollout(SEEDS)
    assert np.bincount(together.steps).max() > 64
    assert_same_bits(join([rollout(SEEDS.part(slice(0, 2))), rollout(SEEDS.part(slice(2, 4)))]), together)


def test_every_action_and_the_asked_infos_are_kept() -> None:
    """Signals have one more row than steps: what infos said before the first, and after each."""
    rollout = collected(ToyVectorMarket(4), signals=("action_mask",))
    assert rollout.joint_actions.shape == (EPISODE_STEPS, 8)
    assert (rollout.joint_actions[rollout.steps, rollout.rows] == rollout.actions).all()
    before, after = rollout.before_step("action_mask"), rollout.after_step("action_mask")
    assert before.shape == after.shape == (EPISODE_STEPS, 8, OFFERS + 1)
    assert (before[rollout.steps, rollout.rows] == rollout.masks).all()
    assert (before[1:] == after[:-1]).all()
    assert (rollout.num_steps, rollout.num_copies, rollout.num_agents.tolist()) == (EPISODE_STEPS, 4, [2] * 4)
    assert (rollout.copies == rollout.rows // 2).all()


def test_signals_are_copies_and_not_views() -> None:
    env = ToyVectorMarket(1)
    shown = np.zeros((2, 1))
    look = env._look

    def overwritten() -> tuple[Any, dict[str, Any]]:
        shown[:] += 1.0  # as an environment with copy=False does
        observations, infos = look()
        return observations, infos | {"count": shown}

    env._look = overwritten  # type: ignore[method-assign]
    rollout = collected(env, SEEDS.part(slice(0, 1)), signals=("count",))
    assert rollout.signals["count"][:, 0, 0].tolist() == list(range(1, EPISODE_STEPS + 2))


def test_options_reach_the_environment() -> None:
    env, seen = ToyVectorMarket(4), []
    reset = env.reset
    env.reset = lambda *, seed=None, options=None: (seen.append(options), reset(seed=seed))[1]  # type: ignore[assignment,method-assign]
    assert collected(env, options={"utility": 0.5}).options == {"utility": 0.5}
    assert collected(env).options == {}
    assert seen == [{"utility": 0.5}, None]


def test_the_likeliest_actions_need_no_generator() -> None:
    seeds = CopySeeds(SEEDS.instances, None)
    rollout = collected(ToyVectorMarket(4), seeds)
    env = ToyVectorMarket(4)
    with torch.no_grad():
        log_policy = actor_of(env)(torch.from_numpy(rollout.observations), torch.from_numpy(rollout.masks))
    assert (log_policy.argmax(dim=1).numpy() == rollout.actions).all()


def test_a_signal_that_is_not_among_the_infos_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no 'reward_sparse', which the learner reads \(there: action_mask\)"):
        collected(ToyVectorMarket(4), signals=("reward_sparse",))


def test_an_environment_without_any_decision_is_refused() -> None:
    env = ToyVectorMarket(4)
    look = env._look
    env._look = lambda: (look()[0], {"action_mask": np.eye(1, OFFERS + 1, dtype=np.int8).repeat(8, axis=0)})  # type: ignore[method-assign]
    with pytest.raises(ConfigError, match="no decision to learn from"):
        collected(env)


def rollout_of(rewards: Any, num_agents: int) -> Rollout:
    nothing: Any = np.zeros(0)
    return Rollout(
        *[nothing] * 6, np.array(rewards), nothing, np.full(len(rewards[0]) // num_agents, num_agents), {}, 0.0
    )


def test_the_environment_s_reward_is_taken_as_it_is() -> None:
    rollout = rollout_of([[4.0, 0.0, 8.0, 8.0]], 2)
    source = EnvironmentReward()
    assert source.terms(rollout)["environment"] is rollout.rewards
    assert source.term_names == ("environment",)
    assert source.weights(rollout).tolist() == [1.0]


def test_part_of_what_others_earn_may_count() -> None:
    """Two copies of two agents: a quarter of a reward is the mean of the copy's."""
    rollout = rollout_of([[4.0, 0.0, 8.0, 8.0]], 2)
    assert TeamShare(0.25).terms(rollout)["team_share"].tolist() == [[3.5, 0.5, 8.0, 8.0]]
    assert TeamShare(1.0).terms(rollout)["team_share"].tolist() == [[2.0, 2.0, 8.0, 8.0]]


class OnAnotherDevice(torch.nn.Module):
    """Stands for a network on a GPU: it answers only where it was moved to the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.scores = torch.nn.Parameter(torch.linspace(0.0, 1.0, OFFERS + 1))
        self.moved = False

    def cpu(self) -> "OnAnotherDevice":
        self.moved = True
        return super().cpu()

    def forward(self, observations: Any, masks: Any) -> Any:
        assert self.moved
        return torch.where(masks, self.scores, -torch.inf).log_softmax(dim=1)


def test_a_network_that_learns_on_a_gpu_is_played_on_the_cpu_and_stays_where_it_is() -> None:
    network = OnAnotherDevice()
    rollout = LocalCollector(ToyVectorMarket(4)).collect(network, SEEDS)
    assert len(rollout.rows)
    assert not network.moved


def test_workers_get_a_network_that_is_on_the_cpu() -> None:
    network, sent = OnAnotherDevice(), []

    class Two:
        number = 2

        def map(self, function: Any, items: Any) -> list[Any]:
            sent.extend(item.actor.moved for item in items)
            return [function(item) for item in items]

    shared = SharedCollector(ToyVectorMarket, LocalCollector, Two())
    assert_same_bits(shared.collect(network, SEEDS), LocalCollector(ToyVectorMarket(4)).collect(network, SEEDS))
    assert sent == [True, True]
    assert not network.moved
