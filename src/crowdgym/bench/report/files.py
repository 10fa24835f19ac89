"""Writes what a suite came to: a table as CSV and as Markdown, and plots."""

from pathlib import Path

from crowdgym.bench.report.markdown import failures_of, markdown, terminal_table
from crowdgym.bench.report.plot import plot
from crowdgym.bench.report.table import ResultTable
from crowdgym.bench.run_folder import BOUNDS_NAME, FILE_NAME, read_rows
from crowdgym.common.files import write_bytes
from crowdgym.configs.suites import SuiteSettings
from crowdgym.execution.jobs import Report

CSV_NAME, PAGE_NAME = "table.csv", "table.md"


def output_names(suite: SuiteSettings) -> tuple[str, ...]:
    """The files that `write_report` writes."""
    return (CSV_NAME, PAGE_NAME, *(plot_name(scenario) for scenario in suite.scenarios))


def plot_name(scenario: str) -> str:
    """The file of a scenario's picture."""
    return f"plot-{scenario.replace('/', '_')}.png"


def write_report(folder: Path, name: str, suite: SuiteSettings) -> Report:
    """Write the tables and plots of a finished run, each whole or not at all.

    Args:
        folder: of the run.
        name: of the suite.
        suite: as it was played.
    """
    table = ResultTable.of(suite, read_rows(folder / FILE_NAME), read_rows(folder / BOUNDS_NAME))
    page = markdown(table, name)
    contents = {CSV_NAME: table.to_csv().encode(), PAGE_NAME: page.encode()}
    contents |= {plot_name(scenario): plot(table, scenario) for scenario in table.scenarios}
    for file, content in contents.items():
        write_bytes(folder / file, content)
    headings, rows = terminal_table(table)
    return Report([folder / file for file in contents], headings, rows, failures_of(table), page)
