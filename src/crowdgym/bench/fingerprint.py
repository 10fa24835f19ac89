"""What the results of a suite's jobs depend on besides the jobs."""

from crowdgym.bench.hooks import load_hook
from crowdgym.bench.jobs import BoundJob, EpisodeJob, InstanceSpec
from crowdgym.bench.training import TrainingJob
from crowdgym.execution.fingerprint import dataset_of, fingerprint_of
from crowdgym.training.fingerprint import fingerprint_of_networks


def fingerprint(job: EpisodeJob | BoundJob) -> dict[str, str]:
    """See `crowdgym.execution.fingerprint.fingerprint_of`.

    Raises:
        ConfigError: the settings of the job cannot be used.
        DataError: the dataset is missing or damaged.
    """
    return fingerprint_of_instance(job.instance)


def fingerprint_of_instance(instance: InstanceSpec) -> dict[str, str]:
    """Likewise, of whatever plays an instance."""
    keywords = {**dict(instance.settings), **load_hook(instance.hook).keywords(instance.scenario, dict(instance.point))}
    return fingerprint_of(*dataset_of(instance.environment, {"scenario": instance.scenario, **keywords}))


def fingerprint_of_training(job: TrainingJob) -> dict[str, str]:
    """Likewise, of a run that a suite trains."""
    return fingerprint_of_networks(*dataset_of(job.environment, {"scenario": job.scenario}))
