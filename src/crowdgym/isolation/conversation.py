"""The runner's side of a connection to a process of a policy: questions, answers, and what may go wrong."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from crowdgym.common.errors import PolicyError, PolicyFaultError
from crowdgym.common.text import one_line
from crowdgym.isolation import messages
from crowdgym.isolation.messages import Line, Message
from crowdgym.runner import refuse_state

_LONGEST: Final = 2**24  # bytes of one message of a policy
_LONGEST_TEXT: Final = 2_000  # characters of what it says


class Conversation:
    """Sends messages to a process and waits for its answers, with a limit of time and of length.

    Args:
        line: to the process.
        step_s: the most seconds from a question to its answer; None for no limit.
        how_ended: called when the process has closed the connection; says how it ended.

    Attributes:
        state: returns the global state when the process asks for it; raises `PolicyFaultError` if it must not.
        keeps: whether the policy holds arrays of the shared memory, so that it must not be used again.
    """

    def __init__(self, line: Line, step_s: float | None, how_ended: Callable[[], str]) -> None:
        self._line, self._step_s, self._how_ended = line, step_s, how_ended
        self._waits_s = step_s
        self._deadline: float | None = None
        self.state: Callable[[], Any] = refuse_state
        self.keeps = False

    def close(self) -> None:
        """Close this end of the connection."""
        self._line.close()

    def ask(self, kind: bytes, parts: Sequence[bytes | memoryview]) -> Message:
        """Send a question and wait for its answer. Raises `PolicyFaultError`, see `answer`."""
        self.begin(kind, parts)
        return self.answer()

    def begin(self, kind: bytes, parts: Sequence[bytes | memoryview]) -> None:
        """Send a question. Raises `PolicyFaultError` if the process does not read it in time, or has ended."""
        self.expect(self._step_s)
        self._send(kind, parts)

    def expect(self, within_s: float | None) -> None:
        """Wait for the next answer for so many seconds from now on."""
        self._waits_s = within_s
        self._deadline = None if within_s is None else time.monotonic() + within_s

    def answer(self) -> Message:
        """Wait for the answer; requests for the global state are served meanwhile.

        Raises:
            PolicyFaultError: the policy raised or took too long, its answer is too long, or its process ended.
            PolicyError: the policy cannot be made.
        """
        while (answer := self._receive()).kind in (messages.STATE, messages.KEEPS):
            if answer.kind == messages.KEEPS:
                self.keeps = True
            else:
                self._send(messages.STATE, messages.pack_arrays({"state": self.state()}))
        return answer

    def _send(self, kind: bytes, parts: Sequence[bytes | memoryview]) -> None:
        try:
            self._line.send(kind, *parts, deadline=self._deadline)
        except TimeoutError:
            raise self._too_slow() from None
        except OSError:
            raise self._ended() from None

    def _receive(self) -> Message:
        try:
            answer = self._line.receive(_LONGEST, self._deadline)
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
        return PolicyFaultError(f"took longer than {self._waits_s:g} s")

    def _ended(self) -> PolicyFaultError:
        return PolicyFaultError(f"ended its process, which {self._how_ended()}")


def _text(message: Message) -> str:
    """What a policy says, on one line of printable characters and of limited length."""
    text = one_line(message.content.decode(errors="replace"))
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
