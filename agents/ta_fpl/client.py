"""A centre of TA-FPL: it learns from its own records, and tells what an `Update` and an `Assessment` hold."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from crowdgym.agents.learning.centres import Assessment, CentreTask, Order, Update
from crowdgym.agents.ta_fpl.examples import Examples, Split
from crowdgym.agents.ta_fpl.local_training import Descent, descend
from crowdgym.agents.ta_fpl.loss import PreferenceLoss
from crowdgym.agents.ta_fpl.memory import Memory
from crowdgym.agents.ta_fpl.model import PreferenceModel
from crowdgym.agents.ta_fpl.ranking import Predictions, ranks
from crowdgym.configs.ta_fpl import TaFplSettings

_CHUNK = 512  # examples in one pass without gradients


class TaFplClient:
    """See `crowdgym.agents.learning.centres.Client`.

    The memory of neighbours begins empty in every round: rows that other parameters have written mean nothing to the
    new ones. So the centre keeps nothing but its records, and a round depends on its order alone.

    Args:
        task: the records of the centre; its settings are `TaFplSettings`.
    """

    def __init__(self, task: CentreTask) -> None:
        self._task = task
        self._settings: TaFplSettings = task.settings
        self._split = Split.of(task.records, task.places, self._settings)
        self._loss = PreferenceLoss(task.places, self._settings)

    def fit(self, order: Order) -> Update:
        """See `Client`."""
        settings, examples = self._settings, self._split.training
        model = PreferenceModel(self._task.places, settings)
        descent = self._descend(model, order, examples, settings.local_epochs, settings.learning_rate)
        return Update(descent.parameters, descent.gradient, len(examples), {"loss": descent.loss})

    def assess(self, order: Order) -> Assessment:
        """See `Client`. The centre first learns for itself, from the order's parameters."""
        model, memory = self._deploy(order)
        preferences = torch.from_numpy(_category_table(model, self._split.following))
        workers = torch.from_numpy(self._task.records.workers)
        return Assessment(self._validate(model, memory), workers, preferences)

    def predict_held_out(self, order: Order) -> Predictions:
        """What the centre predicts of its held-out events, for measurements; the server has no way to ask for it."""
        return self._predict(*self._deploy(order), self._split.held_out)

    def _validate(self, model: PreferenceModel, memory: Memory) -> Mapping[str, float]:
        """``loss`` is that of training; the others are means of `Predictions.figures`."""
        examples = self._split.validation
        if len(examples) == 0:
            return {"events": 0.0}
        figures = self._predict(model, memory, examples).figures()
        with torch.no_grad():
            loss, _, _ = self._loss(model, examples, memory, torch.Generator().manual_seed(0))
        means = {name: float(values.mean()) for name, values in figures.items()}
        return {"events": float(len(examples)), "loss": float(loss), **means}

    def _deploy(self, order: Order) -> tuple[PreferenceModel, Memory]:
        """The model as the centre uses it: after its own epochs, with a memory that this model has written."""
        settings, examples = self._settings, self._split.training
        model = PreferenceModel(self._task.places, settings)
        self._descend(model, order, examples, settings.personal_epochs, settings.personal_learning_rate)
        model.eval()
        memory = self._empty_memory()
        with torch.no_grad():
            for rows in _in_order(examples):
                hidden, seen = model.in_category(rows, rows.category.unsqueeze(1))
                _write(memory, rows, hidden.squeeze(1), seen.squeeze(1))
        return model, memory

    def _descend(
        self, model: PreferenceModel, order: Order, examples: Examples, epochs: int, learning_rate: float
    ) -> Descent:
        """Descend over all examples, ``epochs`` times, in orders that the round and the centre fix."""
        seed = np.random.SeedSequence((self._task.seed, self._task.centre, order.number)).generate_state(1)[0]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(seed))  # of the dropout
            generator = torch.Generator().manual_seed(int(seed))
            model.train()
            optimiser = torch.optim.Adam(model.parameters(), learning_rate, fused=True)
            losses = self._losses(model, examples, epochs, generator)
            return descend(model, losses, order, optimiser, self._settings.max_gradient_norm)

    def _losses(
        self, model: PreferenceModel, examples: Examples, epochs: int, generator: torch.Generator
    ) -> Iterator[Callable[[], Tensor]]:
        memory = self._empty_memory()
        for _ in range(epochs):
            shuffled = torch.randperm(len(examples), generator=generator)
            for index in torch.split(shuffled, self._settings.batch_size):
                yield partial(self._batch_loss, model, examples.rows(index), memory, generator)

    def _batch_loss(
        self, model: PreferenceModel, examples: Examples, memory: Memory, generator: torch.Generator
    ) -> Tensor:
        """The loss of a batch, which is then written into the memory."""
        loss, hidden, seen = self._loss(model, examples, memory, generator)
        _write(memory, examples, hidden, seen)
        return loss

    def _predict(self, model: PreferenceModel, memory: Memory, examples: Examples) -> Predictions:
        with torch.no_grad():
            tables = [model.place_probabilities(rows, memory).double().numpy() for rows in _chunks(examples)]
        table = np.concatenate(tables) if tables else np.zeros((0, len(self._task.places)))
        return Predictions(
            worker=examples.worker.numpy(),
            event=examples.event.numpy(),
            rank=ranks(table, examples.place.numpy()),
            category=examples.category.numpy(),
            category_table=_category_table(model, examples),
        )

    def _empty_memory(self) -> Memory:
        return Memory(self._task.places.num_categories, self._settings.memory_rows, self._settings.embedding)


def _category_table(model: PreferenceModel, examples: Examples) -> NDArray[np.float64]:
    """P(c). Shape [B, C]."""
    with torch.no_grad():
        table: NDArray[np.float64] = model.category_probabilities(examples).double().numpy()
        exact: NDArray[np.float64] = table / table.sum(axis=1, keepdims=True)  # rows sum to 1 in double precision, too
        return exact


def _write(memory: Memory, examples: Examples, hidden: Tensor, seen: Tensor) -> None:
    """Write h^c of the true categories, where the worker had been in the category before: there is nothing else."""
    memory.write(examples.category[seen], hidden[seen], examples.worker[seen])


def _in_order(examples: Examples) -> Iterator[Examples]:
    """By number of the event, so that the latest events are the last to be written."""
    return _chunks(examples.rows(torch.argsort(examples.event, stable=True)))


def _chunks(examples: Examples) -> Iterator[Examples]:
    for index in torch.split(torch.arange(len(examples)), _CHUNK):
        yield examples.rows(index)
