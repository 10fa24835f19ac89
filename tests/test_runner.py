"""Runs of episodes, on an environment small enough to count by hand.

Two agents; an episode is three steps; the revenue is the sum of all actions, and a hundred times the seed on top:

    seed 7, actions (1, 2), (1, 2), (1, 2): revenue 700 + 9
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import InvalidAction

from crowdgym import runner
from crowdgym.agents.policy import Episode
from crowdgym.common.errors import ConfigError, PolicyError
from crowdgym.runner import num_steps_of, policy_seed, run_episodes

STEPS = 3


@dataclass(frozen=True)
class Settings:
    scenario: str = "paper"
    num_workers: int = 2

    def model_dump(self, mode: str) -> dict[str, Any]:
        return vars(self)


@dataclass
class CountingEnv:
    settings: Settings = field(default_factory=Settings)
    metadata: dict[str, Any] = field(default_factory=lambda: {"name": "counting_v0", "observation_layout": {}})
    possible_agents: tuple[str, ...] = ("a", "b")
    agents: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    revenue: float = 0.0
    step_number: int = 0

    def observation_space(self, agent: str) -> gymnasium.Space[Any]:
        return gymnasium.spaces.Box(-1, 1, (1,))

    def action_space(self, agent: str) -> gymnasium.Space[Any]:
        return gymnasium.spaces.Discrete(3)

    def state(self) -> np.ndarray:
        return np.array([self.step_number])

    def reset(self, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
        self.seeds.append(seed)
        self.agents, self.revenue, self.step_number = list(self.possible_agents), 100.0 * seed, 0
        return self._seen()

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        if set(actions) != {"a", "b"}:
            raise InvalidAction("no action for b")
        self.revenue += sum(actions.values())
        self.step_number += 1
        observations, infos = self._seen()
        if self.step_number == STEPS:
            self.agents = []
            for info in infos.values():
                info["metrics"] = {"revenue": self.revenue, "completed": 1, "name": "not a figure"}
        return observations, {}, {}, {}, infos

    def _seen(self) -> tuple[dict[str, Any], dict[str, Any]]:
        infos = {agent: {"action_mask": np.ones(3, np.int8)} for agent in self.possible_agents}
        return {agent: np.array([self.step_number]) for agent in self.possible_agents}, infos


class OneAndTwo:
    def act(self, observations: Any, infos: Any) -> dict[str, int]:
        return {"a": 1, "b": 2}


def test_episode_i_is_that_of_the_seed_plus_i() -> None:
    env = CountingEnv()
    result = run_episodes(env, OneAndTwo(), agent="mine", episodes=3, seed=7)
    assert env.seeds == [7, 8, 9]
    assert [episode.seed for episode in result.episodes] == [7, 8, 9]


def test_an_episode_has_the_metrics_of_its_end_and_the_number_of_steps() -> None:
    result = run_episodes(CountingEnv(), OneAndTwo(), agent="mine", episodes=2, seed=7)
    assert [episode.metrics for episode in result.episodes] == [
        {"revenue": 709.0, "completed": 1},
        {"revenue": 809.0, "completed": 1},
    ]
    assert [episode.steps for episode in result.episodes] == [STEPS, STEPS]


class Obstinate:
    """One agent holds, the other takes what it may not have two times out of three."""

    def act(self, observations: Any, infos: Any) -> dict[str, int]:
        return {"a": 0, "b": 2}


@pytest.mark.parametrize(("illegal", "share"), [(0, 0.0), (2, 2 / 3), (3, 1.0)])
def test_the_share_of_illegal_actions_is_of_those_that_are_not_hold(illegal: int, share: float) -> None:
    result = run_episodes(CountingEnv(), Obstinate(), agent="mine", episodes=2, seed=7)
    assert [episode.decisions for episode in result.episodes] == [STEPS, STEPS]
    assert result.illegal_share == 0.0  # it is not counted there

    counted = [replace(episode, metrics={**episode.metrics, "illegal": illegal}) for episode in result.episodes]
    assert replace(result, episodes=tuple(counted)).illegal_share == pytest.approx(share)


def test_compiling_is_no_part_of_the_time_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled_s = iter(range(0, 1000, 50))  # 50 s between one look at the clock and the next
    monkeypatch.setattr(runner, "compile_time_s", lambda: next(compiled_s))

    result = run_episodes(CountingEnv(), OneAndTwo(), agent="mine", episodes=1, seed=7)

    assert result.episodes[0].wall_s == pytest.approx(-50 * (STEPS + 1), abs=1)


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({"horizon_s": 90.0, "step_s": 30}, 3),
        ({"horizon_s": 91, "step_s": 30.0}, 4),
        ({"horizon_s": "series", "step_s": 1.0}, None),
        ({}, None),
    ],
)
def test_the_number_of_steps_is_known_where_the_settings_say_it(settings: dict[str, Any], steps: int | None) -> None:
    assert num_steps_of(SimpleNamespace(settings=SimpleNamespace(**settings))) == steps


def test_mean_and_standard_deviation_are_over_the_episodes() -> None:
    result = run_episodes(CountingEnv(), OneAndTwo(), agent="mine", episodes=2, seed=7)
    assert result.mean == {"revenue": 759.0, "completed": 1.0, "steps": 3.0}
    assert result.standard_deviation == {"revenue": 50.0, "completed": 0.0, "steps": 0.0}


def test_the_json_says_what_was_run_and_what_came_of_it() -> None:
    json = run_episodes(CountingEnv(), OneAndTwo(), agent="mine", episodes=1, seed=7).to_json()
    assert json["episodes"][0].pop("wall_s") >= 0
    assert json == {
        "env": "counting_v0",
        "scenario": "paper",
        "agent": "mine",
        "information": "centralised",
        "seed": 7,
        "config": {"scenario": "paper", "num_workers": 2},
        "episodes": [{"seed": 7, "revenue": 709.0, "completed": 1, "steps": 3}],
        "mean": {"revenue": 709.0, "completed": 1.0, "steps": 3.0},
    }


def test_a_policy_with_reset_is_told_of_every_episode_once_it_has_begun() -> None:
    told: list[Episode] = []

    class Told(OneAndTwo):
        def reset(self, episode: Episode) -> None:
            assert episode.state().tolist() == [0]
            told.append(episode)

    run_episodes(CountingEnv(), Told(), agent="mine", episodes=2, seed=7)
    assert [episode.seed for episode in told] == [policy_seed(0), policy_seed(1)]
    assert told[0].agents == ("a", "b")
    assert told[0].action_space == gymnasium.spaces.Discrete(3)
    assert told[0].observation_space == gymnasium.spaces.Box(-1, 1, (1,))
    assert "observation_layout" in told[0].metadata


def test_a_policy_s_seed_is_not_the_environment_s_and_differs_between_episodes() -> None:
    seeds = [policy_seed(seed) for seed in range(100)]
    assert len(set(seeds)) == 100
    assert not set(seeds) & set(range(100))


def test_watching_sees_every_moment_of_every_episode() -> None:
    env = CountingEnv()
    seen: list[tuple[int, int, float]] = []

    def watch(episode: int, steps: Iterator[int]) -> None:
        seen.extend((episode, step, env.revenue) for step in steps)

    run_episodes(env, OneAndTwo(), agent="mine", episodes=2, seed=0, watch=watch)
    assert seen == [(0, 0, 0), (0, 1, 3), (0, 2, 6), (0, 3, 9), (1, 0, 100), (1, 1, 103), (1, 2, 106), (1, 3, 109)]


def test_watching_must_go_through_to_the_end() -> None:
    with pytest.raises(RuntimeError, match="watch did not play episode 0 to its end"):
        run_episodes(
            CountingEnv(), OneAndTwo(), agent="mine", episodes=1, seed=0, watch=lambda episode, steps: next(steps)
        )


def test_the_time_it_took_is_without_what_is_done_while_watching() -> None:
    import time

    def watch(episode: int, steps: Iterator[int]) -> None:
        for _ in steps:
            time.sleep(0.05)

    result = run_episodes(CountingEnv(), OneAndTwo(), agent="mine", episodes=1, seed=0, watch=watch)
    assert result.episodes[0].wall_s < 0.05 * (STEPS + 1)


def refusal(policy: Any) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        run_episodes(CountingEnv(), policy, agent="my_rules:Mine", episodes=2, seed=7)
    return caught.value


class OnThirdCall(OneAndTwo):
    """Goes wrong in the third step of the second episode."""

    calls = 0

    def act(self, observations: Any, infos: Any) -> Any:
        self.calls += 1
        return self.wrong() if self.calls == STEPS + 3 else super().act(observations, infos)

    def wrong(self) -> Any:
        raise KeyError("queue")


def test_a_policy_that_raises_is_named_with_the_episode_the_step_and_the_line() -> None:
    error = refusal(OnThirdCall())
    assert str(error).startswith("the agent 'my_rules:Mine', in episode 1 (seed 8), step 3, raised KeyError: 'queue' (")
    assert "test_runner.py, line " in str(error)
    assert isinstance(error.__cause__, KeyError)


def test_an_error_inside_a_library_is_told_with_the_line_that_called_it() -> None:
    class CallsNumpy(OnThirdCall):
        def wrong(self) -> Any:
            return np.stack([])

    message = str(refusal(CallsNumpy()))
    assert "raised ValueError: need at least one array to stack" in message
    assert "test_runner.py, line " in message


def test_a_policy_that_raises_at_the_start_is_named_with_the_episode() -> None:
    class Raises(OneAndTwo):
        def reset(self, episode: Episode) -> None:
            raise ValueError("no\nweights")

    assert str(refusal(Raises())).startswith(
        "the agent 'my_rules:Mine', at the start of episode 0 (seed 7), raised ValueError: no weights ("
    )


@pytest.mark.parametrize(("returned", "kind"), [(None, "NoneType"), ([1, 2], "list"), (np.zeros(2), "ndarray")])
def test_a_policy_that_returns_no_dict_is_told_what_it_returned(returned: Any, kind: str) -> None:
    class Returns(OnThirdCall):
        def wrong(self) -> Any:
            return returned

    assert str(refusal(Returns())) == (
        "the agent 'my_rules:Mine', in episode 1 (seed 8), step 3, "
        f"must return a dict with an action for every agent, got {kind}"
    )


def test_a_policy_that_chooses_what_the_environment_refuses_is_told_why() -> None:
    class Forgets(OnThirdCall):
        def wrong(self) -> Any:
            return {"a": 1}

    assert str(refusal(Forgets())) == (
        "the agent 'my_rules:Mine', in episode 1 (seed 8), step 3, chose an invalid action: no action for b"
    )


def test_a_fault_of_the_environment_is_not_blamed_on_the_policy() -> None:
    class Faulty(CountingEnv):
        def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_episodes(Faulty(), OneAndTwo(), agent="mine", episodes=1, seed=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"env": 3}, "env must be a parallel environment, but 3 has no 'reset'"),
        ({"policy": "greedy"}, "policy must have a method act(observations, infos), but 'greedy' has none"),
        ({"agent": 1}, "agent must be the name of the policy, got 1"),
        ({"episodes": 0}, "episodes must be a whole number of at least 1, got 0"),
        ({"episodes": True}, "episodes must be a whole number of at least 1, got True"),
        ({"episodes": 1.0}, "episodes must be a whole number of at least 1, got 1.0"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"seed": None}, "seed must be a whole number of at least 0, got None"),
        ({"first_number": "2"}, "first_number must be a whole number of at least 0, got '2'"),
        ({"watch": "all"}, "watch must be a function, got 'all'"),
    ],
)
def test_an_argument_that_cannot_be_is_refused_in_one_sentence(changes: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"env": CountingEnv(), "policy": OneAndTwo(), "agent": "mine", "episodes": 1, "seed": 7}
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        run_episodes(**{**given, **changes})


def test_whole_numbers_of_numpy_are_seeds() -> None:
    assert run_episodes(CountingEnv(), OneAndTwo(), agent="mine", episodes=np.int64(1), seed=np.int32(7)).seed == 7
