"""``crowdgym demo``: compare policies, draw a map, and write an episode that plays in a browser."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

import crowdgym
from crowdgym.cli.shared import completion
from crowdgym.cli.shared.options import EpisodesOfEach, FirstSeed, output_folder
from crowdgym.cli.shared.output import check_output_folder, print_comparison
from crowdgym.cli.shared.progress import ShownProgress, shown_progress

AGENTS = ("greedy", "lookahead", "random", "hold")
SHOWN = AGENTS[:2]  # side by side in the browser
ENVIRONMENT = "csc_v0"

app = typer.Typer()


@app.command()
def demo(
    out: Annotated[Path, output_folder("what is drawn")] = Path("out"),
    scenario: Annotated[
        str, typer.Option(help="Name of a dataset or preset.", autocompletion=completion.scenarios)
    ] = "haikou-synth",
    episodes: EpisodesOfEach = 3,
    seed: FirstSeed = 0,
) -> None:
    """Compare four policies on a city, and draw what happens."""
    from crowdgym.player.page import write_player
    from crowdgym.policies import load_policy
    from crowdgym.runner import RunResult, run_episodes
    from crowdgym.traces import Trace, TraceRecorder

    check_output_folder(out, "--out")
    picture, replay = out / f"csc_{scenario.replace('-', '_')}.png", out / "replay.html"
    results: list[RunResult] = []
    traces: list[Trace] = []
    with shown_progress(episodes * len(AGENTS)) as progress:
        env = crowdgym.make(ENVIRONMENT, scenario=scenario, render_mode="rgb_array")
        try:
            for agent in AGENTS:
                played = TraceRecorder(env, agent) if agent in SHOWN else env
                keep = traces.append if agent in SHOWN else None
                watch = _watch(played, picture if agent == AGENTS[0] else None, keep, progress)
                policy = load_policy(agent, ENVIRONMENT)
                results.append(run_episodes(played, policy, agent=agent, episodes=episodes, seed=seed, watch=watch))
        finally:
            env.close()
    settings = env.settings
    print_comparison(
        f"{ENVIRONMENT} on {scenario}: {settings.num_workers} workers, {settings.num_tasks} tasks, "
        f"mean of {episodes} episodes (seeds {seed} to {seed + episodes - 1})",
        results,
    )
    if note := note_on_random({result.agent: result.mean for result in results}):
        typer.echo(note)
    write_player(replay, traces)
    typer.echo(f"map, {AGENTS[0]} at work: {picture}")
    typer.echo(f"{' beside '.join(SHOWN)}, to watch: open {replay} in a browser")


def note_on_random(means: Mapping[str, Mapping[str, float]]) -> str:
    """Why random choices can complete more tasks than Greedy and earn less, where they do; else nothing."""
    greedy, drawn = means["greedy"], means["random"]
    if drawn["completed"] > greedy["completed"] and drawn["revenue"] < greedy["revenue"]:
        return "random completes more tasks than greedy, but later: past its expected time a task pays less and less"
    return ""


def _watch(
    env: Any, picture: Path | None, keep: Callable[[Any], None] | None, progress: ShownProgress
) -> Callable[[int, Iterator[int]], None]:
    """Show progress; draw the first episode at the moment when the last task has been created, and keep its trace."""
    from crowdgym.envs.rendering.animation import write_png
    from crowdgym.runner import num_steps_of, play_through

    settings, num_steps = env.settings, num_steps_of(env)
    moment = int(min(settings.window_s, settings.horizon_s / 2) // settings.step_s)

    def watch(episode: int, steps: Iterator[int]) -> None:
        counted = progress.count(episode, steps, num_steps)
        if picture is not None and episode == 0:
            for step in counted:
                if step == moment:
                    write_png(picture, env.render())
        play_through(episode, counted)
        if keep is not None and episode == 0:
            keep(env.trace())

    return watch
