"""Episodes for the checks: played once with random legal actions, recorded, and replayed step by step."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from crowdgym.testing.check_actions import RandomLegalPolicy
from crowdgym.testing.check_report import EnvironmentFault, Finding
from crowdgym.testing.check_values import described, first_difference, frozen, kind, shown

Agent = Any  # whatever the environment calls its agents
Environment = Any  # pettingzoo.ParallelEnv, which has no types
Actions = dict[Agent, Any]
Hook = Callable[["Moment"], Finding | None]

# The five dicts of a step, by what one entry is called in a message.
TABLES = {
    "observation": "observations",
    "reward": "rewards",
    "termination": "terminations",
    "truncation": "truncations",
    "info": "infos",
}


@dataclass(frozen=True)
class Moment:
    """What the environment returned at one step; step 0 is the reset, which has no actions, rewards or ends.

    Attributes:
        step: Its number.
        actions: Those that led here.
        agents: Who acts next.
        possible_agents: As they are now; None where the environment does not say.
        state: What ``state()`` says; None if the environment has none, or if no agent acts any more.
    """

    step: int
    actions: Actions
    observations: dict[Agent, Any]
    rewards: dict[Agent, Any]
    terminations: dict[Agent, Any]
    truncations: dict[Agent, Any]
    infos: dict[Agent, Any]
    agents: tuple[Agent, ...]
    possible_agents: tuple[Agent, ...] | None
    state: Any

    def tables(self) -> Iterator[tuple[str, dict[Agent, Any]]]:
        """The dicts that were handed out, by what one entry is called: two at the reset, five later."""
        for entry, name in TABLES.items():
            if self.step > 0 or entry in ("observation", "info"):
                yield entry, getattr(self, name)

    def ended(self, agent: Agent) -> bool:
        """Whether the agent's last step was this one."""
        return bool(self.terminations.get(agent, False)) or bool(self.truncations.get(agent, False))


@dataclass(frozen=True)
class Episode:
    """A played episode.

    Attributes:
        seed: The seed of its reset.
        moments: From the reset on; moment k is step k.
        fault: The fault that stopped it, if any.
        observation_spaces: By agent, for everyone who was ever in ``agents``.
        action_spaces: Likewise.
        state_space: None where the environment has none.
    """

    seed: int
    moments: tuple[Moment, ...]
    fault: Finding | None = None
    observation_spaces: dict[Agent, Any] = field(default_factory=dict)
    action_spaces: dict[Agent, Any] = field(default_factory=dict)
    state_space: Any = None

    @property
    def over(self) -> bool:
        """Whether everyone has ended."""
        return bool(self.moments) and not self.moments[-1].agents

    @property
    def middle(self) -> int:
        """A step with steps before and after it, if the episode is long enough."""
        return len(self.moments) // 2


# ---- the global random state ----


class GlobalRandomState(NamedTuple):
    """The state of the global generators: of ``random`` and of ``numpy.random``."""

    python: Any
    numpy: Any

    @classmethod
    def now(cls) -> "GlobalRandomState":
        """The current state."""
        return cls(random.getstate(), np.random.get_state())  # noqa: NPY002  (watched, not used)

    def restore(self) -> None:
        """Set the generators back to this state."""
        random.setstate(self.python)
        np.random.set_state(self.numpy)  # noqa: NPY002

    def changed(self, later: "GlobalRandomState") -> str:
        """Which of the two differs: "random", "numpy.random", or "" for neither."""
        if self.python != later.python:
            return "random"
        return "" if first_difference(list(self.numpy), list(later.numpy)) is None else "numpy.random"


# Numbers that no environment is likely to use as a seed: otherwise its seeding would not be noticed.
PINS = (1_713_905_329, 2_846_110_577)


@contextmanager
def pinned_random_state(pin: int = PINS[0]) -> Iterator[GlobalRandomState]:
    """Fix the global random state inside the block, and restore it afterwards."""
    before = GlobalRandomState.now()
    random.seed(pin)
    np.random.seed(pin)  # noqa: NPY002
    try:
        yield GlobalRandomState.now()
    finally:
        before.restore()


@contextmanager
def fresh(factory: Callable[[], Environment], pin: int = PINS[0]) -> Iterator[Environment]:
    """A new environment, closed afterwards, under a fixed global random state."""
    with pinned_random_state(pin):
        env = factory()
        try:
            yield env
        finally:
            with suppress(Exception):  # close() is looked at by a check of its own
                env.close()


# ---- one step ----


def advance(env: Environment, seed: int, step: int, actions: Actions) -> Moment:
    """Reset (step 0) or step the environment. What is in the result belongs to the environment: nothing is copied.

    Raises:
        EnvironmentFault: it raised, or what it returned is not made of dicts.
    """
    if step == 0:
        observations, infos = _dicts(_call("reset", 0, lambda: env.reset(seed=seed)), "reset", 0, 2)
        rewards, terminations, truncations = {}, {}, {}
    else:
        returned = _call("step", step, lambda: env.step(actions))
        observations, rewards, terminations, truncations, infos = _dicts(returned, "step", step, 5)
    agents = _call("agents", step, lambda: env.agents)
    if not isinstance(agents, list | tuple):
        raise EnvironmentFault(Finding("returns", "agents", "a list", f"{kind(agents)} {shown(agents)}", step))
    possible = getattr(env, "possible_agents", None)
    return Moment(
        step, actions, observations, rewards, terminations, truncations, infos,
        tuple(agents), None if possible is None else tuple(possible), _state(env, step) if agents else None,
    )  # fmt: skip


