"""Instances from a file of tasks: on a road network, in topological order, contradictions refused."""

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError, DataError
from crowdgym.common.text import shown
from crowdgym.configs.dasc import DascSettings
from crowdgym.data.coordinates import gcj02_to_wgs84
from crowdgym.data.dataset import Dataset
from crowdgym.data.orders.raw import Coordinates, NodeIds
from crowdgym.data.orders.snapper import MAX_SNAP_M, NOWHERE, Snapper
from crowdgym.data.roads import RoadNetwork
from crowdgym.envs.core.given_parts import GivenParts, WorkerPlaces
from crowdgym.envs.core.sampling import check_num_workers
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.dasc.generator import draw_worker_skills, precedence_arrays
from crowdgym.envs.dasc.instance import NUM_SKILLS, DascInstance
from crowdgym.envs.dasc.shapes import Precedence
from crowdgym.envs.dasc.task_files import SubtaskEntry, TaskDocument, TaskEntry, WorkerEntry, read_document


class FileGenerator:
    """Gives the tasks of a file; the workers are those of the file, or drawn as `OrderStreamGenerator` draws them.

    Args:
        path: the file, JSON or Parquet; ``docs/dasc_instances.md`` says what is in it.
        dataset: whose roads the tasks are on.
        settings: of the environment.
        fixed: the names of the settings that the caller has given. The others among ``num_tasks``, ``subtasks_mean``
            and ``num_workers`` are taken from the file.

    Attributes:
        settings: ``settings`` with the sizes of the file.
        task_ids: the ids of the tasks in the file, in the order of the instance.
        subtask_ids: likewise of the subtasks; a subtask's is unique within its task.
        checksum: SHA-256 of the file, in hexadecimal.

    Raises:
        DataError: the file cannot be read, or what it says cannot be: names the entry and what was expected.
        ConfigError: a fixed setting contradicts the file.
    """

    def __init__(self, path: str | Path, dataset: Dataset, settings: DascSettings, fixed: Collection[str] = ()) -> None:
        path = Path(path).expanduser()
        document, self.checksum = read_document(path)
        tasks = [_Task.of(task, str(path)) for task in _in_order_of_creation(document.tasks, str(path))]
        subtasks = [entry for task in tasks for entry in task.subtasks]
        skills = _SkillReader(document, str(path))
        nodes = _NodeFinder(dataset.network, document.crs)

        self.task_ids = tuple(task.entry.id for task in tasks)
        self.subtask_ids = tuple(entry.id for entry in subtasks)
        self._dataset = dataset
        self._parts = GivenParts.of(dataset, settings.from_data)
        self._tasks = tasks
        self._node = nodes.find(subtasks, [f"{task.name}, subtask {e.id!r}" for task in tasks for e in task.subtasks])
        self._skills = skills.read(
            subtasks, [f"{task.name}, subtask {e.id!r}" for task in tasks for e in task.subtasks]
        )
        self._workers: tuple[NDArray[np.int32], NDArray[np.bool_]] | None = None
        if document.workers is not None:
            names = [f"{path}: workers[{i}]" for i in range(len(document.workers))]
            self._workers = nodes.find(document.workers, names), skills.read(document.workers, names, least=1)
        self.settings = self._fitted(settings, fixed, path)
        if self._workers is None:
            check_num_workers(dataset, self.settings.num_workers)
        self.generate(InstanceSeeds.of(np.random.SeedSequence(0)))  # whatever is wrong is said now

    def generate(self, seeds: InstanceSeeds) -> DascInstance:
        """See `crowdgym.envs.dasc.generator.DascInstanceGenerator`."""
        if self._workers is not None:
            worker_node, worker_skills = self._workers[0].copy(), self._workers[1].copy()
        else:
            worker_node = WorkerPlaces(self._parts, self.settings).draw(seeds.workers)
            worker_skills = draw_worker_skills(seeds.workers, self.settings)
        entries = [task.entry for task in self._tasks]
        sizes = [len(task.subtasks) for task in self._tasks]
        return DascInstance(
            network=self._dataset.network,
            worker_node=worker_node,
            worker_skills=worker_skills,
            created_s=np.array([entry.created_s for entry in entries], np.float64),
            expected_s=np.array([entry.expected_s for entry in entries], np.float64),
            deadline_s=np.array([entry.deadline_s for entry in entries], np.float64),
            payment=np.array([entry.payment for entry in entries], np.float64),
            subtask_task=np.repeat(np.arange(len(entries), dtype=np.int32), sizes),
            subtask_node=self._node.copy(),
            subtask_skills=self._skills.copy(),
            duration_s=np.array([entry.duration_s for task in self._tasks for entry in task.subtasks], np.float64),
            **precedence_arrays([task.precedence for task in self._tasks]),
        )

    def _fitted(self, settings: DascSettings, fixed: Collection[str], path: Path) -> DascSettings:
        num_tasks, num_subtasks = len(self._tasks), len(self._node)
        sizes: dict[str, float] = {"num_tasks": num_tasks, "subtasks_mean": num_subtasks / num_tasks}
        if self._workers is not None:
            sizes["num_workers"] = len(self._workers[0])
        for name in ("num_tasks", "num_workers"):
            if name in fixed and name in sizes and getattr(settings, name) != sizes[name]:
                raise ConfigError(f"{name} must be {sizes[name]}, as {path} has it, got {getattr(settings, name)}")
        fitted = settings.model_copy(update={name: size for name, size in sizes.items() if name not in fixed})
        if fitted.num_slots < num_subtasks:
            raise ConfigError(
                f"subtasks_mean must be at least {num_subtasks / num_tasks:g} for the {num_subtasks} subtasks of "
                f"{path}, got {fitted.subtasks_mean:g}"
            )
        return fitted


