"""What is raised when a configuration cannot be used."""


class ConfigError(ValueError):
    """A setting that cannot be used: one sentence that names it, its value, and what was expected."""


class UnknownKeywordError(ConfigError, TypeError):
    """A setting of a name that does not exist: says which there are."""
