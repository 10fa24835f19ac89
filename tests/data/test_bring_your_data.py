"""The page "Bring your data" and the page on formats of orders: every command and every example is run."""

import gzip
import re
import shlex
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyproj
import pytest
from typer.testing import CliRunner

from crowdgym.cli.main import app
from crowdgym.cli.shared.assignments import parse_assignments
from crowdgym.data.orders import formats
from crowdgym.data.registry import load_dataset
from crowdgym.envs import csc_v0

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "bring_your_data.md").read_text(encoding="utf-8")

PLACES = {1: (10.000, 50.000), 2: (10.003, 50.000), 3: (10.003, 50.002), 4: (10.000, 50.002)}
SIDES = {(1, 2): 214.8, (2, 3): 222.4, (3, 4): 214.8, (4, 1): 222.4}
METRES = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32632", always_xy=True).transform


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


COMMANDS = [line for block in blocks(PAGE, "sh") for line in block.replace("\\\n", " ").splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with all files that the page names, and a cache of its own."""
    here = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROWDGYM_DATA", str(here / "cache"))
        patch.setenv("COLUMNS", "200")
        patch.chdir(here)
        write_roads(here)
        write_road_files(here)
        write_orders(here)
        write_parts(here)
        write_series(here)
        write_checkins(here)
        yield here


def table(path: Path, header: str, *rows: object) -> None:
    path.write_text("\n".join([header, *map(str, rows)]) + "\n", encoding="utf-8")


def write_roads(here: Path) -> None:
    links = [(tail, head, length) for (tail, head), length in SIDES.items()]
    table(here / "node.csv", "node_id,x_coord,y_coord", *(f"{node},{x},{y}" for node, (x, y) in PLACES.items()))
    header = "from_node_id,to_node_id,length"
    table(here / "link.csv", header, *(f"{tail},{head},{length}" for tail, head, length in links))
    miles = [f"{tail},{head},{length / 1609.344:.6f}" for tail, head, length in links]
    table(here / "link_miles.csv", header, *miles)
    back = [(head, tail, length) for tail, head, length in links]
    table(here / "link_arcs.csv", header, *(f"{tail},{head},{length}" for tail, head, length in links + back))
    metres = {node: METRES(*place) for node, place in PLACES.items()}
    table(here / "punkte.csv", "nr;x;y", *(f"{node};{x:.2f};{y:.2f}" for node, (x, y) in metres.items()))
    table(here / "kanten.csv", "von;nach;meter", *(f"{tail};{head};{length}" for tail, head, length in links))


def write_road_files(here: Path) -> None:
    import geopandas
    import networkx as nx
    import osmium
    from shapely import LineString

    with osmium.SimpleWriter(str(here / "town.osm.pbf")) as writer:
        for node, place in PLACES.items():
            writer.add_node(osmium.osm.mutable.Node(id=node, location=place))
        for way, nodes in enumerate([*SIDES, (1, 3)], start=1):
            writer.add_way(osmium.osm.mutable.Way(id=way, nodes=list(nodes), tags={"highway": "residential"}))
    graph = nx.Graph(crs="epsg:4326")
    for node, (x, y) in PLACES.items():
        graph.add_node(node, x=x, y=y)
    graph.add_edges_from((tail, head, {"length": length}) for (tail, head), length in SIDES.items())
    nx.write_graphml(graph, here / "town.graphml")
    both = [*SIDES.items(), *(((head, tail), length) for (tail, head), length in SIDES.items())]
    metres = {node: METRES(*place) for node, place in PLACES.items()}
    junctions = "".join(f'<junction id="{node}" x="{x}" y="{y}"/>' for node, (x, y) in metres.items())
    edges = "".join(
        f'<edge id="{tail}_{head}" from="{tail}" to="{head}"><lane id="{tail}_{head}_0" length="{length}"/></edge>'
        for (tail, head), length in both
    )
    (here / "town.net.xml").write_text(
        f'<net><location netOffset="0,0" projParameter="EPSG:32632"/>{edges}{junctions}</net>'
    )
    nodes = "".join(f'<node id="{node}" x="{x}" y="{y}"/>' for node, (x, y) in metres.items())
    links = "".join(
        f'<link id="{tail}_{head}" from="{tail}" to="{head}" length="{length}"/>' for (tail, head), length in both
    )
    crs = '<attributes><attribute name="coordinateReferenceSystem">EPSG:32632</attribute></attributes>'
    text = f"<network>{crs}<nodes>{nodes}</nodes><links>{links}</links></network>"
    (here / "network.xml.gz").write_bytes(gzip.compress(text.encode()))
    lines = geopandas.GeoDataFrame(
        {"oneway": ["no"] * 4}, geometry=[LineString([PLACES[a], PLACES[b]]) for a, b in SIDES], crs="EPSG:4326"
    )
    for name in ("roads.gpkg", "roads.geojson", "roads.shp"):
        lines.to_file(here / name)


def write_orders(here: Path) -> None:
    import geopandas
    import pandas as pd
    from shapely import box

    from crowdgym.data.coordinates import wgs84_to_gcj02

    day = "2024-05-01 08:00:0"
    table(here / "orders.csv", "time,origin_node", *(f"{day}{node},{node}" for node in PLACES))
    table(here / "places.csv", "time,lng,lat", *(f"{day}{node},{x},{y}" for node, (x, y) in PLACES.items()))
    chinese = [wgs84_to_gcj02(*place) for place in PLACES.values()]
    gaia = [f"a{row},1714550400,1714551000,{x:.6f},{y:.6f},{x:.6f},{y:.6f}" for row, (x, y) in enumerate(chinese)]
    table(here / "gaia.txt", gaia[0], *gaia[1:])
    ways = [f'"{row}","1714550400","[[{x},{y}],[10.0,50.0]]"' for row, (x, y) in enumerate(PLACES.values())]
    with zipfile.ZipFile(here / "train.csv.zip", "w") as archive:
        archive.writestr("train.csv", "\n".join(['"TRIP_ID","TIMESTAMP","POLYLINE"', *ways]) + "\n")
    chicago = "Trip ID,Trip Start Timestamp,Fare,Pickup Centroid Latitude,Pickup Centroid Longitude"
    table(here / "chicago.csv", chicago, *(f"a{n},05/01/2024 08:15:00 PM,7,{y},{x}" for n, (x, y) in PLACES.items()))
    times = pd.to_datetime(["2024-05-01 08:00:00"] * 4)
    taxi = pd.DataFrame({"tpep_pickup_datetime": times, "PULocationID": list(PLACES), "DOLocationID": [1] * 4})
    taxi.to_parquet(here / "yellow_tripdata.parquet")
    squares = [box(x - 0.001, y - 0.0005, x + 0.001, y + 0.0005) for x, y in PLACES.values()]
    geopandas.GeoDataFrame({"LocationID": list(PLACES)}, geometry=squares, crs="EPSG:4326").to_file(
        here / "taxi_zones.gpkg"
    )
    bikes = ["ride_id,started_at,start_lat,start_lng", *(f"r{n},{day}{n}.123,{y},{x}" for n, (x, y) in PLACES.items())]
    (here / "citibike.csv.gz").write_bytes(gzip.compress("\n".join(bikes).encode()))
    visits = [f"u\tv\tc\tBar\t{y}\t{x}\t120\tTue Apr 03 18:00:09 +0000 2012" for x, y in PLACES.values()]
    table(here / "dataset_TSMC2014.txt", visits[0], *visits[1:])
    checkins = [f"0\t2010-10-19T23:55:27Z\t{y}\t{x}\t22847" for x, y in PLACES.values()]
    table(here / "checkins.txt", checkins[0], *checkins[1:])
    rows = [f"1.5.2024 08:00;{str(x).replace('.', ',')};{str(y).replace('.', ',')}" for x, y in PLACES.values()]
    (here / "fahrten.csv").write_bytes("\n".join(["Zeit;Länge;Breite", *rows]).encode("latin-1"))
    tasks = [f"{row},{y:.6f},{x:.6f},{60 + row}" for row, (x, y) in enumerate(chinese)]
    table(here / "tasks.txt", tasks[0], *tasks[1:])


def write_parts(here: Path) -> None:
    rows = [f"2024-05-0{1 + node // 4} 08:00:0{node},{node},{node}.5,600" for node in PLACES]
    table(here / "fares.csv", "time,node,fare,until", *rows)
    table(here / "drivers.csv", "begin,node,end", *(f"2024-05-01 07:00,{node},2024-05-01 15:00" for node in PLACES))
    table(here / "pois.csv", "lng,lat,category", "10.0,50.0,dining", "10.003,50.002,education")


def write_checkins(here: Path) -> None:
    """Two users, each five times at each of the four places."""
    visits = [(user, node, *PLACES[node], minute) for user in "ab" for node in PLACES for minute in range(5)]
    rows = [f"{user}\tv{n}\tc\tBar{n}\t{y}\t{x}\t120\tTue Apr 03 18:0{m}:09 +0000 2012" for user, n, x, y, m in visits]
    table(here / "visits.txt", rows[0], *rows[1:])
    rows = [f"{user}\t2010-10-19T23:5{m}:27Z\t{y}\t{x}\t{n}" for user, n, x, y, m in visits]
    table(here / "spots.txt", rows[0], *rows[1:])
    businesses = [
        f'{{"business_id": "v{n}", "latitude": {y}, "longitude": {x}, "categories": "Bars, Food"}}'
        for n, (x, y) in PLACES.items()
    ]
    table(here / "business.json", businesses[0], *businesses[1:])
    reviews = [
        f'{{"user_id": "{u}", "business_id": "v{n}", "date": "2012-04-03 18:0{m}:09"}}' for u, n, _, _, m in visits
    ]
    table(here / "review.json", reviews[0], *reviews[1:])
    table(
        here / "besuche.csv",
        "Person,Ort,Art,x,y,Zeit",
        *(f"{u},{n},Bar{n},{x},{y},2012-04-03 18:0{m}" for u, n, x, y, m in visits),
    )
    table(here / "wurzeln.csv", "category,root", "Bar1,Bar", "Bar2,Bar")


def write_series(here: Path) -> None:
    minutes = [(cell, second) for cell in (1, 2) for second in range(cell, 600, 31)]
    table(
        here / "lab.csv",
        "cell,time,heat,x_m,y_m",
        *(f"{cell},2024-05-01 00:{s // 60:02d}:{s % 60:02d},{s},{10 * cell},0" for cell, s in minutes),
    )
    values = [f"s{cell},2024-05-01T0{hour}:00:00Z,{what},{hour},9.{cell},45.{cell}"
              for cell in (1, 2) for hour in (0, 1) for what in ("pm10", "no2")]  # fmt: skip
    table(here / "openaq.csv", "location,datetime,parameter,value,lon,lat", *values)
    hours = [f"{hour},2013,3,1,{hour},{hour + 4},NA,{station}" for station in ("A", "B") for hour in (0, 1)]
    table(here / "stations.csv", "No,year,month,day,hour,PM2.5,PM10,station", *hours)
    table(here / "places.tsv", "station\tlon\tlat", "A\t116.3\t39.9", "B\t116.4\t39.9")


def run(line: str) -> str:
    arguments = shlex.split(line)
    assert arguments[0] == "crowdgym"
    result = CliRunner().invoke(app, [*arguments[1:], *(["--force"] if "build" in arguments else [])])
    assert result.exit_code == 0, f"{line}\n{result.stderr}"
    assert "WARNING" not in result.stderr
    return result.stdout


@pytest.mark.parametrize("line", [line for line in COMMANDS if " build " in line])
def test_a_build_of_the_page_keeps_everything_of_its_small_file(folder: Path, line: str) -> None:
    said = run(line)

    if "--checkins" in line:
        assert "check-ins: kept 40 of 40, of 2 users at 4 places" in said
    if "--table" in line:
        assert "series: 2 cells" in said
    else:
        assert "left out" not in said
        assert "orders: kept 4" in said


def test_the_other_commands_of_the_page_run(folder: Path) -> None:
    for line in (line for line in COMMANDS if " build lab" in line or " build evening" in line):
        run(line)
    others = [line for line in COMMANDS if " build " not in line]

    assert len(others) == 7
    for line in others:
        run(line)


def test_a_day_of_the_evening_is_played_as_it_was(folder: Path) -> None:
    (line,) = (line for line in COMMANDS if " build evening" in line)
    run(line)
    (command,) = (line for line in COMMANDS if " run csc_v0 " in line)
    words = shlex.split(command)
    keywords = parse_assignments([words[at + 1] for at, word in enumerate(words) if word == "--set"])

    env: Any = csc_v0.parallel_env(scenario="evening@2024-05-01", **keywords)
    env.reset(seed=0)

    assert env.instance.created_s.tolist() == [1.0, 2.0, 3.0]
    assert env.instance.payment.tolist() == [1.5, 2.5, 3.5]
    assert (env.instance.deadline_s - env.instance.created_s).tolist() == [600.0, 600.0, 600.0]


def test_what_is_data_and_what_is_drawn_is_said(folder: Path) -> None:
    (line,) = (line for line in COMMANDS if " build evening" in line)
    run(line)

    said = " ".join(run("crowdgym data info evening").split())

    assert (
        "data payments, deadlines, workers; an environment uses them with --set from_data=payments,deadlines,workers"
        in said
    )
    assert "drawn none of payments, deadlines, workers and kinds of places" in said
    assert "orders 4, 0 with a destination days 2 from 2024-05-01" in said
    of_a_day = " ".join(run("crowdgym data info evening@2024-05-02").split())
    assert "orders 1, 0 with a destination days 1 from 2024-05-02" in of_a_day


def test_episodes_of_the_page_have_the_days_that_it_says(folder: Path) -> None:
    (code,) = blocks(PAGE, "python")
    names: dict[str, Any] = {}

    exec(code, names)

    orders = load_dataset("tiny").orders
    start_s = float(orders.hourly_counts().argmax() * 3600)
    for name, days in (("weekdays", range(5)), ("weekend", (5, 6, 12, 13))):
        begins_s = [day * 86_400 + start_s for day in days]
        for seed in range(3):
            env = names[name]
            env.reset(seed=seed)
            tasks = zip(env.instance.created_s.tolist(), env.instance.task_node.tolist(), strict=True)
            there = set(zip(orders.time_s.tolist(), orders.origin.tolist(), strict=True))
            assert all(any((begin + second, node) in there for begin in begins_s) for second, node in tasks)


@pytest.fixture
def more_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second folder of formats."""
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(tmp_path / "formats")])
    (tmp_path / "formats").mkdir()
    formats.order_formats.cache_clear()
    yield tmp_path / "formats"
    formats.order_formats.cache_clear()


def test_the_format_of_the_page_on_formats_is_one_module(folder: Path, more_formats: Path) -> None:
    page = (DOCS / "how_to_add" / "order_format.md").read_text(encoding="utf-8")
    (code,), (rows,) = blocks(page, "python"), blocks(page, "text")
    (more_formats / "town_bikes.py").write_text(code)
    formats.order_formats.cache_clear()
    (folder / "bikes.csv").write_text(rows)

    said = run("crowdgym data build town-bikes --nodes node.csv --links link.csv --orders bikes.csv --decimal-comma")

    assert "orders: read 2 rows of 1 file (town-bikes)" in said
    dataset = load_dataset("town-bikes")
    assert dataset.network.node_ids[dataset.orders.origin].tolist() == [1, 2]
    assert dataset.orders.time_s.tolist() == [8 * 3600 + 15 * 60, 8 * 3600 + 20 * 60]
