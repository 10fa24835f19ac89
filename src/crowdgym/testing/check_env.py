"""`check_env`: test any PettingZoo ParallelEnv for what training relies on. See docs/check_env.md."""

from collections.abc import Callable, Collection, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from crowdgym.common.errors import ConfigError
from crowdgym.testing.check_conformity import check_ends, check_returns, check_stepping
from crowdgym.testing.check_construction import check_construction
from crowdgym.testing.check_copies import check_deepcopy, check_pickle
from crowdgym.testing.check_episode import Environment
from crowdgym.testing.check_illegal import check_illegal_actions
from crowdgym.testing.check_repeats import (
    check_determinism,
    check_global_random_state,
    check_instances,
    check_repetition,
    check_seeds,
)
from crowdgym.testing.check_report import (
    EnvironmentCheckError,
    EnvironmentReport,
    Finding,
    NotApplicableError,
    Outcome,
)
from crowdgym.testing.check_sharing import check_caller_writes, check_fresh_dicts, check_kept_values
from crowdgym.testing.check_spaces import check_masks, check_spaces
from crowdgym.testing.check_subject import Subject
from crowdgym.testing.check_vector import check_vector


class _Check(NamedTuple):
    function: Callable[[Subject], Finding | None]
    needs: tuple[str, ...]  # if one of these fails, this one would fail for the same reason

    @property
    def name(self) -> str:
        return self.function.__name__.removeprefix("check_")


_PLAYABLE = ("construction", "returns", "stepping")
_REPEATABLE = ("determinism", "global_random_state")

_CHECKS = (
    _Check(check_construction, ()),
    _Check(check_returns, ("construction",)),
    _Check(check_ends, ("construction", "returns")),
    _Check(check_spaces, ("construction", "returns")),
    _Check(check_masks, ("construction", "returns")),
    _Check(check_stepping, ("construction", "returns", "masks")),
    _Check(check_determinism, _PLAYABLE),
    _Check(check_global_random_state, (*_PLAYABLE, "determinism")),
    _Check(check_fresh_dicts, (*_PLAYABLE, *_REPEATABLE)),
    _Check(check_kept_values, (*_PLAYABLE, *_REPEATABLE)),
    _Check(check_caller_writes, (*_PLAYABLE, *_REPEATABLE, "fresh_dicts", "kept_values")),
    _Check(check_seeds, (*_PLAYABLE, *_REPEATABLE)),
    _Check(check_repetition, (*_PLAYABLE, *_REPEATABLE)),
    _Check(check_instances, (*_PLAYABLE, *_REPEATABLE)),
    _Check(check_illegal_actions, (*_PLAYABLE, *_REPEATABLE, "ends", "spaces", "masks")),
    _Check(check_deepcopy, (*_PLAYABLE, *_REPEATABLE, "instances")),
    _Check(check_pickle, (*_PLAYABLE, *_REPEATABLE, "instances")),
    _Check(check_vector, (*_PLAYABLE, *_REPEATABLE)),
)

ENVIRONMENT_CHECKS: dict[str, str] = {check.name: str(check.function.__doc__).split("\n", 1)[0] for check in _CHECKS}
"""The checks by name, in the order in which they run, with what each one requires."""


def check_env(
    factory: Callable[[], Environment],
    *,
    seeds: Sequence[int] = (0, 1),
    max_steps: int = 1000,
    checks: Collection[str] | None = None,
    vector_factory: Callable[[int], Any] | None = None,
) -> EnvironmentReport:
    """Play episodes of an environment in many ways and raise an error if a check fails.

    The episodes are whole ones, of random legal actions. Everything that is returned is compared to the last byte:
    observations, rewards, ends, infos, ``state()``. An agent may end before the others, and masks are optional.

    Args:
        factory: Makes a new environment, a ``pettingzoo.ParallelEnv``, at every call.
        seeds: The seeds of the resets; at least two different ones, to test that seeds matter.
        max_steps: An episode that is longer is cut at this step; the report notes it.
        checks: Names from `ENVIRONMENT_CHECKS`; all if None. The three basic ones (construction, returns,
            stepping) always run. A check is not run if another one that it depends on has failed.
        vector_factory: Makes a ``gymnasium.vector.VectorEnv`` with the given number of copies. It has a row for each
            agent of each copy, copy by copy; reset with seed s, copy c plays seed s + c.

    Returns:
        The result of each check, for printing.

    Raises:
        EnvironmentCheckError: A check failed. The message has a line for each failed check: the first seed, step,
            agent and quantity that are wrong, the expected value and the returned value.
        ConfigError: An argument is invalid.

    Example:
        >>> from crowdgym.envs import csc_v0
        >>> report = check_env(lambda: csc_v0.parallel_env(scenario="tiny", horizon_s=60.0))
        >>> report.ok
        True
    """
    report = inspect_env(factory, seeds=seeds, max_steps=max_steps, checks=checks, vector_factory=vector_factory)
    if not report.ok:
        raise EnvironmentCheckError(report)
    return report


