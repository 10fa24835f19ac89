"""Orders as well-known sources publish them, each recognised by its content."""

from datetime import datetime, timedelta
from pathlib import Path

import geopandas
import pytest
from order_worlds import street, wgs84
from shapely import box

from crowdgym.common.errors import DataError
from crowdgym.data.orders.formats import order_formats
from crowdgym.data.orders.read import OrderOptions
from crowdgym.data.orders.snap import order_stream


def read(path: Path, options: OrderOptions | None = None) -> tuple[list[tuple[str, int, int]], dict[str, int], str]:
    """Orders as (local clock, node of pick-up, node of drop-off), what was left out, and the format."""
    stream, report = order_stream(street(), [path], options)
    first = datetime.fromisoformat(report.snap.first_day)
    clocks = [str(first + timedelta(seconds=int(time_s))) for time_s in stream.time_s]
    orders = list(zip(clocks, stream.origin.tolist(), stream.destination.tolist(), strict=True))
    return orders, report.unusable, report.sources[0].order_format


def write(folder: Path, *lines: str) -> Path:
    path = folder / "orders.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def degrees(east_m: float, mark: str = ",", swapped: bool = False) -> str:
    place = [f"{degree:.6f}" for degree in wgs84(east_m)]
    return mark.join(reversed(place) if swapped else place)


def test_porto_gives_the_way_of_a_trip_whose_ends_are_pick_up_and_drop_off(tmp_path: Path) -> None:
    """1372636858 is 2013-07-01 00:00:58 in Greenwich, an hour later on the clock of Porto."""
    way = f"[[{degrees(0)}],[{degrees(900)}], [{degrees(2010)}]]"
    path = write(
        tmp_path,
        '"TRIP_ID","CALL_TYPE","ORIGIN_CALL","ORIGIN_STAND","TAXI_ID","TIMESTAMP","DAY_TYPE","MISSING_DATA","POLYLINE"',
        f'"1372636858620000589","C","","","20000589","1372636858","A","False","{way}"',
        f'"1372637303620000596","B","","7","20000596","1372637303","A","False","[[{degrees(1000)}]]"',
        '"1372636951620000320","C","","","20000320","1372636951","A","False","[]"',
    )

    orders, unusable, name = read(path)

    assert name == "porto"
    assert orders == [("2013-07-01 01:00:58", 0, 2), ("2013-07-01 01:08:23", 1, 1)]
    assert unusable == {"no points in its polyline": 1}


def test_chicago_writes_the_month_first_and_pm(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "Trip ID,Trip Start Timestamp,Fare,Pickup Centroid Latitude,Pickup Centroid Longitude,"
        "Dropoff Centroid Latitude,Dropoff Centroid Longitude,Pickup Centroid Location",
        f"a,05/01/2024 08:15:00 PM,10.25,{degrees(0, swapped=True)},,,POINT (1 2)",
        f"b,05/01/2024 12:30:00 AM,7,{degrees(1000, swapped=True)},,,",
    )

    orders, unusable, name = read(path)

    assert (name, unusable) == ("chicago", {})
    assert orders == [("2024-05-01 00:30:00", 1, -1), ("2024-05-01 20:15:00", 0, -1)]


def zones(folder: Path) -> Path:
    """Zones 132 and 7 around the first and the last node."""
    squares = [box(lng - 0.001, lat - 0.001, lng + 0.001, lat + 0.001) for lng, lat in (wgs84(0), wgs84(2000))]
    frame = geopandas.GeoDataFrame({"OBJECTID": [1, 2], "LocationID": [132, 7]}, geometry=squares, crs="EPSG:4326")
    frame.to_crs("EPSG:32648").to_file(folder / "zones.gpkg")
    return folder / "zones.gpkg"


