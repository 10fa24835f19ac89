"""Tables 1 and 2 of the CAFE paper: facts, typed in. They are stored only here.

Chen et al., "Credit Assignment and Fine-Tuning Enhanced Reinforcement Learning for Collaborative Spatial
Crowdsourcing" (IJCAI 2025), section 5.3: platform revenue in units of 10,000, mean ± standard deviation of five runs.
Table 1 has 200 workers and 50 to 350 tasks, Table 2 has 200 tasks and 50 to 350 workers; the point with 200 of each is
in both. As printed: in Table 1 the best figure of a column is not always CAFE's.
"""

from dataclasses import dataclass

CITIES = ("chengdu", "haikou")
COUNTS = (50, 100, 150, 200, 250, 300, 350)  # of tasks in Table 1, of workers in Table 2
OTHER_COUNT = 200  # of workers in Table 1, of tasks in Table 2
AGENTS = ("greedy", "ippo", "pau", "ca-nofe", "cafe")
UNLEARNED = ("greedy", "pau")  # the agents that learn nothing: a calibration may use only their rows

_UNIT = 10_000.0

# A line is an agent; means, then deviations, from 50 to 350.
_BY_TASKS = {  # Table 1
    "chengdu": """
        greedy   6.53 12.14 17.77 21.85 26.07 29.30 32.94   0.16 0.17 0.37 0.15 0.39 0.28 0.81
        ippo     6.47 12.42 17.25 23.74 27.01 34.40 40.09   0.22 0.26 0.42 0.80 0.36 1.16 1.25
        pau      6.57 11.65 18.36 24.18 26.94 33.57 39.88   0.22 0.20 0.88 0.79 0.81 0.92 1.86
        ca-nofe  6.59 12.52 18.10 24.40 27.43 34.55 41.14   0.18 0.31 0.55 0.80 0.73 1.06 1.53
        cafe     6.69 12.67 18.48 24.66 27.63 35.37 41.55   0.17 0.22 0.80 0.71 0.74 0.98 1.42""",
    "haikou": """
        greedy   6.42 11.78 17.03 21.52 26.16 29.18 31.25   0.14 0.40 0.22 0.39 0.50 0.39 0.42
        ippo     6.17 12.23 17.30 22.84 27.19 32.48 35.03   0.18 0.43 0.32 0.32 0.24 0.88 1.38
        pau      6.68 11.88 18.25 23.28 25.95 32.87 35.48   0.15 0.19 0.79 0.90 0.90 1.01 0.88
        ca-nofe  6.64 12.14 18.52 23.28 27.55 33.21 36.09   0.15 0.31 0.59 0.90 0.38 0.57 1.50
        cafe     6.71 12.43 18.51 23.40 28.37 34.15 36.99   0.15 0.35 0.47 0.87 0.45 0.69 0.97""",
}
_BY_WORKERS = {  # Table 2
    "chengdu": """
        greedy   7.63 15.67 19.81 21.85 22.88 23.76 24.22   0.42 0.51 0.38 0.15 0.37 0.36 0.28
        ippo    10.45 20.82 23.48 23.74 22.79 24.42 23.71   0.34 1.14 1.01 0.80 0.31 0.20 0.42
        pau     11.48 21.54 23.96 24.18 24.73 24.17 24.94   0.49 1.05 0.90 0.79 0.85 0.62 0.55
        ca-nofe 11.94 21.82 24.24 24.40 25.29 24.90 25.63   0.62 0.89 1.04 0.80 0.93 0.51 0.60
        cafe    12.17 21.85 24.60 24.66 25.66 25.69 26.56   0.49 1.02 0.93 0.71 0.86 0.58 0.59""",
    "haikou": """
        greedy   7.71 15.89 19.75 21.52 23.10 23.65 23.98   0.30 0.44 0.45 0.39 0.28 0.26 0.38
        ippo    15.92 21.80 22.16 22.84 24.12 26.68 27.63   1.90 0.60 1.24 0.32 0.25 0.33 0.28
        pau     16.38 22.58 23.14 23.28 23.98 26.89 30.31   1.73 0.38 1.02 0.90 0.91 0.60 1.21
        ca-nofe 16.60 22.87 23.21 23.28 24.51 27.26 29.87   1.83 0.45 0.79 0.90 0.80 0.49 0.55
        cafe    16.62 23.32 23.60 23.40 24.75 27.65 30.02   1.76 0.33 0.87 0.87 0.91 0.45 0.54""",
}


@dataclass(frozen=True)
class Point:
    """A column of the tables: city, number of workers and number of tasks."""

    city: str
    num_workers: int  # N_w
    num_tasks: int  # N_tau


@dataclass(frozen=True)
class Revenue:
    """The revenue of an agent in a column of the tables."""

    mean: float
    sd: float


def published() -> dict[tuple[str, Point], Revenue]:
    """The paper's revenues by (agent, point): 13 points a city, as the two tables share one."""
    figures: dict[tuple[str, Point], Revenue] = {}
    for city in CITIES:
        for agent, count, revenue in _entries(_BY_TASKS[city]):
            figures[agent, Point(city, OTHER_COUNT, count)] = revenue
        for agent, count, revenue in _entries(_BY_WORKERS[city]):
            figures[agent, Point(city, count, OTHER_COUNT)] = revenue
    return figures


def points(city: str) -> tuple[Point, ...]:
    """The 14 columns of the tables for a city, Table 1 and then Table 2; the one in both is there twice."""
    by_tasks = (Point(city, OTHER_COUNT, count) for count in COUNTS)
    by_workers = (Point(city, count, OTHER_COUNT) for count in COUNTS)
    return (*by_tasks, *by_workers)


def _entries(table: str) -> list[tuple[str, int, Revenue]]:
    entries = []
    for line in table.strip().splitlines():
        agent, *numbers = line.split()
        means, sds = numbers[: len(COUNTS)], numbers[len(COUNTS) :]
        for count, mean, sd in zip(COUNTS, means, sds, strict=True):
            entries.append((agent, count, Revenue(_UNIT * float(mean), _UNIT * float(sd))))
    return entries
