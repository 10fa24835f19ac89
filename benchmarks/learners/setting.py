"""Shared by the programs of this folder: what is learnt, with which hyperparameters, and how it is measured.

Each program trains with one library, once, and prints one JSON object. The hyperparameters are those that
`configs/agents/ippo.yaml` has for csc_v0; they were tuned for CrowdGym's IPPO in another city.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.seeds import SUITES, TRAINING
from crowdgym.envs import csc_v0
from crowdgym.runner import run_episodes

SETTING: Final = {"scenario": "tiny", "num_workers": 6, "num_tasks": 20}
EPISODE_STEPS: Final = 120
COPIES: Final = 4  # one episode of each is an iteration
MINIBATCH: Final = 512  # decisions of agents
EPOCHS: Final = 3
LEARNING_RATE: Final = 0.001
DISCOUNT: Final = 0.98
GAE_LAMBDA: Final = 0.95
CLIP: Final = 0.2
ENTROPY: Final = 0.01
MAX_GRADIENT_NORM: Final = 0.5
HIDDEN: Final = 64  # width of the two hidden layers of an mlp
REWARD_SCALE: Final = 0.001  # payments are about a thousand

HELD_OUT: Final = SUITES.start  # seed of the first instance
INSTANCES: Final = 50


class Chooser(Protocol):
    """A trained network."""

    def __call__(self, observations: NDArray[np.float32], masks: NDArray[np.int8], likeliest: bool) -> NDArray[np.int_]:
        """The actions of the N agents.

        Args:
            observations: shape [N, D].
            masks: 1 where an action is legal. Shape [N, A].
            likeliest: the likeliest actions; otherwise they are drawn.
        """


class TrainedPolicy:
    """A trained network as a policy of CrowdGym."""

    def __init__(self, choose: Chooser, likeliest: bool) -> None:
        self._choose, self._likeliest = choose, likeliest

    def act(self, observations: dict[str, Any], infos: dict[str, Any]) -> dict[str, int]:
        """An action for each agent."""
        masks = np.stack([infos[agent]["action_mask"] for agent in observations])
        actions = self._choose(np.stack(list(observations.values())), masks, self._likeliest)
        return dict(zip(observations, map(int, actions), strict=True))


def arguments(description: str | None) -> argparse.Namespace:
    """The options that every program has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=12_000, help="of the environment, in which all agents act")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--variant", default="", help="of the learner")
    return parser.parse_args()


def training_seed(seed: int) -> int:
    """The seed of the first copy's episodes; the seeds of results are kept out of training."""
    return TRAINING.start + 1_000 * seed


class Timer:
    """Processor seconds of this process in a block."""

    processor_s = 0.0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Time the block."""
        began_s = time.process_time()
        yield
        self.processor_s = time.process_time() - began_s


def compile_first() -> None:
    """Play a step, so that compiling is not timed."""
    env = csc_v0.parallel_env(**SETTING)
    env.reset(seed=TRAINING.start)
    env.step(dict.fromkeys(env.agents, 0))


def revenues(make_policy: Callable[[bool], Any], likeliest: bool) -> list[float]:
    """The revenue on each held-out instance. An illegal action would be an error."""
    env = csc_v0.parallel_env(**SETTING, strict=True)
    played = run_episodes(env, make_policy(likeliest), agent="trained", episodes=INSTANCES, seed=HELD_OUT)
    return [float(episode.metrics["revenue"]) for episode in played.episodes]


def report(make_policy: Callable[[bool], Any], processor_s: float, packages: tuple[str, ...]) -> None:
    """Play on the held-out instances, and print the JSON object."""
    print(
        json.dumps(
            {
                "processor_s": processor_s,
                "likeliest": revenues(make_policy, True),
                "drawn": revenues(make_policy, False),
                "packages": {name: version(name) for name in packages},
            }
        )
    )