def _call(what: str, step: int, function: Callable[[], Any]) -> Any:
    try:
        return function()
    except Exception as exception:
        quantity = what if what == "agents" else f"{what}()"
        raise EnvironmentFault(Finding("stepping", quantity, "no exception", described(exception), step)) from exception


def _state(env: Environment, step: int) -> Any:
    if not hasattr(env, "state"):
        return None

    def state() -> Any:
        try:
            return env.state()
        except NotImplementedError:
            return None

    return _call("state", step, state)


def _dicts(returned: Any, what: str, step: int, count: int) -> tuple[dict[Agent, Any], ...]:
    names = list(TABLES.values()) if count == 5 else ["observations", "infos"]
    if not isinstance(returned, tuple) or len(returned) != count:
        got = f"{len(returned)} of them" if isinstance(returned, tuple) else kind(returned)
        raise EnvironmentFault(Finding("returns", f"{what}()", f"a tuple of {count}: {', '.join(names)}", got, step))
    for name, table in zip(names, returned, strict=True):
        if not isinstance(table, dict):
            raise EnvironmentFault(Finding("returns", name, "a dict", f"{kind(table)} {shown(table)}", step))
    return returned


# ---- whole episodes ----


def record(env: Environment, seed: int, max_steps: int) -> Episode:
    """Play an episode of random legal actions, at most ``max_steps`` long, and keep a copy of everything."""
    return play_on(env, Episode(seed, ()), max_steps)


def play_on(env: Environment, episode: Episode, max_steps: int) -> Episode:
    """Play an episode on from where it stands, with random legal actions, and keep a copy of everything."""
    policy = RandomLegalPolicy()
    moments = list(episode.moments)
    observation_spaces, action_spaces = dict(episode.observation_spaces), dict(episode.action_spaces)
    actions: Actions = {}
    fault = None
    try:
        while not moments or (moments[-1].agents and moments[-1].step < max_steps):
            if moments:
                last = moments[-1]
                for agent in last.agents:
                    if agent not in action_spaces:
                        observation_spaces[agent] = _space(env, "observation_space", agent, last.step)
                        action_spaces[agent] = _space(env, "action_space", agent, last.step)
                actions = {a: policy.act(a, action_spaces[a], last.observations, last.infos) for a in last.agents}
            moments.append(frozen_moment(advance(env, episode.seed, len(moments), frozen(actions)), actions))
    except EnvironmentFault as caught:
        fault = replace(caught.finding, seed=episode.seed)
    state_space = getattr(env, "state_space", None)
    return Episode(episode.seed, tuple(moments), fault, observation_spaces, action_spaces, state_space)


def _space(env: Environment, name: str, agent: Agent, step: int) -> Any:
    return _call(name, step, lambda: getattr(env, name)(agent))


def frozen_moment(moment: Moment, actions: Actions | None = None) -> Moment:
    """An independent copy, with these actions in place of those that were passed to the environment."""
    tables = {name: frozen(getattr(moment, name)) for name in TABLES.values()}
    return replace(moment, **tables, state=frozen(moment.state), actions=moment.actions if actions is None else actions)


def replay(
    env: Environment, episode: Episode, begin: int = 0, end: int | None = None, *, after: Hook | None = None
) -> Finding | None:
    """Play steps ``begin`` to ``end`` (0 is the reset) of a kept episode again; the first difference, or None.

    Args:
        env: At step ``begin - 1`` of the episode, or anything if ``begin`` is 0.
        episode: What to repeat.
        begin: The first step to play.
        end: The step before which to stop; None plays all that was kept.
        after: Called after every step with what the environment handed out, itself and not a copy of it.
    """
    for expected in episode.moments[begin:end]:
        try:
            got = advance(env, episode.seed, expected.step, frozen(expected.actions))
        except EnvironmentFault as fault:
            return replace(fault.finding, seed=episode.seed)
        finding = compare(expected, got)
        if finding is None and after is not None:
            finding = after(got)
        if finding is not None:
            return replace(finding, seed=episode.seed)
    return None


def compare(expected: Moment, got: Moment) -> Finding | None:
    """The first difference between two moments: who acts, then table by table and agent by agent, then the state."""
    step = expected.step
    difference = first_difference(list(expected.agents), list(got.agents), "agents")
    if difference is not None:
        return Finding("", *difference, step)
    for (entry, theirs), (_, ours) in zip(expected.tables(), got.tables(), strict=True):
        for agent in dict.fromkeys([*theirs, *ours]):
            if (agent in theirs) != (agent in ours):
                one, other = (shown(table[agent]) if agent in table else "no entry" for table in (theirs, ours))
                return Finding("", entry, one, other, step, agent)
            difference = first_difference(theirs[agent], ours[agent], entry)
            if difference is not None:
                return Finding("", *difference, step, agent)
    difference = first_difference(expected.state, got.state, "state()")
    return None if difference is None else Finding("", *difference, step)
