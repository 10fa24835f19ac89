"""Checks of observations, states and action masks against the spaces that the environment declares."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from gymnasium import spaces

from crowdgym.testing.check_actions import can_be_masked, mask_fault, masks_of
from crowdgym.testing.check_episode import Agent, Episode, Moment
from crowdgym.testing.check_report import Finding, NotApplicableError
from crowdgym.testing.check_subject import Subject
from crowdgym.testing.check_values import Difference, first_difference, kind, shown


def check_spaces(subject: Subject) -> Finding | None:
    """Observations, and ``state()`` if it has a space, are in their spaces: shape, dtype, finite, within bounds."""
    return subject.first(spaces_finding)


def spaces_finding(episode: Episode) -> Finding | None:
    """What `check_spaces` finds in one episode."""
    for moment in episode.moments:
        for agent, observation in moment.observations.items():
            if agent in episode.observation_spaces:
                fault = outside(episode.observation_spaces[agent], observation, "observation")
                if fault is not None:
                    return Finding("spaces", *fault, moment.step, agent, episode.seed)
        if episode.state_space is not None and moment.state is not None:
            fault = outside(episode.state_space, moment.state, "state()")
            if fault is not None:
                return Finding("spaces", *fault, moment.step, seed=episode.seed)
    return None


def outside(space: Any, value: Any, path: str) -> Difference | None:
    """Where a value leaves its space, or None.

    Stricter than ``space.contains``, which lets infinities pass where there are no bounds, and float32 for float64.
    """
    if isinstance(space, spaces.Dict):
        return _dict_outside(space, value, path)
    if isinstance(space, spaces.Tuple):
        if not isinstance(value, tuple) or len(value) != len(space.spaces):
            return Difference(path, f"a tuple of {len(space.spaces)}", f"{kind(value)} {shown(value)}")
        parts = (outside(s, v, f"{path}[{i}]") for i, (s, v) in enumerate(zip(space.spaces, value, strict=True)))
        return next(filter(None, parts), None)
    if isinstance(space, spaces.Box | spaces.MultiBinary | spaces.MultiDiscrete):
        return _array_outside(space, value, path)
    if space.contains(value):
        return None
    return Difference(path, f"a member of {shown(space)}", f"{kind(value)} {shown(value)}")


def _dict_outside(space: spaces.Dict, value: Any, path: str) -> Difference | None:
    if not isinstance(value, dict):
        return Difference(path, "a dict", f"{kind(value)} {shown(value)}")
    if set(value) != set(space.spaces):
        return Difference(path, f"the keys {sorted(map(str, space.spaces))}", f"{sorted(map(str, value))}")
    parts = (outside(part, value[key], f"{path}[{key!r}]") for key, part in space.spaces.items())
    return next(filter(None, parts), None)


def _array_outside(space: spaces.Space[Any], value: Any, path: str) -> Difference | None:
    if not isinstance(value, np.ndarray | np.generic):
        return Difference(path, "an array", f"{kind(value)} {shown(value)}")
    if value.dtype != space.dtype:
        return Difference(f"{path}.dtype", str(space.dtype), str(value.dtype))
    if value.shape != space.shape:
        return Difference(f"{path}.shape", str(space.shape), str(value.shape))
    strange = ~np.isfinite(value)
    if strange.any():
        return _entry(path, value, strange, "a finite number")
    if isinstance(space, spaces.Box):
        below, above = value < space.low, value > space.high
        if not (below | above).any():
            return None
        bounds = f"{shown(space.low[_first(below | above)])}..{shown(space.high[_first(below | above)])}"
        return _entry(path, value, below | above, f"within {bounds}")
    return None if space.contains(value) else Difference(path, f"a member of {shown(space)}", shown(value))


def _first(where: Any) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(where)), np.shape(where)))


def _entry(path: str, value: Any, where: Any, expected: str) -> Difference:
    index = _first(where)
    spot = f"[{', '.join(map(str, index))}]" if index else ""
    return Difference(path + spot, expected, shown(value[index]))


# ---- masks ----


def check_masks(subject: Subject) -> Finding | None:
    """A mask is int8 or bool, has an entry for each action and allows at least one; an agent keeps its mask."""
    episodes = [subject.episode(seed) for seed in subject.seeds]
    if not any(episode.moments for episode in episodes):
        raise NotApplicableError("as no episode began")
    if not any(masks for episode in episodes for _, _, masks in masks_in(episode)):
        raise NotApplicableError("as neither infos nor observations hold an action_mask")
    return subject.first(masks_finding)


def masks_finding(episode: Episode) -> Finding | None:
    """What `check_masks` finds in one episode."""
    usual: dict[Agent, set[str]] = {}  # where an agent found its masks at first
    for moment, agent, masks in masks_in(episode):
        places = usual.setdefault(agent, set(masks))
        if places != set(masks):
            quantity = next(iter(places ^ set(masks)))
            has, had = ("there" if quantity in those else "missing" for those in (masks, places))
            return Finding("masks", quantity, f"{had}, as before", has, moment.step, agent, episode.seed)
        finding = _masks_finding(episode.action_spaces.get(agent), masks)
        if finding is not None:
            return replace(finding, step=moment.step, agent=agent, seed=episode.seed)
    return None


def _masks_finding(space: Any, masks: dict[str, Any]) -> Finding | None:
    if can_be_masked(space):
        for place, mask in masks.items():
            fault = mask_fault(space, mask)
            if fault is not None:
                return Finding("masks", place + fault.quantity, fault.expected, fault.got)
    if len(masks) == 2:
        (one_place, one), (other_place, other) = masks.items()
        difference = first_difference(one, other, other_place)
        if difference is not None:
            return Finding("masks", difference.path, f"{difference.expected}, as {one_place}", difference.got)
    return None


def masks_in(episode: Episode) -> Iterator[tuple[Moment, Agent, dict[str, Any]]]:
    """Each moment, each agent that acts next, and its masks by where they are."""
    for moment in episode.moments:
        for agent in moment.agents:
            yield moment, agent, masks_of(moment.observations.get(agent), moment.infos.get(agent))
