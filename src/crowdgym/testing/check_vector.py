"""The check of a vector environment against single ones: its rows are (copy, agent), copy by copy."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from crowdgym.testing.check_actions import MASK_KEY
from crowdgym.testing.check_episode import Agent, Episode, pinned_random_state
from crowdgym.testing.check_report import EnvironmentFault, Finding, NotApplicableError
from crowdgym.testing.check_subject import Subject
from crowdgym.testing.check_values import Difference, described, first_difference, kind

_COPIES = 3


def check_vector(subject: Subject) -> Finding | None:
    """Each row of the vector environment equals its agent in a single environment until the first agent ends.

    Row ``c * A + a`` is agent a (of the A ``possible_agents``) of copy c. A reset with seed s resets copy c with s + c,
    as Gymnasium's own vector environments do. What happens after an end is left to the mode of automatic resets.
    """
    if subject.vector_factory is None:
        raise NotApplicableError("as no vector_factory was given")
    seed = subject.seeds[0]
    episodes = [subject.episode(seed + copy) for copy in range(_COPIES)]
    fault = next(filter(None, (episode.fault for episode in episodes)), None)
    if fault is not None:
        return replace(fault, check="vector", context="in a single environment")
    agents = episodes[0].moments[0].possible_agents
    if agents is None or any(set(episode.moments[0].agents) != set(agents) for episode in episodes):
        raise NotApplicableError("as not all possible agents begin the episode: rows would mean nothing")
    with pinned_random_state():
        try:
            finding = _compared(subject.vector_factory, episodes, agents)
        except EnvironmentFault as caught:
            finding = caught.finding
    return finding and replace(finding, check="vector", seed=seed)


class _Batch(NamedTuple):
    """What a vector environment returns; a reset has neither rewards nor ends."""

    observations: Any
    rewards: Any
    terminations: Any
    truncations: Any
    infos: dict[str, Any]


def _compared(
    vector_factory: Callable[[int], Any], episodes: list[Episode], agents: tuple[Agent, ...]
) -> Finding | None:
    vector = _call("vector_factory()", None, lambda: vector_factory(_COPIES))
    try:
        rows = _COPIES * len(agents)
        if getattr(vector, "num_envs", None) != rows:
            expected = f"{rows}: {_COPIES} copies of {len(agents)} agents"
            return Finding("", "num_envs", expected, str(getattr(vector, "num_envs", "none")))
        for step in range(min(len(episode.moments) for episode in episodes)):
            batch = _advance(vector, episodes, agents, step)
            finding = next(_differences(vector, batch, episodes, agents, step), None)
            if finding is not None or any(_anyone_ended(episode, step) for episode in episodes):
                return finding
        return None
    finally:
        with suppress(Exception):
            vector.close()


def _anyone_ended(episode: Episode, step: int) -> bool:
    moment = episode.moments[step]
    return any(moment.ended(agent) for agent in moment.actions)


def _call(what: str, step: int | None, function: Callable[[], Any]) -> Any:
    try:
        return function()
    except Exception as exception:
        raise EnvironmentFault(Finding("", what, "no exception", described(exception), step)) from exception


def _advance(vector: Any, episodes: list[Episode], agents: tuple[Agent, ...], step: int) -> _Batch:
    from gymnasium.vector.utils import concatenate, create_empty_array

    if step == 0:
        returned = _call("reset()", 0, lambda: vector.reset(seed=episodes[0].seed))
        observations, infos = _unpacked(returned, "reset()", 0, 2)
        return _Batch(observations, None, None, None, infos)
    space = vector.single_action_space
    single = [episode.moments[step].actions[agent] for episode in episodes for agent in agents]
    empty: Any = create_empty_array(space, n=len(single))
    actions = concatenate(space, single, empty)
    return _Batch(*_unpacked(_call("step()", step, lambda: vector.step(actions)), "step()", step, 5))


def _unpacked(returned: Any, what: str, step: int, count: int) -> tuple[Any, ...]:
    if not isinstance(returned, tuple) or len(returned) != count:
        got = f"{len(returned)} of them" if isinstance(returned, tuple) else kind(returned)
        raise EnvironmentFault(Finding("", what, f"a tuple of {count}", got, step))
    return returned


def _differences(
    vector: Any, batch: _Batch, episodes: list[Episode], agents: tuple[Agent, ...], step: int
) -> Iterator[Finding]:
    from gymnasium.vector import AutoresetMode
    from gymnasium.vector.utils import iterate

    begun_anew = vector.metadata.get("autoreset_mode") == AutoresetMode.SAME_STEP
    observations = list(iterate(vector.observation_space, batch.observations))
    if len(observations) != vector.num_envs:
        yield Finding("", "observations", f"{vector.num_envs} rows", f"{len(observations)} rows", step)
        return
    pairs = [(copy, agent) for copy in range(len(episodes)) for agent in agents]
    for row, (copy, agent) in enumerate(pairs):
        moment = episodes[copy].moments[step]
        observation = observations[row]
        mask = batch.infos.get(MASK_KEY)
        if begun_anew and moment.ended(agent):
            observation, mask = batch.infos.get("final_obs", observations)[row], None
        differences = [_same(moment.observations[agent], observation, "observation")]
        if step > 0:
            for entry, table, rows in (
                ("reward", moment.rewards, batch.rewards),
                ("termination", moment.terminations, batch.terminations),
                ("truncation", moment.truncations, batch.truncations),
            ):
                differences.append(_same(np.asarray(table[agent], np.asarray(rows).dtype)[()], rows[row], entry))
        if mask is not None and MASK_KEY in moment.infos[agent]:
            differences.append(_same(moment.infos[agent][MASK_KEY], mask[row], f"info[{MASK_KEY!r}]"))
        for difference in filter(None, differences):
            context = f"row {row} is copy {copy}, as an environment of its own with seed {episodes[copy].seed}"
            yield Finding("", *difference, step, agent, context=context)


def _same(single: Any, row: Any, path: str) -> Difference | None:
    return first_difference(_plain(single), _plain(row), path)


def _plain(value: Any) -> Any:
    """Numbers as arrays, so that it does not matter which of NumPy's and Python's types they come in."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    return np.asarray(value)
