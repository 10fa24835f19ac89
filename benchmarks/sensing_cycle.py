"""Measures how long `gaussian-swap` takes for a cycle: processor time of its own, not of the environment.

python benchmarks/sensing_regions.py cells-1000
python benchmarks/sensing_cycle.py cells-1000 --participants 100 --inference knn,idw,svr --cycles 60
"""

import argparse
import time

import numpy as np

from crowdgym.agents.sensing.gaussian_swap import GaussianSwap
from crowdgym.envs import sensing_v0


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="?", default="cells-1000")
    parser.add_argument("--participants", type=int, default=100)
    parser.add_argument("--inference", default="knn,idw", help="names with commas between them")
    parser.add_argument("--cycles", type=int, default=30, help="of the episode")
    arguments = parser.parse_args()
    for inference in arguments.inference.split(","):
        env = sensing_v0.vector_env(
            1,
            scenario=arguments.scenario,
            num_participants=arguments.participants,
            inference=inference,
            agents="participants",
            horizon_s=arguments.cycles * 86_400.0,
        )
        cycle_times(env)  # compiles
        taken_s, visiting = cycle_times(env)
        for name, chosen in (("with visits", visiting), ("after the last visit", ~visiting)):
            if chosen.any():
                print(
                    f"{arguments.scenario}, {inference}, {arguments.participants} participants, {chosen.sum()} cycles "
                    f"{name}: mean {taken_s[chosen].mean():.3f} s, worst {taken_s[chosen].max():.3f} s"
                )


def cycle_times(env: sensing_v0.vector_env) -> tuple[np.ndarray, np.ndarray]:
    """Processor time of the policy in each cycle, seconds, and whether cells were left that nobody had visited."""
    copies, agents = env.batch_shape
    policy = GaussianSwap()
    observations, infos = env.reset(seed=[0])
    policy.begin(copies, agents, observations.shape[1], env.metadata)
    taken_s, visiting, over = [], [], False
    visited = np.zeros(len(env.metadata["coordinates"]), np.bool_)
    while not over:
        visited[infos["cell"]] = True
        visiting.append(not visited.all())
        read = {name: infos[name].reshape(copies, agents, *infos[name].shape[1:]) for name in policy.reads}
        begun_s = time.process_time()
        actions = policy.choose(observations.reshape(copies, agents, -1), read)
        taken_s.append(time.process_time() - begun_s)
        observations, _, _, truncated, infos = env.step(actions.reshape(-1))
        over = bool(truncated.any())
    return np.array(taken_s), np.array(visiting)


if __name__ == "__main__":
    main()
