"""What is left to gain in ``preference_v0``, and by what: knowing preferences, prices and holding, knowing all answers.

    python benchmarks/preference_room.py

Every seed is an episode with a population of its own. The oracle knows the true preferences; with prices it is
`PricedMatchingPolicy` with one parameter changed, so that it holds back or prices time as well as such a parameter can.
The clairvoyant also knows who is willing, and makes as many matches of willing pairs as there can be at every epoch.
The bound is that of `crowdgym.envs.preference.bound`. Intervals are 95 % intervals of Student's t; gains are paired.
"""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from preference_sources import priced

import crowdgym
from crowdgym.agents.es.trainer import play_rows
from crowdgym.agents.preference.matching import max_cardinality
from crowdgym.agents.preference.policies import AnswersKmPolicy, KmPolicy
from crowdgym.agents.preference.priced_matching import PARAMETERS
from crowdgym.agents.preference.sources import TableSource, UniformSource
from crowdgym.agents.row_policy import RowPolicy
from crowdgym.bench.preference.hook import difference_text
from crowdgym.envs.preference.acceptance import willing
from crowdgym.envs.preference.bound import accepted_bound
from crowdgym.registration import environment_spec

Floats = NDArray[np.float64]

ORACLE = "km, oracle"
BOUND = "bound"


class ClairvoyantPolicy(RowPolicy):
    """Makes as many matches of willing pairs as there can be at every epoch.

    Args:
        able: which worker accepts which task. Shape [W, T].
    """

    reads = ("candidates",)

    def __init__(self, able: NDArray[np.bool_]) -> None:
        self._able = able

    def begin(self, copies: int, agents: int, width: int, metadata: Mapping[str, Any]) -> None:
        """See `RowPolicy`."""

    def choose(self, observations: NDArray[np.float32], infos: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
        """See `RowPolicy`."""
        candidates = infos["candidates"].astype(np.int64)  # [B, W, K]
        able = np.take_along_axis(self._able[np.newaxis], np.maximum(candidates, 0), axis=2)
        return np.stack([max_cardinality(of_copy) for of_copy in np.where(able, candidates, -1)])


def policies(preference: Floats, able: NDArray[np.bool_]) -> dict[str, RowPolicy]:
    """All rows that play, by name."""
    known = TableSource(preference)
    changed = {f"oracle, {name} {value:+g}": (name, value) for name in PARAMETERS.names[:-1] for value in (-1.0, 1.0)}
    return {
        ORACLE: KmPolicy(known),
        "km, blind": KmPolicy(UniformSource()),
        "km": KmPolicy(),
        "km-answers": AnswersKmPolicy(),
        **{row: priced({name: value, "answers": 0.0}, known) for row, (name, value) in changed.items()},
        "clairvoyant": ClairvoyantPolicy(able),
    }


def play(seeds: range) -> dict[str, Floats]:
    """The accepted tasks of every row in every seed, [seeds]."""
    found: dict[str, list[float]] = {}
    for seed in seeds:
        env: Any = crowdgym.make("preference_v0", population_seed=seed)
        env.reset(seed=seed)
        able = willing(env.instance, env.settings)
        copies = environment_spec("preference_v0").interface("vector_env")(num_envs=1, population_seed=seed)
        for name, policy in policies(env.instance.preference, able).items():
            found.setdefault(name, []).append(float(play_rows(copies, policy, [seed], "accepted").metric[0]))
        found.setdefault(BOUND, []).append(accepted_bound(env.instance, env.settings))
    return {name: np.array(values) for name, values in found.items()}


def table(seeds: range) -> Iterator[str]:
    """A row for each policy, and the bound."""
    yield "| policy | accepted | more than the first, 95 % | share of the bound |"
    yield "|---|---|---|---|"
    results = play(seeds)
    for name, values in results.items():
        gain = difference_text(values - results[ORACLE])
        share = values.sum() / results[BOUND].sum()
        yield f"| {name} | {values.mean():.1f} | {gain} | {100 * share:.1f} % |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=20)
    options = parser.parse_args()
    for line in table(range(options.first_seed, options.first_seed + options.seeds)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
