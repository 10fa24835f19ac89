"""``crowdgym demo``: compare policies that learn nothing, and draw a map."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

import crowdgym
from crowdgym.cli.shared import completion
from crowdgym.cli.shared.options import EpisodesOfEach, FirstSeed, output_folder
from crowdgym.cli.shared.output import check_output_folder, print_comparison
from crowdgym.cli.shared.progress import ShownProgress, shown_progress

AGENTS = ("greedy", "random", "hold")
ENVIRONMENT = "csc_v0"

app = typer.Typer()


@app.command()
def demo(
    out: Annotated[Path, output_folder("the picture")] = Path("out"),
    scenario: Annotated[
        str, typer.Option(help="Name of a dataset or preset.", autocompletion=completion.scenarios)
    ] = "haikou-synth",
    episodes: EpisodesOfEach = 3,
    seed: FirstSeed = 0,
) -> None:
    """Compare Greedy, random and hold on a city, and draw a map."""
    from crowdgym.policies import load_policy
    from crowdgym.runner import run_episodes

    check_output_folder(out, "--out")
    picture = out / f"csc_{scenario.replace('-', '_')}.png"
    results = []
    with shown_progress(episodes * len(AGENTS)) as progress:
        env = crowdgym.make(ENVIRONMENT, scenario=scenario, render_mode="rgb_array")
        try:
            for agent in AGENTS:
                watch = _watch(env, picture if agent == AGENTS[0] else None, progress)
                policy = load_policy(agent, ENVIRONMENT)
                results.append(run_episodes(env, policy, agent=agent, episodes=episodes, seed=seed, watch=watch))
        finally:
            env.close()
    settings = env.settings
    print_comparison(
        f"{ENVIRONMENT} on {scenario}: {settings.num_workers} workers, {settings.num_tasks} tasks, "
        f"mean of {episodes} episodes (seeds {seed} to {seed + episodes - 1})",
        results,
    )
    typer.echo(f"map, {AGENTS[0]} at work: {picture}")


def _watch(env: Any, picture: Path | None, progress: ShownProgress) -> Callable[[int, Iterator[int]], None]:
    """Show progress, and draw the first episode at the moment when the last task has been created."""
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

    return watch
