"""The map of the weights (alpha, beta) of the matching utility of ``dasc_v0``: what recommend-all earns with them.

    python benchmarks/dasc_eta.py --scenario dasc-scarce-haikou

The best point of a grid is chosen on the instances of one range of seeds and compared with (0.2, 0.2) on others. A
vector environment plays many instances at once, so it takes a minute. Prints Markdown.
"""

import argparse
from itertools import product

import numpy as np
from numpy.typing import NDArray

from crowdgym.bench.report.statistics import mean_difference
from crowdgym.common.seeds import CALIBRATION_FINALISTS
from crowdgym.envs import dasc_v0

ALPHAS = (0.2, 0.5, 0.8, 1.0)
BETAS = (0.0, 0.2, 0.5, 0.8, 1.0)
USUAL = (0.2, 0.2)
COPIES = 24
FIRST = 31_000  # seed of the first instance of the comparison

Eta = tuple[float, float]


def revenue(env: dasc_v0.vector_env, first_seed: int, eta: Eta) -> NDArray[np.float64]:
    """The revenue of an episode of every copy in which every subtask asks whenever it may."""
    _, infos = env.reset(seed=first_seed, options={"utility": eta})
    while True:
        _, _, _, truncated, infos = env.step((infos["action_mask"][:, 1] > 0).astype(np.int64))
        if truncated.any():
            earned: NDArray[np.float64] = infos["metrics"]["revenue"].copy()
            return earned


def main() -> None:
    """Print the map and the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", default="dasc-scarce-haikou")
    parser.add_argument("--rounds", type=int, default=5, help=f"of {COPIES} instances each in the comparison")
    options = parser.parse_args()
    env = dasc_v0.vector_env(COPIES, scenario=options.scenario, copy=False, autoreset_mode="Disabled")
    found = {eta: revenue(env, CALIBRATION_FINALISTS[160_000], eta).mean() for eta in product(ALPHAS, BETAS)}
    print(f"| α | {' | '.join(f'β = {beta:g}' for beta in BETAS)} |")
    print("| --- |" + " ---: |" * len(BETAS))
    for alpha in ALPHAS:
        print(f"| {alpha:g} | {' | '.join(f'{found[alpha, beta]:,.0f}' for beta in BETAS)} |")
    best = max(found, key=lambda eta: float(found[eta]))
    seeds = [FIRST + number * COPIES for number in range(options.rounds)]
    ours, usual = (np.concatenate([revenue(env, seed, eta) for seed in seeds]) for eta in (best, USUAL))
    gain = mean_difference(ours[:, np.newaxis], usual[:, np.newaxis])
    print(
        f"\nBest: {best}. On {len(ours)} other instances (seeds {seeds[0]} to {seeds[-1] + COPIES - 1}) it earns "
        f"{ours.mean():,.0f}, and {USUAL} earns {usual.mean():,.0f}: {100 * gain.value:+.1f} % "
        f"[{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]."
    )


if __name__ == "__main__":
    main()
