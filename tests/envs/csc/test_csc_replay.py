"""The generator that plays a stream as it was: four orders of an evening on the roads of 'tiny'."""

from dataclasses import replace

import numpy as np
import pytest

from crowdgym.common.errors import ConfigError
from crowdgym.configs.csc import CscSettings
from crowdgym.data.dataset import Dataset
from crowdgym.data.orders.stream import OrderStream
from crowdgym.data.registry import load_dataset
from crowdgym.envs import csc_v0
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.csc.instance import CscInstance
from crowdgym.envs.csc.replay import ReplayGenerator

SIX = 18 * 3600


def stream(times_s: list[int], **parts: list[float]) -> OrderStream:
    count = len(times_s)
    return OrderStream(
        time_s=np.array(times_s, np.int64),
        origin=np.arange(count, dtype=np.int32) + 3,
        destination=np.full(count, -1, np.int32),
        **{name: np.array(values, np.float64) for name, values in parts.items()},
    )


def evening(**more: object) -> Dataset:
    """Orders at 17:59, 18:00, 18:05 and 18:20, from nodes 3, 4, 5 and 6."""
    return replace(load_dataset("tiny"), orders=stream([SIX - 60, SIX, SIX + 300, SIX + 1200]), **more)  # type: ignore[arg-type]


def settings(**keywords: object) -> CscSettings:
    usual = {"scenario": "tiny", "num_tasks": 3, "num_workers": 2, "window_start_s": SIX, "window_s": 1800.0}
    return CscSettings.load(**{**usual, **keywords})


def played(dataset: Dataset, seed: int = 0, **keywords: object) -> CscInstance:
    generator = ReplayGenerator(dataset, settings(**keywords))
    return generator.generate(InstanceSeeds.of(np.random.SeedSequence(seed)))


@pytest.mark.parametrize("seed", [0, 1])
def test_task_i_is_order_i_at_its_own_time_and_place(seed: int) -> None:
    instance = played(evening(), seed)

    assert instance.created_s.tolist() == [0.0, 300.0, 1200.0]
    assert instance.task_node.tolist() == [4, 5, 6]
    assert instance.task_skill.tolist() == load_dataset("tiny").category[[4, 5, 6]].tolist()


def test_payments_and_deadlines_are_those_of_the_data_where_it_has_them() -> None:
    nan = np.nan
    orders = stream([SIX, SIX + 300, SIX + 1200], payment=[8.5, nan, 4.0], deadline_s=[600, 900, nan])

    instance, drawn = played(replace(evening(), orders=orders)), played(evening())

    assert instance.payment[[0, 2]].tolist() == [8.5, 4.0]
    assert instance.deadline_s[[0, 1]].tolist() == [600.0, 1200.0]
    assert (instance.expected_s <= instance.deadline_s).all()
    assert (instance.payment[1], instance.deadline_s[2]) == (drawn.payment[1], drawn.deadline_s[2])


def test_workers_begin_where_those_of_the_log_began_last() -> None:
    """Of three workers who began at 06:00, 17:00 and 19:00, the two who were there at 18:00."""
    log = stream([6 * 3600, 17 * 3600, 19 * 3600])

    assert played(evening(workers=log)).worker_node.tolist() == [4, 3]
    assert played(evening(workers=log), num_workers=3).worker_node.tolist() == [4, 3, 5]


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"num_tasks": 4}, "num_tasks must be at most 3, the orders of 'tiny' in 1800 s from second 64800"),
        ({"num_workers": 4}, "num_workers must be at most 3, the workers that 'tiny' brings, got 4"),
    ],
)
def test_more_than_the_data_has_is_refused(keywords: dict[str, int], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        played(evening(workers=stream([1, 2, 3])), **keywords)


def test_an_environment_plays_the_evening() -> None:
    chosen = settings()
    env = csc_v0.parallel_env(**chosen.model_dump(), generator=ReplayGenerator(evening(), chosen))

    env.reset(seed=1)

    assert env.instance.created_s.tolist() == [0.0, 300.0, 1200.0]
