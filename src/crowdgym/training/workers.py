"""Workers of a training run: an engine for jobs executes what is to be played elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from crowdgym.execution.jobs import Engine, JobKind
from crowdgym.training.fingerprint import fingerprint_of_networks

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Piece:
    """A call of a function, as a job; see `crowdgym.execution.jobs.Job`.

    Attributes:
        number: of the call among those of its iteration.
        function: an attribute of a module.
        item: its argument.
        datasets: names of those that it reads.
    """

    number: int
    function: Callable[[Any], Any]
    item: Any
    datasets: tuple[str, ...] = ()

    def parameters(self) -> dict[str, Any]:
        """See `crowdgym.execution.jobs.Job`."""
        return {"piece": self.number}

    def isolation_group(self) -> str:
        """See `crowdgym.execution.jobs.Job`."""
        return ""


def call(piece: Piece) -> dict[str, Any]:
    """Call the function of a piece."""
    return {"result": piece.function(piece.item)}


def fingerprint_of_piece(piece: Piece) -> dict[str, str]:
    """See `crowdgym.training.fingerprint.fingerprint_of_networks`."""
    return fingerprint_of_networks(*piece.datasets)


class EngineWorkers:
    """See `crowdgym.agents.learning.workers.Workers`.

    Args:
        engine: executes the calls.
        number: calls that run at the same time.
        datasets: names of those that the calls read; a machine that has others of these names is refused.
    """

    def __init__(self, engine: Engine, number: int, datasets: Sequence[str] = ()) -> None:
        self.engine, self.number, self._datasets = engine, number, tuple(datasets)
        self._ready = False

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """See `crowdgym.agents.learning.workers.Workers`.

        Raises:
            DataError: a machine has other code or other data than this one.
            RuntimeError: a process has ended before its result was there, or the function raised.
        """
        results: dict[int, Result] = {}
        pieces = [Piece(number, function, item, self._datasets) for number, item in enumerate(items)]
        if not self._ready:  # the first call alone: what it compiles is cached, and the others do not compile it again
            self._run(pieces[:1], results)
            pieces, self._ready = pieces[1:], True
        self._run(pieces, results)
        return [results[number] for number in range(len(items))]

    def _run(self, pieces: Sequence[Piece], results: dict[int, Any]) -> None:
        kind: JobKind[Piece] = JobKind(call, fingerprint=fingerprint_of_piece)
        for piece, outcome in self.engine.run(kind, pieces):
            if outcome.failure is not None:
                raise RuntimeError(f"a worker has not answered: {outcome.failure}")
            results[piece.number] = outcome.values["result"]
