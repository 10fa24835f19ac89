"""A policy in a process of its own: what it gets, what comes back, and what happens if it misbehaves."""

import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pettingzoo.utils import BaseParallelWrapper

import crowdgym
from crowdgym.common.errors import PolicyError
from crowdgym.isolation.policy import IsolatedPolicy, Limits, open_policy
from crowdgym.policies import PolicySource
from crowdgym.runner import run_episodes
from crowdgym.testing.attacks import RunnerCheckError, check_runner

NO_LIMITS = Limits()

POLICIES = '''
import os, signal, sys, time
import numpy as np

class First:
    def act(self, observations, infos):
        return {agent: int(info["action_mask"][1]) for agent, info in infos.items()}

class Writes(First):
    """Writes into everything that it gets."""
    def act(self, observations, infos):
        actions = super().act(observations, infos)
        for agent, observation in observations.items():
            observation[:] = np.nan
            for value in infos[agent].values():
                if isinstance(value, np.ndarray):
                    value[:] = -7
        return actions

class Keeps(First):
    """Chooses by what it was shown two steps ago."""
    def reset(self, episode):
        self.kept = []
    def act(self, observations, infos):
        self.kept.append((observations, infos))
        old = self.kept[-3:][0][1]
        return {agent: int(old[agent]["action_mask"][1] and info["action_mask"][1]) for agent, info in infos.items()}

class Truncates(First):
    """Keeps the descriptor of the shared memory, and cuts the memory short while the runner uses it."""
    def reset(self, episode):
        from crowdgym.isolation import shared
        receive = shared.receive
        def keep(connection):
            descriptor = receive(connection)
            self.descriptor = os.dup(descriptor)
            return descriptor
        shared.receive = keep
    def act(self, observations, infos):
        os.ftruncate(self.descriptor, 0)
        return super().act(observations, infos)

class Floods(First):
    """Says without end that it keeps what it was given."""
    def act(self, observations, infos):
        import gc, crowdgym.isolation.worker as worker
        line = next(thing for thing in gc.get_objects() if isinstance(thing, worker.Line))
        while True:
            line.send(b"k")

class Draws:
    """Draws from its own seed and from NumPy's global generator."""
    def reset(self, episode):
        self.rng = np.random.default_rng(episode.seed)
    def act(self, observations, infos):
        draws = self.rng.integers(2, size=len(infos)) * np.random.randint(2, size=len(infos))
        return {a: int(d) * int(i["action_mask"][1]) for d, (a, i) in zip(draws, infos.items())}

class Sees:
    """Raises what it sees at its first step."""
    def reset(self, episode):
        self.episode = episode
    def act(self, observations, infos):
        e = self.episode
        raise RuntimeError(f"{list(observations)} {observations['worker_0'].dtype} {infos['worker_0'].keys()} "
                           f"{e.state().shape} {e.state()[0]} {e.action_space} {e.metadata['name']}")

class Dies(First):
    def act(self, observations, infos): os._exit(3)

class Killed(First):
    def act(self, observations, infos): os.kill(os.getpid(), signal.SIGKILL)

class Leaves(First):
    def act(self, observations, infos): sys.exit("enough")

class Raises(First):
    def act(self, observations, infos): raise KeyError("queue")

class Sleeps(First):
    def act(self, observations, infos): time.sleep(1000)

class Eats(First):
    def act(self, observations, infos): return bytearray(10**13)

class Lists(First):
    def act(self, observations, infos): return [0]

class Numbers(First):
    given = 1.5
    def act(self, observations, infos): return dict.fromkeys(infos, self.given)

class Truths(Numbers):
    given = np.bool_(False)

class Huge(Numbers):
    given = 10**30

class Odd:
    def __index__(self): raise ValueError("no number")
    def __repr__(self): return "an odd thing"

class Oddities(Numbers):
    given = Odd()

class Forgets(First):
    def act(self, observations, infos): return {"worker_0": 0}

class Weighted(First):
    def __init__(self, weight=1): self.weight = weight
'''


@pytest.fixture(scope="module", autouse=True)
def _policies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("policies")
    (folder / "foreign_policies.py").write_text(POLICIES)
    sys.path.insert(0, str(folder))  # a process that is started has the same path
    yield
    sys.path.remove(str(folder))


def source(name: str, **arguments: Any) -> PolicySource:
    return PolicySource(f"foreign_policies:{name}", "csc_v0", "tiny", tuple(arguments.items()))


def played(name: str, *, inside: bool = False, limits: Limits = NO_LIMITS, seed: int = 3) -> Mapping[str, float]:
    env = crowdgym.make("csc_v0", scenario="tiny")
    with open_policy(source(name), 0, limits, inside=inside) as policy:
        return run_episodes(env, policy, agent=name, episodes=2, seed=seed).mean


def refusal(name: str, limits: Limits = NO_LIMITS) -> str:
    with pytest.raises(PolicyError) as caught:
        played(name, limits=limits)
    message = str(caught.value)
    start = f"the agent {name!r}, in episode 0 (seed 3), step 1, "
    assert message.startswith(start)
    return message.removeprefix(start)


def test_it_plays_as_it_does_inside() -> None:
    assert played("First") == played("First", inside=True)
    assert played("First")["completed"] > 10


def test_what_it_writes_into_does_not_change_the_episode() -> None:
    assert played("Writes") == played("First")


def test_it_may_keep_what_it_was_given() -> None:
    assert played("Keeps") == played("Keeps", inside=True) != played("First", inside=True)


