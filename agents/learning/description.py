"""``agent.yaml``: the description of a trained agent, its environment and its training. Reading it runs no code."""

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from crowdgym.common.errors import CheckpointError
from crowdgym.common.files import read_plain
from crowdgym.common.yaml_text import parse_yaml

DESCRIPTION = "agent.yaml"
FORMAT = 1
MOST_BYTES = 2**20  # of the file


class SetDescription(BaseModel):
    """One set of the observation: ``rows * len(features)`` numbers from ``start`` on, row by row."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    start: int = Field(ge=0)
    rows: int = Field(ge=1)
    features: Annotated[tuple[str, ...], Field(min_length=1)]


class AgentDescription(BaseModel):
    """The content of ``agent.yaml``, checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: int
    agent: str  # the learner, as `crowdgym.learners.find_learner` takes it
    environment: str
    keywords: dict[str, Any]  # of the environment, as they were given
    mix: dict[str, list[Any]] = {}  # values of settings that the training mixed, by name
    config: dict[str, Any]  # every setting of the environment
    seed: int
    steps: int  # of the environment, to be played
    threads: int | None = None  # of the networks; None in files older than this entry
    hyperparameters: dict[str, Any]
    sets: tuple[SetDescription, ...]  # of an observation
    num_actions: int = Field(ge=1)
    score: str  # the metric that evaluation looks at
    baseline_agent: str
    baseline_score: float  # of that agent on the instances of evaluation
    command: str
    versions: dict[str, str]

    @field_validator("sets")
    @classmethod
    def _side_by_side(cls, sets: tuple[SetDescription, ...]) -> tuple[SetDescription, ...]:
        """Each set begins where the one before ends."""
        start = 0
        for part in sets:
            if part.start != start:
                raise ValueError(f"the set {part.name!r} must begin at {start}, got {part.start}")
            start += part.rows * len(part.features)
        return sets

    def to_yaml(self) -> bytes:
        """The text of ``agent.yaml``."""
        text = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=120)
        return f"# A CrowdGym agent. The weights are beside this file.\n{text}".encode()


def read_description(folder: Path) -> AgentDescription:
    """Read ``agent.yaml``. Raises `CheckpointError` if it is missing or not valid."""
    file = folder / DESCRIPTION
    try:
        content = parse_yaml(read_plain(file, MOST_BYTES).decode("utf-8"))
        description = AgentDescription.model_validate(content)
    except FileNotFoundError:
        raise CheckpointError(f"{folder} holds no trained agent: it has no {DESCRIPTION}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise CheckpointError(f"{file} is no description of an agent: {where}: {first['msg']}") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{file} cannot be read ({' '.join(str(error).split())})") from None
    if description.format != FORMAT:
        raise CheckpointError(f"{file} must be in format {FORMAT}, got format {description.format}")
    return description
