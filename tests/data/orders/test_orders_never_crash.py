"""Whatever stands in a file: it is refused in one sentence, or every row of it is accounted for."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from order_worlds import MIDNIGHT, gcj02, street

from crowdgym.common.errors import DataError
from crowdgym.data.orders.read import read_orders
from crowdgym.data.orders.snap import order_stream

CHENGDU = "".join(f"a{i},{MIDNIGHT + i},{MIDNIGHT + 900},{gcj02(9 * i)},{gcj02(1000)}\n" for i in range(5))
GPS = "".join(f"d,o{i // 3},{MIDNIGHT + i},{gcj02(50 * i)}\n" for i in range(9))
HAIKOU = "\n".join(
    "\t".join(row)
    for row in [
        [
            f"dwv_order_make_haikou_1.{n}"
            for n in ("departure_time", "starting_lng", "starting_lat", "dest_lng", "dest_lat")
        ],
        *(["2017-05-19 01:05:19", *gcj02(0).split(","), *gcj02(2000).split(",")] for _ in range(4)),
    ]
)
TABLE = "order_id,time,origin_id,destination_id\n" + "".join(f'{i},2016-11-01 00:0{i}:00,7,"9"\n' for i in range(5))

PIECES = [
    *('"', "\n", "\r", ",", "\t", "\0", " ", ".", "-", "T", "Z", "", "::", "1", "é", "\ufeff", "\x1a"),
    *("nan", "inf", "-1e400", "1e4001477929608", "9" * 40, "\\N", "+25:99", "0000-00-00", "9999-12-31 23:59:59"),
]
EDITS = st.lists(
    st.tuples(st.integers(0, 10_000), st.sampled_from([0, 1, 3, 10, 60]), st.sampled_from(PIECES)),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=150, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.sampled_from([CHENGDU, GPS, HAIKOU, TABLE]), edits=EDITS, encoding=st.sampled_from(["utf-8", "latin-1"]))
def test_a_spoilt_file_is_refused_in_one_sentence_or_accounted_for(
    tmp_path: Path, text: str, edits: list[tuple[int, int, str]], encoding: str
) -> None:
    for place, length, piece in edits:
        at = place % (len(text) + 1)
        text = text[:at] + piece + text[at + length :]
    path = tmp_path / "spoilt.csv"
    path.write_bytes(text.encode(encoding, errors="replace"))

    try:
        stream, report = order_stream(street(), [path])
    except DataError as error:
        assert "spoilt.csv" in str(error)  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017
    else:
        read = report.sources[0].read
        assert read.rows == read.usable_rows + sum(read.unusable.values())
        assert len(stream) == report.snap.orders - sum(report.snap.unusable.values())


def test_a_row_that_is_too_short_and_not_utf_8_does_not_kill_arrow(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(CHENGDU.encode() + b"a\xc6,1\n")

    assert read_orders(path)[1].unusable == {"wrong number of columns": 1}


@pytest.mark.parametrize("number", ["1e4001477929608", "-1e4001477929608", "inf"])
def test_a_number_beyond_all_bounds_does_not_kill_pandas(tmp_path: Path, number: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(CHENGDU + f"x,{MIDNIGHT},{MIDNIGHT},{number},30.66,104.07,30.66\n")
    worded = tmp_path / "worded.csv"
    worded.write_text(path.read_text() + f"y,{MIDNIGHT},{MIDNIGHT},word,30.66,104.07,30.66\n")

    assert read_orders(path)[1].unusable == {"coordinates out of range": 1}
    assert read_orders(worded)[1].unusable == {"coordinates out of range": 1, "coordinates not numbers": 1}


def test_a_quote_far_down_in_a_file_without_quotes_is_a_sign_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(CHENGDU * 60 + f'"x,{MIDNIGHT},{MIDNIGHT},{gcj02(0)},{gcj02(0)}\n')

    assert read_orders(path)[1].usable_rows == 301
