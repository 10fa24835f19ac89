"""What is kept of a learner: tensors in safetensors files, everything else in YAML. Reading either runs no code.

A folder holds ``agent.yaml`` (what it takes to build the networks, and where they come from) and

- ``best.safetensors``: the actor that did best in evaluation,
- ``last.safetensors``: actor, critic, optimisers and value normaliser behind the latest iteration.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from crowdgym.agents.ippo.ppo import Learner
from crowdgym.common.errors import CheckpointError
from crowdgym.common.layout import ObservationLayout, ObservationSet
from crowdgym.configs.ippo import IppoSettings

DESCRIPTION, BEST, LAST = "agent.yaml", "best.safetensors", "last.safetensors"
FORMAT = 1

_FACTS = "crowdgym"  # the entry of a safetensors header that holds ours, as JSON


class SetDescription(BaseModel):
    """An `ObservationSet` in a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    start: int
    rows: int
    features: tuple[str, ...]


class AgentDescription(BaseModel):
    """What ``agent.yaml`` holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: int
    agent: str
    environment: str
    keywords: dict[str, Any]  # of the environment, as they were given
    config: dict[str, Any]  # every setting of the environment
    seed: int
    steps: int  # of the environment, to be played
    hyperparameters: dict[str, Any]
    sets: tuple[SetDescription, ...]  # of an observation
    num_actions: int
    score: str  # the metric that evaluation looks at
    baseline_agent: str
    baseline_score: float  # of that agent on the instances of evaluation
    command: str
    versions: dict[str, str]

    @property
    def settings(self) -> IppoSettings:
        """The hyperparameters, checked. Raises `ConfigError`."""
        return IppoSettings.load(self.environment, **self.hyperparameters)

    @property
    def observation_sets(self) -> ObservationLayout:
        """The sets of an observation, as the networks were built for."""
        return ObservationLayout(tuple(ObservationSet(**vars(part)) for part in self.sets))

    def to_yaml(self) -> bytes:
        """The content of ``agent.yaml``."""
        text = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=120)
        return f"# A CrowdGym agent. The weights are beside this file.\n{text}".encode()


def describe_sets(sets: ObservationLayout) -> tuple[SetDescription, ...]:
    """Sets as `AgentDescription` keeps them."""
    return tuple(SetDescription(name=p.name, start=p.start, rows=p.rows, features=p.features) for p in sets)


def read_description(folder: Path) -> AgentDescription:
    """Read ``agent.yaml``. Raises `CheckpointError` where it is missing or not what it should be."""
    file = folder / DESCRIPTION
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        description = AgentDescription.model_validate(content)
    except FileNotFoundError:
        raise CheckpointError(f"{folder} holds no trained agent: it has no {DESCRIPTION}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CheckpointError(f"{file} cannot be read ({' '.join(str(error).split())})") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise CheckpointError(f"{file} is no description of an agent: {where}: {first['msg']}") from None
    if description.format != FORMAT or description.agent != IppoSettings.agent:
        raise CheckpointError(
            f"{file} must describe an agent {IppoSettings.agent!r} in format {FORMAT}, "
            f"got {description.agent!r} in format {description.format}"
        )
    return description


def actor_to_bytes(learner: Learner, facts: Mapping[str, Any]) -> bytes:
    """The content of ``best.safetensors``."""
    return _to_bytes(_of_module("actor", learner.actor), facts)


def learner_to_bytes(learner: Learner, facts: Mapping[str, Any]) -> bytes:
    """The content of ``last.safetensors``; ``facts`` are plain data that go with it."""
    tensors = {"normaliser": torch.from_numpy(learner.normaliser.sums)}
    for name, network in learner.networks.items():
        tensors |= _of_module(name, network)
        state = learner.optimisers[name].state
        for of_parameter, parameter in network.named_parameters():
            for moment, tensor in state.get(parameter, {}).items():
                tensors[f"optimiser.{moment}.{name}.{of_parameter}"] = tensor
    return _to_bytes(tensors, facts)


def restore_learner(learner: Learner, file: Path) -> dict[str, Any]:
    """Put a learner where it was when ``file`` was written, and return the facts that go with it.

    Raises:
        CheckpointError: the file is missing, damaged, or of other networks.
    """
    tensors, facts = read_tensors(file)
    _restore_networks(learner, tensors, file)
    for name, network in learner.networks.items():
        state = learner.optimisers[name].state
        for of_parameter, parameter in network.named_parameters():
            end = f".{name}.{of_parameter}"
            moments = {key: tensors[key] for key in tensors if key.startswith("optimiser.") and key.endswith(end)}
            state[parameter] = {
                key.removeprefix("optimiser.").removesuffix(end): moment.to(parameter.device if moment.dim() else "cpu")
                for key, moment in moments.items()
            }
    return facts


def start_from(learner: Learner, folder: Path) -> None:
    """Give a learner the networks that another run ended with; its optimisers begin anew.

    Raises:
        CheckpointError: the run's last weights are missing, damaged, or of other networks.
    """
    tensors, _ = read_tensors(folder / LAST)
    _restore_networks(learner, tensors, folder / LAST)


def restore_actor(actor: nn.Module, tensors: Mapping[str, Tensor], file: Path) -> None:
    """Fill an actor with the tensors of either file. Raises `CheckpointError` if they are of another network."""
    _fill(actor, "actor", tensors, file)


def read_tensors(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read tensors and facts. Raises `CheckpointError`: the file is missing or damaged."""
    try:
        with safe_open(file, framework="pt") as content:
            facts = json.loads((content.metadata() or {})[_FACTS])
            return {name: content.get_tensor(name) for name in content.keys()}, facts  # noqa: SIM118
    except FileNotFoundError:
        raise CheckpointError(f"there are no weights at {file}") from None
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        why = " ".join(str(error).split())
        raise CheckpointError(f"{file} is damaged or no checkpoint of CrowdGym ({why})") from None


def _restore_networks(learner: Learner, tensors: Mapping[str, Tensor], file: Path) -> None:
    if "normaliser" not in tensors:
        raise CheckpointError(f"{file} is no checkpoint of a learner: it lacks 'normaliser'")
    for name, network in learner.networks.items():
        _fill(network, name, tensors, file)
    learner.normaliser.sums = tensors["normaliser"].numpy().copy()


def _of_module(name: str, module: nn.Module) -> dict[str, Tensor]:
    return {f"{name}.{key}": tensor for key, tensor in module.state_dict().items()}


def _to_bytes(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> bytes:
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    return save(plain, {_FACTS: json.dumps(facts, sort_keys=True)})


def _fill(module: nn.Module, name: str, tensors: Mapping[str, Tensor], file: Path) -> None:
    wanted = module.state_dict()
    given = {key.removeprefix(f"{name}."): tensor for key, tensor in tensors.items() if key.startswith(f"{name}.")}
    wrong = sorted(set(wanted) ^ set(given)) or [key for key in wanted if wanted[key].shape != given[key].shape]
    if wrong:
        raise CheckpointError(f"{file} is of another network: {name}.{wrong[0]} does not fit")
    if not all(bool(tensor.isfinite().all()) for tensor in given.values()):
        raise CheckpointError(f"{file} holds numbers that are not finite in {name}")
    module.load_state_dict(given)
