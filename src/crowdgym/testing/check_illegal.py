"""The check of what happens when an agent takes an action that its mask forbids."""

from dataclasses import replace
from typing import Any, NamedTuple

from crowdgym.testing.check_actions import can_be_masked, illegal_action, mask_fault
from crowdgym.testing.check_conformity import ends_finding, returns_finding
from crowdgym.testing.check_episode import (
    Actions,
    Agent,
    Environment,
    Episode,
    advance,
    fresh,
    frozen_moment,
    play_on,
    replay,
)
from crowdgym.testing.check_report import EnvironmentFault, Finding, NotApplicableError
from crowdgym.testing.check_spaces import masks_finding, masks_in, spaces_finding
from crowdgym.testing.check_subject import Subject
from crowdgym.testing.check_values import described, frozen

# One of these is a bug of the environment, not a refusal.
_CRASHES = (LookupError, AttributeError, NameError, ArithmeticError, RecursionError, MemoryError)


class _Attempt(NamedTuple):
    step: int
    agent: Agent
    actions: Actions
    wrong: Any


def check_illegal_actions(subject: Subject) -> Finding | None:
    """A masked action is accepted and the episode continues, or it is refused clearly and changes nothing."""
    attempts = {seed: _attempts(subject.episode(seed)) for seed in subject.seeds}
    if not any(attempts.values()):
        raise NotApplicableError("as no mask ever forbids an action")
    for seed, possible in attempts.items():
        # The first chance and a later one: early and late in the episode, agents are in different states.
        for attempt in dict.fromkeys((0, len(possible) // 2)) if possible else ():
            finding = _try(subject, subject.episode(seed), possible[attempt])
            if finding is not None:
                return replace(finding, check="illegal_actions", seed=seed)
    return None


def _attempts(episode: Episode) -> list[_Attempt]:
    """At each step, the first agent that has a forbidden action; the others do what they did."""
    found: dict[int, _Attempt] = {}
    for moment, agent, masks in masks_in(episode):
        step, space = moment.step + 1, episode.action_spaces.get(agent)
        if step in found or step >= len(episode.moments) or not can_be_masked(space):
            continue
        mask = next(iter(masks.values()), None)
        if mask is not None and mask_fault(space, mask) is None:
            wrong = illegal_action(space, mask)
            if wrong is not None:
                actions = {**episode.moments[step].actions, agent: wrong}
                found[step] = _Attempt(step, agent, actions, wrong)
    return list(found.values())


def _try(subject: Subject, episode: Episode, attempt: _Attempt) -> Finding | None:
    context = f"the masked action {attempt.wrong} of {attempt.agent!r} at step {attempt.step}"
    with fresh(subject.factory) as env:
        finding = replay(env, episode, end=attempt.step)
        if finding is not None:
            return finding
        try:
            moment = advance(env, episode.seed, attempt.step, frozen(attempt.actions))
        except EnvironmentFault as fault:
            if fault.finding.quantity == "step()" and fault.__cause__ is not None:
                return _refused(env, episode, attempt, fault.__cause__, context)
            return replace(fault.finding, context=f"after {context} was tolerated")
        so_far = (*episode.moments[: attempt.step], frozen_moment(moment, attempt.actions))
        after = play_on(env, replace(episode, moments=so_far, fault=None), subject.max_steps)
        findings = (look(after) for look in (returns_finding, ends_finding, spaces_finding, masks_finding))
        finding = next(filter(None, findings), after.fault)
        return finding and replace(finding, context=f"after {context} was tolerated")


def _refused(
    env: Environment, episode: Episode, attempt: _Attempt, exception: BaseException, context: str
) -> Finding | None:
    if isinstance(exception, _CRASHES) or not str(exception).strip():
        expected = "to be tolerated, or refused with an exception that says so"
        return Finding("", "step()", expected, described(exception), attempt.step, attempt.agent, context=context)
    finding = replay(env, episode, begin=attempt.step)
    return finding and replace(finding, context=f"after {context} was refused, the legal ones were taken")
