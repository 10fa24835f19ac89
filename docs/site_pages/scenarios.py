"""The page of the scenarios, made from the presets and the embedded datasets."""

from crowdgym.configs.loading import presets
from crowdgym.data.names import city_names, series_names
from crowdgym.data.registry import load_dataset, load_series
from site_pages.markdown import code, table


def scenario_page() -> str:
    """Its text."""
    cities = [(name, load_dataset(name).network) for name in city_names()]
    series = [(name, load_series(name)) for name in series_names()]
    shown = [
        (
            code(one.name),
            code(one.dataset),
            ", ".join(f"[`{env}`](environments/{env}.md)" for env in one.settings),
            one.about,
        )
        for one in presets()
    ]
    parts = [
        "# Scenarios",
        "A scenario is a dataset and settings: `scenario=NAME`, or `--scenario NAME`. `crowdgym scenarios` lists them. "
        "A dataset of [your own](../bring_your_data.md) is a scenario as well, with the default settings.",
        table(("scenario", "dataset", "settings of", "what it is"), shown),
        "## Embedded cities",
        "Drawn after summary figures of real cities.",
        table(
            ("dataset", "nodes", "streets"), [(code(n), f"{of.num_nodes:,}", f"{of.num_edges:,}") for n, of in cities]
        ),
        "## Embedded series",
        table(("dataset", "cells", "cycles"), [(code(name), of.num_cells, of.num_cycles) for name, of in series]),
    ]
    return "\n\n".join(parts) + "\n"
