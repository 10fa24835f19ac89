"""Writes the results of a suite: a table as CSV and as Markdown, and pictures."""

from pathlib import Path

from crowdgym.bench.benchmark import Report
from crowdgym.bench.hooks import load_hook
from crowdgym.bench.report.markdown import failures_of, terminal_tables
from crowdgym.bench.report.table import ResultTable
from crowdgym.bench.run_folder import BOUNDS_NAME, FILE_NAME, read_rows
from crowdgym.bench.training import TRAINED_NAME
from crowdgym.common.files import write_bytes
from crowdgym.configs.suites import SuiteSettings

CSV_NAME, PAGE_NAME = "table.csv", "table.md"


def output_names(suite: SuiteSettings) -> tuple[str, ...]:
    """The files that `write_report` writes."""
    return (CSV_NAME, PAGE_NAME, *load_hook(suite.hook).picture_names(suite))


def write_report(folder: Path, name: str, suite: SuiteSettings) -> Report:
    """Write the tables and pictures of a finished run, each file atomically.

    Args:
        folder: of the run.
        name: of the suite.
        suite: as it was played.
    """
    hook = load_hook(suite.hook)
    files = (FILE_NAME, BOUNDS_NAME, TRAINED_NAME)
    table = ResultTable.of(suite, *(read_rows(folder / file) for file in files))
    page = hook.markdown(table, name)
    contents = {CSV_NAME: table.to_csv().encode(), PAGE_NAME: page.encode(), **hook.pictures(table)}
    for file, content in contents.items():
        write_bytes(folder / file, content)
    return Report([folder / file for file in contents], terminal_tables(table, name), failures_of(table), page)
