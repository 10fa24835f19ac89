"""What an entry says of itself (``entry.yaml``), and what a maintainer says of having run it (``execution.yaml``)."""

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from crowdgym.agents.information import Information
from crowdgym.configs.documents import Checked
from crowdgym.configs.suites import Scalar
from crowdgym.leaderboard.texts import Hexadecimal, Slug, Text, WebAddress

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Versions = dict[Slug, Text]


class Proof(StrEnum):
    """How an entry's result is known. Entries of different proofs are never ranked together.

    Attributes:
        HIDDEN: a maintainer ran the frozen policy on seeds that its author did not know.
        RE_EXECUTED: a maintainer ran the frozen policy on the public seeds.
        REPLAYED: the author played the public seeds; the actions earn this, from any policy.
    """

    HIDDEN = "hidden"
    RE_EXECUTED = "re-executed"
    REPLAYED = "replayed"


class Author(Checked):
    """An author."""

    name: Text
    affiliation: Text | None = None
    orcid: Annotated[str, Field(pattern=r"^\d{4}-\d{4}-\d{4}-\d{3}[\dX]$")] | None = None


class PolicyPart(Checked):
    """The policy of an entry: one that comes with CrowdGym (``name``), a package, or neither.

    Attributes:
        kind: for readers and filters.
        name: of a policy that comes with CrowdGym.
        arguments: keywords of the policy's class.
        package: name of a ``.zip`` file beside ``entry.yaml``.
        sha256: of that file.
        entry_point: ``module:Class`` in the package.
        licence: of the package.
    """

    kind: Literal["rule", "planner", "learned", "other"]
    name: Slug | None = None
    arguments: dict[Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,63}$")], Scalar] = Field(default_factory=dict)
    package: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}\.zip$")] | None = None
    sha256: Hexadecimal | None = None
    entry_point: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]{0,99}:[A-Za-z_]\w{0,99}$")] | None = None
    licence: Text | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "PolicyPart":
        given = (self.package, self.sha256, self.entry_point)
        if any(given) and not all(given):
            raise ValueError("one with package, sha256 and entry_point, or with none of them")
        if self.package is not None and self.name is not None:
            raise ValueError("either one of CrowdGym (name) or a package, not both")
        return self


class Training(Checked):
    """What the policy was trained with; for readers."""

    seeds: Text | None = None
    agent_steps: Amount | None = None
    gpu_hours: Amount | None = None
    cpu_hours: Amount | None = None
    data: Annotated[tuple[Text, ...], Field(strict=False)] = ()


class Entry(Checked):
    """``entry.yaml``.

    Attributes:
        format: of the file.
        name: of the folder.
        title: for readers.
        team: who handed it in; a team has a few runs in a round.
        authors: at least one.
        suite: the board.
        information: what the policy decides by.
        policy: see `PolicyPart`.
        training: see `Training`.
        paper: where the policy is described.
        played_with: versions of the author's software; for readers.
    """

    format: Literal[1]
    name: Slug
    title: Text
    team: Text
    authors: Annotated[tuple[Author, ...], Field(min_length=1, max_length=50, strict=False)]
    suite: Slug
    information: Annotated[Information, Field(strict=False)]
    policy: PolicyPart
    training: Training | None = None
    paper: WebAddress | None = None
    played_with: Versions = Field(default_factory=dict)

    @property
    def frozen_sha256(self) -> str:
        """A digest of what is run: the policy, with the digest of its package, and its information class."""
        frozen = {"policy": self.policy.model_dump(mode="json"), "information": self.information.value}
        return hashlib.sha256(json.dumps(frozen, sort_keys=True).encode()).hexdigest()

    @property
    def can_be_run(self) -> bool:
        """Whether a maintainer can run the policy."""
        return self.policy.name is not None or self.policy.package is not None


class Execution(Checked):
    """``execution.yaml``: a maintainer has run the policy. A pull request with an entry must not hold one.

    Attributes:
        format: of the file.
        round: whose hidden seeds were played; None for the public seeds.
        frozen_sha256: of the entry that was run; see `Entry.frozen_sha256`.
        scores: by metric, the interquartile mean over all instances.
        played_with: versions of the software.
    """

    format: Literal[1]
    round: Slug | None = None
    frozen_sha256: Hexadecimal
    scores: dict[Annotated[str, Field(max_length=64)], Annotated[float, Field(allow_inf_nan=False)]]
    played_with: Versions = Field(default_factory=dict)
