"""The ways and nodes of an OpenStreetMap file in Protocol Buffers (``.osm.pbf``), read by osmium."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crowdgym.common.errors import DataError
from crowdgym.common.extras import needs

EXPECTED = "expected an OpenStreetMap file (.osm.pbf)"


def pbf_ways(path: Path) -> Iterator[tuple[int, list[int], dict[str, str]]]:
    """Yield the id, the nodes and the tags of every way.

    Raises:
        DataError: osmium is not installed, or the file is missing or damaged.
    """
    osmium = _osmium(path)
    for way in _objects(path, osmium.osm.WAY):
        if way.visible:
            yield way.id, [node.ref for node in way.nodes], {tag.k: tag.v for tag in way.tags}


def pbf_places(path: Path, needed: set[int]) -> Iterator[tuple[int, float, float]]:
    """Yield the id, the longitude and the latitude of the nodes that are needed.

    Raises:
        DataError: as `pbf_ways`.
    """
    for node in _objects(path, _osmium(path).osm.NODE):
        if node.id in needed:
            yield node.id, node.lon, node.lat


def _objects(path: Path, kind: Any) -> Iterator[Any]:
    osmium = _osmium(path)
    if not path.is_file():
        raise DataError(f"there is no file {path}; {EXPECTED}")
    try:
        yield from osmium.FileProcessor(str(path), kind)
    except RuntimeError as error:
        raise DataError(f"{path} cannot be read ({error}); {EXPECTED}") from error


def _osmium(path: Path) -> Any:
    try:
        import osmium
    except ImportError as error:
        raise DataError(needs(str(path), "osmium")) from error
    return osmium
