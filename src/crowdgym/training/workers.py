"""Workers of a training run: an engine for jobs executes what is to be played elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from crowdgym.execution.jobs import Engine, JobKind

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Piece:
    """A call of a function, as a job; see `crowdgym.execution.jobs.Job`."""

    number: int
    function: Callable[[Any], Any]
    item: Any

    def parameters(self) -> dict[str, Any]:
        """See `crowdgym.execution.jobs.Job`."""
        return {"piece": self.number}

    def isolation_group(self) -> str:
        """See `crowdgym.execution.jobs.Job`."""
        return ""


def call(piece: Piece) -> dict[str, Any]:
    """Call the function of a piece."""
    return {"result": piece.function(piece.item)}


class EngineWorkers:
    """See `crowdgym.agents.learning.workers.Workers`.

    Args:
        engine: executes the calls.
        number: calls that run at the same time.
    """

    def __init__(self, engine: Engine, number: int) -> None:
        self.engine, self.number = engine, number
        self._ready = False

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """See `crowdgym.agents.learning.workers.Workers`.

        Raises:
            RuntimeError: a process has ended before its result was there, or the function raised.
        """
        results: dict[int, Result] = {}
        pieces = [Piece(number, function, item) for number, item in enumerate(items)]
        if not self._ready:  # the first call alone: what it compiles is cached, and the others do not compile it again
            self._run(pieces[:1], results)
            pieces, self._ready = pieces[1:], True
        self._run(pieces, results)
        return [results[number] for number in range(len(items))]

    def _run(self, pieces: Sequence[Piece], results: dict[int, Any]) -> None:
        for piece, outcome in self.engine.run(JobKind(call), pieces):
            if outcome.failure is not None:
                raise RuntimeError(f"a worker has not answered: {outcome.failure}")
            results[piece.number] = outcome.values["result"]
