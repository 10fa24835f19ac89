"""YAML from files that others may have written: no tags, limits, and one sentence instead of a traceback."""

from typing import Any

import yaml

from crowdgym.common.json_text import texts_in

MOST_CHARACTERS = 2**20  # of a text
MOST_ALIASES = 20


def parse_yaml(text: str) -> Any:
    """The content of a YAML text of plain values.

    Raises:
        ValueError: in a few words what is wrong, with the line where there is one.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"it has {len(text):,} characters, more than {MOST_CHARACTERS:,}")
    try:
        aliases = sum(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)) if "*" in text else 0
        if aliases > MOST_ALIASES:  # a few that refer to each other stand for billions of values
            raise ValueError(f"it has {aliases:,} aliases, more than {MOST_ALIASES}")
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise ValueError(f"{where}{getattr(error, 'problem', None) or 'it cannot be parsed'}") from None
    except RecursionError:
        raise ValueError("it has too many levels") from None
    for _ in texts_in(content):  # counts the levels
        pass
    return content
