"""Information classes: what a policy is given depends on what it declares."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import crowdgym
from crowdgym.agents import ippo
from crowdgym.agents.information import Information, information_of
from crowdgym.agents.policy import FunctionPolicy
from crowdgym.common.errors import PolicyError
from crowdgym.isolation.policy import open_policy
from crowdgym.policies import PolicySource, load_policy, policy_names
from crowdgym.runner import RunResult, run_episodes
from crowdgym.testing.information import InformationError, check_decentralised

POLICIES = '''
import os
import numpy as np

class First:
    information = "decentralised"
    def reset(self, episode):
        self.episode = episode
    def act(self, observations, infos):
        return {agent: int(info["action_mask"][1]) for agent, info in infos.items()}

class Counts(First):
    """Writes into a list of the module, which other agents could read."""
    calls = []
    def act(self, observations, infos):
        Counts.calls.append(tuple(observations))
        if len(Counts.calls) == 3:
            raise RuntimeError(f"{Counts.calls} {self.episode.agents}")
        return super().act(observations, infos)

class Draws(First):
    def reset(self, episode):
        self.rng = np.random.default_rng(episode.seed)
    def act(self, observations, infos):
        return {agent: int(self.rng.choice(np.flatnonzero(info["action_mask"]))) for agent, info in infos.items()}

class AsksForState(First):
    def act(self, observations, infos):
        self.episode.state()

class Odd(First):
    information = "omniscient"

class Coy(First):
    @property
    def information(self): raise KeyError("secret")

class Dies(First):
    def act(self, observations, infos):
        if "worker_5" in infos:
            os._exit(3)
        return super().act(observations, infos)

class Raises(First):
    def reset(self, episode):
        if episode.agents == ("worker_2",):
            raise ValueError("no map")

class OnlyZero(First):
    def act(self, observations, infos):
        return {"worker_0": 0}

class Knows:
    information = "clairvoyant"
    def reset(self, episode):
        self.episode = episode
    def act(self, observations, infos):
        known = self.episode.instance
        raise RuntimeError(f"{known['created_s'][-1]} {known['network.length'].sum()} {self.episode.state().size}")

class Wonders(Knows):
    information = "centralised"
    def act(self, observations, infos):
        raise RuntimeError(f"{self.episode.instance} {len(observations)}")

def rule(observations, infos):
    return dict.fromkeys(infos, 0)
'''


@pytest.fixture(scope="module", autouse=True)
def _policies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("policies")
    (folder / "classes_of_information.py").write_text(POLICIES)
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))


def played(name: str, *, inside: bool = False, episodes: int = 1) -> RunResult:
    env = crowdgym.make("csc_v0", scenario="tiny")
    source = PolicySource(f"classes_of_information:{name}", "csc_v0", "tiny")
    with open_policy(source, 0, inside=inside) as policy:
        return run_episodes(env, policy, agent=name, episodes=episodes, seed=3)


def refusal(name: str, *, inside: bool = False) -> str:
    with pytest.raises(PolicyError) as caught:
        played(name, inside=inside)
    return str(caught.value)


@pytest.mark.parametrize("inside", [False, True])
def test_a_decentralised_policy_plays_as_one_that_is_given_everything(inside: bool) -> None:
    result = played("First", inside=inside, episodes=2)
    env = crowdgym.make("csc_v0", scenario="tiny")
    greedy = run_episodes(env, load_policy("greedy", "csc_v0"), agent="greedy", episodes=2, seed=3)
    assert result.information is Information.DECENTRALISED
    assert result.mean == greedy.mean


def test_its_agents_draw_by_seeds_of_their_own_and_again_the_same() -> None:
    means = [played("Draws", inside=inside).mean for inside in (False, False, True)]
    assert means[0] == means[1] == means[2]


def test_its_agents_share_no_memory() -> None:
    assert "[('worker_0',), ('worker_0',), ('worker_0',)] ('worker_0',)" in refusal("Counts")
    assert "[('worker_0',), ('worker_1',), ('worker_2',)] ('worker_2',)" in refusal("Counts", inside=True)


def test_it_does_not_get_the_global_state() -> None:
    why = "asked for the global state, which a decentralised policy does not get"
    assert refusal("AsksForState") == f"the agent 'AsksForState', in episode 0 (seed 3), step 1, as worker_0, {why}"
    assert refusal("AsksForState", inside=True) == f"the agent 'AsksForState', in episode 0 (seed 3), step 1, {why}"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Dies", "in episode 0 (seed 3), step 1, as worker_5, ended its process, which exited with code 3"),
        ("Raises", "at the start of episode 0 (seed 3), as worker_2, raised ValueError: no map ("),
        ("OnlyZero", "chose an invalid action: no action for worker_1"),
        ("Coy", "information of a policy cannot be read: KeyError"),
        ("Odd", "information of a policy must be one of decentralised, centralised, clairvoyant, got 'omniscient'"),
    ],
)
def test_what_an_agent_does_wrong_is_one_sentence(name: str, message: str) -> None:
    assert message in refusal(name)


def test_a_clairvoyant_policy_gets_the_instance() -> None:
    env = crowdgym.make("csc_v0", scenario="tiny")
    env.reset(seed=3)
    known = f"{env.instance.created_s[-1]} {env.instance.network.length.sum()} {env.state().size}"
    for inside in (False, True):
        assert f"raised RuntimeError: {known} (" in refusal("Knows", inside=inside)


def test_a_centralised_policy_gets_all_rows_and_no_instance() -> None:
    for inside in (False, True):
        assert "raised RuntimeError: None 12 (" in refusal("Wonders", inside=inside)


def test_a_policy_that_declares_nothing_is_centralised() -> None:
    assert information_of(object()) is Information.CENTRALISED


def test_a_function_declares_in_an_attribute() -> None:
    def rule(observations: Any, infos: Any) -> dict[str, int]:
        return dict.fromkeys(infos, 0)

    assert information_of(FunctionPolicy(rule)) is Information.CENTRALISED
    rule.information = "decentralised"  # type: ignore[attr-defined]
    assert information_of(FunctionPolicy(rule)) is Information.DECENTRALISED


@pytest.mark.parametrize(
    ("environment", "scenario", "name"),
    [
        ("csc_v0", "tiny", "random"),
        ("csc_v0", "tiny", "hold"),
        ("csc_v0", "tiny", "greedy"),
        ("csc_v0", "chengdu-synth", "ippo"),
        ("dasc_v0", "tiny", "recommend-all"),
    ],
)
def test_crowdgym_s_decentralised_policies_are(environment: str, scenario: str, name: str) -> None:
    policy = load_policy(name, environment, scenario)
    assert information_of(policy) is Information.DECENTRALISED
    check_decentralised(crowdgym.make(environment, scenario=scenario), policy, steps=20)


def test_every_policy_of_crowdgym_that_declares_itself_decentralised_is_checked_above() -> None:
    declared = [
        (environment, name)
        for environment in crowdgym.environment_names()
        for name in policy_names(environment)
        if information_of(load_policy(name, environment)) is Information.DECENTRALISED
    ]
    everywhere = [(environment, name) for environment in crowdgym.environment_names() for name in ("hold", "random")]
    assert sorted(declared) == sorted([*everywhere, ("csc_v0", "greedy"), ("dasc_v0", "recommend-all")])


@pytest.mark.parametrize("name", ["pau", "turn-gain", "lookahead"])
def test_the_check_finds_that_coalitions_are_no_decentralised_decisions(name: str) -> None:
    with pytest.raises(InformationError, match=r"the action of worker_\d+ in step \d+ is \d+, and \d+ when"):
        check_decentralised(crowdgym.make("csc_v0", scenario="tiny"), load_policy(name, "csc_v0"))


def test_a_trained_agent_that_takes_turns_is_centralised(tmp_path: Path) -> None:
    packaged = Path(ippo.__file__).parent / "weights" / "csc_v0" / "chengdu-synth"
    folder = tmp_path / "in-turn"
    shutil.copytree(packaged, folder)
    description = (folder / "agent.yaml").read_text()
    (folder / "agent.yaml").write_text(description.replace("  play: likeliest\n", "  play: likeliest\n  turns: gain\n"))
    assert information_of(load_policy(str(packaged), "csc_v0")) is Information.DECENTRALISED
    assert information_of(load_policy(str(folder), "csc_v0")) is Information.CENTRALISED
