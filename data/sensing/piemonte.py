"""The Piemonte air quality data: 24 stations, 182 days from 2005-10-01 on.

M. Cameletti, F. Lindgren, D. Simpson, H. Rue, "Spatio-temporal modeling of particulate matter concentration through
the SPDE approach" (AStA Advances in Statistical Analysis, 2012) describe them; they are published with the R-INLA
project (MIT licence), from which ``crowdgym data fetch piemonte`` gets them, and used by the paper named at
`crowdgym.data.sensing.series.SensingSeries`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crowdgym.common.errors import DataError
from crowdgym.data.sensing.rows import read_rows
from crowdgym.data.sensing.series import FloatArray, SensingSeries
from crowdgym.data.sensing.tables import SeriesColumns, read_series

NAME = "piemonte"
ORIGIN = (
    "https://raw.githubusercontent.com/hrue/r-inla/3973ce5e00819e0f5ea1c09fb7c99c4b49b7b817/"
    "r-inla.org/case-studies/Cameletti2012/"
)
CRS = "UTM zone 32N"


@dataclass(frozen=True)
class SourceFile:
    """A file of the origin, and its SHA-256 sum in hexadecimal."""

    name: str
    sha256: str


DAYS = SourceFile("Piemonte_data_byday.csv", "6477fa5bef438581f787c283836c60368d868f0a339a86ce70314f7334faa3a0")
PLACES = SourceFile("coordinates.csv", "d252f42a8e9676a2cde4b31d27c2a49c3c793e077212eb00eefa31660482124e")
BORDERS = SourceFile("Piemonte_borders.csv", "917a21cf2b2ac7c327ceed57eb1df888ef22942da01868cafb183e4c98d7d55c")
FILES = (DAYS, PLACES, BORDERS)

# In the order in which the paper's sets of two, three and four attributes grow (found by its figures), then the rest.
ATTRIBUTES = ("EMI", "PM10", "TEMP", "WS", "HMIX", "PREC")
COLUMNS = SeriesColumns(
    cell="Station.ID", time="Date", x="UTMX", y="UTMY", attributes=ATTRIBUTES, unit="km", time_format="%d/%m/%y"
)


def read_piemonte(folder: Path, name: str = NAME) -> SensingSeries:
    """Read the series from a folder that holds `FILES`; the borders may be missing.

    Raises:
        DataError: a file is missing or cannot be used: names it and what is wrong.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}; expected one that holds {DAYS.name} and {PLACES.name}")
    borders = folder / BORDERS.name
    outline_km = _read_outline(borders) if borders.exists() else None
    return read_series(name, folder / DAYS.name, COLUMNS, folder / PLACES.name, outline_km, CRS).series


def _read_outline(path: Path) -> FloatArray:
    """The line of a borders file, in km. Shape [n, 2]."""
    rows = read_rows(path)
    try:
        return np.array([rows.column("UTM_X"), rows.column("UTM_Y")], np.float64).T.copy()
    except ValueError as error:
        raise DataError(f"{path} holds something else than numbers ({error}); expected the outline in km") from error
