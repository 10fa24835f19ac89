"""The pages that are made from the code: what is on them."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdgym import environment_names, environment_spec
from crowdgym.learners import learner_names
from crowdgym.policies import all_policies

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module", autouse=True)
def _importable() -> Iterator[None]:
    sys.path.insert(0, str(DOCS))
    yield
    sys.path.remove(str(DOCS))


@pytest.fixture(scope="module")
def environments() -> dict[str, str]:
    from site_pages.environments import environment_pages

    return environment_pages(DOCS)


@pytest.fixture(scope="module")
def agents() -> dict[str, str]:
    from site_pages.agents import agent_pages

    return {name: text for name, text in agent_pages(DOCS).items() if name.endswith(".md")}


def test_every_environment_has_a_page_with_all_of_its_settings_metrics_and_sets(environments: dict[str, str]) -> None:
    assert list(environments) == [f"{name}.md" for name in environment_names()]
    for name, page in environments.items():
        spec = environment_spec(name.removesuffix(".md"))
        for setting in spec.settings_class().model_fields:
            assert f"\n| `{setting}` |" in page
        for metric in spec.metrics:
            assert f"\n| `{metric.name}` | {metric.meaning} |" in page


def test_the_layout_says_where_each_number_of_an_observation_stands(environments: dict[str, str]) -> None:
    page = environments["csc_v0.md"]

    assert "### `w_self`: 1 × 16" in page
    assert "\n| 2 | `idle` | flag |" in page
    assert "### `T_optional`: 10 × 11" in page
    assert "\n| 28, 39, … | `work_left` |" in page  # the second of eleven columns from 27 on


def test_the_best_results_of_an_environment_are_those_of_the_page_of_results(environments: dict[str, str]) -> None:
    assert "| `gaussian-swap` |" in environments["sensing_v0.md"]
    assert "| `task-schedule` |" in environments["dasc_v0.md"]
    assert "(../../dasc_results.md#how-much-room-is-left)" in environments["dasc_v0.md"]


def test_every_policy_and_learner_has_a_page(agents: dict[str, str]) -> None:
    assert set(agents) == {f"{name}.md" for name in (*(one.name for one in all_policies()), *learner_names())}


def test_a_policy_of_several_environments_has_a_part_for_each(agents: dict[str, str]) -> None:
    page = agents["greedy.md"]

    assert re.findall(r"^## In \[`(\w+)`\]", page, re.MULTILINE) == ["csc_v0", "dasc_v0", "preference_v0"]
    assert "crowdgym run dasc_v0 --agent greedy" in page


def test_an_agent_has_its_own_rows_of_the_results(agents: dict[str, str]) -> None:
    results = agents["task-schedule.md"].split("## Results")[1]

    assert re.search(r"^\| dasc-scarce-haikou \| `task-schedule` \| \d", results, re.MULTILINE)
    assert "| `greedy` |" not in results


def test_a_learner_has_its_hyperparameters_the_page_that_explains_it_and_its_curves(agents: dict[str, str]) -> None:
    page = agents["ippo.md"]

    assert "| `learning_rate` | `0.001` |" in page
    assert "[IPPO: train, resume, play](../../ippo.md)" in page
    assert re.findall(r"\]\((ippo-csc_v0-[\w-]+\.svg)\)", page) == [
        f"ippo-csc_v0-{scenario}.svg" for scenario in ("chengdu-paper", "chengdu-synth", "haikou-paper", "haikou-synth")
    ]


def test_sections_of_the_index_become_the_navigation() -> None:
    from site_pages.contents import with_contents

    index = (
        "# Contents\n\n## Parts\n\n<!-- pages: generated/agents/* -->\n\n[A](a.md), [B](b/c.md#d), [C](../README.md)\n"
    )

    assert with_contents(index).endswith(
        "[C](generated/readme.md)\n\n\n"
        "```{toctree}\n:hidden:\n:glob:\n:caption: Parts\n\ngenerated/agents/*\na\ngenerated/readme\n```\n"
    )


def test_links_of_the_readme_lead_from_the_folder_of_generated_pages(tmp_path: Path) -> None:
    from site_pages.readme import root_pages

    for name in ("CONTRIBUTING", "CHANGELOG"):
        (tmp_path / f"{name}.md").write_text("")
    (tmp_path / "README.md").write_text(
        "[a](docs/a.md#b) [b](CHANGELOG.md) [c](examples/c.py) [d](https://e.f) [g](#h)"
    )

    assert root_pages(tmp_path)["readme.md"] == (
        "[a](../a.md#b) [b](changelog.md) [c](../../examples/c.py) [d](https://e.f) [g](#h)"
    )


def test_every_environment_has_an_animation_below_half_a_megabyte_and_the_command_that_draws_it() -> None:
    commands = (DOCS / "pictures" / "draw.sh").read_text(encoding="utf-8").splitlines()[1:]
    drawn = [command.rpartition("--render ")[2] for command in commands]

    assert drawn == [f"{name}.gif" for name in environment_names()]
    assert {file.name for file in (DOCS / "pictures").glob("*.gif")} == set(drawn)
    assert all((DOCS / "pictures" / name).stat().st_size < 500_000 for name in drawn)
