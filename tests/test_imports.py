"""Who may import whom (design, section 2), read from the imports themselves, wherever in a file they are."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {"data": "data", "envs": "envs", "agents": "agents", "configs": "configs", "src/crowdgym": ""}
FOLDERS |= {"src/crowdgym/common": "common"}
PARTS = ("data", "envs", "agents", "configs", "common")

# Inside src/crowdgym: a part imports parts of its own line and of the lines above it.
ARROWS = (
    ("", "registration", "learners", "policies", "runner", "wrappers", "execution", "isolation", "traces"),
    ("verification", "bench", "training", "testing", "measure", "integrations", "player"),
    ("leaderboard", "calibration"),
    ("cli", "__main__"),
)


MAY_IMPORT = {
    "src/crowdgym/common": {"common"},
    "data": {"data", "common"},
    "configs": {"configs", "common"},
    "envs": {"envs", "data", "configs", "common"},
    "agents": {"agents", "configs", "common"},
}


def imported(source: str, package: str) -> Iterator[str]:
    """The modules that a file of ``package`` imports, relative ones resolved; ``import_module("...")`` included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base]).rstrip(".")
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (
            "import_module",
            "__import__",
        ):
            yield from (a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))


def part_of(module: str) -> str | None:
    """Which part of CrowdGym a module belongs to: "" for the root of the package, None for another's."""
    names = module.split(".")
    if names[0] != "crowdgym":
        return None
    return names[1] if len(names) > 1 and names[1] in PARTS else ""


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def package_of(path: Path, folder: str) -> str:
    inside = path.relative_to(ROOT / folder).parent.parts
    return ".".join(["crowdgym", *filter(None, [FOLDERS[folder]]), *inside])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import crowdgym.data.roads", ["crowdgym.data.roads"]),
        ("from crowdgym import data", ["crowdgym.data"]),
        ("def f():\n    from crowdgym.data import x, y", ["crowdgym.data.x", "crowdgym.data.y"]),
        ("from . import z", ["crowdgym.envs.csc.z"]),
        ("from ...data.roads import z", ["crowdgym.data.roads.z"]),
        ("import importlib\nimportlib.import_module('crowdgym.data')", ["importlib", "crowdgym.data"]),
    ],
)
def test_every_way_to_import_is_seen(source: str, expected: list[str]) -> None:
    assert list(imported(source, "crowdgym.envs.csc")) == expected


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_a_part_imports_only_the_parts_it_may(part: str) -> None:
    files = sources(part)
    assert len(files) > 1, f"nothing to read in {part}"
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files
        for module in imported(path.read_text(encoding="utf-8"), package_of(path, part))
        if part_of(module) not in (None, *MAY_IMPORT[part])
    ]
    assert wrong == []


def modules() -> dict[str, Path]:
    """Every file of the package by the name of its module."""
    found = {}
    for folder in FOLDERS:
        for path in sources(folder):
            inside = "" if path.name == "__init__.py" else f".{path.stem}"
            found[package_of(path, folder) + inside] = path
    return found


def graph_of(files: dict[str, Path]) -> dict[str, set[str]]:
    """For each module those it imports, wherever in the file; a name inside a module stands for the module."""
    graph: dict[str, set[str]] = {module: set() for module in files}
    for module, path in files.items():
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        for name in imported(path.read_text(encoding="utf-8"), package):
            while name and name not in files:
                name = name.rpartition(".")[0]
            if name and name != module:
                graph[module].add(name)
    return graph


def circles(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """Modules that import each other, directly or through others: the strongly connected parts of the graph."""
    reached = {module: set(edges) for module, edges in graph.items()}
    for middle in graph:
        for edges in reached.values():
            if middle in edges:
                edges |= reached[middle]
    return {
        frozenset(other for other in reached[module] if module in reached[other])
        for module in graph
        if module in reached[module]
    }


def test_a_circle_of_three_is_seen() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": set()}
    assert circles(graph) == {frozenset("abc")}


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circles(graph_of(modules())) == set()


def test_arrows_inside_the_package_run_one_way() -> None:
    level = {part: number for number, parts in enumerate(ARROWS) for part in parts}
    files = modules()

    def own_part(module: str) -> str:
        return [*module.split("."), ""][1]

    wrong = []
    for module, edges in graph_of(files).items():
        if own_part(module) in PARTS:
            continue
        assert own_part(module) in level, f"{own_part(module)} has no place in ARROWS"
        wrong += [
            f"{module} imports {other}"
            for other in edges
            if own_part(other) not in PARTS and level[own_part(other)] > level[own_part(module)]
        ]
    assert wrong == []


def test_the_simulation_knows_nothing_of_pettingzoo() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources("envs/core")
        for module in imported(path.read_text(encoding="utf-8"), "crowdgym.envs.core")
        if module.split(".")[0] == "pettingzoo"
    ]
    assert wrong == []


def test_the_interfaces_know_no_setting() -> None:
    settings = {path.parent.name for path in (ROOT / "envs").glob("*/__init__.py")} - {"core", "api", "rendering"}
    assert "csc" in settings
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources("envs/api")
        for module in imported(path.read_text(encoding="utf-8"), "crowdgym.envs.api")
        if module.split(".")[:2] == ["crowdgym", "envs"] and module.split(".")[2] in settings
    ]
    assert wrong == []


def test_agents_know_nothing_of_pettingzoo_either() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources("agents")
        for module in imported(path.read_text(encoding="utf-8"), "crowdgym.agents")
        if module.split(".")[0] == "pettingzoo"
    ]
    assert wrong == []


def test_no_part_is_imported_by_the_name_of_its_folder() -> None:
    """``import data`` works by chance from a checkout, and nowhere else."""
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for folder in FOLDERS
        for path in sources(folder)
        for module in imported(path.read_text(encoding="utf-8"), package_of(path, folder))
        if module.split(".")[0] in PARTS
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_no_file_is_ever_pickled(folder: str) -> None:
    """A pickle runs whatever it holds. The testing kit may try whether an environment can be sent to a process."""
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources(folder)
        if "testing" not in path.parts
        for module in imported(path.read_text(encoding="utf-8"), package_of(path, folder))
        if module.split(".")[0] in ("pickle", "dill", "joblib", "cloudpickle", "shelve", "marshal")
    ]
    assert wrong == []


def test_importing_the_package_imports_nothing_heavy() -> None:
    """What takes long to import is imported by the function that needs it."""
    heavy = ["numba", "scipy", "pandas", "matplotlib", "osmnx", "sklearn", "pyarrow", "torch", "pydantic", "typer"]
    program = f"import sys, crowdgym; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
