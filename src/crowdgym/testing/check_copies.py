"""Checks that an environment can be copied in mid-episode, by a deep copy or by a pickle."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace

from crowdgym.testing.check_episode import Environment, fresh, replay
from crowdgym.testing.check_report import Finding
from crowdgym.testing.check_subject import Subject
from crowdgym.testing.check_values import described, kind


def check_deepcopy(subject: Subject) -> Finding | None:
    """A deep copy made in mid-episode continues as the original would have; the original is not affected."""
    return _copied(subject, "deepcopy", copy.deepcopy)


def check_pickle(subject: Subject) -> Finding | None:
    """A pickle made in mid-episode continues as the original would have, as worker processes need it."""
    # The pickle never leaves memory: it is of the caller's own environment and is read back at once.
    return _copied(subject, "pickle", lambda env: pickle.loads(pickle.dumps(env)))  # noqa: S301


def _copied(subject: Subject, check: str, duplicate: Callable[[Environment], Environment]) -> Finding | None:
    episode = subject.episode(subject.seeds[0])
    middle = episode.middle
    with fresh(subject.factory) as env:
        finding = replay(env, episode, end=middle)
        context = ""
        if finding is None:
            try:
                twin = duplicate(env)
            except Exception as exception:
                step = middle - 1
                return Finding(check, f"a copy of {kind(env)}", "one", described(exception), step, seed=episode.seed)
            finding = replay(twin, episode, begin=middle)
            context = f"in a copy made after step {middle - 1}"
        if finding is None:
            finding = replay(env, episode, begin=middle)
            context = f"in the original, after a copy made at step {middle - 1} was played on"
    return finding and replace(finding, check=check, context=context)
