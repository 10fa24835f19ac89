"""Whatever stands in a table or a folder of a series: it is refused in one sentence, or it is a series."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sensing_tables import TABLE, row_of_three, write_table
from worlds.spoilt import EDITS, Edit, often, spoilt

from crowdgym.common.errors import CrowdGymError, DataError
from crowdgym.data.sensing import SensingSeries
from crowdgym.data.sensing.files import read_series_folder, write_series
from crowdgym.data.sensing.tables import SeriesColumns, read_series

LONG = "cell,time,x_km,y_km,what,value\n" + "".join(
    f"{cell},2024-05-0{day},{x},{x},{what},{day * x}.5\n"
    for cell, x in (("a", 0), ("b", 3), ("c", 6))
    for day in (1, 2)
    for what in ("heat", "dust")
)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a series."""
    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path))
    return write_series(row_of_three(), {"sources": []}, overwrite=False)


def check(series: SensingSeries) -> None:
    assert series.values.shape == (len(series.cycles), len(series.cells), len(series.attributes))
    assert not np.isinf(series.values).any()
    assert np.isfinite(series.x_km).all()
    assert np.isfinite(series.y_km).all()
    assert len(set(series.cells)) == len(series.cells)


@pytest.mark.parametrize(
    ("text", "columns"),
    [(TABLE, SeriesColumns()), (LONG, SeriesColumns(parameter="what", value="value"))],
    ids=["wide", "long"],
)
@often(150)
@given(changes=EDITS)
def test_a_spoilt_table(tmp_path: Path, text: str, columns: SeriesColumns, changes: list[Edit]) -> None:
    path = write_table(tmp_path, "")
    path.write_bytes(spoilt(text.encode(), changes))
    try:
        check(read_series("mine", path, columns).series)
    except DataError as error:
        assert "table.csv" in str(error) or "the series 'mine'" in str(error)  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017


@often(25)
@given(file=st.sampled_from(["dataset.json", "series.npz"]), changes=EDITS)
def test_a_spoilt_folder(kept: Path, file: str, changes: list[Edit]) -> None:
    content = (kept / file).read_bytes()
    (kept / file).write_bytes(spoilt(content, changes))
    try:
        series, _ = read_series_folder(kept)
    except (CrowdGymError, FileNotFoundError) as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        check(series)
    finally:
        (kept / file).write_bytes(content)
