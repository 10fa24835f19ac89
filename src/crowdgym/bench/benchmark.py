"""A suite that is ready to be played, and what its report contains."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from crowdgym.execution.jobs import AnyJob, JobKind


@dataclass(frozen=True)
class JobList(Generic[AnyJob]):
    """All jobs of one kind, and the file of the run folder with a line for each.

    Attributes:
        file_name: name of the file in the run folder.
        jobs: the jobs, in the order of the finished file.
        kind: the work on each job.
        keeps_failures: whether a failure is written as a line, with the sentence as ``failure``; if not, it ends the
            run.
        is_complete: whether the other files that belong to a finished job exist.
        keep: writes these files from the values of an outcome, and returns the values that belong into the line. It is
            called where the run folder is; the job may run on another machine.
    """

    file_name: str
    jobs: Sequence[AnyJob]
    kind: JobKind[AnyJob]
    keeps_failures: bool = False
    is_complete: Callable[[AnyJob], bool] = lambda job: True
    keep: Callable[[AnyJob, Mapping[str, Any]], Mapping[str, Any]] = lambda job, values: values


@dataclass(frozen=True)
class Table:
    """A table as text.

    Attributes:
        title: title of the table.
        headings: headings of its columns.
        rows: the rows, each with one text for each column.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Report:
    """The results of a finished run.

    Attributes:
        files: the files that were written.
        tables: the tables for the terminal.
        notes: sentences about failures.
        markdown: the tables for a page of documentation.
    """

    files: Sequence[Path]
    tables: Sequence[Table]
    notes: Sequence[str]
    markdown: str


@dataclass(frozen=True)
class Benchmark:
    """A suite that is ready to be played.

    Attributes:
        name: name of the suite.
        job_lists: all jobs.
        provenance: by name, as JSON, what the results depend on besides the parameters of a job. It is kept with the
            run, and compared when the run is resumed.
        output_names: the files that ``report`` writes.
        page_mark: the name of the place for the tables in a page: the suite, and the scenario if it is not the suite's.
        report: writes tables and pictures into the folder of a finished run.
    """

    name: str
    job_lists: tuple[JobList[Any], ...]
    provenance: Mapping[str, Any]
    output_names: tuple[str, ...]
    page_mark: str
    report: Callable[[Path], Report]