def test_dicts_that_a_wrapper_has_changed_are_sent_as_they_are() -> None:
    class Masks(BaseParallelWrapper[Any, Any, Any]):
        """No agent may act but worker_3."""

        def step(self, actions: Any) -> Any:
            *results, infos = super().step(actions)
            for agent, info in infos.items():
                if agent != "worker_3":
                    info["action_mask"][1:] = 0
            return (*results, infos)

    means = []
    for inside in (False, True):
        env = Masks(crowdgym.make("csc_v0", scenario="tiny"))
        with open_policy(source("First"), 0, inside=inside) as policy:
            means.append(run_episodes(env, policy, agent="it", episodes=1, seed=3).mean)
    assert means[0] == means[1]
    assert means[0]["completed"] < played("First")["completed"]


def test_its_randomness_is_fixed_by_the_number_of_the_episode() -> None:
    assert played("Draws") == played("Draws")
    assert played("Draws") != played("First")


def test_it_gets_what_the_environment_shows_and_the_state_on_request() -> None:
    env = crowdgym.make("csc_v0", scenario="tiny")
    env.reset(seed=3)
    sees = refusal("Sees")
    assert sees.startswith(
        f"raised RuntimeError: {env.possible_agents} float32 dict_keys(['action_mask', 'candidates']) "
        f"{env.state().shape} {env.state()[0]} {env.action_space('worker_0')} csc_v0 ("
    )
    assert "foreign_policies.py, line " in sees


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Dies", "ended its process, which exited with code 3"),
        ("Killed", "ended its process, which was ended by SIGKILL"),
        ("Leaves", "left the program with exit code 'enough'"),
        ("Lists", "must return a dict with an action for every agent, got list"),
        ("Forgets", "chose an invalid action: no action for worker_1; expected one for each of 12 agents"),
        (
            "Numbers",
            "chose an invalid action: the action of worker_0 must be a whole number from 0 to 10, got 1.5",
        ),
        (
            "Huge",
            f"chose an invalid action: the action of worker_0 must be a whole number from 0 to 10, got {10**30}",
        ),
    ],
)
def test_what_it_does_wrong_is_one_sentence(name: str, message: str) -> None:
    assert refusal(name) == message


def test_an_error_is_told_with_its_line() -> None:
    assert refusal("Raises").startswith("raised KeyError: 'queue' (")
    assert "no number" in refusal("Oddities")


def test_truth_values_are_actions() -> None:
    assert played("Truths")["completed"] == 0


def test_a_step_that_takes_too_long_ends_it() -> None:
    began_s = time.monotonic()
    assert refusal("Sleeps", Limits(step_s=1.0)) == "took longer than 1 s"
    assert time.monotonic() - began_s < 500


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_memory_is_limited() -> None:
    assert refusal("Eats", Limits(memory_bytes=2**36)).startswith("raised MemoryError (")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is shared on Linux only")
def test_it_cannot_cut_the_shared_memory_short() -> None:
    assert refusal("Truncates").startswith("raised PermissionError: ")


def test_messages_without_end_are_stopped_by_the_limit() -> None:
    assert refusal("Floods", Limits(step_s=1.0)) == "took longer than 1 s"


def test_its_process_ends_with_the_block() -> None:
    with open_policy(source("First"), 0) as policy:
        assert isinstance(policy, IsolatedPolicy)
        process = policy._process
        assert process.is_alive()
    assert not process.is_alive()


@pytest.mark.parametrize(
    ("of", "message"),
    [
        (source("Third"), "cannot be loaded: the module 'foreign_policies' ("),
        (source("Weighted", height=2), "does not take the arguments {'height': 2}: "),
        (PolicySource("no_such_module:A", "csc_v0"), "cannot be loaded: there is no module 'no_such_module'"),
    ],
)
def test_a_policy_that_cannot_be_made_is_refused_at_once(of: PolicySource, message: str) -> None:
    with pytest.raises(PolicyError, match=r"^the agent ") as caught, open_policy(of, 0):
        pass
    assert message in str(caught.value)


def test_crowdgym_s_own_policies_are_played_inside() -> None:
    for name in ("greedy", "random"):
        assert not PolicySource(name, "csc_v0").is_foreign
    assert source("First").is_foreign
    with open_policy(PolicySource("greedy", "csc_v0"), 0) as policy:
        assert not isinstance(policy, IsolatedPolicy)


def play_attack(name: str, *, inside: bool) -> None:
    env = crowdgym.make("csc_v0", scenario="tiny")
    with open_policy(PolicySource(name, "csc_v0", "tiny"), 0, inside=inside) as policy:
        run_episodes(env, policy, agent=name, episodes=1, seed=17)


def test_no_attack_succeeds() -> None:
    check_runner(lambda name: play_attack(name, inside=False))


def test_inside_the_attacks_succeed() -> None:
    with pytest.raises(RunnerCheckError, match=r"3 of 5 attacks succeeded: StateOwner .*; HeapReader .*; FrameReader "):
        check_runner(lambda name: play_attack(name, inside=True))


def test_a_seed_that_depends_on_the_environment_s_is_found() -> None:
    def play(name: str) -> None:
        env = crowdgym.make("csc_v0", scenario="tiny")
        with open_policy(PolicySource(name, "csc_v0", "tiny"), 0) as policy:
            run_episodes(env, policy, agent=name, episodes=1, seed=17, first_number=17)

    with pytest.raises(RunnerCheckError, match=r"1 of 5 attacks succeeded: SeedInverter .*environment, 17"):
        check_runner(play)
