"""``crowdgym data build``: the options of orders, and how their files are read."""

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdgym.cli.assignments import column_pairs

if TYPE_CHECKING:
    from crowdgym.data.orders.read import OrderOptions


@dataclass(frozen=True)
class OrderFileOptions:
    """Files of a city's orders, and how they are read."""

    section = "Orders"

    orders: Annotated[list[str], typer.Option(help="File or pattern of orders; may be repeated.")] = field(
        default_factory=list
    )
    order_format: Annotated[
        str | None, typer.Option("--format", help="Format of the files; default: recognised by the content.")
    ] = None
    column: Annotated[
        list[str],
        typer.Option(metavar="KEY=COLUMN", help="Column of a table, by name or number from 1; may be repeated."),
    ] = field(default_factory=list)
    crs: Annotated[str | None, typer.Option(help="Coordinate system: gcj02 or wgs84.")] = None
    utc_offset_h: Annotated[float, typer.Option("--utc-offset", help="Hours ahead of Greenwich.")] = 8.0
    times: Annotated[str, typer.Option(help="How times are written: auto, or seconds-of-day.")] = "auto"
    max_snap_m: Annotated[float, typer.Option(help="Largest distance from an order to its nearest node, m.")] = 1000.0

    def reading(self) -> "OrderOptions":
        """How the files are read.

        Raises:
            DataError: an option has a value that does not exist.
        """
        from crowdgym.data.orders.formats import OrderColumns
        from crowdgym.data.orders.read import OrderOptions

        keys = tuple(column.name for column in fields(OrderColumns))
        named: dict[str, Any] = column_pairs("--column", self.column, keys)
        # OrderOptions checks these values.
        values: dict[str, Any] = {"order_format": self.order_format, "crs": self.crs, "times": self.times}
        return OrderOptions(columns=OrderColumns(**named), utc_offset_h=self.utc_offset_h, **values)
