"""The folder of a training run. Every file is written atomically, and a resumed run continues from the last checkpoint.

A run may be stopped at any moment. When it is resumed, it repeats what followed the last checkpoint, with the same
results.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crowdgym.agents.learning.checkpoint import BEST, LAST, read_tensors, to_bytes
from crowdgym.agents.learning.description import DESCRIPTION, AgentDescription, read_description
from crowdgym.agents.learning.trainer import Trainer
from crowdgym.common.errors import CheckpointError, ConfigError
from crowdgym.common.files import write_bytes

CURVE, TENSORBOARD = "curve.csv", "tensorboard"

Row = dict[str, float]


@dataclass
class Progress:
    """The progress of a run. A checkpoint holds it beside the trainer's tensors."""

    iteration: int = 0  # finished iterations
    best: float | None = None  # score of the best policy's evaluation
    merit: float | None = None  # what the best policy was chosen by; more is better
    wall_s: float = 0.0
    processor_s: float = 0.0  # summed over all cores
    environment_s: float = 0.0


def newest_weights(folder: Path) -> Path:
    """The file with the last weights of a run; of a folder that comes with CrowdGym, its only one."""
    last, best = folder / LAST, folder / BEST
    return best if best.is_file() and not last.is_file() else last


@dataclass
class RunFolder:
    """Reads and writes the folder. ``rows`` is the training curve: a row for each iteration, as in ``curve.csv``."""

    path: Path
    rows: list[Row] = field(default_factory=list)

    def holds_a_run(self) -> bool:
        """Whether the folder holds a training run."""
        return (self.path / DESCRIPTION).is_file()

    def begin(self, description: AgentDescription) -> None:
        """Write the description of the run, before its first checkpoint."""
        write_bytes(self.path / DESCRIPTION, description.to_yaml())

    def description(self) -> AgentDescription:
        """The description of the run. Raises `CheckpointError`."""
        return read_description(self.path)

    def save_best(self, trainer: Trainer, progress: Progress) -> None:
        """Write the policy as the best so far."""
        facts = {"iteration": progress.iteration, "score": progress.best}
        write_bytes(self.path / BEST, to_bytes(trainer.policy_tensors(), facts))

    def save(self, trainer: Trainer, progress: Progress) -> None:
        """Write a checkpoint. The curve is written first: `resume` drops its rows that are newer."""
        write_bytes(self.path / CURVE, _to_csv(self.rows))
        write_bytes(self.path / LAST, to_bytes(trainer.tensors(), vars(progress)))

    def resume(self, trainer: Trainer) -> Progress:
        """Restore the trainer from the last checkpoint; without one, leave it at the beginning.

        Raises:
            CheckpointError: the checkpoint is damaged, or of another trainer.
            ConfigError: the curve is not the curve of a training run.
        """
        if not (self.path / LAST).is_file():
            return Progress()
        stored = read_tensors(self.path / LAST)
        trainer.restore(stored)
        try:
            progress = Progress(**stored.facts)
            newer = [row for row in _from_csv(self.path / CURVE) if row["iteration"] <= progress.iteration]
        except TypeError:
            raise CheckpointError(f"{stored.file} is damaged: its facts are not those of a training run") from None
        self.rows = newer
        return progress


def _to_csv(rows: list[Row]) -> bytes:
    if not rows:
        return b""
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _figure(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode()


def _figure(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.6g}"


def _from_csv(file: Path) -> list[Row]:
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return [_numbers(row) for row in csv.DictReader(lines)]
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{file} is not the curve of a training run ({error})") from None


def _numbers(row: Mapping[str, Any]) -> Row:
    numbers: Row = {name: float(value) for name, value in row.items() if value != ""}
    return numbers | {name: int(numbers[name]) for name in ("iteration", "steps")}
