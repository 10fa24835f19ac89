"""The features of sensing's observations and global state: their names, and by the same names the columns of a row.

`CELL.age` is the column of "age" in a row that describes a cell, as a plain number that compiled loops can read. The
names are written once: what comes first in a class is column 0.
"""

from typing import NamedTuple


class SelfColumns(NamedTuple):
    """The observer; what its cell is comes behind."""

    x: int
    y: int
    elapsed: int


class RelationColumns(NamedTuple):
    """Where a cell is from the observer."""

    dx: int
    dy: int
    distance: int


class ParticipantColumns(NamedTuple):
    """A participant as a cell sees it. From ``dx`` on: the columns of `RelationColumns`."""

    here: int
    dx: int
    dy: int
    distance: int
    crowd: int


class CellColumns(NamedTuple):
    """A cell, the same for every observer; the columns of each attribute come behind."""

    sensed: int
    crowd: int
    ever_sensed: int
    age: int


class AttributeColumns(NamedTuple):
    """What is known of one attribute in a cell; the name of the attribute comes behind each of these."""

    known: int
    latest: int
    inferred: int


MISSED = "missed"  # the feature of a score; the name of the attribute comes behind

SELF = SelfColumns._make(range(len(SelfColumns._fields)))
RELATION = RelationColumns._make(range(len(RelationColumns._fields)))
PARTICIPANT = ParticipantColumns._make(range(len(ParticipantColumns._fields)))
CELL = CellColumns._make(range(len(CellColumns._fields)))
ATTRIBUTE = AttributeColumns._make(range(len(AttributeColumns._fields)))

SELF_FEATURES = SelfColumns._fields
RELATION_FEATURES = RelationColumns._fields
PARTICIPANT_FEATURES = ParticipantColumns._fields
HERE = "here"  # the feature of a cell in the list of all cells: whether the observer is in it

# How many columns there are of each, for compiled loops.
OF_SELF = len(SELF)
OF_RELATION = len(RELATION)
OF_PARTICIPANT = len(PARTICIPANT)
OF_CELL = len(CELL)
OF_ATTRIBUTE = len(ATTRIBUTE)


def cell_features(attributes: tuple[str, ...], *, scores: bool) -> tuple[str, ...]:
    """The features of a cell that are the same for every observer; the scores, if there are any, come last."""
    of_attributes = (f"{feature}_{name}" for name in attributes for feature in AttributeColumns._fields)
    of_scores = (f"{MISSED}_{name}" for name in attributes) if scores else ()
    return (*CellColumns._fields, *of_attributes, *of_scores)
