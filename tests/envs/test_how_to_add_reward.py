"""The page "How to add a reward strategy": its example runs, and a quantity of a step is zero as a step begins."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crowdgym.envs import csc_v0, dasc_v0, sensing_v0
from crowdgym.envs.csc.kernel.state import StepOutput as CscOutput
from crowdgym.envs.dasc.kernel.state import StepOutput as DascOutput
from crowdgym.envs.sensing.kernel.state import Outcome

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "how_to_add" / "reward.md").read_text(encoding="utf-8")


def test_the_example_pays_minus_the_wage_where_nothing_is_earned() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    assert set(names["rewards"].values()) == {-2.0}


def test_the_files_that_it_names_are_there() -> None:
    named = set(re.findall(r"`((?:envs|configs|tests)/[\w/]+\.py)`", PAGE))
    assert len(named) == 8
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


def test_it_names_every_quantity() -> None:
    for fields in (CscOutput._fields[2:], DascOutput._fields[3:], Outcome._fields):
        assert ", ".join(f"`{name}`" for name in fields) in PAGE


@pytest.mark.parametrize(
    ("module", "keywords", "output", "first"),
    [
        (csc_v0, {"scenario": "tiny"}, lambda state: state.output, "share"),
        (dasc_v0, {"scenario": "tiny"}, lambda state: state.output, "outcome"),
    ],
)
def test_a_step_without_actions_leaves_no_quantity_of_the_step_before(
    module: Any, keywords: dict[str, Any], output: Any, first: str
) -> None:
    env = module.parallel_env(**keywords)
    env.reset(seed=0)
    made = output(env._simulation.state)
    quantities = made._fields[made._fields.index(first) :]
    for name in quantities:
        getattr(made, name)[:] = 1
    env.step(dict.fromkeys(env.agents, 0))
    assert {name: np.count_nonzero(getattr(made, name)) for name in quantities} == dict.fromkeys(quantities, 0)


def test_a_cycle_leaves_no_quantity_of_the_cycle_before() -> None:
    """Of what is computed for some rewards only: everything else is written anew in every cycle."""
    env = sensing_v0.parallel_env(reward="shared")
    env.reset(seed=0)
    outcome = env._simulation.state.outcome
    outcome.gain[:] = outcome.caused_km[:] = 1.0
    env.step(dict.fromkeys(env.agents, 0))
    assert not outcome.gain.any()
    assert not outcome.caused_km.any()
