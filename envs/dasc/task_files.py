"""Tasks of your own in a file: what may be in one, reading and writing. ``docs/dasc_instances.md`` describes it.

A file is JSON or Parquet, told by its content. Both become a `TaskDocument`, whose types and ranges are checked here;
what its entries have to do with each other and with a road network is checked in `crowdgym.envs.dasc.file_generator`.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from crowdgym.common.errors import DataError
from crowdgym.common.files import read_plain, write_bytes
from crowdgym.common.text import shown
from crowdgym.envs.dasc.instance import NUM_SKILLS, DascInstance
from crowdgym.envs.dasc.task_tables import PARQUET_MAGIC, parquet_bytes, read_parquet

FORMAT: Final = "crowdgym-dasc"
FORMAT_VERSION: Final = 1
SUFFIXES: Final = (".json", ".parquet")
MOST_BYTES: Final = 2**30


def _as_text(value: object) -> object:
    """Ids may be whole numbers; 7 and "7" are the same id."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Id = Annotated[str, BeforeValidator(_as_text), Field(min_length=1, max_length=200)]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Degrees = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
NodeId = Annotated[int, Field(ge=-(2**63), lt=2**63)]
SkillName = Annotated[str, Field(min_length=1, max_length=200)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Placed(_Entry):
    node: NodeId | None = None  # the id that the node has in the road network's source
    longitude: Degrees | None = None
    latitude: Annotated[Degrees, Field(ge=-90, le=90)] | None = None
    skills: list[int | SkillName]


class WorkerEntry(_Placed):
    """A worker: where it starts and what it can do."""


class SubtaskEntry(_Placed):
    """A subtask: where, which skills, how long, and after which others of its task."""

    id: Id
    duration_s: Annotated[Seconds, Field(gt=0)]
    after: list[Id] = []


class TaskEntry(_Entry):
    """A task: its window, its payment and its subtasks."""

    id: Id
    created_s: Seconds
    expected_s: Seconds
    deadline_s: Seconds
    payment: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
    subtasks: Annotated[list[SubtaskEntry], Field(min_length=1)]


class TaskDocument(_Entry):
    """A whole file."""

    format: Literal["crowdgym-dasc"]
    format_version: Literal[1]
    crs: Literal["wgs84", "gcj02"] = "wgs84"
    skills: Annotated[list[SkillName], Field(max_length=NUM_SKILLS)] | None = None
    tasks: Annotated[list[TaskEntry], Field(min_length=1)]
    workers: Annotated[list[WorkerEntry], Field(min_length=1)] | None = None


def read_document(path: Path) -> tuple[TaskDocument, str]:
    """Read a file of tasks, JSON or Parquet. Returns what it says, and its SHA-256 in hexadecimal.

    Raises:
        DataError: it is missing, damaged or neither of the two, or an entry is missing, unknown or out of its range.
    """
    content = _content_of(path)
    if content.startswith(PARQUET_MAGIC):
        raw: object = {"format": FORMAT, "format_version": FORMAT_VERSION, **read_parquet(content, path)}
    else:
        raw = _parse_json(content, path)
    if not isinstance(raw, dict):
        raise DataError(f"{path} must hold a JSON object with the key 'tasks', got {shown(raw)}")
    try:
        return TaskDocument.model_validate(raw), hashlib.sha256(content).hexdigest()
    except ValidationError as error:
        raise DataError(f"{path}: {_in_one_sentence(error)}") from None


def write_instance(path: str | Path, instance: DascInstance) -> None:
    """Write an instance as a file of tasks and workers, JSON or Parquet by the suffix; whole or not at all.

    Nodes are written by their ids, skills as 0 to 9, tasks and subtasks by their numbers.

    Raises:
        DataError: the suffix is neither .json nor .parquet, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise DataError(f"a file of tasks must be named *.json or *.parquet, got {str(path)!r}")
    document = document_of(instance)
    as_json = path.suffix == ".json"
    write_bytes(path, (json.dumps(document, indent=1) + "\n").encode() if as_json else parquet_bytes(document))


def document_of(instance: DascInstance) -> dict[str, Any]:
    """An instance as what a file of tasks holds."""
    node_ids, places = instance.network.node_ids, instance.subtask_node

    def subtask(i: int) -> dict[str, Any]:
        return {
            "id": str(i),
            "node": int(node_ids[places[i]]),
            "skills": instance.subtask_skills[i].nonzero()[0].tolist(),
            "duration_s": float(instance.duration_s[i]),
            "after": [str(j) for j in instance.predecessors_of(i)],
        }

    times = ("created_s", "expected_s", "deadline_s", "payment")
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "tasks": [
            {
                "id": str(task),
                **{name: float(getattr(instance, name)[task]) for name in times},
                "subtasks": [subtask(i) for i in instance.subtasks_of(task)],
            }
            for task in range(instance.num_tasks)
        ],
        "workers": [
            {"node": int(node_ids[node]), "skills": skills.nonzero()[0].tolist()}
            for node, skills in zip(instance.worker_node, instance.worker_skills, strict=True)
        ],
    }


def _content_of(path: Path) -> bytes:
    try:
        content = read_plain(path, MOST_BYTES)
    except FileNotFoundError:
        raise DataError(f"there is no file {path}; expected a file of tasks, JSON or Parquet") from None
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot read {str(path)!r}: {reason}; expected a file of tasks, JSON or Parquet") from error
    if not content:
        raise DataError(f"{path} is empty; expected a file of tasks, JSON or Parquet")
    return content


def _parse_json(content: bytes, path: Path) -> object:
    def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        entries = dict(pairs)
        if len(entries) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise DataError(f"{path} has the key {shown(twice)} twice in one object")
        return entries

    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=without_duplicates)
    except UnicodeDecodeError:
        raise DataError(f"{path} is neither text in UTF-8 nor Parquet; expected a file of tasks") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DataError(f"{path} is no JSON: {error.msg} at {where}; expected a file of tasks") from None
    except DataError:
        raise
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; brackets in brackets
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else "a number has too many digits"
        raise DataError(f"{path} cannot be read as JSON: {reason}; expected a file of tasks") from None


def _in_one_sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    place = _place(first["loc"])
    if first["type"] == "missing":
        return f"{place} is missing"
    if first["type"] == "extra_forbidden":
        return f"{place} is no key that is known there"
    if first["type"] in ("too_short", "too_long") and isinstance(first["input"], list):
        least, most = first["ctx"].get("min_length"), first["ctx"].get("max_length")
        wanted = f"at least {least}" if most is None else f"at most {most}"
        return f"{place} must have {wanted} in it, got {len(first['input'])}"
    wanted = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return f"{place} must be {wanted[:1].lower()}{wanted[1:]}, got {shown(first['input'])}"


def _place(location: tuple[int | str, ...]) -> str:
    """``tasks[3].subtasks[0].duration_s``; the branches of a choice of types are left out."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.isidentifier() and part not in ("int", "str"):
            text += f".{part}" if text else part
        elif not part.startswith("constrained-"):
            text += f"[{shown(part)}]" if part not in ("int", "str") else ""
    return text or "the whole"
