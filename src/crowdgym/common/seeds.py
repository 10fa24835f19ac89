"""Which seeds are for what. Every number that begins a range of seeds is in this file and nowhere else.

An episode is fixed by its seed, so the episodes on which parameters are chosen and those of which results are reported
must have different seeds. These ranges do not overlap:

| seeds | what is played on them |
|---|---|
| 0 to 999 | results: ``crowdgym run`` and ``crowdgym demo`` count from 0, and so does the report of a calibration |
| 1,000 to 999,999 | the suites of ``crowdgym bench`` that come with CrowdGym |
| 1,000,000 to 1,999,999 | evaluation during training |
| 2,000,000 to 6,999,999 | the finalists of a calibration; choosing the constants of policies |
| 7,000,000 to 9,999,999 | choosing the default settings of an environment |
| 10,000,000 to 2^32 - 1 | the candidates of a calibration |
| 2^32 to 2^63 - 1 | training |

The hidden seeds of a round of the leaderboard are drawn from all of 0 to 2^63 - 1 by a secret, and are known to no one
who hands in an entry: see `crowdgym.leaderboard.rounds`.

Three sources of randomness have no range, because a word of entropy keeps them apart from every seed: the instances of
a scenario's benchmark set, the randomness of a policy, and a population of workers.
"""

from typing import Final

RESULTS: Final = range(0, 1_000)
SUITES: Final = range(1_000, 1_000_000)
EVALUATION: Final = range(1_000_000, 2_000_000)
CALIBRATION_FINALISTS: Final = range(2_000_000, 7_000_000)
DEFAULTS: Final = range(7_000_000, 10_000_000)
CALIBRATION: Final = range(10_000_000, 2**32)
TRAINING: Final = range(2**32, 2**63)

BENCHMARK_ENTROPY: Final = 0x43524F5744  # with the number of the instance: the benchmark sets of the scenarios
POLICY_ENTROPY: Final = 0x504F4C4943  # with the seed of the episode: the randomness of the policy that plays it
POPULATION_ENTROPY: Final = 0x484953544F5259  # with the seed of the population: its workers, histories and preferences
