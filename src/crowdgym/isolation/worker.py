"""The process of a policy. It answers the messages of `crowdgym.isolation.policy`, one at a time."""

import ctypes
import json
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

import gymnasium
from numpy.typing import NDArray

from crowdgym.agents.policy import Episode, EpisodicPolicy, Policy
from crowdgym.common.errors import CrowdGymError
from crowdgym.execution.processes import end_with_parent
from crowdgym.isolation import messages
from crowdgym.isolation.messages import Line, Message
from crowdgym.policies import PolicySource, described, digest_of, where_raised
from crowdgym.runner import fix_global_generators

_SET_PARENT_DEATH_SIGNAL: Final = 1  # of prctl, in Linux
_SET_DUMPABLE: Final = 4


@dataclass(frozen=True, eq=False)
class Frame:
    """What stays the same from episode to episode; see `crowdgym.agents.policy.Episode`."""

    agents: tuple[str, ...]
    observation_space: gymnasium.Space[Any]
    action_space: gymnasium.Space[Any]
    metadata: Mapping[str, Any]


def hide_memory() -> None:
    """Keep other processes of the same user from reading the memory of this one. Linux only; root still can."""
    _prctl(_SET_DUMPABLE, 0)


def serve(theirs: socket.socket, frames: Connection, source: PolicySource, seed: int, memory_bytes: int | None) -> None:
    """Make a policy and let it play, until the runner closes the connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the runner, which ends this process
    _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    threading.Thread(target=end_with_parent, daemon=True).start()
    del sys.argv[1:]  # the runner's command line names its seed
    line = Line(theirs)
    if memory_bytes is not None:
        _limit_memory(memory_bytes)
    policy = _made(line, source, seed)
    if policy is not None:
        _Service(line, frames, policy).run()


def _made(line: Line, source: PolicySource, seed: int) -> Policy | None:
    """The policy; None if it cannot be made, which is said."""
    try:
        fix_global_generators(seed)
        policy = source.load()
        digest = digest_of(policy, getattr(policy, "files", ()))
    except CrowdGymError as error:
        line.send(messages.REFUSED, str(error).encode())
    except SystemExit as error:
        line.send(messages.FAULT, f"it left the program with exit code {error.code!r}".encode())
    except BaseException as error:
        line.send(messages.FAULT, _raised(error))
    else:
        line.send(messages.DONE, json.dumps({"digest": digest}).encode())
        return policy
    return None


class _Service:
    """Answers messages.

    Args:
        line: to the runner.
        frames: on which a `Frame` arrives before the first episode of each environment.
        policy: plays.
    """

    def __init__(self, line: Line, frames: Connection, policy: Policy) -> None:
        self._line, self._frames, self._policy = line, frames, policy
        self._frame: Frame | None = None

    def run(self) -> None:
        """Answer until the runner closes the connection."""
        while (message := self._line.receive()) is not None:
            try:
                kind, content = self._answer(message)
            except SystemExit as error:
                kind, content = messages.FAULT, f"left the program with exit code {error.code!r}".encode()
            except BaseException as error:
                kind, content = messages.FAULT, _raised(error)
            with suppress(OSError):  # the runner has gone
                self._line.send(kind, content)

    def _answer(self, message: Message) -> tuple[bytes, bytes]:
        if message.kind == messages.RESET:
            self._reset(int.from_bytes(message.content, "little"))
            return messages.DONE, b""
        assert self._frame is not None  # `RESET` comes first
        actions: Any = self._policy.act(*messages.unpack_moment(message.content, self._frame.agents))
        if not isinstance(actions, Mapping):
            kind = type(actions).__name__
            return messages.FAULT, f"must return a dict with an action for every agent, got {kind}".encode()
        return messages.pack_actions(actions, self._frame.agents)

    def _reset(self, seed: int) -> None:
        while self._frames.poll():
            self._frame = self._frames.recv()
        assert self._frame is not None  # the runner sends it before the first `RESET`
        fix_global_generators(seed)
        if isinstance(self._policy, EpisodicPolicy):
            self._policy.reset(Episode(seed=seed, **vars(self._frame), state=self._state))

    def _state(self) -> NDArray[Any]:
        self._line.send(messages.STATE)
        answer = self._line.receive()
        if answer is None:
            raise SystemExit
        arrays, _ = messages.unpack_arrays(answer.content)
        return arrays["state"]


def _raised(error: BaseException) -> bytes:
    return f"raised {described(error)} ({where_raised(error)})".encode(errors="replace")


def _limit_memory(memory_bytes: int) -> None:
    import resource  # not on Windows

    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _prctl(option: int, value: int) -> None:
    """A setting of this process, where the operating system is Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
