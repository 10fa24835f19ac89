"""Checks that nothing is shared with the caller or with values that were returned earlier."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from crowdgym.testing.check_episode import TABLES, Agent, Moment, fresh, replay
from crowdgym.testing.check_report import Finding
from crowdgym.testing.check_subject import Subject
from crowdgym.testing.check_values import first_difference, frozen, spoil


def check_fresh_dicts(subject: Subject) -> Finding | None:
    """Every dict that reset and step return is a new object, each agent's info too: callers may change them."""
    seen: dict[int, tuple[dict[Any, Any], str]] = {}  # by identity; holding the dicts keeps identities apart

    def meet(moment: Moment, quantity: str, table: dict[Any, Any], agent: Agent = None) -> Finding | None:
        if id(table) in seen:
            return Finding("", quantity, "a new dict", seen[id(table)][1], moment.step, agent)
        of = quantity if agent is None else f"{quantity} of {agent!r}"
        seen[id(table)] = (table, f"the same object as the {of} at step {moment.step}")
        return None

    def look(moment: Moment) -> Finding | None:
        tables = (meet(moment, f"{entry}s", table) for entry, table in moment.tables())
        infos = (meet(moment, "info", info, agent) for agent, info in moment.infos.items())
        return next(filter(None, (*tables, *infos)), None)

    with fresh(subject.factory) as env:
        finding = replay(env, subject.episode(subject.seeds[0]), after=look)
    return finding and replace(finding, check="fresh_dicts")


# ---- over time ----


class _Kept:
    """What was handed out at one step: the objects themselves beside a copy of what was in them."""

    def __init__(self, moment: Moment) -> None:
        self.step = moment.step
        # The dicts themselves are the business of fresh_dicts, so they are taken apart here.
        objects: dict[tuple[str, Agent], Any] = {("state()", None): moment.state}
        for entry, table in moment.tables():
            for agent, value in table.items():
                objects[entry, agent] = dict(value) if entry == "info" else value
        self._objects = objects
        self._copies = {key: frozen(value) for key, value in objects.items()}

    def change(self, until: str) -> Finding | None:
        """What is no longer what it was."""
        for (entry, agent), value in self._objects.items():
            difference = first_difference(self._copies[entry, agent], value, entry)
            if difference is not None:
                return Finding("", *difference, self.step, agent, context=f"it was changed by {until}")
        return None


def check_kept_values(subject: Subject) -> Finding | None:
    """Values that were returned, and actions passed in, stay unchanged while the environment steps or resets."""
    episode = subject.episode(subject.seeds[0])
    kept: list[_Kept] = []

    def look(moment: Moment) -> Finding | None:
        finding = kept[-1].change(f"step {moment.step}") if kept and moment.step > 0 else None
        if finding is None:
            difference = first_difference(episode.moments[moment.step].actions, moment.actions, "actions")
            finding = difference and Finding("", *difference, moment.step, context="step changed its argument")
        kept.append(_Kept(moment))
        return finding

    with fresh(subject.factory) as env:
        finding = replay(env, episode, after=look)
        if finding is None:
            # Only what it writes into the last episode's values is looked at here, not what it hands out itself.
            replay(env, subject.episode(subject.seeds[1]), end=2)
            changes = (values.change("a later step or the next episode") for values in kept)
            finding = next(filter(None, changes), None)
    return finding and replace(finding, check="kept_values", seed=episode.seed)


def check_caller_writes(subject: Subject) -> Finding | None:
    """Writing into returned values, or into actions passed in earlier, does not affect the environment."""

    def write_into_returned(moment: Moment) -> None:
        for name in TABLES.values():
            spoil(getattr(moment, name))
        spoil(moment.state)

    def write_into_actions(moment: Moment) -> None:
        spoil(moment.actions)

    contexts: dict[str, Callable[[Moment], None]] = {
        "after the caller wrote into the dicts and arrays it was handed at the step before": write_into_returned,
        "after the caller wrote into the actions it had given at the step before": write_into_actions,
    }
    for context, write in contexts.items():
        with fresh(subject.factory) as env:
            finding = replay(env, subject.episode(subject.seeds[0]), after=write)
        if finding is not None:
            return replace(finding, check="caller_writes", context=context)
    return None
