"""Takes the first candidate as often as it has learnt to."""

from pathlib import Path

import numpy as np

from crowdgym.agents.learning.checkpoint import BEST, read_tensors


class TakesFirst:
    def __init__(self, share: float) -> None:
        self.share = share

    def reset(self, episode):
        self.generator = np.random.default_rng(episode.seed)

    def act(self, observations, infos):
        takes = self.generator.random(len(infos)) < self.share
        legal = [info["action_mask"][1] for info in infos.values()]
        return {agent: int(take and may) for agent, take, may in zip(infos, takes, legal, strict=True)}


class ToyPolicy(TakesFirst):
    def __init__(self, folder: Path, environment: str) -> None:
        super().__init__(float(read_tensors(folder / BEST).tensors["share"]))
