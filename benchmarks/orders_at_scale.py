"""How long a build of as many orders as Haikou has takes, and how much memory.

    python benchmarks/orders_at_scale.py --orders 14000000 --folder /tmp/scale

Writes a file of drawn orders in the format of DiDi's Haikou export (24 columns, GCJ-02, tab separated; it is kept, and
used again), a square grid of roads, and builds a dataset from both in a process of its own.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow
from pyarrow import csv

from crowdgym.data.coordinates import wgs84_to_gcj02
from crowdgym.data.orders.formats.gaia_haikou import COLUMNS

WEST, SOUTH, STEP_DEG, SIDE = 110.2, 19.95, 0.003, 62  # 62 x 62 crossings about 300 m apart: Haikou has 3,901
PIECE = 500_000
FIRST_S = int(np.datetime64("2017-05-01T00:00:00", "s").astype(np.int64))
DAYS = 184


def write_roads(folder: Path) -> tuple[Path, Path]:
    """A grid of streets as a node file and a link file."""
    nodes, links = folder / "node.csv", folder / "link.csv"
    number = np.arange(SIDE * SIDE)
    x, y = WEST + STEP_DEG * (number % SIDE), SOUTH + STEP_DEG * (number // SIDE)
    rows = [f"{n},{a:.6f},{b:.6f}" for n, a, b in zip(number, x, y, strict=True)]
    nodes.write_text("node_id,x_coord,y_coord\n" + "\n".join(rows) + "\n")
    east = [f"{n},{n + 1},340" for n in number if n % SIDE + 1 < SIDE]
    north = [f"{n},{n + SIDE},340" for n in number if n // SIDE + 1 < SIDE]
    links.write_text("from_node_id,to_node_id,length\n" + "\n".join(east + north) + "\n")
    return nodes, links


def write_orders(path: Path, count: int) -> None:
    """Orders evenly over the days and places, by pieces."""
    generator = np.random.default_rng(0)
    options = csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
    with path.open("wb") as file:
        file.write(("\t".join(f"dwv_order_make_haikou_1.{name}" for name in COLUMNS) + "\n").encode())
        for first in range(0, count, PIECE):
            csv.write_csv(_piece(generator, first, min(PIECE, count - first)), file, options)


def _piece(generator: np.random.Generator, first: int, count: int) -> pyarrow.Table:
    clock = (FIRST_S + generator.integers(0, DAYS * 86_400, count)).astype("datetime64[s]")
    places = {}
    for end in ("starting", "dest"):
        x = WEST + generator.uniform(0, STEP_DEG * SIDE, count)
        y = SOUTH + generator.uniform(0, STEP_DEG * SIDE, count)
        x, y = wgs84_to_gcj02(x, y)
        places[f"{end}_lng"], places[f"{end}_lat"] = x.round(4), y.round(4)
    times = pyarrow.array(clock).cast(pyarrow.string())
    known = {"order_id": 17_592_719_043_682 + first + np.arange(count), "departure_time": times, "arrive_time": times}
    filler = pyarrow.array(np.zeros(count, np.int64))
    return pyarrow.table({name: {**known, **places}.get(name, filler) for name in COLUMNS})


def main() -> None:
    """Write what is missing, build, and print the time and the largest memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=14_000_000)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    nodes, links = write_roads(arguments.folder)
    path = arguments.folder / f"orders-{arguments.orders}.txt"
    if not path.exists():
        write_orders(path, arguments.orders)
    environment = {**os.environ, "CROWDGYM_DATA": str(arguments.folder / "cache")}
    command = [sys.executable, "-m", "crowdgym", "data", "build", "scale", "--force", "--nodes", str(nodes)]
    began = time.perf_counter()
    subprocess.run([*command, "--links", str(links), "--orders", str(path)], check=True, env=environment)
    wall_s = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{arguments.orders:,} orders, {path.stat().st_size / 1e9:.2f} GB: {wall_s:.1f} s "
        f"({used.ru_utime + used.ru_stime:.1f} s of processor time), peak {used.ru_maxrss / 2**20:.2f} GiB"
    )


if __name__ == "__main__":
    main()
