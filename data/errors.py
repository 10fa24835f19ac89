"""What this part raises when data given to it cannot be used."""


class DataError(ValueError):
    """Data that cannot be used: one sentence that names the file or argument, the value, and what was expected."""


class DataWarning(UserWarning):
    """Data that was repaired or rebuilt: one sentence that says what and why."""
