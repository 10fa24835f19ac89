"""Action masks and what they allow: reading them, judging them, choosing a legal or an illegal action."""

import copy
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from crowdgym.testing.check_values import kind, shown

MASK_KEY = "action_mask"

# Episodes of all seeds are played with the same draws, so that what differs between them comes from the environment.
_ACTION_SEED = 20_260_101


class MaskFault(NamedTuple):
    """What is wrong with a mask."""

    quantity: str
    expected: str
    got: str


def masks_of(observation: Any, info: Any) -> dict[str, Any]:
    """The masks an agent is given, by where they are: ``info['action_mask']``, ``observation['action_mask']``."""
    places = {"info": info, "observation": observation}
    return {
        f"{name}[{MASK_KEY!r}]": place[MASK_KEY]
        for name, place in places.items()
        if isinstance(place, dict) and place.get(MASK_KEY) is not None
    }


def can_be_masked(space: Any) -> bool:
    """Whether the kit knows what a mask of this action space looks like."""
    return isinstance(space, spaces.Discrete) or (isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1)


def mask_fault(space: Any, mask: Any) -> MaskFault | None:
    """What is wrong with a mask of a ``Discrete`` or ``MultiDiscrete`` space, or None.

    It is an array of int8 or bool with one 0 or 1 for each action, not all 0. For ``MultiDiscrete`` it is the parts'
    masks one after the other, or a tuple of them, and no part may be all 0.
    """
    whole = isinstance(mask, np.ndarray)
    if not whole and not (isinstance(space, spaces.MultiDiscrete) and isinstance(mask, tuple)):
        return MaskFault("", "an array of int8 or bool", f"{kind(mask)} {shown(mask)}")
    sizes = _sizes(space)
    if whole and mask.shape != (sum(sizes),):
        return MaskFault(".shape", str((sum(sizes),)), str(mask.shape))
    parts = _parts(space, mask)
    if len(parts) != len(sizes):
        return MaskFault("", f"{len(sizes)} parts", f"{len(parts)} parts")
    for number, (size, part) in enumerate(zip(sizes, parts, strict=True)):
        fault = _part_fault(size, part)
        if fault is not None:
            return fault if len(parts) == 1 else fault._replace(quantity=f"[part {number}]{fault.quantity}")
    return None


def illegal_action(space: Any, mask: Any) -> Any:
    """An action that a sound mask forbids, or None if it allows everything."""
    parts = _parts(space, mask)
    for number, part in enumerate(parts):
        forbidden = np.flatnonzero(part == 0)
        if len(forbidden):
            indices = [int(np.flatnonzero(p)[0]) for p in parts]
            indices[number] = int(forbidden[-1])
            return _action(space, indices)
    return None


class RandomLegalPolicy:
    """Draws actions that the masks allow, each as likely as any other; from the whole space where there is no mask.

    It draws from generators of its own: the generators of the environment's spaces are left alone.
    """

    def __init__(self) -> None:
        self._rng = np.random.default_rng(_ACTION_SEED)
        self._spaces: dict[Any, Any] = {}

    def act(self, agent: Any, space: Any, observations: Any, infos: Any) -> Any:
        """An action of ``agent``, for what the environment has handed out."""
        masks = masks_of(observations.get(agent), infos.get(agent))
        mask = next(iter(masks.values()), None)
        if can_be_masked(space):
            sound = mask is not None and mask_fault(space, mask) is None
            allowed = [np.flatnonzero(part) for part in _parts(space, mask)] if sound else map(np.arange, _sizes(space))
            return _action(space, [int(self._rng.choice(indices)) for indices in allowed])
        if agent not in self._spaces:
            self._spaces[agent] = copy.deepcopy(space)
            self._spaces[agent].seed(int(self._rng.integers(2**31)))
        return self._spaces[agent].sample()


def _sizes(space: Any) -> list[int]:
    return [int(space.n)] if isinstance(space, spaces.Discrete) else [int(n) for n in space.nvec]


def _parts(space: Any, mask: Any) -> list[Any]:
    return list(mask) if isinstance(mask, tuple) else list(np.split(mask, np.cumsum(_sizes(space))[:-1]))


def _action(space: Any, indices: list[int]) -> Any:
    if isinstance(space, spaces.Discrete):
        return space.dtype.type(space.start + indices[0])
    return (np.asarray(indices) + space.start).astype(space.dtype)


def _part_fault(size: int, part: Any) -> MaskFault | None:
    if not isinstance(part, np.ndarray):
        return MaskFault("", "an array of int8 or bool", f"{kind(part)} {shown(part)}")
    if part.dtype not in (np.int8, np.bool_):
        return MaskFault(".dtype", "int8 or bool", str(part.dtype))
    if part.shape != (size,):
        return MaskFault(".shape", str((size,)), str(part.shape))
    strange = np.flatnonzero((part != 0) & (part != 1))
    if len(strange):
        return MaskFault(f"[{strange[0]}]", "0 or 1", shown(part[strange[0]]))
    if not part.any():
        return MaskFault("", "at least one legal action", "none")
    return None
