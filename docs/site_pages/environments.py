"""A page for each environment, made from its specification, its docstring, its settings and its metadata."""

from pathlib import Path
from typing import Any

import crowdgym
from crowdgym.cli.envs import objective_of
from crowdgym.configs.loading import describe_settings
from crowdgym.envs.api.spec import EnvironmentSpec
from crowdgym.registration import environment_specs
from site_pages.markdown import TO_DOCS, code, docstring_of, section_of, table

RESULTS = "results.md"
PICTURES = "pictures"


def environment_pages(docs: Path) -> dict[str, str]:
    """The text of each page by its file name."""
    return {f"{spec.name}.md": _page(spec, docs) for spec in environment_specs()}


def _page(spec: EnvironmentSpec, docs: Path) -> str:
    setting = spec.name.rpartition("_")[0]
    env = crowdgym.make(spec.name)
    first = env.possible_agents[0]
    overview = [
        ("agents", f"{len(env.possible_agents)} {spec.agents}, by default"),
        ("an action", spec.actions),
        ("action space", code(env.action_space(first))),
        ("observation space", code(env.observation_space(first))),
        ("objective", objective_of(spec)),
        ("policy by default", f"[`{spec.default_policy}`](../agents/{spec.default_policy}.md)"),
        ("import", code(f"from crowdgym.envs import {spec.name}")),
        ("PettingZoo and Gymnasium", code(spec.registered_name)),
        ("every rule", f"[Dynamics]({TO_DOCS}{setting}_dynamics.md)"),
    ]
    parts = [
        f"# `{spec.name}`",
        f"{spec.about[0].upper()}{spec.about[1:]}.",
        _picture(spec.name, docs),
        table(("", ""), overview),
        docstring_of(type(env)),
        "## The layout of an observation",
        "With the default settings. An observation is one row of numbers, each between -1 and 1; `numbers` are the "
        "places in this row, and the last column says what a 1 stands for.",
        *(_layout(name, of) for name, of in env.metadata["observation_layout"].items()),
        "## Settings",
        "Keywords of the environment, `--set NAME=VALUE` on the command line.",
        _settings(spec),
        "## Metrics",
        table(("metric", "meaning"), [(code(one.name), one.meaning) for one in spec.metrics]),
        "## Best results",
        section_of(docs / RESULTS, f"`{spec.name}`").replace("](", f"]({TO_DOCS}"),
    ]
    env.close()
    return "\n\n".join(parts) + "\n"


def _picture(name: str, docs: Path) -> str:
    """The animation, and the command of ``draw.sh`` that made it."""
    file = f"{name}.gif"
    commands = (docs / PICTURES / "draw.sh").read_text(encoding="utf-8").splitlines()
    (command,) = (line for line in commands if line.endswith(file))
    return f"![An episode of {name}]({TO_DOCS}{PICTURES}/{file})\n\n`{command}`"


def _layout(name: str, of: dict[str, Any]) -> str:
    rows, columns = of["shape"]
    start = of["start"]
    places = [f"{start + column}" + (f", {start + column + columns}, …" * (rows > 1)) for column in range(columns)]
    units = of["units"] or ("",) * columns
    title = f"### `{name}`: {rows} × {columns}"
    return f"{title}\n\n" + table(
        ("numbers", "feature", "a 1 stands for"),
        [(place, code(feature), unit) for place, feature, unit in zip(places, of["features"], units, strict=True)],
    )


def _settings(spec: EnvironmentSpec) -> str:
    rows = [
        (code(one.name), code(one.default), one.meaning, ", ".join(map(code, one.choices)))
        for one in describe_settings(spec.settings_class())
    ]
    return table(("name", "default", "meaning", "words that it may be"), rows)
