"""Fits a city's scenario: candidates from everywhere, then around the optimum of their response surfaces.

What has been tried is kept, so that a fit that was killed goes on.
"""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from itertools import chain, count
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np

from crowdgym.bench.published.cafe import Point
from crowdgym.calibration.objective import PLAYED, Agreement, Floats, fitted_points, judged, published_means
from crowdgym.calibration.parameters import PARAMETERS, keywords_of, parameters_of, settings_of
from crowdgym.calibration.surfaces import Surfaces
from crowdgym.common.errors import ConfigError
from crowdgym.common.files import LineFile, write_bytes
from crowdgym.common.json_text import parse_json
from crowdgym.common.seeds import CALIBRATION, CALIBRATION_FINALISTS

FILE_NAME = "evaluations.jsonl"
SEEDS_A_GENERATION, SEEDS_A_POINT = 20_000, 1_000
FINALISTS, FINAL_EPISODES = 8, 32  # candidates, episodes of each agent at each point
PAYMENT_MEAN = 1_000.0  # while fitting
STARTS = 4  # of a search for the optimum of the surfaces
SPREADS = (0.05, 0.1)  # of candidates around the optimum of the surfaces, in turn, as shares of the bounds
PLENTY = 200  # of workers or tasks; where there are fewer, revenues vary more and more episodes are played


@dataclass(frozen=True)
class Plan:
    """What is fitted, and how thoroughly.

    Attributes:
        city: of the tables.
        evaluations: candidates that are tried.
        explored: how many of them are drawn from everywhere between the bounds, before there are surfaces.
        episodes: of each agent, for each candidate and point with plenty of workers and tasks. They are the same for
            all candidates of a generation (common random numbers), and others in the next.
        seed: of the search.
        population: candidates of a generation.
    """

    city: str
    evaluations: int
    explored: int
    episodes: int
    seed: int
    population: int = 10


