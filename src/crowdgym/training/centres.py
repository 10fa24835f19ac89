"""Gives each centre of an environment a client of the learner, which alone gets the centre's records.

`make_centres` is the only place where records are handed on. It asks ``env.histories.of(p)`` for one centre at a time,
and pools the records of several centres only if the learner's settings say so. The learner gets a `Centres`: with
`ProcessCentres`, what passes between the server and a centre is bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from crowdgym.agents.catalogue import LearnerSpec
from crowdgym.agents.learning.centres import (
    Assessment,
    CentreRecords,
    Centres,
    CentreTask,
    Client,
    Order,
    PublicPlaces,
    Update,
)
from crowdgym.agents.learning.wire import answer_to_bytes, assessment_of, order_of, order_to_bytes, update_of
from crowdgym.common.entry_points import load_entry_point
from crowdgym.common.errors import ConfigError
from crowdgym.configs.learning import LearnerSettings
from crowdgym.data.dataset import CATEGORIES
from crowdgym.data.histories import HistoryBook
from crowdgym.execution.jobs import JobKind
from crowdgym.execution.processes import ProcessEngine

AnyAnswer = TypeVar("AnyAnswer")


def make_centres(learner: LearnerSpec, env: Any, settings: LearnerSettings, seed: int, jobs: int) -> Centres:
    """The centres of an environment, each with a client of the learner.

    Args:
        learner: has a ``client``.
        env: an environment with ``histories`` and ``metadata["centre_of"]``.
        settings: hyperparameters of the learner.
        seed: of all random draws.
        jobs: processes in which the centres run; 1: in this process.

    Raises:
        ConfigError: the learner learns from no records, or the environment has none.
    """
    book: HistoryBook | None = getattr(env, "histories", None)
    if learner.client is None or book is None:
        raise ConfigError(f"{learner.name} needs histories of centres, which {env.metadata['name']} does not have")
    known = book.places
    places = PublicPlaces(known.category.astype(np.int64), known.popularity, len(CATEGORIES))
    centre_of = env.metadata["centre_of"]
    numbers = range(book.num_centres)
    records = (
        [_records(book, centre_of, numbers)]
        if settings.pools_records
        else [_records(book, centre_of, [number]) for number in numbers]
    )
    tasks = [CentreTask(settings, number, places, own, seed) for number, own in enumerate(records)]
    if jobs > 1:
        return ProcessCentres(places, tasks, learner.client, jobs)
    make: Callable[[CentreTask], Client] = load_entry_point(learner.client)
    return LocalCentres(places, [make(task) for task in tasks])


class LocalCentres:
    """All centres in this process; see `crowdgym.agents.learning.centres.Centres`.

    Args:
        places: that the records name.
        clients: by number of the centre.
    """

    def __init__(self, places: PublicPlaces, clients: "list[Client]") -> None:
        self.places, self.num_centres = places, len(clients)
        self.clients = clients

    def fit(self, orders: Mapping[int, Order]) -> dict[int, Update]:
        """See `Centres`."""
        return {centre: self.clients[centre].fit(order) for centre, order in orders.items()}

    def assess(self, orders: Mapping[int, Order]) -> dict[int, Assessment]:
        """See `Centres`."""
        return {centre: self.clients[centre].assess(order) for centre, order in orders.items()}

    def close(self) -> None:
        """See `Centres`."""


@dataclass(frozen=True)
class CentreJob:
    """A question to one centre, with the centre's records: the process that answers has those of no other job."""

    task: CentreTask
    client: str
    question: str  # name of the client's method
    order: bytes
    process: int

    def parameters(self) -> dict[str, Any]:
        """See `crowdgym.execution.jobs.Job`."""
        return {"centre": self.task.centre, "question": self.question}

    def isolation_group(self) -> str:
        """A centre is always asked in the same process."""
        return f"centres {self.process}"


def answer(job: CentreJob) -> dict[str, Any]:
    """The client's answer. ``answer`` is all that leaves the process."""
    client: Client = load_entry_point(job.client)(job.task)
    given: Update | Assessment = getattr(client, job.question)(order_of(job.order))
    return {"answer": answer_to_bytes(given)}


class ProcessCentres:
    """Centres in processes of their own, with the same answers as `LocalCentres`, bit for bit.

    Args:
        places: that the records name.
        tasks: by number of the centre.
        client: entry point of the clients.
        jobs: processes; centre k runs in process k modulo ``jobs``.
    """

    def __init__(self, places: PublicPlaces, tasks: list[CentreTask], client: str, jobs: int) -> None:
        self.places, self.num_centres = places, len(tasks)
        self._tasks, self._client, self._jobs = tasks, client, jobs
        self._engine = ProcessEngine(jobs)

    def fit(self, orders: Mapping[int, Order]) -> dict[int, Update]:
        """See `Centres`."""
        return self._ask("fit", orders, update_of)

    def assess(self, orders: Mapping[int, Order]) -> dict[int, Assessment]:
        """See `Centres`."""
        return self._ask("assess", orders, assessment_of)

    def close(self) -> None:
        """See `Centres`."""
        self._engine.__exit__()

    def _ask(
        self, question: str, orders: Mapping[int, Order], read: Callable[[bytes], AnyAnswer]
    ) -> dict[int, AnyAnswer]:
        jobs = [
            CentreJob(self._tasks[centre], self._client, question, order_to_bytes(order), centre % self._jobs)
            for centre, order in orders.items()
        ]
        answers = {}
        for job, outcome in self._engine.run(JobKind(answer), jobs):
            if outcome.failure is not None:
                raise RuntimeError(f"centre {job.task.centre} has not answered: {outcome.failure}")
            answers[job.task.centre] = read(outcome.values["answer"])
        return {centre: answers[centre] for centre in orders}


def _records(book: HistoryBook, centre_of: NDArray[np.int32], centres: "range | list[int]") -> CentreRecords:
    """The records of one centre, or of several put together."""
    histories = [book.of(centre) for centre in centres]

    def column(name: str) -> NDArray[np.int64]:
        return np.concatenate([getattr(one, name) for one in histories]).astype(np.int64)

    workers = np.flatnonzero(np.isin(centre_of, list(centres))).astype(np.int64)
    return CentreRecords(workers, column("worker"), column("place"), column("category"))
