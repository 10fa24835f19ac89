"""Policies that attack the runner beyond their own process: its memory, its output, its messages, its time."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import crowdgym
from crowdgym.common.errors import ConfigError, PolicyError
from crowdgym.isolation.policy import IsolatedPolicy, Limits, open_policy
from crowdgym.policies import PolicySource
from crowdgym.runner import run_episodes

POLICIES = r'''
import json, os, subprocess
import crowdgym.isolation.worker as worker

class Holds:
    def act(self, observations, infos):
        return dict.fromkeys(infos, 0)

def line():
    """The connection to the runner."""
    import gc
    return next(thing for thing in gc.get_objects() if isinstance(thing, worker.Line))

class NestedDigest(Holds):
    def __init__(self):
        line().send(b"d", b"[" * 1_000_000)

class OddDigest(Holds):
    def __init__(self):
        line().send(b"d", json.dumps({"digest": "<script>", "information": "centralised"}).encode())

class UnknownKind(Holds):
    def act(self, observations, infos):
        line().send(b"?", json.dumps(dict.fromkeys(infos, 0)).encode())
        return super().act(observations, infos)

class UnknownSignal(Holds):
    information = "decentralised"
    def __init__(self):
        worker._exit_code = lambda process: -9999
    def reset(self, episode):
        os._exit(3)

class Escapes(Holds):
    """Its message clears the terminal, and is long."""
    def act(self, observations, infos):
        raise ValueError("\x1b[2J\x07\u202e" + "y" * 100_000)

class Prints(Holds):
    def act(self, observations, infos):
        print("revenue 1e12")
        return super().act(observations, infos)

class ReadsMemory(Holds):
    """Opens the memory of the process that holds the environment, or lets another program do it."""
    def reset(self, episode):
        parent = f"/proc/{os.getppid()}"
        for what in ("mem", "maps", "environ"):
            try:
                open(f"{parent}/{what}", "rb").read(1)
            except PermissionError:
                continue
            raise RuntimeError(f"can read {what}")
        if subprocess.run(["cat", f"{parent}/environ"], stdout=subprocess.DEVNULL).returncode == 0:
            raise RuntimeError("another program can read it")

class ReadsArguments(Holds):
    """Looks for the seed in the command line of the runner, and in its standard input."""
    def reset(self, episode):
        with open(f"/proc/{os.getppid()}/cmdline", "rb") as file:
            arguments = file.read()
        if b"76543" in arguments:
            raise RuntimeError(arguments)
        if os.read(0, 10):
            raise RuntimeError("can read the input")

class StartsProgram(Holds):
    def reset(self, episode):
        started = subprocess.Popen(["sleep", "300"])
        with open("started", "w") as file:
            file.write(str(started.pid))
'''

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps the memory of a process from its user")


@pytest.fixture(scope="module", autouse=True)
def _policies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("policies")
    (folder / "hostile_policies.py").write_text(POLICIES)
    sys.path.insert(0, str(folder))  # a process that is started has the same path
    yield
    sys.path.remove(str(folder))


def source(name: str) -> PolicySource:
    return PolicySource(f"hostile_policies:{name}", "csc_v0", "tiny")


def played(of: PolicySource) -> Mapping[str, float]:
    env = crowdgym.make("csc_v0", scenario="tiny", horizon_s=300)
    with open_policy(of, 0) as policy:
        return run_episodes(env, policy, agent="it", episodes=1, seed=3).mean


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("NestedDigest", "the agent 'hostile_policies:NestedDigest' cannot be loaded: its process sent no digest"),
        ("OddDigest", "the agent 'hostile_policies:OddDigest' cannot be loaded: its process sent no digest"),
        ("UnknownKind", "step 1, sent actions that cannot be read: a message of the kind b'?' holds no actions"),
        ("UnknownSignal", "as worker_0, ended its process, which was ended by signal 9999"),
    ],
)
def test_messages_of_its_own_are_one_sentence(name: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        played(source(name))
    assert str(caught.value).endswith(message)


def test_what_it_says_is_printable_and_short() -> None:
    with pytest.raises(PolicyError) as caught:
        played(source("Escapes"))
    message = str(caught.value)
    assert message.isprintable()
    assert "raised ValueError: \N{REPLACEMENT CHARACTER}[2J" in message
    assert len(message) < 2_200


def test_what_it_prints_is_not_the_output_of_the_runner(capfd: pytest.CaptureFixture[str]) -> None:
    played(source("Prints"))
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err.count("revenue 1e12") == 10  # steps


@on_linux
def test_it_cannot_read_the_memory_of_the_runner_and_root_cannot_either() -> None:
    played(source("ReadsMemory"))


@on_linux
def test_it_sees_neither_the_arguments_nor_the_input_of_the_runner(tmp_path: Path) -> None:
    (tmp_path / "hostile_policies.py").write_text(POLICIES)
    (tmp_path / "secret").write_text("76543")
    program = [sys.executable, "-c", "from crowdgym.cli.start import main; main()"]
    asked = ["run", "csc_v0", "--scenario", "tiny", "--set", "horizon_s=30", "--seed", "76543"]
    with (tmp_path / "secret").open() as secret:
        ended = subprocess.run(
            [*program, *asked, "--agent", "hostile_policies:ReadsArguments"],
            stdin=secret,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
    assert ended.returncode == 0, ended.stderr
    assert any(line.startswith(" 76543 ") for line in ended.stdout.splitlines())  # the runner knows its seed


@on_linux
def test_what_it_has_started_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    played(source("StartsProgram"))
    process = Path("/proc", (tmp_path / "started").read_text())
    for _ in range(100):
        if not process.exists() or "State:\tZ" in (process / "status").read_text():
            return
        time.sleep(0.05)
    pytest.fail("the program goes on")


def test_many_agents_are_named_before_it_reads_their_names() -> None:
    """The names of 6,000 agents are longer than what a pipe of Linux holds."""
    of = PolicySource("hostile_policies:Holds", "csc_v0", "chengdu-synth")
    env = crowdgym.make("csc_v0", scenario="chengdu-synth", num_workers=6_000, horizon_s=30)
    with open_policy(of, 0, Limits(step_s=60.0)) as policy:
        assert run_episodes(env, policy, agent="it", episodes=1, seed=0).mean["completed"] == 0


def test_one_policy_plays_environments_with_other_numbers_of_agents() -> None:
    with open_policy(source("Holds"), 0) as policy:
        for workers in (5, 3, 8):
            env = crowdgym.make("csc_v0", scenario="tiny", num_workers=workers, horizon_s=60)
            assert run_episodes(env, policy, agent="it", episodes=2, seed=3).mean["steps"] == 2


@pytest.mark.parametrize("name", ["greedy", "random", "pau"])
def test_crowdgym_s_own_policies_play_the_same_in_a_process_of_their_own(name: str) -> None:
    """Random draws the actions of all agents from one generator: it is not copied for every agent."""
    means = []
    for inside in (None, False):
        env = crowdgym.make("csc_v0", scenario="tiny")
        with open_policy(PolicySource(name, "csc_v0", "tiny"), 0, inside=inside) as policy:
            assert isinstance(policy, IsolatedPolicy) == (inside is False)
            means.append(run_episodes(env, policy, agent=name, episodes=1, seed=3).mean)
    assert means[0] == means[1]
    assert means[0]["completed"] > 10


def test_limits_need_a_process() -> None:
    limits = Limits(step_s=60.0)
    with open_policy(PolicySource("greedy", "csc_v0", "tiny"), 0, limits) as policy:
        assert isinstance(policy, IsolatedPolicy)
    with (
        pytest.raises(ConfigError, match=r"^limits of time and memory are those of a process of the policy's own: "),
        open_policy(source("Holds"), 0, limits, inside=True),
    ):
        pass


def test_for_crowdgym_s_own_modules_the_current_folder_is_not_searched() -> None:
    """Otherwise a file beside a policy, such as `safetensors.py`, would run in the process of the environment."""
    program = (
        "import os, sys; sys.path = [folder for folder in sys.path if folder not in ('', os.getcwd())]; "
        "from crowdgym.common.entry_points import load_entry_point as load; "
        "load('crowdgym.agents.csc.greedy:GreedyPolicy'); print(os.getcwd() in sys.path); "
        "load('json:loads'); print(os.getcwd() in sys.path)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout == "False\nTrue\n"
