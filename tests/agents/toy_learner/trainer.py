"""An iteration tries a share nearby, and keeps the better one. No rollouts, no networks: rounds of its own."""

import numpy as np
import torch

from crowdgym.agents.policy import Episode
from toy_learner.policy import TakesFirst


class ToyTrainer:
    iterations = 0
    steps_per_iteration = 0

    def __init__(self, task):
        self.task, self.env = task, task.make_env()
        self.share, self.score = torch.tensor(0.0, dtype=torch.float64), torch.tensor(-1.0, dtype=torch.float64)

    def begin(self, fresh):
        _, self.steps_per_iteration = self._play(0.0, seed=2**32)
        self.iterations = -(-self.task.steps // self.steps_per_iteration)

    def iterate(self, number):
        draws = np.random.default_rng((self.task.seed, number))
        tried = float(np.clip(float(self.share) + draws.choice([-1, 1]) * self.task.settings.stride, 0.0, 1.0))
        score, _ = self._play(tried, seed=2**32)
        if score > self.score:
            self.share.fill_(tried), self.score.fill_(score)
        return {"training": score, "charts/share": float(self.share)}

    def evaluate(self):
        scores = [self._play(float(self.share), seed)[0] for seed in self.task.evaluation_seeds]
        return {"evaluation": float(np.mean(scores))}

    def tensors(self):
        return {"share": self.share, "score": self.score}

    def policy_tensors(self):
        return {"share": self.share}

    def restore(self, stored):
        self.share, self.score = stored.get("share").clone(), stored.get("score").clone()

    def start_from(self, stored):
        self.share = stored.get("share").clone()

    def close(self):
        self.env.close()

    def _play(self, share, seed):
        """The metric and the number of steps of an episode."""
        env, policy = self.env, TakesFirst(share)
        observations, infos = env.reset(seed=seed)
        first = env.possible_agents[0]
        spaces = env.observation_space(first), env.action_space(first)
        policy.reset(Episode(seed, tuple(env.possible_agents), *spaces, env.metadata, env.state))
        steps = 0
        while env.agents:
            observations, _, _, _, infos = env.step(policy.act(observations, infos))
            steps += 1
        return float(infos[first]["metrics"][self.task.metric]), steps
