"""The formats that orders come in: one module of this folder each, with its `OrderFormat` as ``FORMAT``."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from crowdgym.common.errors import DataError
from crowdgym.data.orders.formats.format import (
    OrderColumns,
    OrderFormat,
    PlacePosition,
    Positions,
    find_positions,
)
from crowdgym.data.orders.formats.table import FORMAT as TABLE
from crowdgym.data.orders.formats.table import with_header
from crowdgym.data.orders.tables import Peek

__all__ = ["TABLE", "OrderColumns", "OrderFormat", "PlacePosition", "Positions", "detect", "order_formats", "positions"]


@cache
def order_formats() -> dict[str, OrderFormat]:
    """All formats by name, in the order in which they are tried: by name of their module, the plain table last."""
    names = (module.name for module in iter_modules(__path__))
    modules = [import_module(f"{__name__}.{name}") for name in sorted(names)]
    found = [module.FORMAT for module in modules if hasattr(module, "FORMAT")]
    return {known.name: known for known in sorted(found, key=lambda known: known is TABLE)}


def detect(source: Peek, columns: OrderColumns) -> OrderFormat:
    """Tell the format of a file by its content.

    Raises:
        DataError: it is none of the known ones.
    """
    if columns.named():
        return TABLE
    for candidate in order_formats().values():
        if candidate.matches(source):
            return candidate
    named = ", ".join(name for name in order_formats() if name != TABLE.name)
    raise DataError(
        f"{source.path} is in no format known for orders: found {source.describe()}; expected {named} or a table whose "
        "header names the times and the pick-ups, or that --column names the columns"
    )


def positions(order_format: OrderFormat, source: Peek, columns: OrderColumns) -> tuple[Peek, Positions]:
    """Find the columns of a file.

    Returns:
        What is known of the file (its header may turn out to be one only now), and the positions.

    Raises:
        DataError: the file is not in this format, or lacks a column.
    """
    if columns.named():
        source = with_header(source, columns)
        return source, find_positions(source, columns)
    if not order_format.matches(source):
        raise _wrong_format(order_format, source)
    wanted = order_format.columns(source)
    source = order_format.prepare(source)
    return source, find_positions(source, wanted)


def _wrong_format(order_format: OrderFormat, source: Peek) -> DataError:
    others = (known for known in order_formats().values() if known is not order_format)
    other = next((known.name for known in others if known.matches(source)), None)
    hint = f", which looks like {other}" if other else ""
    return DataError(
        f"{source.path} is not {order_format.name}: expected {order_format.expected}; found {source.describe()}{hint}"
    )
