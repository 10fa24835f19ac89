"""What ``crowdgym speed`` does."""

import json
from pathlib import Path

import typer

from crowdgym.cli.output import check_output_file, print_table
from crowdgym.cli.run import check_run, keywords_of
from crowdgym.common.files import write_bytes
from crowdgym.measure.speed import SpeedResult, measure_speed


def speed_command(
    env_name: str,
    scenario: str | None,
    interface: str,
    num_envs: int | None,
    runs: int,
    steps: int | None,
    seed: int,
    assignments: list[str],
    json_file: Path | None,
) -> None:
    """See `crowdgym.cli.main.speed`. Bad input is found before the first step, as far as possible."""
    check_run(env_name, 1, seed)
    keywords = keywords_of(assignments, scenario)
    check_output_file(json_file, "--json", ".json")
    result = measure_speed(
        env_name, interface=interface, num_envs=num_envs, runs=runs, steps=steps, seed=seed, keywords=keywords
    )
    print_speed(result)
    if json_file is not None:
        write_bytes(json_file, (json.dumps(result.to_json(), indent=2, allow_nan=False) + "\n").encode())
        typer.echo(f"results: {json_file}")


def print_speed(result: SpeedResult) -> None:
    """Print the figures, one a row."""
    rates = result.agent_steps_per_s_of_runs
    counts = {len(run.step_s) for run in result.runs}
    compiling = ", compiling included" if result.compiled else ""
    rows = [
        ("agent-steps a second, median", f"{result.agent_steps_per_s:,.0f}"),
        ("the same, slowest to fastest run", f"{min(rates):,.0f} to {max(rates):,.0f}"),
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
