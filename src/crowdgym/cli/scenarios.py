"""``crowdgym scenarios``: list the values of ``--scenario``."""

from typing import Annotated, Any

import typer

from crowdgym.cli.shared.options import AsJson, environment
from crowdgym.cli.shared.output import print_json, print_listing
from crowdgym.configs.loading import Preset, presets

app = typer.Typer()


@app.command()
def scenarios(
    env: Annotated[str | None, environment("Only the scenarios with settings for this environment.", "[ENV]")] = None,
    as_json: AsJson = False,
) -> None:
    """List the scenarios: a dataset and settings.

    Every dataset of 'crowdgym data list' is a scenario as well, with the default settings.
    """
    found = [preset for preset in presets() if env is None or env in preset.settings]
    if as_json:
        print_json([_described(preset) for preset in found])
        return
    rows = [[preset.name, preset.dataset, ", ".join(preset.settings), preset.about] for preset in found]
    print_listing("scenarios (--scenario NAME)", ["name", "dataset", "environments", "about"], rows)
    typer.echo("a dataset of 'crowdgym data list' is a scenario as well, with the default settings")


def _described(preset: Preset) -> dict[str, Any]:
    return {"name": preset.name, "about": preset.about, "dataset": preset.dataset, "settings": dict(preset.settings)}
