"""The tables of ``dasc-rmo``."""

from collections.abc import Sequence
from typing import Final

from crowdgym.bench.report.markdown import markdown_table
from crowdgym.bench.report.statistics import Interval
from crowdgym.bench.report.table import ResultTable
from crowdgym.bench.rmo.results import MAP_AGENT, RmoResults
from crowdgym.configs.suites import GridPoint

_COMPARED: Final = "rolling-horizon"


def page(table: ResultTable, name: str) -> str:
    """All tables, in Markdown."""
    suite = table.suite
    last = suite.first_seed + suite.episodes - 1
    parts = [
        f"`crowdgym bench {name}`: {suite.episodes} episodes at each grid point, those of seeds {suite.first_seed} to "
        f"{last}. Intervals hold 95 % of resampled values. A trained policy is the best of its run on the instances of "
        "evaluation; its revenue is the mean over the seeds of training."
    ]
    for scenario in table.scenarios:
        results = RmoResults(table, scenario)
        parts += [_curves(results), _base(results), _map(results), _paths(results)]
        parts += [_sizes(results, size) for size in results.sizes]
    return "\n\n".join(part for part in parts if part) + "\n"


def _curves(results: RmoResults) -> str:
    """Figure 5 as a table."""
    if not results.variants:
        return ""
    curves = {variant: results.curve(variant) for variant in results.variants}
    steps = next(iter(curves.values())).steps
    rows = [
        [variant, *(_interval(of) for of in curve.profit), f"{results.processor_s(variant):.0f}"]
        for variant, curve in curves.items()
    ]
    seeds = next(iter(curves.values())).seeds
    headings = ["variant", *(f"{step:,.0f} steps" for step in steps), "processor, s"]
    title = f"### Figure 5: profit in training, {results.scenario}, {seeds} seeds of training (IQM)"
    return f"{title}\n\n{markdown_table(headings, rows)}"


def _base(results: RmoResults) -> str:
    """All agents and variants at the base."""
    rows = []
    for name in results.agents(results.base):
        revenue = results.revenue(name, results.base)
        assert revenue is not None  # it has played the point
        rows.append([f"`{name}`", f"{revenue.mean():,.0f}", _share(results.above(name, _COMPARED, results.base))])
    return _table(f"Revenue, {results.scenario}", ["policy", "revenue", f"above `{_COMPARED}`"], rows)


def _map(results: RmoResults) -> str:
    """The map of figure 6, and its best point."""
    found = results.eta_map()
    if len(found) < 2:
        return ""
    alphas, betas = (sorted({eta[i] for eta in found}) for i in (0, 1))
    rows = [
        [f"{alpha:g}", *(f"{found[alpha, beta].mean():,.0f}" if (alpha, beta) in found else "" for beta in betas)]
        for alpha in alphas
    ]
    table = _table(
        f"Figure 6: revenue of `{MAP_AGENT}` by (α, β), {results.scenario}",
        ["α", *(f"β = {beta:g}" for beta in betas)],
        rows,
    )
    best = results.best_eta()
    if best is None:
        return table
    return (
        f"{table}\n\nThe best point on every other instance is ({best.eta[0]:g}, {best.eta[1]:g}); on the other "
        f"{best.episodes} instances its revenue is {_share(best.gain)} above that of "
        f"({results.usual_eta[0]:g}, {results.usual_eta[1]:g})."
    )


def _paths(results: RmoResults) -> str:
    """Where the paths of figure 6 begin and end."""
    rows = [[variant, _eta(path[0]), _eta(path[-1])] for variant, path in results.paths.items()]
    return _table(f"Figure 6: paths of (α, β), {results.scenario}", ["run", "begins", "ends"], rows) if rows else ""


def _sizes(results: RmoResults, size: str) -> str:
    """Half of figure 7 as a table."""
    points = results.sweep_of(size)
    names = dict.fromkeys(name for point in points for name in results.agents(point))
    rows = [[f"`{name}`", *(_mean(results, name, point) for point in points)] for name in names]
    title = f"Figure 7: revenue by {size}, {results.scenario}"
    return _table(title, ["policy", *(f"{size} = {point[size]}" for point in points)], rows)


def _mean(results: RmoResults, name: str, point: GridPoint) -> str:
    revenue = results.revenue(name, point)
    return "" if revenue is None else f"{revenue.mean():,.0f}"


def _table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return f"### {title}\n\n{markdown_table(headings, rows)}"


def _interval(of: Interval) -> str:
    return f"{of.value:,.0f} [{of.low:,.0f}, {of.high:,.0f}]"


def _share(of: Interval | None) -> str:
    return "" if of is None else f"{100 * of.value:+.1f} % [{100 * of.low:+.1f}, {100 * of.high:+.1f}]"


def _eta(of: Sequence[float]) -> str:
    return f"({of[0]:.2f}, {of[1]:.2f})"
