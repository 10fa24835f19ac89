"""Compiled and interpreted runs give the same bits: episodes in both, and what compiled functions may not use."""

import ast
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from episode_digests import POLICIES, digests_of

from crowdgym.common.sums import total
from crowdgym.envs.dasc.kernel.requests import time_utility

ROOT = Path(__file__).parents[2]
COMPILED = {"jit", "kernel", "inlined", "loose"}

# NumPy has loops of its own for these: their last bit is not that of the C library, which `math` and compiled code use.
OTHER_LAST_BIT = {"exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "power", "sin", "cos", "tan", "tanh"}
OTHER_ORDER = {"sum", "mean", "var", "std", "dot"}  # of additions; `crowdgym.common.sums.total` has one order

# Modules whose compiled functions use such, and so may differ in last bits: those that call linear algebra, which is
# another library in compiled code, and networks in single precision.
EXCEPTIONS = {
    "agents/learning/block_loops.py",
    "agents/learning/row_network.py",
    "agents/sensing/field.py",
    "agents/sensing/field_moments.py",
    "agents/sensing/support_vectors.py",
}


@pytest.mark.parametrize("environment", POLICIES)
def test_episodes_have_the_same_digests(environment: str) -> None:
    command = [sys.executable, "-W", "error", str(Path(__file__).with_name("episode_digests.py")), environment]
    variables = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == digests_of(environment)


def test_the_utility_of_time_is_that_of_the_c_library() -> None:
    """At these times NumPy's own exponential has another last bit at one of 20."""
    for now_s in np.linspace(0.0, 1800.0, 2001).tolist():
        assert time_utility(now_s, 1300.0, 1800.0) == math.exp((now_s - 1300.0) / (1800.0 - 1300.0)) / math.e


def test_a_total_is_added_from_the_first_to_the_last() -> None:
    """16 numbers, which NumPy adds in blocks of eight: 1 and 1e-16 fifteen times is 1 one by one."""
    values = np.array([1.0] + [1e-16] * 15)
    assert total(values) == 1.0
    assert values.sum() > 1.0


def compiled_functions(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and any(
            isinstance(each, ast.Name) and each.id in COMPILED for each in node.decorator_list
        ):
            yield node


def faults_of(function: ast.FunctionDef) -> Iterator[str]:
    """What a compiled function uses that has other last bits where it is interpreted."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of_numpy = isinstance(node.func.value, ast.Name) and node.func.value.id == "np"
            name = node.func.attr
            differs = OTHER_LAST_BIT | OTHER_ORDER if of_numpy else OTHER_ORDER | {"hypot"}
            unstable = name == "argsort" and not any(each.arg == "kind" for each in node.keywords)
            if name in differs or unstable:
                yield ast.unparse(node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            yield ast.unparse(node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
            yield ast.unparse(node)  # compiled as a product or a root


def test_compiled_functions_use_nothing_that_differs_where_it_is_interpreted() -> None:
    found, excused = [], set()
    for folder in ("envs", "agents", "data", "src/crowdgym"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            faults = [f"{name}: {fault}" for function in compiled_functions(path) for fault in faults_of(function)]
            if name in EXCEPTIONS and faults:
                excused.add(name)
            else:
                found += faults
    assert found == []
    assert excused == EXCEPTIONS


@pytest.mark.parametrize("line", ["np.exp(x)", "x.sum()", "x**2", "x @ x", "math.hypot(x, x)", "np.argsort(x)"])
def test_such_a_thing_is_noticed(line: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(f"@jit\ndef f(x):\n    return {line}\n")
    assert [list(faults_of(function)) for function in compiled_functions(path)] == [[ast.unparse(ast.parse(line))]]
