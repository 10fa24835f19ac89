"""A small series to write, read and break: three cells in a row, two days, two attributes."""

from pathlib import Path

import numpy as np

from crowdgym.data.sensing import SensingSeries

TABLE = """cell,time,x_km,y_km,heat,dust
a,2024-05-01,0,0,1.5,10
b,2024-05-01,3,4,2.5,20
c,2024-05-01,6,8,3.5,
a,2024-05-02,0,0,1.0,11
b,2024-05-02,3,4,2.0,NA
c,2024-05-02,6,8,3.0,31
"""


def row_of_three(name: str = "row") -> SensingSeries:
    """What `TABLE` holds."""
    nan = np.nan
    return SensingSeries(
        name=name,
        cells=("a", "b", "c"),
        attributes=("heat", "dust"),
        cycles=("2024-05-01", "2024-05-02"),
        cycle_s=86_400.0,
        x_km=np.array([0.0, 3.0, 6.0]),
        y_km=np.array([0.0, 4.0, 8.0]),
        crs="",
        values=np.array([[[1.5, 10.0], [2.5, 20.0], [3.5, nan]], [[1.0, 11.0], [2.0, nan], [3.0, 31.0]]]),
        outline_km=np.empty((0, 2)),
    )


def write_table(folder: Path, text: str = TABLE) -> Path:
    """The table as a file."""
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path
