"""Bars that count episodes, on a terminal only."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crowdgym.cli.shared.output import stderr

if TYPE_CHECKING:
    from rich.progress import Progress


class EpisodeProgress:
    """A bar on standard error that counts episodes and shows the current step."""

    def __init__(self, progress: "Progress", episodes: int) -> None:
        self._progress = progress
        self._task = progress.add_task("preparing (the first run compiles code)", total=episodes)

    def count(self, episode: int, steps: Iterator[int]) -> Iterator[int]:
        """Yield the steps of an episode and count them."""
        for step in steps:
            self._progress.update(self._task, description=f"episode {episode + 1}, step {step}")
            yield step
        self._progress.advance(self._task)


@contextmanager
def shown_progress(episodes: int) -> Iterator[EpisodeProgress]:
    """Show a bar during the block, on a terminal only, and remove it at the end."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        yield EpisodeProgress(progress, episodes)
