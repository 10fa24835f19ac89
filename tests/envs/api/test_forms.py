"""What every setting offers: the forms of its environment, and docstrings that tell everything or where it stands."""

import inspect
import pickle
from typing import Any

import pytest

from crowdgym.envs import csc_v0, dasc_v0, preference_v0, sensing_v0
from crowdgym.envs.api.dispatcher_env import BaseDispatcherEnv
from crowdgym.envs.api.parallel_env import BaseParallelEnv
from crowdgym.envs.api.vector_env import BaseVectorEnv

FORMS = {"parallel_env": BaseParallelEnv, "vector_env": BaseVectorEnv, "dispatcher_env": BaseDispatcherEnv}
HEADINGS = (
    *("Description", "Action Space", "Observation Space", "Starting State", "Rewards", "Episode End"),
    *("Information", "Arguments"),
)


@pytest.mark.parametrize("module", [csc_v0, dasc_v0, preference_v0, sensing_v0])
@pytest.mark.parametrize("form", ["env", "raw_env"])
def test_the_agent_by_agent_forms_can_be_sent_to_another_process(module: Any, form: str) -> None:
    function = getattr(module, form)
    assert pickle.loads(pickle.dumps(function)) is function  # noqa: S301


@pytest.mark.parametrize("module", [csc_v0, dasc_v0, preference_v0, sensing_v0])
@pytest.mark.parametrize("form", sorted(FORMS))
def test_help_tells_everything_or_where_it_stands(module: Any, form: str) -> None:
    base = FORMS[form]
    own = inspect.getdoc(getattr(module, form)) or ""
    assert f"`{base.__module__}.{base.__name__}`" in " ".join(own.split())
    told = f"{own}\n{inspect.getdoc(base)}"
    assert [heading for heading in HEADINGS if f"## {heading}\n" not in told] == []