@dataclass(frozen=True)
class _Task:
    """A task whose subtasks are in a topological order."""

    entry: TaskEntry
    subtasks: list[SubtaskEntry]
    precedence: Precedence
    name: str

    @classmethod
    def of(cls, entry: TaskEntry, source: str) -> "_Task":
        name = f"{source}: task {entry.id!r}"
        for later, earlier, strictly in (
            ("deadline_s", "created_s", True),
            ("expected_s", "created_s", False),
            ("deadline_s", "expected_s", True),
        ):
            value, limit = getattr(entry, later), getattr(entry, earlier)
            if value < limit or (strictly and value == limit):
                wanted = "later than" if strictly else "no earlier than"
                raise DataError(f"{name}: {later} must be {wanted} {earlier}, which is {limit:g}, got {value:g}")
        before = _predecessors(entry, name)
        order = _topological_order(before, [subtask.id for subtask in entry.subtasks], name)
        place = {old: new for new, old in enumerate(order)}
        precedence = [tuple(sorted(place[j] for j in before[i])) for i in order]
        return cls(entry, [entry.subtasks[i] for i in order], precedence, name)


def _in_order_of_creation(tasks: list[TaskEntry], source: str) -> list[TaskEntry]:
    _refuse_twice([task.id for task in tasks], f"{source}: the task id")
    return sorted(tasks, key=lambda task: task.created_s)  # stable: ties as in the file


def _refuse_twice(ids: Sequence[str], what: str) -> None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise DataError(f"{what} {name!r} occurs twice")
        seen.add(name)


def _predecessors(task: TaskEntry, name: str) -> list[list[int]]:
    """The predecessors of each subtask, by their places in the file."""
    ids = [subtask.id for subtask in task.subtasks]
    _refuse_twice(ids, f"{name}: the subtask id")
    place = {subtask_id: i for i, subtask_id in enumerate(ids)}
    for subtask in task.subtasks:
        _refuse_twice(subtask.after, f"{name}, subtask {subtask.id!r}: the predecessor")
        for other in subtask.after:
            if other not in place:
                raise DataError(
                    f"{name}, subtask {subtask.id!r}: comes after {other!r}, which is no subtask of this task "
                    f"(it has {shown(ids)})"
                )
    return [[place[other] for other in subtask.after] for subtask in task.subtasks]


def _topological_order(before: list[list[int]], ids: list[str], name: str) -> list[int]:
    """Places in an order in which predecessors come first; as near to that of the file as can be."""
    after: list[list[int]] = [[] for _ in before]
    for i, row in enumerate(before):
        for j in row:
            after[j].append(i)
    waits_for = [len(row) for row in before]
    ready = [i for i, count in enumerate(waits_for) if count == 0]
    order: list[int] = []
    while ready:
        i = heapq.heappop(ready)
        order.append(i)
        for k in after[i]:
            waits_for[k] -= 1
            if waits_for[k] == 0:
                heapq.heappush(ready, k)
    if len(order) < len(before):
        cycle = _cycle_among({i for i, count in enumerate(waits_for) if count > 0}, before)
        raise DataError(f"{name}: subtasks come after each other in a circle: {_shown_way([ids[i] for i in cycle])}")
    return order


