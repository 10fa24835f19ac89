"""IPPO, MAPPO or QMIX of BenchMARL on csc_v0, with masks of legal actions.

    python examples/benchmarl_ppo.py --steps 24000 --algorithm qmix

A step is one of the environment, in which all workers act.
"""

import argparse
from pathlib import Path

from benchmarl.algorithms import IppoConfig, MappoConfig, QmixConfig
from benchmarl.experiment import Experiment, ExperimentConfig
from benchmarl.models import MlpConfig

from crowdgym.integrations.benchmarl import make_task

ALGORITHMS = {"ippo": IppoConfig, "mappo": MappoConfig, "qmix": QmixConfig}


def main() -> None:
    """Train; BenchMARL evaluates on the way, and writes its reports under --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--algorithm", choices=ALGORITHMS, default="ippo")
    parser.add_argument("--steps", type=int, default=24_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out/benchmarl"))
    chosen = parser.parse_args()

    task = make_task("csc_v0", scenario="tiny", num_workers=4, num_tasks=8, horizon_s=900)
    config = ExperimentConfig.get_from_yaml()
    config.max_n_frames, config.max_n_iters = chosen.steps, None
    config.on_policy_collected_frames_per_batch = config.off_policy_collected_frames_per_batch = 120
    config.on_policy_minibatch_size, config.on_policy_n_minibatch_iters = 120, 4
    config.on_policy_n_envs_per_worker = config.off_policy_n_envs_per_worker = 1
    config.off_policy_train_batch_size, config.off_policy_n_optimizer_steps = 64, 10
    config.evaluation_interval, config.evaluation_episodes = 480, 2
    config.loggers, config.create_json, config.render = ["csv"], True, False
    chosen.out.mkdir(parents=True, exist_ok=True)
    config.save_folder = str(chosen.out)

    model = MlpConfig.get_from_yaml()
    experiment = Experiment(
        task=task,
        algorithm_config=ALGORITHMS[chosen.algorithm].get_from_yaml(),
        model_config=model,
        critic_model_config=MlpConfig.get_from_yaml(),
        seed=chosen.seed,
        config=config,
    )
    experiment.run()
    print(f"{chosen.algorithm}: mean return of a worker's episode {experiment.mean_return:.3f}")


if __name__ == "__main__":
    main()
