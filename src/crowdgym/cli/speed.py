"""``crowdgym speed``: measure how fast an environment is."""

from typing import TYPE_CHECKING, Annotated

import typer

from crowdgym.cli.shared.grouping import grouped
from crowdgym.cli.shared.options import EnvironmentName, EnvironmentSettings, JsonFile, Seed, number
from crowdgym.cli.shared.output import print_results_file, print_table, write_results

if TYPE_CHECKING:
    from crowdgym.measure.speed import SpeedResult

app = typer.Typer()


@app.command()
@grouped
def speed(
    env: EnvironmentName,
    settings: EnvironmentSettings,
    interface: Annotated[str, typer.Option(help="vector (Gymnasium) or dict (PettingZoo).")] = "vector",
    num_envs: Annotated[
        int | None, number("Copies of the environment; default: 32 in the vector interface, 1 in the dict interface.")
    ] = None,
    runs: Annotated[int, number("Number of measured runs.")] = 5,
    steps: Annotated[int | None, number("Steps that are timed in each run; default: those of an episode.")] = None,
    seed: Seed = 0,
    json: JsonFile = None,
) -> None:
    """Measure the speed of an environment under random legal actions.

    Prints medians over several runs. Only env.step is timed: actions are drawn between the timed calls, resets are
    timed separately, and the first reset and steps, which may compile code, are not counted.
    """
    from crowdgym.measure.speed import measure_speed

    result = measure_speed(
        env,
        interface=interface,
        num_envs=num_envs,
        runs=runs,
        steps=steps,
        seed=seed,
        keywords=settings.keywords(),
    )
    write_results(json, result.to_json())
    print_speed(result)
    print_results_file(json)


def print_speed(result: "SpeedResult") -> None:
    """Print a row for each measured quantity."""
    rates, thirds = result.agent_steps_per_s_of_runs, result.agent_steps_per_s_of_thirds
    counts = {len(run.step_s) for run in result.runs}
    compiling = ", compiling included" if result.compiled else ""
    rows = [
        ("agent-steps a second, median", f"{result.agent_steps_per_s:,.0f}"),
        ("the same, slowest to fastest run", f"{min(rates):,.0f} to {max(rates):,.0f}"),
        ("the same, thirds of a run", ", ".join(f"{rate:,.0f}" for rate in thirds) or "fewer than three steps"),
        ("the same, resets included", f"{result.agent_steps_per_s_with_resets:,.0f}"),
        ("step, median", f"{1e6 * result.step_s:,.1f} us"),
        ("step, 95th percentile", f"{1e6 * result.step_p95_s:,.1f} us"),
        ("step of one copy, median", f"{1e6 * result.copy_step_s:,.2f} us"),
        ("reset of one copy, median", f"{1e3 * result.copy_reset_s:,.2f} ms"),
        ("processor time over time, stepping", f"{100 * result.cpu_share:,.0f} %"),
        (f"make and first reset{compiling}", f"{result.first_reset_s:,.2f} s"),
        (f"first step{compiling}", f"{result.first_step_s:,.4f} s"),
    ]
    if result.peak_memory_bytes is not None:
        rows.append(("peak memory of the process", f"{result.peak_memory_bytes / 1e6:,.0f} MB"))
    machine = result.machine
    print_table(
        f"{result.env}, {result.interface} interface: {_counted(result.num_envs, 'copy', 'copies')} of "
        f"{_counted(result.num_agents, 'agent', 'agents')}, {_counted(len(rates), 'run', 'runs')} of "
        f"{' or '.join(map(str, sorted(counts)))} steps",
        ("figure", "value"),
        rows,
    )
    memory = machine["memory_bytes"]
    typer.echo(
        f"{machine['cpu']}, {machine['usable_cores']} of {machine['cores']} cores, "
        f"{'' if memory is None else f'{memory / 1e9:.0f} GB, '}{machine['os']}; Python {machine['python']}, "
        f"NumPy {machine['numpy']}, numba {machine['numba']}, CrowdGym {machine['crowdgym']}"
    )


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
