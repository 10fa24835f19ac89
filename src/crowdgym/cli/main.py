"""The command line: ``crowdgym run``, ``train``, ``demo``, ``speed``, ``bench``, ``calibrate``, ``data``, ``trace``."""

from pathlib import Path
from typing import Annotated

import typer

import crowdgym
from crowdgym.cli.data import data_app
from crowdgym.cli.endings import clean_endings
from crowdgym.cli.trace import trace_app
from crowdgym.common.errors import ConfigError

# Plain text in place of boxes, so that a message is one line wherever it ends up.
app = typer.Typer(
    name="crowdgym",
    help="Spatial crowdsourcing environments: run policies, record them, and build datasets.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(data_app, name="data")
app.add_typer(trace_app, name="trace")


def main() -> None:
    """Run the command line."""
    app()


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"crowdgym {crowdgym.__version__}")
        raise typer.Exit


@app.callback()
def crowdgym_(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Spatial crowdsourcing environments: run policies, record them, and build datasets."""


@app.command()
@clean_endings()
def run(
    env: Annotated[
        str | None,
        typer.Argument(
            metavar="[ENV]",
            help="Name of the environment, such as csc_v0; not needed for the folder of a trained agent.",
        ),
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(help="Name of a dataset or preset ('crowdgym data list'); else the environment's.")
    ] = None,
    agent: Annotated[
        str | None,
        typer.Option(
            help="random, hold, one of the environment's (else its first, greedy), your own as module:Class, "
            "or the folder of a trained one, played with the settings it was trained with unless others are given."
        ),
    ] = None,
    episodes: Annotated[int, typer.Option(help="How many to play.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the first episode; the next one has seed + 1, and so on.")] = 0,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A keyword of the environment; give it as often as you like."),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write settings and results to this .json file.")] = None,
    render: Annotated[Path | None, typer.Option(help="Write the first episode to this .gif file.")] = None,
    trace: Annotated[Path | None, typer.Option(help="Write the first episode to this .trace file.")] = None,
) -> None:
    """Play episodes with a policy, and print what they came to.

    Two runs with the same seed give the same results.
    """
    from crowdgym.cli.run import OutputFiles, run_command

    run_command(env, scenario, agent, episodes, seed, set_ or [], OutputFiles(json, render, trace))


@app.command()
@clean_endings()
def train(
    agent: Annotated[
        str, typer.Argument(metavar="AGENT", help="What learns: ippo, or your own learner as module:ATTRIBUTE.")
    ],
    env: Annotated[str, typer.Argument(metavar="ENV", help="Name of the environment, such as csc_v0.")],
    steps: Annotated[int | None, typer.Option(help="Of the environment, those of all its copies together.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for checkpoints, curve and logs; created if need be.")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(help="Name of a dataset or preset ('crowdgym data list'); else the environment's.")
    ] = None,
    init: Annotated[
        Path | None, typer.Option(help="Folder of another run: begin with its last weights, not with random ones.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out, if there is one.")] = False,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Of the processor, for the networks.")] = 1,
    seed: Annotated[int, typer.Option(help="Of everything that is random.")] = 0,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A keyword of the environment or a hyperparameter; give it as often as you like.",
        ),
    ] = None,
    settings: Annotated[
        bool, typer.Option("--settings", help="Print the hyperparameters, their defaults and meanings; train nothing.")
    ] = False,
) -> None:
    """Train an agent. 'crowdgym run --agent OUT' plays it.

    On the processor, the same seed and number of threads give the same weights, and so does a run that was stopped at
    any moment and goes on with --resume.
    """
    from crowdgym.cli.train import TrainOptions, settings_command, train_command

    if settings:
        settings_command(agent, env)
        return
    if steps is None or out is None:
        raise ConfigError("'crowdgym train' needs --steps and --out; --settings lists the hyperparameters")
    train_command(agent, env, TrainOptions(steps, out, scenario, init, resume, device, threads, seed, set_ or []))


@app.command()
@clean_endings()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the picture; created if need be.")] = Path("out"),
    scenario: Annotated[str, typer.Option(help="Name of a dataset or preset.")] = "haikou-synth",
    episodes: Annotated[int, typer.Option(help="Of each agent.")] = 3,
    seed: Annotated[int, typer.Option(help="Of the first episode; the next one has seed + 1, and so on.")] = 0,
) -> None:
    """Compare Greedy, random and hold on a city, and draw a map."""
    from crowdgym.cli.demo import demo_command

    demo_command(out, scenario, episodes, seed)


@app.command()
@clean_endings()
def speed(
    env: Annotated[str, typer.Argument(metavar="ENV", help="Name of the environment, such as csc_v0.")],
    scenario: Annotated[
        str | None, typer.Option(help="Name of a dataset or preset ('crowdgym data list'); else the environment's.")
    ] = None,
    interface: Annotated[str, typer.Option(help="vector (Gymnasium) or dict (PettingZoo).")] = "vector",
    num_envs: Annotated[
        int | None, typer.Option(help="Copies; 32 in the vector interface if not given, and 1 in the other.")
    ] = None,
    runs: Annotated[int, typer.Option(help="How often it is measured.")] = 5,
    steps: Annotated[int | None, typer.Option(help="Timed in each run; those of an episode if not given.")] = None,
    seed: Annotated[int, typer.Option(help="Of the first run, and of the actions.")] = 0,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A keyword of the environment; give it as often as you like."),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write settings and all values to this .json file.")] = None,
) -> None:
    """Measure how fast an environment is: medians over several runs, random legal actions.

    Timed is env.step alone: actions are drawn between the timed calls, resets are timed apart, and the first reset and
    steps, where code may be compiled, do not count.
    """
    from crowdgym.cli.speed import speed_command

    speed_command(env, scenario, interface, num_envs, runs, steps, seed, set_ or [], json)


@app.command()
@clean_endings()
def bench(
    suite: Annotated[
        str,
        typer.Argument(
            metavar="SUITE",
            help="csc-paper, dasc-dispatchers, sensing-paper, or a .yaml file with a suite of your own.",
        ),
    ],
    agents: Annotated[
        str | None,
        typer.Option(metavar="NAME,NAME", help="Who plays, your own as module:Class; else those that the suite names."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Processes that play at the same time; as many as there are cores if not given.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for results, created if need be; out/bench/SUITE if not given.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that is in --out.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="A corner of the suite, in less than a minute.")] = False,
    scenario: Annotated[str | None, typer.Option(help="Another dataset or preset than the suite's.")] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="NAME=VALUES", help="Some of it, such as num_workers=50,100 or agent=greedy."),
    ] = None,
    episodes: Annotated[
        int | None, typer.Option(help="Of each agent in each cell; else as many as in the suite.")
    ] = None,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds that an episode may take; else the suite's.")
    ] = None,
    traces: Annotated[
        bool, typer.Option("--traces", help="Record every episode in a .trace file under --out.")
    ] = False,
    page: Annotated[
        Path | None, typer.Option(help="A Markdown file in which the tables are put in their place.")
    ] = None,
) -> None:
    """Play a whole suite of episodes, and write tables and plots.

    A line is kept for each episode as it finishes, so a run that was killed goes on with --resume, and comes to the
    same results. A policy that fails, or takes too long, is reported and stops nobody else.
    """
    from crowdgym.cli.bench import BenchOptions, bench_command

    options = BenchOptions(agents, jobs, out, resume, scenario, only or [], episodes, time_limit, quick, traces, page)
    bench_command(suite, options)


@app.command()
@clean_endings()
def calibrate(
    setting: Annotated[str, typer.Argument(metavar="SETTING", help="What to calibrate: csc.")],
    city: Annotated[str, typer.Option(help="Of the published tables: chengdu or haikou.")],
    evaluations: Annotated[int, typer.Option(help="Candidates that are tried.")] = 540,
    explore: Annotated[int, typer.Option(help="How many of them from everywhere between the bounds.")] = 300,
    episodes: Annotated[int, typer.Option(help="Of each agent at each point of the tables, per candidate.")] = 3,
    seed: Annotated[int, typer.Option(help="Of the search.")] = 0,
    jobs: Annotated[int, typer.Option(help="Candidates played at the same time.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder for results; created if need be.")] = Path("out/calibration"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the fit that is in --out.")] = False,
) -> None:
    """Fit what a paper leaves out of a scenario to the figures that it gives of policies that learn nothing.

    Writes a scenario file, and which candidates no other was better than for both policies, as a table and a picture.
    Prints what the policies earn in the scenario, on seeds apart from those of the fit, beside what is published. A
    line is kept for each candidate, so a fit that was killed goes on with --resume.
    """
    from crowdgym.calibration.fit import Plan
    from crowdgym.cli.calibrate import calibrate_command

    calibrate_command(setting, Plan(city, evaluations, explore, episodes, seed), out, jobs=jobs, resume=resume)
