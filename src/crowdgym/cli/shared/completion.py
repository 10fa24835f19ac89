"""The names that a shell completes. Each function gets what is typed so far; nothing heavy is imported."""

from collections.abc import Iterable
from importlib.resources import files

import typer

import crowdgym


def environments(incomplete: str) -> list[str]:
    """Names of environments."""
    return _beginning(incomplete, crowdgym.environment_names())


def agents(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of the policies of the environment that is typed already; none before it is typed."""
    from crowdgym.policies import policy_names

    # Words that follow an option without its value are left unread, so the environment may be among the rest.
    typed = [word for word in (ctx.params.get("env"), *ctx.args) if word in crowdgym.environment_names()]
    return _beginning(incomplete, policy_names(typed[0]) if typed else ())


def learners(incomplete: str) -> list[str]:
    """Names of the agents that can be trained."""
    from crowdgym.learners import learner_names

    return _beginning(incomplete, learner_names())


def suites(incomplete: str) -> list[str]:
    """Names of the benchmark suites."""
    from crowdgym.configs.suites import suite_names

    return _beginning(incomplete, suite_names())


def scenarios(incomplete: str) -> list[str]:
    """Names of the scenarios that come with CrowdGym, and of the datasets in the cache folder."""
    from crowdgym.data.store import datasets_folder

    folder = datasets_folder()
    kept = [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    return _beginning(incomplete, {*_configured("scenarios"), *(name for name in kept if not name.startswith("."))})


def _configured(folder: str) -> list[str]:
    names = (entry.name for entry in files("crowdgym.configs").joinpath(folder).iterdir())
    return [name.removesuffix(".yaml") for name in names if name.endswith(".yaml")]


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