def inspect_env(
    factory: Callable[[], Environment],
    *,
    seeds: Sequence[int] = (0, 1),
    max_steps: int = 1000,
    checks: Collection[str] | None = None,
    vector_factory: Callable[[int], Any] | None = None,
) -> EnvironmentReport:
    """The same as `check_env`, but it returns the report also if a check failed.

    Raises:
        ConfigError: An argument is invalid.
    """
    if not callable(factory):
        raise ConfigError(f"factory must be a function that makes an environment, got {type(factory).__name__}")
    subject = Subject(factory, _seeds(seeds), _max_steps(max_steps), vector_factory)
    wanted = _names(checks)
    outcomes: dict[str, Outcome] = {}
    for check in _CHECKS:
        if check.name in wanted:
            outcomes[check.name] = _run(check, subject, outcomes)
    return EnvironmentReport(tuple(outcomes.values()), tuple(_notes(subject, outcomes)))


def _run(check: _Check, subject: Subject, before: dict[str, Outcome]) -> Outcome:
    failed = next((name for name in check.needs if name in before and before[name].finding is not None), None)
    if failed is not None:
        return Outcome(check.name, not_run=f"as {failed} failed")
    try:
        return Outcome(check.name, check.function(subject))
    except NotApplicableError as reason:
        return Outcome(check.name, not_run=str(reason))


def _notes(subject: Subject, outcomes: dict[str, Outcome]) -> list[str]:
    if outcomes["construction"].finding is not None:
        return []
    episodes = [subject.episode(seed) for seed in subject.seeds]
    notes = []
    unfinished = [episode.seed for episode in episodes if episode.fault is None and not episode.over]
    if unfinished:
        seeds = ", ".join(map(str, unfinished))
        notes.append(f"the episode of seed {seeds} was not over after max_steps={subject.max_steps} and was cut there")
    if any(moment.possible_agents is None for episode in episodes for moment in episode.moments):
        notes.append("the environment has no possible_agents")
    if all(moment.state is None for episode in episodes for moment in episode.moments):
        notes.append("the environment has no state()")
    return notes


def _names(checks: Collection[str] | None) -> set[str]:
    if checks is None:
        return set(ENVIRONMENT_CHECKS)
    if isinstance(checks, str):
        raise ConfigError(f"checks must be a collection of names, got the text {checks!r}: write [{checks!r}]")
    for name in checks:
        if name not in ENVIRONMENT_CHECKS:
            close = get_close_matches(str(name), ENVIRONMENT_CHECKS, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ConfigError(f"there is no check {name!r}{hint} (known: {', '.join(ENVIRONMENT_CHECKS)})")
    return {*checks, *_PLAYABLE}


def _seeds(seeds: object) -> tuple[int, ...]:
    listed = tuple(seeds) if isinstance(seeds, list | tuple | range) else ()
    whole = all(isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0 for seed in listed)
    if not whole or len(set(listed)) < max(2, len(listed)):
        raise ConfigError(f"seeds must be at least two different whole numbers from 0 on, got {seeds!r}")
    return listed


def _max_steps(max_steps: object) -> int:
    if not isinstance(max_steps, int) or isinstance(max_steps, bool) or max_steps < 2:
        raise ConfigError(f"max_steps must be a whole number from 2 on, got {max_steps!r}")
    return max_steps
