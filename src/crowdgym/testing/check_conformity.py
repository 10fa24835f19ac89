"""Checks of the dicts that reset and step return, on recorded episodes: types, keys, and the ends of agents."""

import math
import numbers
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from crowdgym.testing.check_episode import Agent, Episode, Moment
from crowdgym.testing.check_report import Finding
from crowdgym.testing.check_subject import Subject
from crowdgym.testing.check_values import kind, shown

# PettingZoo allows an entry of this name that belongs to no agent.
_COMMON = "common"


def check_returns(subject: Subject) -> Finding | None:
    """Reset and step return dicts with one entry for every agent and no other; rewards are finite, ends are bools."""
    return subject.first(returns_finding)


def returns_finding(episode: Episode) -> Finding | None:
    """What `check_returns` finds in one episode."""
    ended: set[Agent] = set()
    for moment in episode.moments:
        finding = _keys(moment, ended) or _values(moment)
        if finding is not None:
            return replace(finding, check="returns", seed=episode.seed)
        ended |= {agent for agent in moment.actions if moment.ended(agent)}
    fault = episode.fault
    return fault if fault is not None and fault.check == "returns" else None


def _keys(moment: Moment, ended: set[Agent]) -> Finding | None:
    agents, step = moment.agents, moment.step
    if step == 0 and not agents:
        return Finding("", "agents", "at least one after a reset", "none", step)
    if len(set(agents)) < len(agents):
        return Finding("", "agents", "each agent once", shown(list(agents)), step)
    for agent in agents:
        if moment.possible_agents is not None and agent not in moment.possible_agents:
            return Finding("", "agents", "one of possible_agents", "another", step, agent)
    acted = list(moment.actions)
    for entry, table in moment.tables():
        due = [*acted, *agents] if entry in ("observation", "info") else acted
        missing = next((agent for agent in due if agent not in table), None)
        if missing is not None:
            return Finding("", entry, "an entry", "none", step, missing)
        for agent in table:
            known = agent in acted or agent in agents or agent in ended  # of those that ended, see check_ends
            if not known and not (entry in ("observation", "info") and agent == _COMMON):
                return Finding("", entry, "no entry, as it did not act", shown(table[agent]), step, agent)
    return None


def _values(moment: Moment) -> Finding | None:
    for agent, reward in moment.rewards.items():
        real = isinstance(reward, numbers.Real) and not isinstance(reward, bool)
        if not real or not math.isfinite(reward):
            got = f"{kind(reward)} {shown(reward)}"
            return Finding("", "reward", "a finite number", got, moment.step, agent)
    for entry, table in (("termination", moment.terminations), ("truncation", moment.truncations)):
        for agent, flag in table.items():
            if not isinstance(flag, bool | np.bool_):
                return Finding("", entry, "a bool", f"{kind(flag)} {shown(flag)}", moment.step, agent)
    for agent, info in moment.infos.items():
        if not isinstance(info, dict):
            return Finding("", "info", "a dict", f"{kind(info)} {shown(info)}", moment.step, agent)
    return None


def check_ends(subject: Subject) -> Finding | None:
    """An agent that ends leaves ``agents``, receives nothing more and stays out; no agent leaves without ending."""
    return subject.first(ends_finding)


def ends_finding(episode: Episode) -> Finding | None:
    """What `check_ends` finds in one episode."""
    ended: dict[Agent, int] = {}
    for moment in episode.moments:
        finding = next(_after_the_end(moment, ended), None)
        if finding is None and moment.possible_agents != episode.moments[0].possible_agents:
            expected, got = (shown(m.possible_agents) for m in (episode.moments[0], moment))
            finding = Finding("", "possible_agents", expected, got, moment.step)
        if finding is not None:
            return replace(finding, check="ends", seed=episode.seed)
    return None


def _after_the_end(moment: Moment, ended: dict[Agent, int]) -> Iterator[Finding]:
    step = moment.step
    for agent in moment.agents:
        if agent in ended:
            yield Finding("", "agents", f"it stays out after its end at step {ended[agent]}", "it is back", step, agent)
    for entry, table in moment.tables():
        for agent in table:
            if agent in ended:
                expected = f"nothing after its end at step {ended[agent]}"
                yield Finding("", entry, expected, shown(table[agent]), step, agent)
    for agent in moment.actions:
        if moment.ended(agent):
            ended[agent] = step
            if agent in moment.agents:
                yield Finding("", "agents", "it leaves, as it has ended", "it is still there", step, agent)
        elif agent not in moment.agents:
            expected = "it stays, as it was neither terminated nor truncated"
            yield Finding("", "agents", expected, "it is gone", step, agent)


def check_stepping(subject: Subject) -> Finding | None:
    """An episode of legal actions can be played: reset, step, state and the spaces never raise."""

    def look(episode: Episode) -> Finding | None:
        return episode.fault if episode.fault is not None and episode.fault.check == "stepping" else None

    return subject.first(look)