def _cycle_among(left: set[int], before: list[list[int]]) -> list[int]:
    """A circle of predecessors; each subtask that is left has one that is left, too. Ends where it begins."""
    way = [min(left)]
    while way[-1] not in way[:-1]:
        way.append(next(j for j in before[way[-1]] if j in left))
    return way[way.index(way[-1]) :]


def _shown_way(ids: list[str]) -> str:
    """``'a' after 'b' after 'a'``, the middle of a long one left out."""
    parts = [repr(name) for name in ids]
    return " after ".join(parts if len(parts) <= 12 else [*parts[:6], "...", *parts[-5:]])


class _SkillReader:
    """Turns skills into sets of 10."""

    def __init__(self, document: TaskDocument, source: str) -> None:
        names = document.skills
        if names is not None:
            _refuse_twice(names, f"{source}: the skill")
        self._number = {str(k): k for k in range(NUM_SKILLS)}
        known = f"a whole number 0 to {NUM_SKILLS - 1}, or a name from the file's own list 'skills'"
        if names is not None:
            self._number = {name: k for k, name in enumerate(names)}
            known = f"one of {', '.join(map(repr, names))}" if names else "none, as the file's list 'skills' is empty"
        self._known = known

    def read(
        self, entries: Sequence[SubtaskEntry | WorkerEntry], names: Sequence[str], least: int = 0
    ) -> NDArray[np.bool_]:
        """Which skills each entry names. Shape [entries, 10]."""
        skills = np.zeros((len(entries), NUM_SKILLS), np.bool_)
        for row, entry, name in zip(skills, entries, names, strict=True):
            if len(entry.skills) < least:
                raise DataError(f"{name}: skills must name at least one skill, got none")
            for skill in entry.skills:
                if str(skill) not in self._number:
                    raise DataError(f"{name}: unknown skill {shown(skill)}; expected {self._known}")
                row[self._number[str(skill)]] = True
        return skills


class _NodeFinder:
    """Finds the nodes of places."""

    def __init__(self, network: RoadNetwork, crs: str) -> None:
        self._snapper = Snapper(network, MAX_SNAP_M)
        self._network = network
        self._gcj02 = crs == "gcj02"

    def find(self, entries: Sequence[SubtaskEntry | WorkerEntry], names: Sequence[str]) -> NDArray[np.int32]:
        """The node of each entry. Shape [entries]."""
        for entry, name in zip(entries, names, strict=True):
            by_node = entry.node is not None
            given = (entry.longitude is not None) + (entry.latitude is not None)
            if (by_node and given) or (not by_node and given != 2):
                raise DataError(f"{name}: must have either a node, or a longitude and a latitude")
        nodes = np.empty(len(entries), np.int32)
        numbered = np.array([entry.node is not None for entry in entries], np.bool_)
        ids = np.array([entry.node for entry in entries if entry.node is not None], np.int64)
        nodes[numbered] = self._snapper.snapped(NodeIds(ids)).node
        longitude_deg = np.array([entry.longitude for entry in entries if entry.node is None], np.float64)
        latitude_deg = np.array([entry.latitude for entry in entries if entry.node is None], np.float64)
        if self._gcj02:
            longitude_deg, latitude_deg = gcj02_to_wgs84(longitude_deg, latitude_deg)
        nodes[~numbered] = self._snapper.snapped(Coordinates(longitude_deg, latitude_deg)).node
        nowhere = np.flatnonzero(nodes == NOWHERE)
        if len(nowhere):
            first = int(nowhere[0])
            raise DataError(f"{names[first]}: {self._why_nowhere(entries[first])}")
        return nodes

    def _why_nowhere(self, entry: SubtaskEntry | WorkerEntry) -> str:
        if entry.node is not None:
            return f"node {entry.node} is not on the road network; expected the id of one of its nodes"
        west, south, east, north = self._network.bounds_deg
        return (
            f"longitude {entry.longitude:g}, latitude {entry.latitude:g} is farther than {MAX_SNAP_M:g} m from every "
            f"road node; expected a place between {west:.4f}, {south:.4f} and {east:.4f}, {north:.4f}"
        )
