"""Environments for BenchMARL, in whose own virtual environment these tests run: examples/benchmarl_requirements.txt."""

import pytest

pytest.importorskip("benchmarl", reason="BenchMARL is not installed: it has a virtual environment of its own")

from crowdgym.common.errors import ConfigError
from crowdgym.common.seeds import TRAINING
from crowdgym.integrations.benchmarl import make_task

pytestmark = pytest.mark.filterwarnings("ignore")  # TorchRL warns that it is tested with an older PettingZoo

SMALL = {"scenario": "tiny", "num_workers": 3, "num_tasks": 5, "horizon_s": 900}


def seeds_of_copies(seed: int, copies: int = 4) -> list[int]:
    make = make_task("csc_v0", **SMALL).get_env_fun(copies, False, seed, "cpu")
    return [make().seed for _ in range(copies)]


def test_each_copy_has_episodes_of_its_own_from_the_seeds_for_training() -> None:
    seeds = seeds_of_copies(0)
    assert len(set(seeds)) == 4
    assert all(seed in TRAINING for seed in seeds)


def test_the_seed_of_the_experiment_fixes_them() -> None:
    assert seeds_of_copies(7) == seeds_of_copies(7)
    assert set(seeds_of_copies(7)).isdisjoint(seeds_of_copies(8))


def test_a_wrong_keyword_is_refused_before_the_experiment() -> None:
    with pytest.raises(ConfigError, match="num_workers must be"):
        make_task("csc_v0", scenario="tiny", num_workers=0)
