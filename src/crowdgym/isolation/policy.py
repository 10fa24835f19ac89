"""A policy that lives in another process, as the runner sees it."""

import json
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.reduction import ForkingPickler
from typing import Any, Final

from crowdgym.agents.information import Information, information_of
from crowdgym.agents.policy import Actions, Episode, Infos, Observations, Policy
from crowdgym.common.errors import ConfigError, PolicyError, PolicyFaultError
from crowdgym.common.text import shown
from crowdgym.common.waiting import LONGEST_WAIT_S
from crowdgym.envs.api.parallel_env import BaseParallelEnv
from crowdgym.execution.guards import hide_arguments, hide_memory
from crowdgym.execution.processes import how_ended, one_thread, undisturbed
from crowdgym.isolation import messages
from crowdgym.isolation.agents import AgentProcesses, OneByOne
from crowdgym.isolation.conversation import Conversation
from crowdgym.isolation.messages import Line
from crowdgym.isolation.moments import Arrays, arrays_of
from crowdgym.isolation.sender import MomentSender
from crowdgym.isolation.worker import Frame, is_copied, serve
from crowdgym.policies import UNKNOWN_DIGEST, PolicySource, digest_of
from crowdgym.runner import fix_global_generators

_START_S: Final = 600.0  # to import and make a policy: its libraries may be large, and the machine slow

_MOST_MEMORY_BYTES: Final = 2**62

_START = get_context("spawn")


@dataclass(frozen=True)
class Limits:
    """What each process of a policy may use.

    Attributes:
        step_s: the most seconds of wall-clock time of one ``act`` or ``reset``; None for no limit.
        memory_bytes: the most address space of the process; None for no limit. Not on Windows.
    """

    step_s: float | None = None
    memory_bytes: int | None = None

    def __post_init__(self) -> None:
        """Check that the system can keep the limits.

        Raises:
            ConfigError: it cannot.
        """
        if self.step_s is not None and not 0 <= self.step_s <= LONGEST_WAIT_S:
            raise ConfigError(f"a step limit must be 0 to {LONGEST_WAIT_S:,.0f} seconds, got {self.step_s:g}")
        if self.memory_bytes is not None and not 0 < self.memory_bytes <= _MOST_MEMORY_BYTES:
            raise ConfigError(
                f"a memory limit must be 1 to {_MOST_MEMORY_BYTES:,} bytes, got {shown(self.memory_bytes)}"
            )


@contextmanager
def open_policy(
    source: PolicySource, seed: int, limits: Limits = Limits(), *, inside: bool | None = None
) -> Iterator[Policy]:
    """A policy that is ready to play.

    Args:
        source: the policy.
        seed: of the global generators of random numbers while the policy is made.
        limits: of the process.
        inside: whether to make it in this process. If None, CrowdGym's own are made in this process unless they have
            limits, and a user's own in a process of its own.

    Raises:
        PolicyError: the policy cannot be made.
        ConfigError: the folder holds no trained agent that can be played, or there are limits inside.
    """
    if inside is None:
        inside = not source.is_foreign and limits == Limits()
    if inside and limits != Limits():
        raise ConfigError("limits of time and memory are those of a process of the policy's own: do not play it inside")
    if inside:
        fix_global_generators(seed)
        policy = source.load()
        one_by_one = source.is_foreign and information_of(policy) is Information.DECENTRALISED
        yield OneByOne(source) if one_by_one else policy
        return
    with IsolatedPolicy(source, seed, limits) as isolated:
        yield isolated


