"""What the suite ``dasc-rmo`` needs besides its YAML file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crowdgym.bench import training
from crowdgym.bench.hooks import SuiteHook
from crowdgym.bench.report.table import ResultTable
from crowdgym.bench.rmo.page import page
from crowdgym.bench.rmo.pictures import FIGURES, curves_picture, map_picture, sizes_picture
from crowdgym.bench.rmo.results import RmoResults
from crowdgym.configs.suites import GridPoint, SuiteSettings


class DascRmo(SuiteHook):
    """The parameters ``alpha`` and ``beta`` are the weights of the matching utility; the page has the three figures."""

    files = (Path(training.__file__),)

    def keywords(self, scenario: str, point: GridPoint) -> Mapping[str, Any]:
        """See `SuiteHook`."""
        others = {name: value for name, value in point.items() if name not in ("alpha", "beta")}
        return {**others, "utility": (point["alpha"], point["beta"])}

    def markdown(self, table: ResultTable, name: str) -> str:
        """See `SuiteHook`."""
        return page(table, name)

    def picture_names(self, suite: SuiteSettings) -> tuple[str, ...]:
        """See `SuiteHook`."""
        return tuple(f"{figure}-{scenario}.png" for scenario in suite.scenarios for figure in FIGURES)

    def pictures(self, table: ResultTable) -> Mapping[str, bytes]:
        """See `SuiteHook`."""
        drawn: dict[str, bytes] = {}
        for scenario in table.scenarios:
            results = RmoResults(table, scenario)
            pictures = (curves_picture(results), map_picture(results), sizes_picture(results))
            drawn |= {f"{name}-{scenario}.png": of for name, of in zip(FIGURES, pictures, strict=True)}
        return drawn
