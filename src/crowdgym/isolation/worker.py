"""The process of a policy. It answers the messages of `crowdgym.isolation.policy`, one at a time."""

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.reduction import ForkingPickler
from typing import Any, Final

import gymnasium
from numpy.typing import NDArray

from crowdgym.agents.information import Information, information_of
from crowdgym.agents.policy import Episode, EpisodicPolicy, Policy
from crowdgym.common.errors import CrowdGymError, PolicyError
from crowdgym.common.raised import described, where_raised
from crowdgym.execution.guards import end_with_starter, give_up_others_memory
from crowdgym.execution.processes import end_with_parent
from crowdgym.isolation import messages, shared
from crowdgym.isolation.messages import Line, Message
from crowdgym.isolation.moments import Layout, Moment
from crowdgym.policies import PolicySource, digest_of
from crowdgym.runner import fix_global_generators

_END_CHECKS: Final = 100  # whether a process of an agent has ended
_END_CHECK_S: Final = 0.01


@dataclass(frozen=True, eq=False)
class Frame:
    """What stays the same from episode to episode; see `crowdgym.agents.policy.Episode`."""

    agents: tuple[str, ...]
    observation_space: gymnasium.Space[Any]
    action_space: gymnasium.Space[Any]
    metadata: Mapping[str, Any]


def serve(
    theirs: socket.socket,
    descriptors: socket.socket,
    source: PolicySource,
    seed: int,
    memory_bytes: int | None,
) -> None:
    """Make a policy and let it play, until the runner closes the connection.

    Args:
        theirs: the connection to the runner.
        descriptors: on which shared memory arrives, or, if the policy is decentralised, the connections of agents.
        source: of the policy.
        seed: of the global generators of random numbers while the policy is made.
        memory_bytes: the most address space of the process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the runner, which ends this process
    if hasattr(os, "setsid"):
        os.setsid()  # so that the runner can end what the policy has started, too
    with suppress(OSError), open(os.devnull) as nothing:  # standard input may hold a secret of the runner
        os.dup2(nothing.fileno(), 0)
    with suppress(OSError):  # there is no standard error
        os.dup2(2, 1)  # what the policy prints goes to standard error: standard output is the runner's
    end_with_starter()
    give_up_others_memory()
    threading.Thread(target=end_with_parent, daemon=True).start()
    del sys.argv[1:]  # the runner's command line names its seed
    line = Line(theirs)
    if memory_bytes is not None:
        _limit_memory(memory_bytes)
    made = _made(line, source, seed)
    if made is None:
        return
    policy, information = made
    if is_copied(source, information):
        AgentStarter(line, descriptors, policy).run()
    else:
        Service(line, policy, descriptors).run()


def is_copied(source: PolicySource, information: Information) -> bool:
    """Whether the process of a policy is copied for every agent. CrowdGym's own read the rows of all agents at once."""
    return information is Information.DECENTRALISED and source.is_foreign


def _made(line: Line, source: PolicySource, seed: int) -> tuple[Policy, Information] | None:
    """The policy and what it declares; None if it cannot be made, which is said."""
    kind, made = messages.FAULT, None
    try:
        fix_global_generators(seed)
        policy = source.load()
        information = information_of(policy)
        if is_copied(source, information) and not hasattr(os, "fork"):
            raise PolicyError(
                f"the agent {source.shown!r} is decentralised, and to play each of its agents in a process of its own "
                "needs fork, which this system lacks; --inside plays it without"
            )
        digest = digest_of(policy, getattr(policy, "files", ()))
    except CrowdGymError as error:
        kind, content = messages.REFUSED, str(error).encode()
    except SystemExit as error:
        content = f"it left the program with exit code {error.code!r}".encode()
    except BaseException as error:
        content = _raised(error)
    else:
        kind, content = messages.DONE, json.dumps({"digest": digest, "information": information}).encode()
        made = policy, information
    with suppress(OSError):  # the runner has gone
        line.send(kind, content)
    return made


