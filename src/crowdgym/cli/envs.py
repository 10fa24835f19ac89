"""``crowdgym envs``: list the environments, or describe one with its settings."""

from typing import Annotated, Any

import typer

from crowdgym.cli.shared.options import AsJson, environment
from crowdgym.cli.shared.output import print_json, print_listing
from crowdgym.configs.loading import SettingDescription, describe_settings
from crowdgym.envs.api.spec import EnvironmentSpec
from crowdgym.registration import environment_spec, environment_specs

app = typer.Typer()


@app.command()
def envs(
    env: Annotated[
        str | None, environment("Name of an environment to describe; without it, all are listed.", "[ENV]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the environments, or describe one with its settings."""
    specs = environment_specs() if env is None else (environment_spec(env),)
    if as_json:
        described = [described_environment(spec) for spec in specs]
        print_json(described if env is None else described[0])
    elif env is None:
        rows = [[spec.name, spec.agents, objective_of(spec), spec.about] for spec in specs]
        print_listing(
            "environments ('crowdgym envs ENV' describes one)", ["name", "agents", "objective", "about"], rows
        )
    else:
        _print(specs[0])


def objective_of(spec: EnvironmentSpec) -> str:
    """In words: "most revenue" or "least error"."""
    return f"{'most' if spec.objective.sign > 0 else 'least'} {spec.objective.metric}"


def described_environment(spec: EnvironmentSpec) -> dict[str, Any]:
    """A specification as JSON, with the settings of the environment and their defaults."""
    return {
        "name": spec.name,
        "about": spec.about,
        "agents": spec.agents,
        "actions": spec.actions,
        "objective": {"metric": spec.objective.metric, "sign": spec.objective.sign},
        "metrics": {metric.name: metric.meaning for metric in spec.metrics},
        "default_policy": spec.default_policy,
        "settings": {
            setting.name: {
                "default": setting.default,
                "meaning": setting.meaning,
                **({"choices": list(setting.choices)} if setting.choices else {}),
            }
            for setting in describe_settings(spec.settings_class())
        },
    }


def _print(spec: EnvironmentSpec) -> None:
    typer.echo(f"{spec.name}: {spec.about}")
    typer.echo(f"agents     {spec.agents}")
    typer.echo(f"actions    {spec.actions}")
    typer.echo(f"objective  {objective_of(spec)}")
    typer.echo(f"policy     {spec.default_policy} unless another is named; 'crowdgym agents {spec.name}' lists all\n")
    print_listing("metrics", ["name", "meaning"], [[metric.name, metric.meaning] for metric in spec.metrics])
    settings = [[one.name, str(one.default), _meaning(one)] for one in describe_settings(spec.settings_class())]
    print_listing("settings (--set NAME=VALUE)", ["name", "default", "meaning"], settings)


def _meaning(setting: SettingDescription) -> str:
    """What a setting means, and the words among its values that the meaning does not name."""
    unsaid = [word for word in setting.choices if word not in setting.meaning]
    return f"{setting.meaning}: {', '.join(setting.choices)}" if unsaid else setting.meaning
