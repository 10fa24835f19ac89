"""Named tensors in safetensors files, with plain data beside them. Reading one runs no code.

The folder of a trained agent holds ``agent.yaml`` (see `crowdgym.agents.learning.description`) and

- ``best.safetensors``: the tensors of the policy, of the iteration with the best evaluation,
- ``last.safetensors``: all tensors that the next iteration needs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor, nn

from crowdgym.common.errors import CheckpointError
from crowdgym.common.json_text import parse_json
from crowdgym.common.text import shown

BEST, LAST = "best.safetensors", "last.safetensors"

_FACTS = "crowdgym"  # the entry of a safetensors header that holds the plain data, as JSON


@dataclass(frozen=True)
class StoredTensors:
    """The content of a file.

    Attributes:
        file: the file that was read; error messages name it.
        tensors: by name.
        facts: plain data that were written with the tensors.
    """

    file: Path
    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Tensor:
        """One tensor. Raises `CheckpointError` if the file lacks it."""
        if name not in self.tensors:
            raise CheckpointError(f"{self.file} is no checkpoint of this learner: it lacks {name!r}")
        return self.tensors[name]

    def under(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose names begin with ``prefix`` and a dot, by the remainder of their names."""
        start = f"{prefix}."
        return {name.removeprefix(start): tensor for name, tensor in self.tensors.items() if name.startswith(start)}

    def fill(self, module: nn.Module, name: str) -> None:
        """Load the tensors under ``name`` into a network.

        Raises:
            CheckpointError: the tensors are of another network, or not finite.
        """
        wanted, given = module.state_dict(), self.under(name)
        wrong = sorted(set(wanted) ^ set(given)) or [key for key in wanted if wanted[key].shape != given[key].shape]
        if wrong:
            raise CheckpointError(
                f"{self.file} does not fit the network that the hyperparameters ask for: {name}.{wrong[0]} has "
                f"{_shape_of(given, wrong[0])}, expected {_shape_of(wanted, wrong[0])}"
            )
        other = next((key for key in wanted if wanted[key].dtype != given[key].dtype), None)
        if other is not None:
            raise CheckpointError(
                f"{self.file} holds {name}.{other} as {given[other].dtype}, expected {wanted[other].dtype}"
            )
        if not all(bool(tensor.isfinite().all()) for tensor in given.values()):
            raise CheckpointError(f"{self.file} holds numbers that are not finite in {name}")
        module.load_state_dict(given)


def _shape_of(tensors: Mapping[str, Tensor], key: str) -> str:
    return f"the shape {tuple(tensors[key].shape)}" if key in tensors else "no such tensor"


def module_tensors(name: str, module: nn.Module) -> dict[str, Tensor]:
    """The tensors of a network, with the names that `StoredTensors.fill` reads."""
    return {f"{name}.{key}": tensor for key, tensor in module.state_dict().items()}


def to_bytes(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> bytes:
    """The content of a file; ``facts`` are plain data."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    return save(plain, {_FACTS: json.dumps(facts, sort_keys=True)})


def from_bytes(content: bytes, source: str) -> StoredTensors:
    """The content of `to_bytes`, which has been in no file; ``source`` says in messages where it is from.

    Raises:
        CheckpointError: it is damaged.
    """
    try:
        tensors = load(content)  # checks the length and the kind of the header
        length = int.from_bytes(content[:8], "little")
        facts = parse_json(parse_json(content[8 : 8 + length])["__metadata__"][_FACTS])
    except (SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(f"{source} is damaged ({' '.join(str(error).split())})") from None
    if not isinstance(facts, dict):
        raise CheckpointError(f"{source} is damaged (its facts are {shown(facts)})")
    return StoredTensors(Path(source), tensors, facts)


def read_tensors(file: Path) -> StoredTensors:
    """Read a file. Raises `CheckpointError` if it is missing or damaged."""
    try:
        with safe_open(file, framework="pt") as content:
            facts = parse_json((content.metadata() or {})[_FACTS])
            tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise CheckpointError(f"there are no weights at {file}") from None
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        why = " ".join(str(error).split())
        raise CheckpointError(f"{file} is damaged or no checkpoint of CrowdGym ({why})") from None
    if not isinstance(facts, dict):
        raise CheckpointError(f"{file} is damaged or no checkpoint of CrowdGym (its facts are {shown(facts)})")
    return StoredTensors(file, tensors, facts)
