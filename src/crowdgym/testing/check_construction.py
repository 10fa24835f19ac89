"""The check before an episode begins: the class, its metadata, its spaces, its signatures."""

import inspect
from typing import Any

from gymnasium import Space
from pettingzoo import ParallelEnv

from crowdgym.testing.check_episode import Agent, pinned_random_state
from crowdgym.testing.check_report import Finding
from crowdgym.testing.check_subject import Subject
from crowdgym.testing.check_values import described, kind, shown


def check_construction(subject: Subject) -> Finding | None:
    """The factory makes a ParallelEnv with a name, render modes, agents and constant spaces, and it can be closed."""
    with pinned_random_state():
        try:
            env = subject.factory()
        except Exception as exception:
            return _construction("factory()", "an environment", described(exception))
        finding = _constructed(env)
        try:
            env.close()
        except Exception as exception:
            return finding or _construction("close()", "no exception", described(exception))
        return finding


def _construction(quantity: str, expected: str, got: str, agent: Agent = None) -> Finding:
    return Finding("construction", quantity, expected, got, agent=agent)


def _constructed(env: Any) -> Finding | None:
    if not isinstance(env, ParallelEnv):
        return _construction("factory()", "a pettingzoo.ParallelEnv", kind(env))
    metadata = getattr(env, "metadata", None)
    if not isinstance(metadata, dict):
        return _construction("metadata", "a dict", "nothing" if metadata is None else kind(metadata))
    if not isinstance(metadata.get("name"), str):
        return _construction("metadata['name']", "a str", shown(metadata.get("name")))
    modes = metadata.get("render_modes")
    if not isinstance(modes, list | tuple) or not all(isinstance(mode, str) for mode in modes):
        return _construction("metadata['render_modes']", "a list of str", shown(modes))
    return _possible_agents(env) or _reset_arguments(env)


def _possible_agents(env: Any) -> Finding | None:
    possible = getattr(env, "possible_agents", None)
    if possible is None:  # PettingZoo lets environments that invent agents do without
        return None
    if not isinstance(possible, list) or not possible or len(set(possible)) < len(possible):
        return _construction("possible_agents", "a list of at least one agent, none twice", shown(possible))
    for agent in possible:
        for name in ("observation_space", "action_space"):
            try:
                first, second = (getattr(env, name)(agent) for _ in range(2))
            except Exception as exception:
                return _construction(f"{name}()", "a space", described(exception), agent)
            if not isinstance(first, Space):
                return _construction(f"{name}()", "a gymnasium.Space", f"{kind(first)} {shown(first)}", agent)
            if first is not second:
                got = "a new one at the second call (see functools.cache)"
                return _construction(f"{name}()", "the same space object at every call", got, agent)
    return None


def _reset_arguments(env: Any) -> Finding | None:
    try:
        inspect.signature(env.reset).bind(seed=0, options={})
    except TypeError as exception:
        return _construction("reset()", "to take seed and options", described(exception))
    return None
