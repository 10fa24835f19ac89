"""``crowdgym run``: play episodes with a policy."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

import crowdgym
from crowdgym.cli.shared import completion
from crowdgym.cli.shared.animation import SUFFIXES, AnimationOptions
from crowdgym.cli.shared.assignments import named_values
from crowdgym.cli.shared.grouping import SectionedCommand, grouped
from crowdgym.cli.shared.options import (
    EnvironmentSettings,
    Episodes,
    FirstSeed,
    JsonFile,
    environment,
    number,
    output_file,
)
from crowdgym.cli.shared.output import (
    print_episodes,
    print_results_file,
    warn_of_illegal_actions,
    write_results,
)
from crowdgym.cli.shared.progress import ShownProgress, shown_progress
from crowdgym.common.errors import ConfigError
from crowdgym.common.files import is_folder

if TYPE_CHECKING:
    from crowdgym.isolation.policy import Limits
    from crowdgym.policies import PolicySource

app = typer.Typer()


@dataclass(frozen=True)
class PolicyOptions:
    """Who plays."""

    section = "Policy"

    agent: Annotated[
        str | None,
        typer.Option(
            help="A policy ('crowdgym agents' lists them), your own as module:Class or module:function, or the folder "
            "of a trained agent, which plays with the settings of its training unless you give others; default: the "
            "environment's.",
            autocompletion=completion.agents,
        ),
    ] = None


@dataclass(frozen=True)
class EpisodeOptions:
    """Which episodes are played."""

    section = "Episodes"

    episodes: Episodes = 1
    seed: FirstSeed = 0
    first_number: Annotated[
        int,
        number(
            "Seed of the policy's own randomness in the first episode; the next episode has one more. It does not "
            "depend on --seed, which a policy must not know.",
            "--policy-seed",
            least=0,
        ),
    ] = 0


@dataclass(frozen=True)
class OutputFiles:
    """What a run writes besides its table: results, and an animation or the trace of the first episode."""

    section = "Files"

    json: JsonFile = None
    film: Annotated[
        Path | None, output_file("Write the first episode to this .gif or .mp4 file.", SUFFIXES, "--render")
    ] = None
    trace: Annotated[Path | None, output_file("Write the first episode to this .trace file.", ".trace")] = None


@dataclass(frozen=True)
class OwnPolicy:
    """How a policy of the user's own is played."""

    section: ClassVar[str] = "How the policy is made and played"

    agent_arguments: Annotated[
        list[str],
        typer.Option(
            "--agent-arg", metavar="NAME=VALUE", help="An argument of its class or function; may be repeated."
        ),
    ] = field(default_factory=list)
    step_limit_s: Annotated[
        float | None, number("Seconds that it may take for a step; default: no limit.", "--step-limit", least=0)
    ] = None
    memory_limit_mb: Annotated[
        int | None, number("Megabytes of address space of its process; default: no limit.", "--memory-limit")
    ] = None
    inside: Annotated[
        bool | None,
        typer.Option(
            "--inside/--isolated",
            help="Play it in the process of the environment, such as for a debugger, or in a process of its own, which "
            "holds no environment; default: isolated, CrowdGym's own policies inside.",
            show_default=False,
        ),
    ] = None

    def source(self, name: str, environment: str, scenario: str | None) -> "PolicySource":
        """What the policy is made from."""
        from crowdgym.policies import PolicySource

        arguments = named_values("--agent-arg", self.agent_arguments, "k=3")
        return PolicySource(name, environment, scenario, tuple(arguments.items()))

    def limits(self) -> "Limits":
        """What its process may use."""
        from crowdgym.isolation.policy import Limits

        return Limits(self.step_limit_s, None if self.memory_limit_mb is None else self.memory_limit_mb * 10**6)


@app.command(cls=SectionedCommand)
@grouped
def run(
    settings: EnvironmentSettings,
    player: PolicyOptions,
    own: OwnPolicy,
    which: EpisodeOptions,
    files: OutputFiles,
    animation: AnimationOptions,
    env: Annotated[
        str | None,
        environment("Name of the environment, such as csc_v0; not needed for the folder of a trained agent.", "[ENV]"),
    ] = None,
) -> None:
    """Play episodes with a policy, and print the results.

    Two runs with the same seed give the same results.
    """
    # All input is checked before the first step, as far as possible.
    from crowdgym.isolation.policy import how_played, open_policy
    from crowdgym.learners import refuse_misfit
    from crowdgym.runner import policy_seed, run_episodes
    from crowdgym.traces import TraceRecorder

    animation.check(files.film, "--render")
    env, keywords = _chosen_run(env, player.agent, settings.keywords())
    agent = crowdgym.environment_spec(env).default_policy if player.agent is None else player.agent
    source = own.source(agent, env, keywords.get("scenario"))
    with (
        open_policy(source, policy_seed(which.first_number), own.limits(), inside=own.inside) as policy,
        shown_progress(which.episodes) as progress,
    ):
        played: Any = crowdgym.make(env, render_mode="rgb_array" if files.film else None, **keywords)
        if files.trace is not None:
            played = TraceRecorder(played, agent)
        try:
            refuse_misfit(policy, played)
            result = run_episodes(
                played,
                policy,
                agent=agent,
                episodes=which.episodes,
                seed=which.seed,
                first_number=which.first_number,
                watch=_watch(played, files, animation, progress),
            )
        finally:
            played.close()
        how = how_played(policy)
    write_results(files.json, {**result.to_json(), "played": how})
    print_episodes(result, how)
    warn_of_illegal_actions(result)
    print_results_file(files.json)
    for first_episode in filter(None, (files.film, files.trace)):
        typer.echo(f"episode of seed {which.seed}: {first_episode}")


def _chosen_run(env: str | None, agent: str | None, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The environment and its keywords: those of a trained agent's training, replaced by the keywords in ``given``.

    Raises:
        ConfigError: neither the command line nor the agent names an environment.
    """
    from crowdgym.learners import trained_environment

    trained = trained_environment(agent)
    if trained is not None and env in (None, trained[0]):
        return trained[0], {**trained[1], **given}
    if env is None and agent is not None and is_folder(agent):
        raise ConfigError(f"the folder {agent} holds no trained agent: it has no agent.yaml")
    if env is None:
        raise ConfigError(
            f"name an environment ({', '.join(crowdgym.environment_names())}), "
            "or give the folder of a trained agent as --agent"
        )
    return env, given


def _watch(
    env: Any, files: OutputFiles, animation: AnimationOptions, progress: ShownProgress
) -> Callable[[int, Iterator[int]], None]:
    """Show progress, and record the first episode."""
    from crowdgym.runner import num_steps_of, play_through
    from crowdgym.traces import write_trace

    num_steps = num_steps_of(env)

    def watch(episode: int, steps: Iterator[int]) -> None:
        counted = progress.count(episode, steps, num_steps)
        if files.film is not None and episode == 0:
            frames = (env.render() for step in counted if animation.is_wanted(step, num_steps))
            animation.write(files.film, frames, env.metadata["render_fps"])
        play_through(episode, counted)
        if files.trace is not None and episode == 0:
            write_trace(files.trace, env.trace())

    return watch
