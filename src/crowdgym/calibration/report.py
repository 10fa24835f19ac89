"""What a fit comes to on seeds that it has not seen, played by the policies themselves; and the scenario file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

import crowdgym
from crowdgym.bench.published.cafe import UNLEARNED, Point, published
from crowdgym.calibration.objective import Floats, fitted_points, published_means
from crowdgym.calibration.parameters import settings_of
from crowdgym.common.seeds import RESULTS
from crowdgym.policies import load_policy
from crowdgym.runner import run_episodes

EPISODES = 10  # a point
ENVIRONMENT = "csc_v0"


@dataclass(frozen=True)
class HeldOut:
    """Revenues on held-out seeds.

    Attributes:
        points: of the tables, each once.
        mean: shape [agents, points], in the order of `UNLEARNED`.
        sd: over the episodes, likewise.
        errors: of the means, as shares of what is published.
    """

    points: tuple[Point, ...]
    mean: Floats
    sd: Floats
    errors: Floats

    def table(self) -> list[list[str]]:
        """For every point what the paper has and what was played, in units of 10,000."""
        figures = published()
        rows = []
        for i, point in enumerate(self.points):
            row = [str(point.num_workers), str(point.num_tasks)]
            for a, agent in enumerate(UNLEARNED):
                paper = figures[agent, point]
                row += [_figure(paper.mean, paper.sd), _figure(self.mean[a, i], self.sd[a, i])]
                row += [f"{100 * self.errors[a, i]:+.1f} %"]
            rows.append(row)
        return rows

    def summary(self) -> list[str]:
        """Mean and largest errors, and where PAU is below Greedy, in words."""
        lines = []
        for a, agent in enumerate(UNLEARNED):
            size = 100 * np.abs(self.errors[a])
            lines.append(f"{agent}: mean absolute error {size.mean():.1f} %, largest {size.max():.1f} %")
        pooled = np.sqrt((self.sd**2).mean(axis=0))
        below = [p for p, low in zip(self.points, self.mean[1] < self.mean[0] - pooled, strict=True) if low]
        places = ", ".join(f"{p.num_workers} workers and {p.num_tasks} tasks" for p in below) or "nowhere"
        return [*lines, f"pau below greedy by more than a standard deviation: {places}"]


def play_held_out(city: str, keywords: Mapping[str, float], progress: Callable[[], object]) -> HeldOut:
    """Play every point with both policies, as anyone would.

    Args:
        city: of the tables.
        keywords: of ``csc_v0``.
        progress: called after each point and policy.
    """
    wanted = fitted_points(city)
    revenue = np.zeros((len(UNLEARNED), len(wanted), EPISODES))
    for i, point in enumerate(wanted):
        settings = settings_of(city, point.num_workers, point.num_tasks, keywords)
        env = crowdgym.make(ENVIRONMENT, **settings.model_dump())
        for a, agent in enumerate(UNLEARNED):
            policy = load_policy(agent, ENVIRONMENT)
            played = run_episodes(env, policy, agent=agent, episodes=EPISODES, seed=RESULTS.start)
            revenue[a, i] = [episode.metrics["revenue"] for episode in played.episodes]
            progress()
    mean, sd = revenue.mean(axis=2), revenue.std(axis=2)
    return HeldOut(wanted, mean, sd, mean / published_means(wanted) - 1.0)


def scenario_file(city: str, keywords: Mapping[str, float]) -> str:
    """The scenario as YAML, every fitted number marked."""
    lines = [
        f"# What the CAFE paper leaves out of its {city.capitalize()}, fitted to its revenues of Greedy and PAU",
        '# (tables 1 and 2) and to nothing else: what learned policies earn here is a prediction. "fit" marks every',
        f"# fitted number; 'crowdgym calibrate csc --city {city}' finds them. The rest as in the defaults.",
        f"dataset: {city}-synth",
        "csc_v0:",
    ]
    for name, value in keywords.items():
        setting = f"  {name}: {value!r}"
        lines.append(f"{setting:<28}# fit")
    return "\n".join(lines) + "\n"


def _figure(mean: float, sd: float) -> str:
    return f"{mean / 1e4:.2f} ± {sd / 1e4:.2f}"
