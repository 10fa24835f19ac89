"""Fits a city's scenario by CMA-ES; what has been tried is kept, so that a fit that was killed goes on."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from crowdgym.bench.csc_published import UNLEARNED, Point
from crowdgym.calibration.objective import Agreement, Floats, agreement, fitted_points, published_means
from crowdgym.calibration.parameters import PARAMETERS, keywords_of, parameters_of, settings_of
from crowdgym.configs.errors import ConfigError
from crowdgym.data.storage import write_bytes

FILE_NAME = "evaluations.jsonl"
FIRST_SEED = 1_000_000  # of the episodes of a fit: far from those of a report, which begin at 0
SEEDS_A_POINT = 1_000
FINAL_SEED = 2_000_000  # of the episodes among finalists
FINALISTS, FINAL_EPISODES = 6, 12  # candidates, episodes of each agent at each point
PAYMENT_MEAN = 1_000.0  # while fitting
SPREAD = 0.08  # of the first candidates, as a share of the bounds


@dataclass(frozen=True)
class Plan:
    """What is fitted, and how thoroughly.

    Attributes:
        city: of the tables.
        evaluations: candidates that are tried.
        episodes: of each agent, for each candidate and point; the same for all candidates (common random numbers).
        seed: of the search.
        population: candidates of a generation.
    """

    city: str
    evaluations: int
    episodes: int
    seed: int
    population: int = 10


@dataclass(frozen=True)
class Evaluation:
    """One candidate.

    Attributes:
        shares: the parameters as `Parameter.to_unit` has them.
        loss: see `Agreement`.
        scale: likewise.
        revenue: the mean of each agent by point, at a mean payment of `PAYMENT_MEAN`.
    """

    shares: list[float]
    loss: float
    scale: float
    revenue: list[list[float]]

    @property
    def keywords(self) -> dict[str, float]:
        """Of ``csc_v0``."""
        return {**keywords_of(parameters_of(self.shares)), "payment_mean": PAYMENT_MEAN * self.scale}

    def agreement(self, city: str) -> Agreement:
        """With the paper."""
        return agreement(np.array(self.revenue), published_means(fitted_points(city)))


def open_fit(folder: Path, plan: Plan, *, resume: bool) -> list[Evaluation]:
    """Check the folder of a fit, and read what has been tried.

    Raises:
        ConfigError: there is something and ``resume`` is off, or it is of another plan.
    """
    file = folder / FILE_NAME
    if not file.exists():
        return []
    if not resume:
        raise ConfigError(f"{file} exists; give --resume to go on with that fit, or another --out")
    lines = file.read_text(encoding="utf-8").splitlines()
    if not lines or _parsed(lines[0]) != _header(plan):
        raise ConfigError(f"{file} is of a fit with other options or bounds; give the same ones, or another --out")
    found = []
    for line in lines[1:]:
        row = _parsed(line)
        if row is None:
            break  # the line that was being written when the fit was killed
        found.append(Evaluation(**row))
    return found


def fit(folder: Path, plan: Plan, found: Sequence[Evaluation]) -> Iterator[Evaluation]:
    """Search, from the start again: what has been tried is not played again.

    The search is fixed by its seed, so it asks for the same candidates again.

    Yields:
        Every candidate, in order.
    """
    import cma

    trial = Trial(plan)
    generator = np.random.default_rng(plan.seed)
    options = {
        "bounds": [0, 1],
        "popsize": plan.population,
        "seed": plan.seed + 1,  # 0 would stand for the time
        "randn": lambda *shape: generator.standard_normal(shape),
        "verbose": -9,
    }
    search = cma.CMAEvolutionStrategy([one.to_unit(one.starts[plan.city]) for one in PARAMETERS], SPREAD, options)
    write_bytes(folder / FILE_NAME, "".join([_line(_header(plan)), *(_line(asdict(one)) for one in found)]).encode())
    tried = 0
    with (folder / FILE_NAME).open("a", encoding="utf-8") as file:
        while True:
            asked = [np.clip(candidate, 0.0, 1.0).tolist() for candidate in search.ask()]
            losses = []
            for shares in asked:
                if tried < len(found):
                    one = found[tried]
                    if not np.allclose(one.shares, shares, atol=1e-9):
                        raise ConfigError(f"{folder / FILE_NAME} is not of this search; use another --out")
                else:
                    one = trial.evaluate(shares)
                    file.write(_line(asdict(one)))
                    file.flush()
                tried += 1
                losses.append(one.loss)
                yield one
                if tried == plan.evaluations:
                    return
            search.tell(asked, losses)


def final(plan: Plan, tried: Sequence[Evaluation]) -> Iterator[Evaluation]:
    """Play the best candidates again, longer and on other seeds: the best of many owes something to luck.

    Yields:
        Each as it is now.
    """
    trial = Trial(replace(plan, episodes=FINAL_EPISODES), FINAL_SEED)
    for one in sorted(tried, key=lambda one: one.loss)[:FINALISTS]:
        yield trial.evaluate(one.shares)


class Trial:
    """Plays candidates. ``first_seed``: of the episodes; the first point begins there, the others behind."""

    def __init__(self, plan: Plan, first_seed: int = FIRST_SEED) -> None:
        self._plan = plan
        self._first_seed = first_seed
        self._points = fitted_points(plan.city)
        self._wanted = published_means(self._points)

    def evaluate(self, shares: list[float]) -> Evaluation:
        """Play every point with both agents."""
        keywords = {**keywords_of(parameters_of(shares)), "payment_mean": PAYMENT_MEAN}
        revenue = np.array([self._play(i, point, keywords) for i, point in enumerate(self._points)]).T
        found = agreement(revenue, self._wanted)
        return Evaluation(shares, found.loss, found.scale, revenue.tolist())

    def _play(self, number: int, point: Point, keywords: dict[str, float]) -> Floats:
        """The mean revenues at a point. Shape [agents].

        Each is divided by what the payments drawn have in excess of their mean, which is no merit of the parameters:
        the means are the same in the long run, and their errors two thirds to half as large.
        """
        from crowdgym.calibration.episodes import play_episode
        from crowdgym.data.registry import load_dataset
        from crowdgym.envs.core.seeding import InstanceSeeds
        from crowdgym.envs.csc.generator import OrderStreamGenerator
        from crowdgym.envs.csc.simulation import CscSimulation

        settings = settings_of(point.city, point.num_workers, point.num_tasks, keywords)
        dataset = load_dataset(settings.dataset)
        simulation = CscSimulation(dataset.network, settings, 1)
        instances = OrderStreamGenerator(dataset, settings)
        revenue = np.zeros((self._plan.episodes, len(UNLEARNED)))
        for episode in range(self._plan.episodes):
            seed = self._first_seed + SEEDS_A_POINT * number + episode
            instance = instances.generate(InstanceSeeds.of(np.random.SeedSequence(seed)))
            simulation.reset_copy(0, instance)
            excess = instance.payment.mean() / PAYMENT_MEAN
            for column, agent in enumerate(UNLEARNED):
                revenue[episode, column] = play_episode(simulation, instance, agent, seed) / excess
        mean: Floats = revenue.mean(axis=0)
        return mean


def _header(plan: Plan) -> dict[str, Any]:
    """What two fits have in common if the one may go on where the other was, as JSON gives it back.

    Not the number of evaluations: a fit that is finished may go on, too.
    """
    options = {name: value for name, value in asdict(plan).items() if name != "evaluations"}
    bounds = [[one.name, one.low, one.high, one.starts[plan.city]] for one in PARAMETERS]
    parsed: dict[str, Any] = json.loads(json.dumps({"plan": options, "parameters": bounds}))
    return parsed


def _line(row: Any) -> str:
    return json.dumps(row, allow_nan=False) + "\n"


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None
