"""Progress on standard error: a bar on a terminal, a plain line now and then elsewhere. Both say the time left."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crowdgym.cli.shared.output import stderr

if TYPE_CHECKING:
    from rich.progress import Progress

LINE_EVERY_S = 10.0  # between two lines where there is no terminal
_PREPARING = "preparing (the first run compiles code)"


class ShownProgress(ABC):
    """How much of the work is done.

    Args:
        total: units of work.
        done: those that were finished before.
    """

    def __init__(self, total: int, done: int = 0) -> None:
        self.total = total
        self.done = float(done)

    def advance(self, part: float = 1.0) -> None:
        """Count a unit of work, or a part of one."""
        self.done += part
        self.show()

    @abstractmethod
    def show(self, doing: str | None = None) -> None:
        """Show the progress, and what is being done if that has changed."""

    def count(self, episode: int, steps: Iterator[int], num_steps: int | None = None) -> Iterator[int]:
        """Yield the steps of an episode, and count them as parts of one unit.

        Args:
            episode: its number, from 0 on.
            steps: as `crowdgym.runner.run_episodes` gives them.
            num_steps: how many there will be; if that is not known, only whole episodes are counted.
        """
        begun = round(self.done)
        for step in steps:
            if num_steps:
                self.done = begun + min(step / num_steps, 1.0)
            self.show(f"episode {episode + 1}, step {step}")
            yield step
        self.done = float(begun)
        self.advance()


class _Bar(ShownProgress):
    def __init__(self, bar: "Progress", total: int, done: int) -> None:
        super().__init__(total, done)
        self._bar = bar
        self._task = bar.add_task(_PREPARING, total=total, completed=done)

    def show(self, doing: str | None = None) -> None:
        self._bar.update(self._task, completed=self.done, description=doing)


class _Lines(ShownProgress):
    """Each line is written out at once, so that a log shows it."""

    def __init__(self, unit: str, total: int, done: int) -> None:
        super().__init__(total, done)
        self._unit, self._doing = unit, ""
        self._began_s = self._said_s = time.monotonic()
        self._done_before = done
        self._first: tuple[float, float] | None = None  # what was done, and when, once the work itself had begun

    def show(self, doing: str | None = None) -> None:
        self._doing = self._doing if doing is None else f", {doing}"
        now_s = time.monotonic()
        if self._first is None and self.done > self._done_before:
            self._first = self.done, now_s
        if now_s - self._said_s >= LINE_EVERY_S:
            self._said_s = now_s
            took = duration(now_s - self._began_s)
            line = f"{int(self.done):,} of {self.total:,} {self._unit}{self._doing}: {took}{self._left(now_s)}"
            stderr.print(line, soft_wrap=True, highlight=False, markup=False)

    def _left(self, now_s: float) -> str:
        """The time left in words. What came before the first part, such as compiling, is not counted."""
        if self._first is None or self.done <= self._first[0]:
            return ""
        done, since_s = self._first
        return f", about {duration((self.total - self.done) * (now_s - since_s) / (self.done - done))} left"


def duration(seconds: float) -> str:
    """A time in words: "45 s", "3 min 20 s" or "2 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def shown_progress(total: int, unit: str = "episodes", done: int = 0) -> Iterator[ShownProgress]:
    """Show progress during the block. A bar is removed at the end, lines stay.

    Args:
        total: units of work.
        unit: what they are called, in the plural.
        done: those that were finished before.
    """
    if not stderr.is_terminal:
        yield _Lines(unit, total, done)
        return
    from rich import progress

    columns: tuple[Any, ...] = (
        progress.SpinnerColumn(),
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=stderr, transient=True) as bar:
        yield _Bar(bar, total, done)
