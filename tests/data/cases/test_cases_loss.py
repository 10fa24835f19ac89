"""Builds that lose much say so: the share, the reasons with an example each, and the option that would help."""

from pathlib import Path

import pytest
from square import roads, stream_of

from crowdgym.common.errors import DataError
from crowdgym.data.build import build_dataset
from crowdgym.data.orders.read import OrderOptions
from crowdgym.data.store import datasets_folder

GOOD = "2024-05-01 08:00:00,1"


def test_half_of_the_rows_is_enough(tmp_path: Path) -> None:
    assert stream_of(tmp_path, GOOD, "soon,1", header="time,origin_node")[1].loss is None


@pytest.mark.parametrize(
    ("bad", "header", "options", "expected"),
    [
        (
            "5/13/2024 1:15 PM,1",
            "time,origin_node",
            {},
            "only 1 of 3 rows are kept (33 %): 2 with bad time, such as '5/13/2024 1:15 PM'; --time-format "
            "'%m/%d/%Y %I:%M %p' where the month is first, '%d/%m/%Y %I:%M %p' where the day is",
        ),
        (
            "13.5.24 13:15:09,1",
            "time,origin_node",
            {},
            "only 1 of 3 rows are kept (33 %): 2 with bad time, such as '13.5.24 13:15:09'; --time-format "
            "'%m.%d.%y %H:%M:%S' where the month is first, '%d.%m.%y %H:%M:%S' where the day is",
        ),
        (
            "2024-05-01 08:00:00,77",
            "time,origin_node",
            {},
            "only 1 of 3 rows are kept (33 %): 2 with unknown node, such as '77'; the ids are not those of the nodes "
            "of the roads; do roads and orders belong together?",
        ),
        (
            "2024-05-01 08:00:00,50,10",
            "time,lng,lat",
            {"crs": "wgs84"},
            "only 1 of 3 rows are kept (33 %): 2 with too far from any road, but near one if latitude and longitude "
            "are swapped, such as '50.0, 10.0'; are latitude and longitude swapped? --column origin_lng=... and "
            "--column origin_lat=... say which is which",
        ),
        (
            "2024-05-01 08:00:00,571893,5539330",
            "time,lng,lat",
            {"crs": "wgs84"},
            "only 1 of 3 rows are kept (33 %): 2 with coordinates out of range, such as '571893, 5539330'; --crs names "
            "the system that the coordinates are in, such as EPSG:32632 for metres",
        ),
    ],
)
def test_less_than_half_is_a_sentence_with_reason_example_and_option(
    tmp_path: Path, bad: str, header: str, options: dict[str, str], expected: str
) -> None:
    good = GOOD if "node" in header else "2024-05-01 08:00:00,10.0,50.0"
    _, report = stream_of(tmp_path, good, bad, bad, header=header, options=OrderOptions(**options))  # type: ignore[arg-type]

    assert report.loss == expected


def test_of_two_reasons_the_more_frequent_is_first(tmp_path: Path) -> None:
    _, report = stream_of(tmp_path, GOOD, "soon,1", "later,1", ",1", header="time,origin_node")

    assert report.loss is not None
    assert "2 with bad time, such as 'soon', 1 with missing time;" in report.loss


def test_strict_builds_nothing_from_less_than_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path / "cache"))
    network, account = roads(tmp_path)
    path = tmp_path / "orders.csv"
    path.write_text(f"time,origin_node\n{GOOD}\nsoon,1\nsoon,1\n")

    with pytest.raises(DataError, match=r"only 1 of 3 rows are kept .*; with --strict nothing is written"):
        build_dataset("lossy", network, account, [path], strict=True)
    assert not datasets_folder().exists()
    assert build_dataset("lossy", network, account, [path]).orders.loss is not None
