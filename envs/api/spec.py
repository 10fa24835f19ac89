"""What an environment is, as plain data: the one place where the rest of CrowdGym learns about it.

Every environment's folder has a ``spec.py`` with a ``SPEC``. Importing it imports nothing heavy: what is heavy is named
as ``"module:attribute"``, and imported when it is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from crowdgym.common.entry_points import load_entry_point

Counted = Literal["agent", "worker", "task", "cell", "participant"]


@dataclass(frozen=True)
class Objective:
    """What agents are to achieve: the metric that training evaluates and tables are about.

    Attributes:
        metric: its name.
        sign: 1 where more is better, -1 where less is better.
    """

    metric: str
    sign: Literal[1, -1]


@dataclass(frozen=True)
class Metric:
    """A metric that is one number, and how tables show it.

    Attributes:
        name: as in ``infos[agent]["metrics"]``.
        meaning: one line, with the unit.
        heading: of its column; the name if empty.
        factor: what a value is multiplied with before it is shown.
        places: decimal places of means. Counts of a single episode are shown as whole numbers.
        in_table: whether the table of ``crowdgym run`` has a column for it.
    """

    name: str
    meaning: str
    heading: str = ""
    factor: float = 1.0
    places: int = 0
    in_table: bool = True


@dataclass(frozen=True)
class Bound:
    """An upper bound on what any policy can reach in an instance.

    Attributes:
        metric: that is bounded.
        entry_point: of a function (instance, settings) that returns the bound.
    """

    metric: str
    entry_point: str


@dataclass(frozen=True)
class TracedQuantity:
    """A field of the environment's snapshot that traces record at every step.

    Attributes:
        of: what its columns stand for.
        exact: compared to the last bit; if not, to a relative 1e-9. Times and payments come from exponentials and
            logarithms, whose last bit may differ between processors.
    """

    of: Counted
    exact: bool = True


@dataclass(frozen=True)
class EnvironmentSpec:
    """One environment.

    Attributes:
        name: with the version, such as "csc_v0".
        about: one line for people.
        agents: who acts, in the plural.
        actions: one line: what an agent chooses from.
        module: that has ``parallel_env``, ``vector_env``, ``dispatcher_env`` and ``env``.
        settings: entry point of the class of its checked settings.
        objective: what agents are to achieve.
        metrics: those of one number, in the order of tables.
        traced: by name, the fields of the snapshot that traces record.
        default_policy: the name of the policy that is played unless another is asked for.
        bound: on one of the metrics, or None.
        solution_checker: entry point of ``broken_rules(trace, env)``, or None; ``env`` is at the begin of the episode.
        scene: entry point of ``scene(env, snapshots)``, for ``crowdgym view``, or None.
        file_settings: the settings that name files. A replay opens the files that its caller gives in their place.
    """

    name: str
    about: str
    agents: str
    actions: str
    module: str
    settings: str
    objective: Objective
    metrics: tuple[Metric, ...]
    traced: Mapping[str, TracedQuantity]
    default_policy: str
    bound: Bound | None = None
    solution_checker: str | None = None
    scene: str | None = None
    file_settings: tuple[str, ...] = ()

    @property
    def registered_name(self) -> str:
        """In the registries of PettingZoo and Gymnasium: "crowdgym/csc-v0" for "csc_v0"."""
        return "crowdgym/" + self.name.replace("_v", "-v")

    def metric(self, name: str) -> Metric:
        """The metric of that name. Raises `KeyError` if there is none."""
        return {metric.name: metric for metric in self.metrics}[name]

    def settings_class(self) -> Any:
        """The class of its settings, a child of `crowdgym.configs.loading.Settings`."""
        return load_entry_point(self.settings)

    def interface(self, name: str) -> Any:
        """One of "parallel_env", "vector_env", "dispatcher_env", "env"."""
        return getattr(import_module(self.module), name)
