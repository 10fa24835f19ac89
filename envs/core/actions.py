"""From a dict of actions to one array, every fault named."""

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
    except ValueError:  # of different shapes
        joint = np.asarray([None])
    if joint.ndim != 1 or joint.dtype.kind not in "iu" or joint.min() < 0 or joint.max() >= space.n:
        agent, value = next((a, v) for a, v in zip(agents, chosen, strict=True) if not _is_action(v, space))
        raise InvalidAction(f"the action of {agent} must be a whole number from 0 to {space.n - 1}, got {value!r}")
    return joint.astype(np.int64, copy=False)


def _is_action(value: object, space: gymnasium.spaces.Discrete) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and 0 <= int(value) < int(space.n)
