"""One policy for several settings: which are played, by how many copies, and what the rollout says of them."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from test_learning_collect import SEEDS, actor_of, assert_same_bits, collected  # noqa: E402
from toy_vector_market import ToyVectorMarket  # noqa: E402

from crowdgym.agents.learning.collect import CopySeeds, IterationSeeds, LocalCollector  # noqa: E402
from crowdgym.agents.learning.mixing import MixedCollector, make_collectors  # noqa: E402
from crowdgym.agents.learning.rewards import TeamShare  # noqa: E402
from crowdgym.agents.learning.rollout import Rollout, join  # noqa: E402
from crowdgym.agents.learning.trainer import TrainingTask  # noqa: E402
from crowdgym.common.errors import ConfigError  # noqa: E402
from crowdgym.configs.ippo import IppoSettings  # noqa: E402


def market_collector(copies: int) -> LocalCollector:
    return LocalCollector(ToyVectorMarket(copies))


def mixed(seeds: CopySeeds) -> Rollout:
    """Two of five equal settings, two copies each."""
    collector = MixedCollector([market_collector(2) for _ in range(5)], played=2)
    return collector.collect(actor_of(ToyVectorMarket(1)), seeds)


def test_each_of_the_drawn_settings_gets_an_equal_share_of_the_copies() -> None:
    groups = [mixed(IterationSeeds.of(0, number, 4).copies).groups.tolist() for number in range(6)]
    assert all(a == b < c == d for a, b, c, d in groups)
    assert len({tuple(each) for each in groups}) > 1
    assert groups[0] == mixed(IterationSeeds.of(0, 0, 4).copies).groups.tolist()


def test_without_a_draw_all_settings_are_played() -> None:
    collector = MixedCollector([market_collector(1) for _ in range(4)], played=4)
    rollout = collector.collect(actor_of(ToyVectorMarket(1)), CopySeeds(SEEDS.instances, SEEDS.actions))
    assert rollout.groups.tolist() == [0, 1, 2, 3]


def test_a_mix_of_equal_settings_plays_as_without() -> None:
    rollout = mixed(SEEDS)
    object.__setattr__(rollout, "groups", np.zeros(4, np.int64))
    assert_same_bits(rollout, collected(ToyVectorMarket(4)))


def test_copies_may_have_different_numbers_of_agents() -> None:
    """Two agents, then three. The mean of a copy is over its own agents."""
    nothing: Any = np.zeros(1)
    parts = [
        Rollout(*[nothing] * 4, np.array([agents - 1]), np.zeros(1, int), np.array([rewards]), np.zeros((1, agents)),
                np.array([agents]), {}, 0.0)
        for agents, rewards in ((2, [4.0, 0.0]), (3, [3.0, 6.0, 0.0]))
    ]  # fmt: skip
    rollout = join(parts)
    assert rollout.num_agents.tolist() == [2, 3]
    assert rollout.copy_of_rows.tolist() == [0, 0, 1, 1, 1]
    assert (rollout.rows.tolist(), rollout.copies.tolist()) == ([1, 4], [0, 1])
    assert TeamShare(1.0).terms(rollout)["team_share"].tolist() == [[2.0, 2.0, 3.0, 3.0, 3.0]]


@pytest.mark.parametrize(("copies", "instances"), [(3, 4), (4, 3)])
def test_copies_and_instances_that_cannot_be_divided_are_refused(copies: int, instances: int) -> None:
    settings = IppoSettings.load("csc_v0", num_envs=copies, mixed_at_once=2)
    nothing: Any = None
    task = TrainingTask(
        environment="toy",
        settings=settings,
        make_vector_env=ToyVectorMarket,
        make_env=nothing,
        make_centres=nothing,
        load_policy=nothing,
        metric="revenue",
        evaluation_seeds=range(instances),
        steps=1,
        seed=0,
        device="cpu",
        mix=(ToyVectorMarket, ToyVectorMarket),
    )
    with pytest.raises(ConfigError, match=f"num_envs = {copies} and evaluation_episodes = {instances}"):
        make_collectors(task, LocalCollector)
