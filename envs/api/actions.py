"""From a dict of actions to one array, every fault named.

Actions may be objects of any class, those of a policy that others wrote: whatever their methods raise becomes one
`InvalidAction`.
"""

import operator
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import InvalidAction
from numpy.typing import NDArray

from crowdgym.common.text import shown


def joint_action(
    actions: Mapping[str, Any], agents: Sequence[str], space: gymnasium.spaces.Discrete
) -> NDArray[np.int64]:
    """The actions of ``agents``, in their order. Shape [len(agents)].

    Raises:
        InvalidAction: an agent has none, or is not there, or its action is not in ``space``.
    """
    chosen = _chosen(actions, agents)
    try:  # the usual case: whole numbers of Python or NumPy; an array of this kind takes nothing else
        numbers = array("q", chosen)
    except Exception:
        return _exactly(chosen, agents, space)
    if min(numbers) >= 0 and max(numbers) < space.n:  # NumPy's own take longer for so few
        return np.frombuffer(numbers, np.int64)
    return _exactly(chosen, agents, space)


def _chosen(actions: Mapping[str, Any], agents: Sequence[str]) -> tuple[Any, ...]:
    try:
        chosen = operator.itemgetter(*agents)(actions)
    except KeyError as error:
        missing = next((agent for agent in error.args if isinstance(agent, str)), "an agent")
        raise InvalidAction(f"no action for {missing}; expected one for each of {len(agents)} agents") from None
    except Exception:
        raise InvalidAction(f"actions must be a dict from agent to action, got {type(actions).__name__}") from None
    try:
        others = set(actions) - set(agents) if len(actions) != len(agents) else ()
    except Exception:
        raise InvalidAction(f"actions must be a dict from agent to action, got {type(actions).__name__}") from None
    for stranger in others:
        raise InvalidAction(f"{shown(stranger)} is not an agent; agents are {agents[0]} to {agents[-1]}")
    return chosen if len(agents) > 1 else (chosen,)


def _exactly(chosen: Sequence[object], agents: Sequence[str], space: gymnasium.spaces.Discrete) -> NDArray[np.int64]:
    """One by one: truth values among the actions, or something that is no action."""
    numbers = []
    for agent, value in zip(agents, chosen, strict=True):
        number = _whole_number(value)
        if number is None or not 0 <= number < space.n:
            wanted = f"a whole number from 0 to {space.n - 1}"
            raise InvalidAction(f"the action of {agent} must be {wanted}, got {shown(value)}")
        numbers.append(number)
    return np.array(numbers, np.int64)


def _whole_number(value: object) -> int | None:
    """An integer of any kind, an array of no dimensions included, as Python's own; None for anything else."""
    try:
        return int(operator.index(value))  # type: ignore[arg-type]
    except Exception:  # NumPy's truth values are no index, but Python's are, and a list of both is a list of numbers
        truth = isinstance(value, np.bool_ | np.ndarray) and value.dtype == np.bool_ and value.ndim == 0
        return int(value) if truth else None  # type: ignore[call-overload]
