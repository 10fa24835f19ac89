"""From a dict of actions to one array, every fault named."""

import operator
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import InvalidAction
from numpy.typing import NDArray


def joint_action(actions: Mapping[str, Any], agents: list[str], space: gymnasium.spaces.Discrete) -> NDArray[np.int64]:
    """The actions of ``agents``, in their order. Shape [len(agents)].

    Raises:
        InvalidAction: an agent has none, or is not there, or its action is not in ``space``.
    """
    try:
        chosen = [actions[agent] for agent in agents]
    except KeyError as error:
        raise InvalidAction(f"no action for {error.args[0]}; expected one for each of {len(agents)} agents") from None
    except TypeError:
        raise InvalidAction(f"actions must be a dict from agent to action, got {type(actions).__name__}") from None
    if len(actions) != len(agents):
        known = set(agents)
        stranger = next(agent for agent in actions if agent not in known)
        raise InvalidAction(f"{stranger!r} is not an agent; agents are {agents[0]} to {agents[-1]}")
    try:
        joint = np.asarray(chosen)
    except (ValueError, OverflowError):  # of different shapes, or too large for any integer
        joint = np.asarray([None])
    if joint.ndim != 1 or joint.dtype.kind not in "iub":  # mixed kinds, or something that is no action
        numbers = [_whole_number(value) for value in chosen]
    else:
        numbers = joint.tolist() if joint.min() < 0 or joint.max() >= space.n else []
    if not numbers:
        return joint.astype(np.int64, copy=False)
    for agent, value, number in zip(agents, chosen, numbers, strict=True):
        if number is None or not 0 <= number < space.n:
            raise InvalidAction(f"the action of {agent} must be a whole number from 0 to {space.n - 1}, got {value!r}")
    return np.array(numbers, np.int64)


def _whole_number(value: object) -> int | None:
    """An integer of any kind, an array of no dimensions included, as Python's own; None for anything else."""
    try:
        return int(operator.index(value))  # type: ignore[arg-type]
    except TypeError:
        return None
