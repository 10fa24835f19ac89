"""A policy that lives in another process, as the runner sees it."""

import json
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Final

from crowdgym.agents.policy import Actions, Episode, Infos, Observations, Policy
from crowdgym.common.errors import PolicyError, PolicyFaultError
from crowdgym.execution.processes import how_ended, one_thread
from crowdgym.isolation import messages
from crowdgym.isolation.messages import Line, Message
from crowdgym.isolation.worker import Frame, hide_memory, serve
from crowdgym.policies import PolicySource, digest_of
from crowdgym.runner import fix_global_generators

_LONGEST: Final = 2**24  # bytes of one message of a policy
_START_S: Final = 600.0  # to import and make a policy: its libraries may be large, and the machine slow

_START = get_context("spawn")


@dataclass(frozen=True)
class Limits:
    """What the process of a policy may use.

    Attributes:
        step_s: the most seconds of wall-clock time of one ``act`` or ``reset``; None for no limit.
        memory_bytes: the most address space of the process; None for no limit. Not on Windows.
    """

    step_s: float | None = None
    memory_bytes: int | None = None


@contextmanager
def open_policy(
    source: PolicySource, seed: int, limits: Limits = Limits(), *, inside: bool = False
) -> Iterator[Policy]:
    """A policy that is ready to play: a user's own in a process of its own, CrowdGym's own in this one.

    Args:
        source: the policy.
        seed: of the global generators of random numbers while the policy is made.
        limits: of the process.
        inside: make it in this process in any case.

    Raises:
        PolicyError: the policy cannot be made.
        ConfigError: the folder holds no trained agent that can be played.
    """
    if inside or not source.is_foreign:
        fix_global_generators(seed)
        yield source.load()
        return
    with IsolatedPolicy(source, seed, limits) as policy:
        yield policy


def policy_digest(policy: Policy) -> str:
    """A digest of the files of a policy; see `crowdgym.policies.digest_of`."""
    if isinstance(policy, IsolatedPolicy):
        return policy.digest
    return digest_of(policy, getattr(policy, "files", ()))


class IsolatedPolicy:
    """Starts the process of a policy, sends it what the environment shows, and returns its actions.

    The process gets observations, infos, and on request the global state, as plain numbers. It holds no environment
    and no seed of one, and nothing that it sends is unpickled. It runs as the same user, so it can read and write
    files: against a hostile program a container is needed, and seeds that no one can guess.

    Use it with ``with``: the end of the block ends the process.

    Args:
        source: the policy, which is made at once.
        seed: of the global generators of random numbers while the policy is made.
        limits: of the process.

    Attributes:
        digest: of the files of the policy, as its process says; see `crowdgym.policies.digest_of`.

    Raises:
        PolicyError: the policy cannot be made.
    """

    def __init__(self, source: PolicySource, seed: int, limits: Limits = Limits()) -> None:
        self._limits = limits
        self._frame: Frame | None = None
        self._state: Callable[[], Any] | None = None
        ours, theirs = socket.socketpair()
        self._line = Line(ours)
        frames, self._frames = _START.Pipe(duplex=False)
        self._process = _START.Process(
            target=serve, args=(theirs, frames, source, seed, limits.memory_bytes), daemon=True
        )
        hide_memory()
        with one_thread():
            self._process.start()
        theirs.close()  # so that the end of the process is the end of the connection
        frames.close()
        try:
            self.digest = str(json.loads(self._answer(_START_S).content)["digest"])
        except PolicyFaultError as fault:
            self.close()
            raise PolicyError(f"the agent {source.shown!r} cannot be loaded: {fault}") from None
        except PolicyError:
            self.close()
            raise
        except (ValueError, KeyError, TypeError):
            self.close()
            raise PolicyError(f"the agent {source.shown!r} cannot be loaded: its process sent no digest") from None

    def __enter__(self) -> "IsolatedPolicy":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._line.close()
        self._frames.close()
        self._process.kill()
        self._process.join()

    def reset(self, episode: Episode) -> None:
        """See `crowdgym.agents.policy.EpisodicPolicy`.

        Raises:
            PolicyFaultError: the policy raised or took too long, or its process ended.
        """
        frame = Frame(episode.agents, episode.observation_space, episode.action_space, episode.metadata)
        if self._frame is None or frame.metadata is not self._frame.metadata:  # another environment
            self._frame = frame
            self._frames.send(frame)
        self._state = episode.state
        self._ask(messages.RESET, [episode.seed.to_bytes(8, "little")])

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`.

        Raises:
            PolicyFaultError: as `reset`.
        """
        answer = self._ask(messages.ACT, messages.pack_moment(observations, infos))
        try:
            return messages.unpack_actions(answer, tuple(observations))
        except ValueError as error:
            raise PolicyFaultError(f"sent actions that cannot be read: {error}") from None

    def _ask(self, kind: bytes, parts: Sequence[bytes | memoryview]) -> Message:
        """Send a message and wait for the answer; requests for the state are served meanwhile."""
        deadline = None if self._limits.step_s is None else time.monotonic() + self._limits.step_s
        self._send(kind, parts, deadline)
        while True:
            answer = self._receive(deadline)
            if answer.kind != messages.STATE:
                return answer
            assert self._state is not None  # `reset` comes first
            self._send(messages.STATE, messages.pack_arrays({"state": self._state()}), deadline)

    def _answer(self, within_s: float) -> Message:
        return self._receive(time.monotonic() + within_s)

    def _send(self, kind: bytes, parts: Sequence[bytes | memoryview], deadline: float | None) -> None:
        try:
            self._line.send(kind, *parts, deadline=deadline)
        except TimeoutError:
            raise self._too_slow() from None
        except OSError:
            raise self._ended() from None

    def _receive(self, deadline: float | None) -> Message:
        try:
            answer = self._line.receive(_LONGEST, deadline)
        except TimeoutError:
            raise self._too_slow() from None
        except messages.TooLongError as error:
            raise PolicyFaultError(f"sent {error.args[0]} bytes, more than {_LONGEST}") from None
        if answer is None:
            raise self._ended()
        if answer.kind == messages.REFUSED:
            raise PolicyError(_text(answer))
        if answer.kind == messages.FAULT:
            raise PolicyFaultError(_text(answer))
        return answer

    def _too_slow(self) -> PolicyFaultError:
        step_s = _START_S if self._limits.step_s is None else self._limits.step_s
        return PolicyFaultError(f"took longer than {step_s:g} s")

    def _ended(self) -> PolicyFaultError:
        self._process.join()
        return PolicyFaultError(f"ended its process, which {how_ended(self._process.exitcode or 0)}")


def _text(message: Message) -> str:
    return " ".join(message.content.decode(errors="replace").split())