def how_played(policy: Policy) -> str:
    """Where a policy plays: "isolated", in a process of its own, or "inside" the process of the environment."""
    return "isolated" if isinstance(policy, IsolatedPolicy) else "inside"


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

    A user's decentralised policy gets less: its process starts one for every agent, and is sent nothing itself. A
    clairvoyant one is also sent the instance.

    Use it with ``with``: the end of the block ends the process.

    Args:
        source: the policy, which is made at once.
        seed: of the global generators of random numbers while the policy is made.
        limits: of the process.

    Attributes:
        digest: of the files of the policy, as its process says; see `crowdgym.policies.digest_of`.
        information: what the policy declares when it is made; `crowdgym.agents.information`.

    Raises:
        PolicyError: the policy cannot be made.
    """

    def __init__(self, source: PolicySource, seed: int, limits: Limits = Limits()) -> None:
        self._limits = limits
        self._frame: Frame | None = None
        self._agents: AgentProcesses | None = None
        self._rows: Callable[[], Arrays] | None = None
        ours, theirs = socket.socketpair()
        self._descriptors, their_descriptors = socket.socketpair()
        self._conversation = Conversation(Line(ours), limits.step_s, self._how_ended)
        self._moments = MomentSender(self._conversation, self._descriptors)
        self._process = _START.Process(
            target=serve, args=(theirs, their_descriptors, source, seed, limits.memory_bytes), daemon=True
        )
        hide_memory()
        hide_arguments()
        with one_thread(), undisturbed():
            self._process.start()
        for one in (theirs, their_descriptors):  # so that the end of the process is the end of the connection
            one.close()
        try:
            self._conversation.expect(_START_S)
            self.digest, self.information = _made(self._conversation.answer().content)
            self._is_copied = is_copied(source, self.information)
        except PolicyFaultError as fault:
            self.close()
            raise PolicyError(f"the agent {source.shown!r} cannot be loaded: {fault}") from None
        except PolicyError:
            self.close()
            raise
        except ValueError:
            self.close()
            raise PolicyError(f"the agent {source.shown!r} cannot be loaded: its process sent no digest") from None

    def __enter__(self) -> "IsolatedPolicy":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._close_agents()
        self._conversation.close()
        self._descriptors.close()
        if hasattr(os, "killpg") and self._process.pid is not None:
            with suppress(OSError):  # it has ended, or has no group of its own yet
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()

    def attach_environment(self, env: Any) -> None:
        """Read what an environment shows from its own arrays, if it has them, and not from the dicts made of them."""
        self._rows = env.rows if getattr(type(env), "step", None) is BaseParallelEnv.step else None

    def reset(self, episode: Episode) -> None:
        """See `crowdgym.agents.policy.EpisodicPolicy`.

        Raises:
            PolicyFaultError: the policy raised or took too long, or its process ended.
        """
        frame = Frame(episode.agents, episode.observation_space, episode.action_space, episode.metadata)
        if self._frame is None or frame.metadata is not self._frame.metadata:  # another environment
            self._frame = frame
            self._conversation.begin(messages.FRAME, [ForkingPickler.dumps(frame)])
        if self._is_copied:
            self._close_agents()
            self._agents = AgentProcesses(self._conversation, self._descriptors, episode, self._limits.step_s)
            return
        self._conversation.state = episode.state
        instance = [] if episode.instance is None else messages.pack_arrays(episode.instance)
        self._conversation.ask(messages.RESET, [messages.pack_seed(episode.seed), *instance])

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`.

        Raises:
            PolicyFaultError: as `reset`.
        """
        arrays = arrays_of(observations, infos) if self._rows is None else self._rows()
        if self._agents is not None:
            return self._agents.act(arrays)
        answer = self._moments.ask(arrays)
        try:
            return messages.unpack_actions(answer, tuple(observations))
        except ValueError as error:
            raise PolicyFaultError(f"sent actions that cannot be read: {error}") from None

    def _close_agents(self) -> None:
        if self._agents is not None:
            self._agents.close()
            self._agents = None

    def _how_ended(self) -> str:
        self._process.join()
        return how_ended(self._process.exitcode or 0)


def _made(content: bytearray) -> tuple[str, Information]:
    """The digest and the information class of a policy, as its process says. Raises `ValueError` if it says neither."""
    try:
        made = json.loads(content)
        digest, information = made["digest"], Information(made["information"])
    except (RecursionError, KeyError, TypeError):
        raise ValueError from None
    if not isinstance(digest, str) or not re.fullmatch(rf"[0-9a-f]{{16}}|{UNKNOWN_DIGEST}", digest):
        raise ValueError
    return digest, information
