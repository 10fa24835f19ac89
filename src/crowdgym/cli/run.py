"""What ``crowdgym run`` does."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
import yaml
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

import crowdgym
from crowdgym.cli.output import check_output_file, print_episodes, stderr
from crowdgym.common.errors import ConfigError
from crowdgym.common.files import write_bytes
from crowdgym.envs.rendering.animation import write_gif
from crowdgym.learners import refuse_misfit, trained_environment
from crowdgym.policies import default_policy, load_policy
from crowdgym.runner import play_through, run_episodes
from crowdgym.traces import TraceRecorder, write_trace

# Keywords of the constructors that are objects, or have an option of their own.
_NOT_SETTINGS = ("render_mode", "generator", "reward_strategy")


@dataclass(frozen=True)
class OutputFiles:
    """What a run writes besides its table: results, and pictures or the trace of the first episode."""

    json: Path | None
    gif: Path | None
    trace: Path | None


def run_command(
    env_name: str | None,
    scenario: str | None,
    agent: str | None,
    episodes: int,
    seed: int,
    assignments: list[str],
    files: OutputFiles,
) -> None:
    """See `crowdgym.cli.main.run`. Everything that can be wrong is found before the first step, as far as possible."""
    env_name, keywords = _chosen_run(env_name, agent, keywords_of(assignments, scenario))
    check_run(env_name, episodes, seed)
    check_output_file(files.json, "--json", ".json")
    check_output_file(files.gif, "--render", ".gif")
    check_output_file(files.trace, "--trace", ".trace")
    agent = default_policy(env_name) if agent is None else agent
    policy = load_policy(agent, env_name, keywords.get("scenario"))
    with shown_progress(episodes) as progress:
        env: Any = crowdgym.make(env_name, render_mode="rgb_array" if files.gif else None, **keywords)
        if files.trace is not None:
            env = TraceRecorder(env, agent)
        try:
            refuse_misfit(policy, env)
            result = run_episodes(
                env, policy, agent=agent, episodes=episodes, seed=seed, watch=_watch(env, files, progress)
            )
        finally:
            env.close()
    print_episodes(result)
    if files.json is not None:
        write_bytes(files.json, (json.dumps(result.to_json(), indent=2, allow_nan=False) + "\n").encode())
        typer.echo(f"results: {files.json}")
    for first_episode in filter(None, (files.gif, files.trace)):
        typer.echo(f"episode of seed {seed}: {first_episode}")


def _chosen_run(env_name: str | None, agent: str | None, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The environment and its keywords: a trained agent brings those it was trained with, and ``given`` ones win.

    Raises:
        ConfigError: neither names an environment.
    """
    trained = trained_environment(agent)
    if trained is not None and env_name in (None, trained[0]):
        return trained[0], {**trained[1], **given}
    if env_name is None:
        raise ConfigError(
            f"name an environment ({', '.join(crowdgym.environment_names())}), "
            "or give the folder of a trained agent as --agent"
        )
    return env_name, given


def check_run(env_name: str, episodes: int, seed: int) -> None:
    """Check what needs nothing to be built.

    Raises:
        ConfigError: there is no such environment, or a number that cannot be.
    """
    if env_name not in crowdgym.environment_names():
        crowdgym.make(env_name)  # says which there are
    if episodes < 1:
        raise ConfigError(f"--episodes must be at least 1, got {episodes}")
    if seed < 0:
        raise ConfigError(f"--seed must be at least 0, got {seed}")


def keywords_of(assignments: list[str], scenario: str | None) -> dict[str, Any]:
    """The keywords of an environment: those of ``--set``, and ``--scenario`` if it is given.

    Raises:
        ConfigError: as `parse_assignments`; or the scenario is given twice.
    """
    keywords = parse_assignments(assignments)
    if scenario is not None:
        if "scenario" in keywords:
            raise ConfigError(f"the scenario is given twice: {scenario!r} and {keywords['scenario']!r}")
        keywords["scenario"] = scenario
    return keywords


def parse_assignments(assignments: list[str]) -> dict[str, Any]:
    """Turn ``NAME=VALUE`` into keywords; a value is a YAML scalar: a number, true, false, or text.

    Raises:
        ConfigError: one that is not ``NAME=VALUE``, is given twice, or is not for ``--set``.
    """
    keywords: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        name = name.strip()
        if not equals or not name:
            raise ConfigError(f"--set must be NAME=VALUE, such as num_workers=200, got {assignment!r}")
        if name in _NOT_SETTINGS:
            raise ConfigError(f"--set is for settings, and {name} is none; see 'crowdgym run --help' for what there is")
        if name in keywords:
            raise ConfigError(f"--set {name} is given twice: {keywords[name]!r} and {text!r}")
        keywords[name] = _scalar(name, text)
    return keywords


def _scalar(name: str, text: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = None
    if isinstance(value, bool) or (isinstance(value, int | float) and ":" not in text):  # 8:30 is no number to us
        return value
    try:
        return float(text)  # 1e3, which YAML takes for text
    except ValueError:
        pass
    if not isinstance(value, str):
        raise ConfigError(f"--set {name} must be a number, true, false or a word, got {text!r}")
    return value


class EpisodeProgress:
    """A bar on standard error that counts episodes; says which step is being played."""

    def __init__(self, progress: Progress, episodes: int) -> None:
        self._progress = progress
        self._task = progress.add_task("getting ready (compiles at first)", total=episodes)

    def count(self, episode: int, steps: Iterator[int]) -> Iterator[int]:
        """Pass the steps of an episode on and count them."""
        for step in steps:
            self._progress.update(self._task, description=f"episode {episode + 1}, step {step}")
            yield step
        self._progress.advance(self._task)


@contextmanager
def shown_progress(episodes: int) -> Iterator[EpisodeProgress]:
    """Show a bar while the block lasts; nothing where nobody would see it, and nothing is left of it."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        yield EpisodeProgress(progress, episodes)


def _watch(env: Any, files: OutputFiles, progress: EpisodeProgress) -> Callable[[int, Iterator[int]], None]:
    """Show progress, and keep the first episode."""

    def watch(episode: int, steps: Iterator[int]) -> None:
        counted = progress.count(episode, steps)
        if files.gif is not None and episode == 0:
            write_gif(files.gif, (env.render() for _ in counted), env.metadata["render_fps"])
        play_through(episode, counted)
        if files.trace is not None and episode == 0:
            write_trace(files.trace, env.trace())

    return watch
