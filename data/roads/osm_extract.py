"""The drivable part of an OpenStreetMap file."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as Xml

from crowdgym.common.errors import DataError
from crowdgym.data.roads.osm_pbf import pbf_places, pbf_ways
from crowdgym.data.roads.xml_files import WithoutHugeTags
from crowdgym.data.text_files import open_bytes

# What cars may use, as OSMnx asks Overpass for it with network_type="drive": patterns of values that rule a way out.
# Overpass matches anywhere in a value, so "services" also covers "service"; kept word for word for that reason.
NOT_DRIVABLE = {
    "highway": re.compile(
        "abandoned|bridleway|bus_guideway|construction|corridor|cycleway|elevator|escalator|footway|no|path|pedestrian|"
        "planned|platform|proposed|raceway|razed|rest_area|service|steps|track"
    ),
    "area": re.compile("yes"),
    "access": re.compile("private"),
    "motor_vehicle": re.compile("no"),
    "motorcar": re.compile("no"),
    "service": re.compile("alley|driveway|emergency_access|parking|private"),
}
EXPECTED = "expected OSM XML with nodes and ways"


def write_drivable_extract(source: Path, target: Path) -> None:
    """Copy the drivable ways of a file, and the nodes on them, into an OSM XML file.

    Buildings, footpaths and the like are most of a file, and OSMnx would take every way for a road.

    Raises:
        DataError: the file is missing or not OpenStreetMap, has no drivable way, or lacks a node of one.
    """
    pbf = source.name.endswith(".pbf")
    ways = {
        way: (nodes, tags) for way, nodes, tags in (pbf_ways(source) if pbf else _xml_ways(source)) if is_drivable(tags)
    }
    if not ways:
        raise DataError(f"{source} has no drivable roads; expected ways with a highway tag for cars")
    needed = {node for nodes, _ in ways.values() for node in nodes}
    found = pbf_places(source, needed) if pbf else _xml_places(source, needed)
    places = {node: (longitude, latitude) for node, longitude, latitude in found}
    for way, (nodes, _) in ways.items():
        for node in nodes:
            if node not in places:
                raise DataError(
                    f"{source}: way {way} leads through node {node}, which is not in the file; "
                    "expected a complete extract (osmium extract --strategy complete_ways)"
                )
    _write(target, places, ways)


def is_drivable(tags: dict[str, str]) -> bool:
    """Whether cars may use a way with these tags, by the rule of OSMnx's network type "drive"."""
    return "highway" in tags and not any(rule.search(tags.get(key, "")) for key, rule in NOT_DRIVABLE.items())


def _xml_ways(path: Path) -> Iterator[tuple[int, list[int], dict[str, str]]]:
    for element in _elements(path, "way"):
        tags = {tag.get("k", ""): tag.get("v", "") for tag in element.iter("tag")}
        if element.get("visible") != "false":
            yield _whole(element, "id", path), [_whole(nd, "ref", path) for nd in element.iter("nd")], tags


def _xml_places(path: Path, needed: set[int]) -> Iterator[tuple[int, float, float]]:
    for element in _elements(path, "node"):
        if (node := _whole(element, "id", path)) in needed:
            yield node, _degrees(element, "lon", path), _degrees(element, "lat", path)


def _elements(path: Path, kind: str) -> Iterator[Xml.Element]:
    """Yield the elements of one kind, each with what is in it; what was yielded is forgotten."""
    try:
        with open_bytes(path) as file:
            events = Xml.iterparse(WithoutHugeTags(file, path), events=("start", "end"))
            _, root = next(events)
            if root.tag != "osm":
                raise DataError(f"{path} begins with <{root.tag}>; {EXPECTED}")
            for event, element in events:
                if event == "end" and element.tag in ("node", "way", "relation"):
                    if element.tag == kind:
                        yield element
                    root.clear()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}; {EXPECTED}") from error
    except (Xml.ParseError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not well-formed XML ({error}); {EXPECTED}") from error


def _whole(element: Xml.Element, name: str, path: Path) -> int:
    try:
        return int(element.get(name, ""))
    except ValueError:
        raise _wrong(element, name, path, "a whole number") from None


def _degrees(element: Xml.Element, name: str, path: Path) -> float:
    try:
        return float(element.get(name, ""))
    except ValueError:
        raise _wrong(element, name, path, "degrees") from None


def _wrong(element: Xml.Element, name: str, path: Path, expected: str) -> DataError:
    return DataError(
        f"{path}: {name} of <{element.tag} id={element.get('id')!r}> is {element.get(name)!r}; expected {expected}"
    )


def _write(
    target: Path, places: dict[int, tuple[float, float]], ways: dict[int, tuple[list[int], dict[str, str]]]
) -> None:
    root = Xml.Element("osm", version="0.6", generator="crowdgym")
    for node, (longitude, latitude) in sorted(places.items()):
        Xml.SubElement(root, "node", id=str(node), lon=repr(longitude), lat=repr(latitude))
    for way, (nodes, tags) in sorted(ways.items()):
        element = Xml.SubElement(root, "way", id=str(way))
        for node in nodes:
            Xml.SubElement(element, "nd", ref=str(node))
        for key, value in tags.items():
            Xml.SubElement(element, "tag", k=key, v=value)
    Xml.ElementTree(root).write(target, encoding="utf-8", xml_declaration=True)
