"""A page for each policy and each learner, made from its specification, its docstrings, its settings and its curve."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path

import crowdgym
from crowdgym.agents.catalogue import LearnerSpec, PolicySpec
from crowdgym.learners import find_learner, learner_names
from crowdgym.policies import all_policies, trained_scenarios
from crowdgym.training.hyperparameters import hyperparameters
from site_pages.environments import RESULTS
from site_pages.markdown import TO_DOCS, code, table, title_of


def agent_pages(docs: Path) -> dict[str, str]:
    """The text of each page by its file name, and the curves as SVG pictures. Policies of one name share a page."""
    policies: dict[str, list[PolicySpec]] = {}
    for one in all_policies():
        policies.setdefault(one.name, []).append(one)
    pages = {f"{name}.md": _policy_page(name, specs, docs) for name, specs in policies.items()}
    for spec in map(find_learner, learner_names()):
        pages[f"{spec.name}.md"] = _learner_page(spec, docs)
        pages |= {_curve_file(spec.name, *where): _curve(spec, *where) for where in _weights(spec)}
    return pages


def _weights(spec: LearnerSpec) -> list[tuple[str, str]]:
    """The environments and scenarios for which weights come with CrowdGym."""
    environments = crowdgym.environment_names()
    return [(where, scenario) for where in environments for scenario in trained_scenarios(spec.name, where)]


def _policy_page(name: str, specs: list[PolicySpec], docs: Path) -> str:
    parts = [f"# `{name}`"]
    for spec in specs:
        environments = spec.environments or crowdgym.environment_names()
        if len(specs) > 1:
            parts.append(f"## In {_listed(environments)}")
        about = f"{spec.about[0].upper()}{spec.about[1:]}."
        parts += [about, f"Plays {_listed(environments)}.", _reference(spec.entry_point)]
        parts.append(_shell(f"crowdgym run {environment} --agent {name}" for environment in environments))
    return _joined([*parts, *_results(name, docs)])


def _learner_page(spec: LearnerSpec, docs: Path) -> str:
    name = spec.name
    weights = _weights(spec)
    usual = weights[0][0] if weights else _usual_environment(name, docs)
    pages = [page for page in _hand_pages(docs) if f"train {name} " in page.read_text(encoding="utf-8")]
    parts = [
        f"# `{name}`",
        f"{spec.about[0].upper()}{spec.about[1:]}.",
        "Read on: " + ", ".join(f"[{title_of(page)}]({TO_DOCS}{page.relative_to(docs)})" for page in pages) + ".",
        _shell([f"crowdgym train {name} {usual} --settings"]),
        "## The algorithm",
        _reference(spec.trainer),
        f"## Hyperparameters in `{usual}`",
        table(
            ("name", "default", "meaning"),
            [(code(one.name), code(one.text), one.meaning) for one in hyperparameters(spec, usual)],
        ),
        *_results(name, docs),
    ]
    if weights:
        parts += ["## Weights that come with CrowdGym", "The metric of the evaluation over the training."]
    for environment, scenario in weights:
        picture = f"![Curve of {scenario}]({_curve_file(name, environment, scenario)})"
        parts.append(f"### {environment}, `{scenario}`\n\n{picture}")
    return _joined(parts)


def _usual_environment(name: str, docs: Path) -> str:
    """The first environment that a page written by hand trains the learner in."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in _hand_pages(docs))
    named = re.search(rf"train {name} (\w+_v\d+)", text)
    return named[1] if named else crowdgym.environment_names()[0]


def _hand_pages(docs: Path) -> list[Path]:
    return sorted(docs.glob("*.md"))


def _curve_file(name: str, environment: str, scenario: str) -> str:
    return f"{name}-{environment}-{scenario}.svg"


def _curve(spec: LearnerSpec, environment: str, scenario: str) -> str:
    """The evaluations of a packaged curve over steps, as an SVG picture."""
    from matplotlib.figure import Figure

    assert spec.weights is not None
    text = (files(spec.weights) / environment / scenario / "curve.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["evaluation"]]
    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot([int(row["steps"]) for row in rows], [float(row["evaluation"]) for row in rows], marker=".")
    axes.set(xlabel="steps of the environment", ylabel=crowdgym.environment_spec(environment).objective.metric)
    axes.grid(alpha=0.3)
    picture = io.StringIO()
    figure.savefig(picture, format="svg")
    return picture.getvalue()


def _results(name: str, docs: Path) -> Iterator[str]:
    """The tables of the results that name an agent, without the rows of others where it has rows of its own."""
    quoted = f"`{name}`"
    found = []
    for heading, lines in _tables(docs / RESULTS):
        rows = [line for line in lines[2:] if quoted in line]
        if quoted in lines[0] or rows:
            kept = lines if quoted in lines[0] else [*lines[:2], *rows]
            found.append(f"In {heading}:\n\n" + "\n".join(kept).replace("](", f"]({TO_DOCS}"))
    if found:
        yield "## Results"
        yield f"From [{title_of(docs / RESULTS)}]({TO_DOCS}{RESULTS}), where the commands and the seeds are."
        yield from found


def _tables(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Each table of a page as lines, with the heading of level 2 that it stands under."""
    heading, lines = "", []
    for line in [*page.read_text(encoding="utf-8").splitlines(), ""]:
        if line.startswith("|"):
            lines.append(line)
            continue
        if lines:
            yield heading, lines
            lines = []
        if line.startswith("## "):
            heading = line.removeprefix("## ")


def _reference(entry_point: str) -> str:
    """What a module says, and a class or function of it, by Sphinx."""
    module, _, attribute = entry_point.partition(":")
    kind = "class" if attribute[0].isupper() else "function"
    return (
        "```{eval-rst}\n"
        f".. automodule:: {module}\n   :no-index:\n\n"
        f".. auto{kind}:: {module}.{attribute}\n   :no-index:\n"
        "```"
    )


def _shell(commands: Iterable[str]) -> str:
    return "```sh\n" + "\n".join(commands) + "\n```"


def _listed(environments: Iterable[str]) -> str:
    return ", ".join(f"[`{name}`](../environments/{name}.md)" for name in environments)


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"