@dataclass(frozen=True)
class Evaluation:
    """One candidate.

    Attributes:
        shares: the parameters as `Parameter.to_unit` has them.
        loss: see `judged`.
        scale: likewise.
        revenue: the means by point of each of `PLAYED`, at a mean payment of `PAYMENT_MEAN`.
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
        return judged(np.array(self.revenue), published_means(fitted_points(city)))


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
    lines = file.read_bytes().splitlines()
    if not lines or _parsed(lines[0]) != _header(plan):
        raise ConfigError(f"{file} is of a fit with other options or bounds; give the same ones, or another --out")
    found = []
    for line in lines[1:]:
        row = _parsed(line)
        if not isinstance(row, dict) or row.keys() != {field.name for field in fields(Evaluation)}:
            break  # the line that was being written when the fit was killed; what follows is tried again
        found.append(Evaluation(**row))
    return found


def fit(folder: Path, plan: Plan, found: Sequence[Evaluation], jobs: int = 1) -> Iterator[Evaluation]:
    """Search, from the start again: what has been tried is not played again.

    The search is fixed by its seed, so it asks for the same candidates again.

    Args:
        folder: where what has been tried is kept.
        plan: what to fit.
        found: see `open_fit`.
        jobs: candidates that are played at the same time. It changes nothing but the time that it takes.

    Yields:
        Every candidate, in order.
    """
    write_bytes(folder / FILE_NAME, "".join([_line(_header(plan)), *(_line(asdict(one)) for one in found)]).encode())
    tried = list[Evaluation]()
    with LineFile(folder / FILE_NAME) as file, ThreadPoolExecutor(jobs) as pool:
        for number, generation in enumerate(_generations(plan, tried)):
            trial = Trial(plan, CALIBRATION.start + SEEDS_A_GENERATION * number)
            asked = generation[: plan.evaluations - len(tried)]
            known = found[len(tried) : len(tried) + len(asked)]
            if not all(np.allclose(one.shares, shares, atol=1e-9) for one, shares in zip(known, asked, strict=False)):
                raise ConfigError(f"{folder / FILE_NAME} is not of this search; use another --out")
            fresh = pool.map(trial.evaluate, asked[len(known) :])
            for place, one in enumerate(chain(known, fresh)):
                if place >= len(known):
                    file.append(_line(asdict(one)))
                tried.append(one)
                yield one
            if len(tried) == plan.evaluations:
                return


def _generations(plan: Plan, tried: Sequence[Evaluation]) -> Iterator[list[list[float]]]:
    """The candidates, generation by generation; ``tried`` must hold the results of the earlier ones."""
    generator = np.random.default_rng(plan.seed)
    for first in range(0, plan.explored, plan.population):
        size = min(plan.population, plan.explored - first)
        yield generator.random((size, len(PARAMETERS))).tolist()
    for number in count():
        surfaces = _surfaces(plan, tried)
        optimum = _optimum(plan, surfaces, _best(surfaces, tried), number)
        spread = np.resize(SPREADS, plan.population - 1)[:, np.newaxis]
        around = optimum + spread * generator.standard_normal((plan.population - 1, len(PARAMETERS)))
        yield np.clip(np.vstack([optimum, around]), 0.0, 1.0).tolist()


def _surfaces(plan: Plan, tried: Sequence[Evaluation]) -> Surfaces:
    shares, revenue = np.array([one.shares for one in tried]), np.array([one.revenue for one in tried])
    return Surfaces.of(shares, revenue, published_means(fitted_points(plan.city)))


def _best(surfaces: Surfaces, tried: Sequence[Evaluation]) -> list[Floats]:
    """What has been tried, the best first by the surfaces."""
    return sorted((np.array(one.shares) for one in tried), key=lambda shares: surfaces.judge(shares).loss)


def _optimum(plan: Plan, surfaces: Surfaces, best: Sequence[Floats], number: int) -> Floats:
    """The optimum of the surfaces, from the best that has been tried; ``number`` tells searches apart."""
    found = [surfaces.lowest(start, [plan.seed, number, place]) for place, start in enumerate(best[:STARTS])]
    return min(found, key=lambda shares: surfaces.judge(shares).loss)


def final(plan: Plan, tried: Sequence[Evaluation], jobs: int = 1) -> Iterator[Evaluation]:
    """Play the best candidates by the surfaces again, longer and on other seeds; the optimum is one of them.

    Yields:
        Each as it is now.
    """
    trial = Trial(replace(plan, episodes=FINAL_EPISODES), CALIBRATION_FINALISTS.start)
    surfaces = _surfaces(plan, tried)
    best = _best(surfaces, tried)
    finalists = [_optimum(plan, surfaces, best, len(tried)), *best][:FINALISTS]
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(trial.evaluate, [shares.tolist() for shares in finalists])


class Trial:
    """Plays candidates. ``first_seed``: of the episodes; the first point begins there, the others behind."""

    def __init__(self, plan: Plan, first_seed: int) -> None:
        self._plan = plan
        self._first_seed = first_seed
        self._points = fitted_points(plan.city)
        self._wanted = published_means(self._points)

    def evaluate(self, shares: list[float]) -> Evaluation:
        """Play every point with all agents."""
        keywords = {**keywords_of(parameters_of(shares)), "payment_mean": PAYMENT_MEAN}
        revenue = np.array([self._play(i, point, keywords) for i, point in enumerate(self._points)]).T
        found = judged(revenue, self._wanted)
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
        from crowdgym.envs.csc.kernel.simulation import CscSimulation

        settings = settings_of(point.city, point.num_workers, point.num_tasks, keywords)
        dataset = load_dataset(settings.dataset)
        simulation = CscSimulation(dataset.network, settings, 1)
        instances = OrderStreamGenerator(dataset, settings)
        revenue = np.zeros((episodes_at(point, self._plan.episodes), len(PLAYED)))
        for episode in range(len(revenue)):
            seed = self._first_seed + SEEDS_A_POINT * number + episode
            instance = instances.generate(InstanceSeeds.of(np.random.SeedSequence(seed)))
            simulation.reset_copy(0, instance)
            excess = instance.payment.mean() / PAYMENT_MEAN
            for column, agent in enumerate(PLAYED):
                revenue[episode, column] = play_episode(simulation, instance, agent, seed) / excess
        mean: Floats = revenue.mean(axis=0)
        return mean


def episodes_at(point: Point, plenty: int) -> int:
    """How many episodes are played at a point: eight times as many with a quarter of the workers or tasks."""
    scarcity = max(1.0, PLENTY / point.num_workers, PLENTY / point.num_tasks)
    return round(plenty * sqrt(scarcity**3))


def _header(plan: Plan) -> dict[str, Any]:
    """What two fits have in common if the one may go on where the other was, as JSON gives it back.

    Not the number of evaluations: a fit that is finished may go on, too.
    """
    options = {name: value for name, value in asdict(plan).items() if name != "evaluations"}
    bounds = [[one.name, one.low, one.high] for one in PARAMETERS]
    parsed: dict[str, Any] = json.loads(json.dumps({"plan": options, "parameters": bounds}))
    return parsed


def _line(row: Any) -> str:
    return json.dumps(row, allow_nan=False) + "\n"


def _parsed(line: bytes) -> Any:
    try:
        return parse_json(line)
    except ValueError:
        return None
