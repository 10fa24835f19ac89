"""The policy that plays parameters that an evolution strategy has found."""

from pathlib import Path

from crowdgym.agents.es.searched import PARAMETERS, searched_policy
from crowdgym.agents.learning.checkpoint import BEST, LAST, read_tensors
from crowdgym.agents.learning.description import DESCRIPTION, read_description
from crowdgym.agents.policy import Actions, Episode, Infos, Observations
from crowdgym.common.errors import CheckpointError, ConfigError
from crowdgym.configs.es import EsSettings


class EsPolicy:
    """Plays the searched policy with the best parameters, or with the last ones if there are no best ones yet.

    Args:
        folder: a checkpoint.
        environment: name of the environment to be played.

    Attributes:
        description: the description of the trained agent.
        files: the files that have been read.
        facts: plain data that were stored with the parameters.

    Raises:
        CheckpointError: the folder is no checkpoint, is damaged, or is for another environment or policy.
    """

    def __init__(self, folder: Path, environment: str) -> None:
        self.description = read_description(folder)
        if self.description.environment != environment:
            raise CheckpointError(f"{folder} was trained on {self.description.environment}, not on {environment}")
        file = folder / (BEST if (folder / BEST).is_file() else LAST)
        self.files = (folder / DESCRIPTION, file)
        stored = read_tensors(file)
        self.facts = stored.facts
        self._policy = searched_policy(EsSettings.load(environment, **self.description.hyperparameters))
        try:
            self._policy.set_parameters(stored.get(PARAMETERS).numpy())
        except ConfigError as error:
            raise CheckpointError(f"{file} is of another policy: {error}") from None

    def reset(self, episode: Episode) -> None:
        """See `crowdgym.agents.policy.EpisodicPolicy`."""
        self._policy.reset(episode)

    def act(self, observations: Observations, infos: Infos) -> Actions:
        """See `crowdgym.agents.policy.Policy`."""
        return self._policy.act(observations, infos)
