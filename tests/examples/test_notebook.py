"""The notebook: its cells run one after the other, as in Jupyter, and it is stored without outputs."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOTEBOOK: dict[str, Any] = json.loads((EXAMPLES / "quickstart.ipynb").read_text(encoding="utf-8"))


def sources(kind: str) -> list[str]:
    return ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == kind]


def test_it_is_a_notebook_of_format_4_with_unique_ids_and_without_outputs() -> None:
    assert (NOTEBOOK["nbformat"], NOTEBOOK["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in NOTEBOOK["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(cell["outputs"] == [] for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code")


def test_its_cells_run_one_after_the_other(tmp_path: Path) -> None:
    program = "import matplotlib\nmatplotlib.use('agg')\n" + "\n".join(sources("code")).replace(
        "episodes=5", "episodes=1"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "20 workers, 30 tasks" in done.stdout
    assert re.findall(r"^(\w+) +[\d,]+ ± 0$", done.stdout, re.MULTILINE) == ["random", "greedy", "lookahead", "spread"]


def test_its_links_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)]+)\)", "\n".join(sources("markdown")))

    assert len(links) == 3
    assert [link for link in links if not (EXAMPLES / link).exists()] == []
