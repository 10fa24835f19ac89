"""``crowdgym data list``: the datasets and what is in them, for a person or as JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table

from crowdgym.cli.shared.output import print_json
from crowdgym.common.errors import DataError
from crowdgym.configs.loading import presets

State = Literal["made", "not made yet", "damaged"]

_COUNTS = {"city": ("nodes", "edges", "orders", "days"), "sensing": ("cells", "cycles", "attributes", "missing")}


@dataclass(frozen=True)
class ListedDataset:
    """A line of the list.

    Attributes:
        name: of the dataset.
        kind: "city" or "sensing"; None where it is damaged.
        origin: "built in" or "built from files".
        state: whether its files are there.
        counts: how much there is of what; empty where that is not known.
    """

    name: str
    kind: str | None
    origin: str
    state: State
    counts: Mapping[str, int]


def listed_datasets() -> Iterator[ListedDataset]:
    """All datasets, the built-in ones first. No city is built for it."""
    from crowdgym.data.names import embedded_names, series_names
    from crowdgym.data.registry import dataset_description, dataset_names
    from crowdgym.data.store import CITY, datasets_folder, kind_of, read_description

    for name in dataset_names():
        origin = "built in" if name in embedded_names() else "built from files"
        try:
            in_memory = name in series_names()
            description = dataset_description(name) if in_memory else read_description(datasets_folder() / name)
            kind = kind_of(description)
            counts = {key: int(description["counts"][key]) for key in _COUNTS[kind]}
            yield ListedDataset(name, kind, origin, "made", counts)
        except FileNotFoundError:
            yield ListedDataset(name, CITY, origin, "not made yet", {})
        except (DataError, KeyError, TypeError):
            yield ListedDataset(name, None, origin, "damaged", {})


def print_list() -> None:
    """List the datasets: cities, then sensing series."""
    from crowdgym.data.store import datasets_folder

    rows = list(listed_datasets())
    console = Console()
    for kind, keys in _COUNTS.items():
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in ("name", "kind", *keys, "origin"):
            left = heading in ("name", "kind", "origin")
            table.add_column(heading, justify="left" if left else "right", overflow="fold")
        for row in rows:
            if row.kind == kind or (row.kind is None and kind == "city"):
                unknown = "-" if row.state == "not made yet" else "?"
                counts = [f"{row.counts[key]:,}" if key in row.counts else unknown for key in keys]
                state = "" if row.state == "made" else f", {row.state}"
                table.add_row(row.name, row.kind or "?", *counts, f"{row.origin}{state}")
        console.print(table)
    named = ", ".join(f"{preset.name} (on {preset.dataset})" for preset in presets() if preset.name != preset.dataset)
    console.print(f"presets, see 'crowdgym scenarios': {named}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"kept in {datasets_folder()}", markup=False, highlight=False, soft_wrap=True)


def print_json_list() -> None:
    """The same as a JSON array of objects."""
    print_json([asdict(row) for row in listed_datasets()])