def test_tlc_names_zones_that_a_file_places(tmp_path: Path) -> None:
    import pandas as pd

    path = tmp_path / "yellow_tripdata.parquet"
    times = pd.to_datetime(["2024-01-01 00:57:55", "2024-01-01 00:03:00", "2024-01-01 00:04:00"])
    table = {"tpep_pickup_datetime": times, "PULocationID": [132, 7, 265], "DOLocationID": [7, 132, 7]}
    pd.DataFrame({**table, "fare_amount": [9.3, 10.0, 1.0]}).to_parquet(path)

    orders, unusable, name = read(path, OrderOptions(zones=zones(tmp_path)))

    assert name == "tlc"
    assert orders == [("2024-01-01 00:03:00", 2, 0), ("2024-01-01 00:57:55", 0, 2)]
    assert unusable == {"unknown zone": 1}
    with pytest.raises(DataError, match="tells places by zones; expected --zones FILE with their polygons"):
        read(path)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("none.gpkg", None, "there is no file"),
        ("text.geojson", "no zones", "cannot be read"),
        ("plain.csv", "a,b\n1,2\n", "has no polygons"),
        (
            "nameless.geojson",
            '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"borough":"x"},"geometry":{"type":'
            '"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}]}',
            "has no column of ids; it has borough, geometry",
        ),
    ],
)
def test_files_of_zones_that_are_none_are_refused(
    tmp_path: Path, name: str, content: str | None, sentence: str
) -> None:
    orders = write(tmp_path, "pickup_datetime,PULocationID", "2024-01-01 00:00:00,1")
    if content is not None:
        (tmp_path / name).write_text(content)

    with pytest.raises(DataError, match=sentence):
        read(orders, OrderOptions(zones=tmp_path / name))


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("ride_id,rideable_type,started_at,ended_at,start_lat,start_lng,end_lat,end_lng", "A,b,{time},{time},{a},{b}"),
        (
            "tripduration,starttime,stoptime,start station latitude,start station longitude,end station latitude,"
            "end station longitude",
            "9,{time},{time},{a},{b}",
        ),
    ],
)
def test_citi_bike_of_both_generations_is_a_table_that_is_understood(tmp_path: Path, header: str, row: str) -> None:
    a, b = degrees(10, swapped=True), degrees(1990, swapped=True)
    path = write(tmp_path, header, row.format(time="2024-01-01 00:00:07.123", a=a, b=b))

    assert read(path, OrderOptions(crs="wgs84")) == ([("2024-01-01 00:00:07", 0, 2)], {}, "table")


def test_foursquare_gives_greenwich_and_the_minutes_from_it(tmp_path: Path) -> None:
    """Four hours behind: 14:00 in New York."""
    start = '470\t49bbd6c0f964a520f4531fe3\t4bf58dd8d48988d127951735\tArts "& Crafts'
    path = write(
        tmp_path,
        f"{start}\t{degrees(10, chr(9), swapped=True)}\t-240\tTue Apr 03 18:00:09 +0000 2012",
        f"{start}\t{degrees(990, chr(9), swapped=True)}\t540\tTue Apr 03 18:00:25 +0000 2012",
        f"{start}\t{degrees(990, chr(9), swapped=True)}\tnone\tTue Apr 03 18:00:25 +0000 2012",
    )

    orders, unusable, name = read(path)

    assert name == "foursquare"
    assert orders == [("2012-04-03 14:00:09", 0, -1), ("2012-04-04 03:00:25", 1, -1)]
    assert unusable == {"bad time": 1}


def test_gowalla_gives_greenwich_unless_the_zone_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, f"0\t2010-10-19T23:55:27Z\t{degrees(10, chr(9), swapped=True)}\t22847")

    assert read(path) == ([("2010-10-19 23:55:27", 0, -1)], {}, "gowalla")
    assert read(path, OrderOptions(time_zone="America/Chicago"))[0] == [("2010-10-19 18:55:27", 0, -1)]


def test_every_module_of_the_folder_is_a_format_and_the_plain_table_is_tried_last() -> None:
    import crowdgym.data.orders.formats as package

    modules = {path.stem for path in Path(package.__file__).parent.glob("*.py")} - {"__init__", "format"}

    assert {name.replace("-", "_") for name in order_formats()} == modules
    assert list(order_formats())[-1] == "table"
    assert all(len(known.expected) > 20 for known in order_formats().values())


def test_places_told_in_two_ways_are_refused(tmp_path: Path) -> None:
    from crowdgym.data.orders.formats import OrderColumns

    path = write(tmp_path, "time,node,way", "2024-01-01,7,[]")

    with pytest.raises(DataError, match="the origin is named twice, as a node and as a polyline; expected one"):
        read(path, OrderOptions(columns=OrderColumns(time="time", origin_node="node", polyline="way")))


def test_ids_of_zones_may_be_written_with_a_decimal_point(tmp_path: Path) -> None:
    path = write(tmp_path, "pickup_datetime,PULocationID", "2024-01-01 00:00:00,132.0")

    assert read(path, OrderOptions(zones=zones(tmp_path)))[0] == [("2024-01-01 00:00:00", 0, -1)]
