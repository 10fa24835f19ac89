"""What there is to do in a suite, piece by piece, and what comes of a piece.

A piece is plain data and what is done with it a plain function of a module, so that any engine that can send both to
another process or machine can do the work. `crowdgym.execution.processes` does it in processes of this machine.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar


class Piece(Protocol):
    """One piece of work, such as an episode. Can be sent to another process."""

    def parameters(self) -> dict[str, Any]:
        """What sets it apart from the others, as a JSON object."""

    def isolation_group(self) -> str:
        """Only pieces with the same answer may share a process: somebody's own policy is kept apart from the rest."""


Item = TypeVar("Item", bound=Piece)
Play = Callable[[Item], dict[str, Any]]


def nothing_to_prepare(piece: Any) -> None:
    """For work that has no preparation."""


@dataclass(frozen=True)
class Task(Generic[Item]):
    """What is done with each of many pieces.

    Attributes:
        play: returns what the piece comes to, as a JSON object. A `crowdgym.common.errors.PolicyError` is the policy's
            failure; anything else that it raises is a fault of the program.
        prepare: what is to be done before, such as building and compiling; not counted as the piece's time.
        time_limit_s: how long ``play`` may take by the clock; None for as long as it likes.
    """

    play: Play[Item]
    prepare: Callable[[Item], object] = nothing_to_prepare
    time_limit_s: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a piece.

    Attributes:
        values: what ``play`` returned; empty if it failed.
        failure: one sentence about what the policy did wrong; None if nothing.
        wall_s: seconds it took.
    """

    values: dict[str, Any] = field(default_factory=dict)
    failure: str | None = None
    wall_s: float = 0.0


@dataclass(frozen=True)
class Part(Generic[Item]):
    """All pieces of one kind of a suite, and the file that keeps a line for each.

    Attributes:
        file_name: in the folder of the run.
        items: in the order of the finished file.
        task: what is done with them.
        keeps_failures: whether a failure is a row, with the sentence as ``failure``; if not, it ends the run.
        is_whole: whether what a finished piece wrote besides its line is there.
    """

    file_name: str
    items: Sequence[Item]
    task: Task[Item]
    keeps_failures: bool = False
    is_whole: Callable[[Item], bool] = lambda item: True


@dataclass(frozen=True)
class Report:
    """What a finished run came to.

    Attributes:
        files: that were written.
        headings: of a table for the terminal.
        rows: of that table.
        notes: sentences that people should see.
        markdown: for a page of documentation; empty if the suite writes a page of its own.
    """

    files: Sequence[Path]
    headings: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    notes: Sequence[str] = ()
    markdown: str = ""


@dataclass(frozen=True)
class Benchmark:
    """A suite, ready to be played.

    Attributes:
        name: of the suite.
        parts: what there is to play.
        provenance: what results depend on besides the parameters of a piece, by name, as JSON; kept with the run, and
            compared when it goes on. Empty if nothing is.
        output_names: the files that ``report`` writes.
        report: writes tables and plots into the folder of a run whose parts are finished.
    """

    name: str
    parts: tuple[Part[Any], ...]
    provenance: Mapping[str, Any]
    output_names: tuple[str, ...]
    report: Callable[[Path], Report]