class Service:
    """Lets a policy answer messages.

    Args:
        line: to the runner.
        policy: plays.
        descriptors: on which shared memory arrives, if there is any.
        frame: of all episodes; None if one arrives before the first episode of each environment.
    """

    def __init__(
        self,
        line: Line,
        policy: Policy,
        descriptors: socket.socket | None = None,
        frame: Frame | None = None,
    ) -> None:
        self._line, self._policy, self._descriptors, self._frame = line, policy, descriptors, frame
        self._layout: Layout | None = None
        self._blocks: list[memoryview] = []  # the shared ones, that of the next moment first
        self._copies = self._tells_keeps = False
        self._next: Moment | None = None

    def run(self) -> None:
        """Answer until the runner closes the connection."""
        while (message := self._line.receive()) is not None:
            if message.kind in (messages.LAYOUT, messages.SHARED_LAYOUT):
                self._begin_layout(message)
                continue
            if message.kind == messages.FRAME:
                self._begin_frame(message)
                continue
            try:
                kind, content = self._answer(message)
            except SystemExit as error:
                kind, content = messages.FAULT, f"left the program with exit code {error.code!r}".encode()
            except BaseException as error:
                kind, content = messages.FAULT, _raised(error)
            with suppress(OSError):  # the runner has gone
                self._line.send(kind, content)
            self._prepare()

    def _begin_frame(self, message: Message) -> None:
        self._frame = frame_of(message)
        if self._layout is not None and self._layout.num_agents != len(self._frame.agents):
            self._layout = self._next = None  # the next layout comes before the next moment

    def _begin_layout(self, message: Message) -> None:
        self._layout = Layout.from_json(message.content)
        self._next, self._blocks = None, []
        if message.kind == messages.SHARED_LAYOUT:
            assert self._descriptors is not None
            self._blocks = shared.halves(shared.receive(self._descriptors))
        self._prepare()

    def _prepare(self) -> None:
        """Make the arrays of the next moment, while the environment makes its step."""
        if self._next is not None and self._next.release() and self._blocks and not self._copies:
            self._copies = self._tells_keeps = True  # from the next layout on, and with the next answer
        if self._layout is not None and self._frame is not None:
            block = None if self._copies or not self._blocks else self._blocks[0]
            self._next = Moment(self._layout, self._frame.agents, block)

    def _answer(self, message: Message) -> tuple[bytes, bytes]:
        if message.kind == messages.RESET:
            self._reset(*messages.unpack_reset(message.content))
            return messages.DONE, b""
        moment = self._next
        assert moment is not None  # `RESET` and the layout come first
        assert self._frame is not None
        if self._copies or not self._blocks:
            moment.copy_from(self._blocks[0] if self._blocks else message.content)
        moment.read_plain()
        self._blocks.reverse()
        actions: Any = self._policy.act(moment.observations, moment.infos)
        if self._tells_keeps:
            self._line.send(messages.KEEPS)
            self._tells_keeps = False
        if not isinstance(actions, Mapping):
            kind = type(actions).__name__
            return messages.FAULT, f"must return a dict with an action for every agent, got {kind}".encode()
        return messages.pack_actions(actions, self._frame.agents)

    def _reset(self, seed: int, instance: dict[str, NDArray[Any]] | None) -> None:
        assert self._frame is not None  # the runner sends it before the first episode
        fix_global_generators(seed)
        if isinstance(self._policy, EpisodicPolicy):
            self._policy.reset(Episode(seed=seed, **vars(self._frame), state=self._state, instance=instance))

    def _state(self) -> NDArray[Any]:
        self._line.send(messages.STATE)
        answer = self._line.receive()
        if answer is None:
            raise SystemExit
        return messages.unpack_arrays(answer.content)["state"]


class AgentStarter:
    """Starts a process for every agent of a decentralised policy: a copy of this one, in which the policy is made.

    Args:
        line: to the runner.
        descriptors: on which the connection of each agent arrives.
        policy: is copied.
    """

    def __init__(self, line: Line, descriptors: socket.socket, policy: Policy) -> None:
        self._line, self._descriptors, self._policy = line, descriptors, policy
        self._frame: Frame | None = None
        self._processes: list[int] = []

    def run(self) -> None:
        """Answer until the runner closes the connection."""
        while (message := self._line.receive()) is not None:
            if message.kind == messages.FRAME:
                self._frame = frame_of(message)
                continue
            try:
                kind, content = self._answer(message)
            except OSError as error:
                kind, content = messages.FAULT, f"cannot start a process: {error.strerror}".encode()
            with suppress(OSError):  # the runner has gone
                self._line.send(kind, content)

    def _answer(self, message: Message) -> tuple[bytes, bytes]:
        if message.kind == messages.HOW_ENDED:
            number = int.from_bytes(message.content, "little")
            return messages.DONE, _exit_code(self._processes[number]).to_bytes(8, "little", signed=True)
        if message.kind == messages.RESET:  # the connections of the last episode are closed
            for process in self._processes:
                _exit_code(process)
            self._processes = []
            return messages.DONE, b""
        self._start(message.content.decode())
        return messages.DONE, b""

    def _start(self, agent: str) -> None:
        assert self._frame is not None  # the runner sends it before the first episode
        with socket.socket(fileno=shared.receive(self._descriptors)) as theirs:
            process = os.fork()
            if process:
                self._processes.append(process)
                return
            try:
                end_with_starter()
                self._line.close()
                self._descriptors.close()
                Service(Line(theirs), self._policy, frame=replace(self._frame, agents=(agent,))).run()
            finally:
                os._exit(0)


def _exit_code(process: int) -> int:
    """The exit code of a process whose connection is closed; it is killed if it goes on."""
    for _ in range(_END_CHECKS):
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(_END_CHECK_S)
    os.kill(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def frame_of(message: Message) -> Frame:
    """The frame of a `messages.FRAME`. Only this process unpickles, and only what the runner has sent."""
    frame: Frame = ForkingPickler.loads(message.content)
    return frame


def _raised(error: BaseException) -> bytes:
    return f"raised {described(error)} ({where_raised(error)})".encode(errors="replace")


def _limit_memory(memory_bytes: int) -> None:
    import resource  # not on Windows

    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
