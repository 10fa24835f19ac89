"""Every exception and warning that CrowdGym raises of itself.

    CrowdGymError
    ├── ConfigError (ValueError)            a setting, argument or option that cannot be used
    │   ├── UnknownKeywordError (TypeError) a setting of a name that does not exist
    │   ├── PolicyError                     a policy that cannot be loaded, that raised, or that returned nonsense
    │   │   └── PolicyFaultError            the same without the name of the policy, for the runner
    │   └── CheckpointError                 the folder of a trained agent that cannot be used
    ├── DataError (ValueError)              a file, or data given as an argument, that cannot be used
    │   ├── UnwritableError                 a file or folder that cannot be written
    │   ├── UnknownDatasetError             a dataset or scenario of a name that does not exist
    │   ├── DamagedFileError                a file that is truncated, corrupted or not what its name says
    │   └── DatasetExistsError              a dataset of that name is there already
    ├── TraceError (ValueError)             a trace file that cannot be read, or an episode that cannot be recorded
    └── crowdgym.testing.EnvironmentCheckError (AssertionError)  an environment does not pass `check_env`

    CrowdGymWarning (UserWarning)
    └── DataWarning                         data that was repaired or rebuilt

What is wrong with a call of ``reset`` or ``step`` is raised as Gymnasium's own ``ResetNeeded`` and ``InvalidAction``.
"""

from difflib import get_close_matches


class CrowdGymError(Exception):
    """The root of all exceptions of CrowdGym. The message is one sentence: what, which value, what was expected."""


class ConfigError(CrowdGymError, ValueError):
    """A setting that cannot be used: names it, its value, and what was expected."""


class UnknownKeywordError(ConfigError, TypeError):
    """A setting of a name that does not exist: lists the names that exist."""


class PolicyError(ConfigError):
    """A policy that cannot be loaded, that raised, or that returned nonsense: says where."""


class PolicyFaultError(PolicyError):
    """What a policy did wrong, as the part of a sentence that follows its name. The runner adds name and step."""


class CheckpointError(ConfigError):
    """The folder of a trained agent that cannot be used: names the file."""


class DataError(CrowdGymError, ValueError):
    """Data that cannot be used: names the file or argument, the value, and what was expected."""


class UnwritableError(DataError):
    """A file or folder that cannot be written."""


class UnknownDatasetError(DataError):
    """A dataset or scenario of a name that does not exist: lists the names that exist.

    Attributes:
        name: that was asked for.
        known: the names that exist.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        self.name, self.known = name, known
        close = get_close_matches(name, known, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        super().__init__(
            f"unknown dataset or scenario {name!r}{hint}; known are {', '.join(known)}, "
            "and 'crowdgym data build' makes others from your own files"
        )

    def __reduce__(self) -> tuple[type[Exception], tuple[str, tuple[str, ...]]]:
        """For the way to another process."""
        return type(self), (self.name, self.known)


class DamagedFileError(DataError):
    """A file that is truncated, corrupted or not what its name says."""


class DatasetExistsError(DataError):
    """A dataset of that name is there already."""


class TraceError(CrowdGymError, ValueError):
    """A trace file that cannot be read, or an episode that cannot be recorded."""


class CrowdGymWarning(UserWarning):
    """The root of all warnings of CrowdGym. The message is one sentence."""


class DataWarning(CrowdGymWarning):
    """Data that was repaired or rebuilt: one sentence that says what and why."""
