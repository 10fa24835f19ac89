"""What the tests of datasets are made of: a ring of streets, orders on it, and files that hold them.

n1 --- n2 --- n3        ids 100, 101, ... in the source; 500 m between neighbours;
|             |         the ring closes with n0 .. n3 .. back to n0
n0 --- .. --- n4
"""

import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from crowdgym.data.dataset import Dataset
from crowdgym.data.orders.stream import OrderStream
from crowdgym.data.roads.network import RoadNetwork

WEST_DEG, SOUTH_DEG = 104.07, 30.66


def ring(num_nodes: int = 8) -> RoadNetwork:
    """A ring of two-way streets of 500 m."""
    angle = 2 * np.pi * np.arange(num_nodes) / num_nodes
    longitude, latitude = WEST_DEG + 0.005 * np.cos(angle), SOUTH_DEG + 0.005 * np.sin(angle)
    neighbours = np.sort(np.stack([np.arange(num_nodes) - 1, np.arange(num_nodes) + 1], axis=1) % num_nodes, axis=1)
    return RoadNetwork(
        node_ids=np.arange(100, 100 + num_nodes),
        x_m=410_000 + 480 * np.cos(angle),
        y_m=3_392_000 + 480 * np.sin(angle),
        longitude_deg=longitude,
        latitude_deg=latitude,
        indptr=np.arange(0, 2 * num_nodes + 1, 2, dtype=np.int32),
        indices=neighbours.ravel().astype(np.int32),
        length=np.full(2 * num_nodes, 500, np.int32),
        unit_m=1.0,
        crs="EPSG:32648",
    )


def city(name: str, first_time_s: int = 0) -> Dataset:
    """A dataset of three orders on the ring."""
    orders = OrderStream(
        time_s=np.array([first_time_s, 3600, 90_000], np.int64),
        origin=np.array([0, 1, 2], np.int32),
        destination=np.array([4, 5, -1], np.int32),
    )
    return Dataset(name, ring(), orders, np.arange(8, dtype=np.int8))


class Cities:
    """Stands in for `crowdgym.data.synthetic.cities`: one city, 'ringtown', that counts how often it is built."""

    def __init__(self) -> None:
        self.builds = 0
        self.module = types.ModuleType("crowdgym.data.synthetic.cities")
        self.module.CITY_NAMES = ("ringtown",)  # type: ignore[attr-defined]
        self.module.CITY_VERSION = "1"  # type: ignore[attr-defined]
        self.module.build_city = self._build  # type: ignore[attr-defined]

    def release(self, version: str) -> None:
        """Let CrowdGym have a newer version of its cities."""
        self.module.CITY_VERSION = version  # type: ignore[attr-defined]

    def _build(self, name: str) -> Dataset:
        self.builds += 1
        return city(name)


def install(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Cities:
    """Give a test a cache folder of its own, an empty memory, and 'ringtown' as the only embedded city."""
    from crowdgym.data import registry

    cities = Cities()
    monkeypatch.setenv("CROWDGYM_DATA", str(cache))
    monkeypatch.setitem(sys.modules, "crowdgym.data.synthetic.cities", cities.module)
    monkeypatch.setattr(registry, "_loaded", type(registry._loaded)())
    return cities


def write_road_files(folder: Path) -> tuple[Path, Path]:
    """The ring as node and link files."""
    network = ring()
    nodes, links = folder / "node.csv", folder / "link.csv"
    places = zip(network.node_ids, network.longitude_deg, network.latitude_deg, strict=True)
    nodes.write_text("node_id,x_coord,y_coord\n" + "".join(f"{n},{x:.7f},{y:.7f}\n" for n, x, y in places))
    links.write_text(
        "from_node_id,to_node_id,length\n" + "".join(f"{100 + i},{100 + (i + 1) % 8},500\n" for i in range(8))
    )
    return nodes, links


def write_order_file(path: Path, edit: Callable[[str], str] = lambda text: text) -> Path:
    """Twelve orders in hours 0 to 11 of one day, and four rows that cannot be used."""
    rows = [f"{i},2016-11-01 {i:02d}:30:00,{100 + i % 8},{100 + (i + 3) % 8}" for i in range(12)]
    rows += ["12,,100,101", "13,soon,100,101", "14,2016-11-01 12:00:00,999,101", "0,2016-11-01 00:30:00,100,103"]
    path.write_text(edit("order_id,time,origin_id,destination_id\n" + "\n".join(rows) + "\n"))
    return path
