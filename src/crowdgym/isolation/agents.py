"""A decentralised policy, as the runner sees it: a process for every agent, which is sent that agent's rows alone."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import numpy as np

from crowdgym.agents.information import Information
from crowdgym.agents.policy import Actions, Episode, EpisodicPolicy, Infos, Observations, Policy
from crowdgym.common.errors import PolicyFaultError
from crowdgym.execution.processes import how_ended
from crowdgym.isolation import messages, shared
from crowdgym.isolation.conversation import Conversation
from crowdgym.isolation.messages import Line
from crowdgym.isolation.moments import Arrays, Layout
from crowdgym.policies import PolicySource

_NUMBER_BYTES: Final = 8  # of a number in a message, little-endian


def agent_seed(seed: int, index: int) -> int:
    """The seed of the draws of agent number ``index``, from the seed of the policy in an episode."""
    return int(np.random.SeedSequence((seed, index)).generate_state(1)[0])


class AgentProcesses:
    """The processes of the agents of one episode. The process that holds the policy starts them as copies of itself.

    It passes each its connection to the runner and keeps none, so that an agent's rows reach that agent alone. A copy
    holds the policy as it was made: it remembers neither the other agents nor earlier episodes.

    Args:
        starter: to the process that holds the policy.
        connection: on which that process gets the connections of the agents.
        episode: begins.
        step_s: the most seconds of a step; None for no limit.

    Raises:
        PolicyFaultError: a process cannot be started, or the policy raised or took too long.
    """

    def __init__(
        self, starter: Conversation, connection: socket.socket, episode: Episode, step_s: float | None
    ) -> None:
        self._starter, self._agents = starter, episode.agents
        self._conversations: list[Conversation] = []
        self._layout: Layout | None = None
        seeds = (agent_seed(episode.seed, index) for index in range(len(self._agents)))
        try:
            self._start(connection, step_s)
            self._ask_all(messages.RESET, [[messages.pack_seed(seed)] for seed in seeds])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connections, which ends the processes."""
        for conversation in self._conversations:
            conversation.close()
        self._conversations = []

    def act(self, arrays: Arrays) -> Actions:
        """The actions of all agents. Raises `PolicyFaultError`."""
        layout = Layout.of(arrays)
        if layout != self._layout:
            self._layout = layout
            self._tell_all(messages.LAYOUT, [[layout.of_one.to_json()]] * len(self._agents))
        answers = self._ask_all(messages.ACT, [[block] for block in layout.rows(arrays)])
        actions: dict[str, int] = {}
        for agent, answer in zip(self._agents, answers, strict=True):
            try:
                actions |= messages.unpack_actions(answer, (agent,))
            except ValueError as error:
                raise PolicyFaultError(f"sent actions of {agent} that cannot be read: {error}") from None
        return actions

    def _start(self, connection: socket.socket, step_s: float | None) -> None:
        self._starter.ask(messages.RESET, [])
        for index, agent in enumerate(self._agents):
            try:
                self._conversations.append(self._started(connection, index, agent, step_s))
            except OSError as error:
                raise PolicyFaultError(
                    f"is decentralised and needs a process and a connection for each of its {len(self._agents)} "
                    f"agents, and that of {agent} cannot be started: {error.strerror}"
                ) from None

    def _started(self, connection: socket.socket, index: int, agent: str, step_s: float | None) -> Conversation:
        ours, theirs = socket.socketpair()
        with theirs:
            self._starter.begin(messages.START_AGENT, [agent.encode()])
            shared.send(connection, theirs.fileno())
            try:
                self._starter.answer()
            except PolicyFaultError:
                ours.close()
                raise
        return Conversation(Line(ours), step_s, lambda: self._how_ended(index))

    def _ask_all(self, kind: bytes, contents: Sequence[Sequence[bytes | memoryview]]) -> list[messages.Message]:
        """Ask all agents at once; their processes work side by side."""
        self._tell_all(kind, contents)
        answers = []
        for agent, conversation in zip(self._agents, self._conversations, strict=True):
            with _as(agent):
                answers.append(conversation.answer())
        return answers

    def _tell_all(self, kind: bytes, contents: Sequence[Sequence[bytes | memoryview]]) -> None:
        for agent, conversation, parts in zip(self._agents, self._conversations, contents, strict=True):
            with _as(agent):
                conversation.begin(kind, parts)

    def _how_ended(self, index: int) -> str:
        answer = self._starter.ask(messages.HOW_ENDED, [index.to_bytes(_NUMBER_BYTES, "little")])
        return how_ended(int.from_bytes(answer.content[:_NUMBER_BYTES], "little", signed=True))


@contextmanager
def _as(agent: str) -> Iterator[None]:
    """Name the agent in a `PolicyFaultError`."""
    try:
        yield
    except PolicyFaultError as fault:
        raise PolicyFaultError(f"as {agent}, {fault}") from None


class OneByOne:
    """A decentralised policy in the process of the environment: an object for every agent, which is given its rows.

    Nothing keeps these objects apart: they could share what they have seen.

    Args:
        source: of the policy.
    """

    information: Final = Information.DECENTRALISED

    def __init__(self, source: PolicySource) -> None:
        self._source = source
        self._policies: dict[str, Policy] = {}

    def reset(self, episode: Episode) -> None:
        """See `crowdgym.agents.policy.EpisodicPolicy`."""
        self._policies = {agent: self._source.load() for agent in episode.agents}
        for index, (agent, policy) in enumerate(self._policies.items()):
            if isinstance(policy, EpisodicPolicy):
                policy.reset(replace(episode, agents=(agent,), seed=agent_seed(episode.seed, index)))

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        actions: dict[str, int] = {}
        for agent, policy in self._policies.items():
            actions |= policy.act({agent: observations[agent]}, {agent: infos[agent]})
        return actions
