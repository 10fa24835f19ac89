"""Files of tasks as one Parquet table: a row for every subtask, and one, without a task, for every worker."""

import io
import json
import math
from pathlib import Path
from typing import Any, Final

from crowdgym.common.errors import DataError

PARQUET_MAGIC: Final = b"PAR1"
METADATA_KEY: Final = b"crowdgym-dasc"  # of what concerns the whole file: crs and the names of skills, as JSON

TASK_COLUMNS: Final = ("created_s", "expected_s", "deadline_s", "payment")
PLACE_COLUMNS: Final = ("node", "longitude", "latitude", "skills")
SUBTASK_COLUMNS: Final = ("subtask", *PLACE_COLUMNS, "duration_s", "after")
COLUMNS: Final = ("task", *TASK_COLUMNS, *SUBTASK_COLUMNS)


def read_parquet(content: bytes, path: Path) -> dict[str, Any]:
    """The tasks and workers of a table, as the JSON form has them; values as they are, yet to be checked.

    Raises:
        DataError: the file is damaged, a column is unknown, or the rows of one task contradict each other.
    """
    rows, whole = _rows_of(content, path)
    unknown = [name for row in rows[:1] for name in row if name not in COLUMNS]
    if unknown:
        raise DataError(f"{path} has the column {unknown[0]!r}; known are {', '.join(COLUMNS)}")
    tasks: dict[Any, dict[str, Any]] = {}
    workers = []
    for number, row in enumerate(rows):
        values = {name: _plain(name, value) for name, value in row.items()}
        values = {name: value for name, value in values.items() if value is not None}
        key = values.pop("task", None)
        if key is None:
            workers.append(values)
            continue
        entry: dict[str, Any] = {name: values.pop(name) for name in TASK_COLUMNS if name in values}
        task = tasks.setdefault(str(key), {"id": key, **entry, "subtasks": []})
        different = [name for name in TASK_COLUMNS if task.get(name) != entry.get(name)]
        if different:
            name = different[0]
            raise DataError(
                f"{path}, row {number}: task {key!r} has {name} {entry.get(name)!r}, in a row before {task.get(name)!r}"
            )
        if "subtask" in values:
            values["id"] = values.pop("subtask")
        task["subtasks"].append(values)
    document: dict[str, Any] = {**whole, "tasks": list(tasks.values())}
    if workers:
        document["workers"] = workers
    return document


def parquet_bytes(document: dict[str, Any]) -> bytes:
    """The inverse of `read_parquet`, for a document with skills as whole numbers and ids as text."""
    import pyarrow
    from pyarrow import parquet

    def row(entry: dict[str, Any], task: dict[str, Any] | None) -> dict[str, Any]:
        values = {name: entry.get(name) for name in (*PLACE_COLUMNS, "duration_s", "after")}
        if task is None:
            return values
        return values | {"task": task["id"], "subtask": entry["id"]} | {name: task[name] for name in TASK_COLUMNS}

    rows = [row(entry, task) for task in document["tasks"] for entry in task["subtasks"]]
    rows += [row(entry, None) for entry in document.get("workers", ())]
    numbers = (*TASK_COLUMNS, "longitude", "latitude", "duration_s")
    types: dict[str, Any] = dict.fromkeys(numbers, pyarrow.float64())
    types |= {"task": pyarrow.string(), "subtask": pyarrow.string(), "node": pyarrow.int64()}
    types |= {"skills": pyarrow.list_(pyarrow.int64()), "after": pyarrow.list_(pyarrow.string())}
    schema = pyarrow.schema([(name, types[name]) for name in COLUMNS])
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema), buffer, write_page_checksum=True)
    return buffer.getvalue()


def _rows_of(content: bytes, path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows, and what the metadata say about the whole."""
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(pyarrow.BufferReader(content), page_checksum_verification=True)
        rows: list[dict[str, Any]] = table.to_pylist()
        metadata = dict(table.schema.metadata or {})
    except (pyarrow.ArrowException, OSError, ValueError, TypeError, OverflowError, MemoryError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{path} is a damaged Parquet file: {reason}") from None
    return rows, _whole(metadata.get(METADATA_KEY), path)


def _whole(text: bytes | None, path: Path) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = None
    if not isinstance(whole, dict) or not set(whole) <= {"crs", "skills"}:
        raise DataError(f"{path}: its metadata {METADATA_KEY.decode()!r} must be a JSON object of 'crs' and 'skills'")
    return whole


def _plain(name: str, value: Any) -> Any:
    """What a cell means: NaN is nothing, 7.0 is a whole number where one is wanted, text is a list where one is."""
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return int(value) if name in ("task", "subtask", "node") and value.is_integer() else value
    if name in ("skills", "after") and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value
