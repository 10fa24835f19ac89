"""What can be changed in a source file: the operators of cosmic-ray, and the removal of a statement."""

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ARITHMETIC, BITS, ORDER = (
    "Add|Sub|Mul|Div|FloorDiv|Mod|Pow",
    "RShift|LShift|BitOr|BitAnd|BitXor",
    "Eq|NotEq|Lt|LtE|Gt|GtE",
)
WANTED = re.compile(
    # An operator becomes another of its family: float << float and the like die of a TypeError and would only
    # flatter the score.
    rf"core/(ReplaceBinaryOperator_({ARITHMETIC})_({ARITHMETIC})"
    rf"|ReplaceBinaryOperator_({BITS})_({BITS})"
    rf"|ReplaceComparisonOperator_(({ORDER})_({ORDER})|Is_IsNot|IsNot_Is)"
    r"|ReplaceUnaryOperator_(USub_UAdd|Delete_USub|Delete_Not)"
    r"|AddNot|NumberReplacer|ReplaceAndWithOr|ReplaceOrWithAnd|ReplaceTrueWithFalse|ReplaceFalseWithTrue"
    r"|ReplaceBreakWithContinue|ReplaceContinueWithBreak|ZeroIterationForLoop|ExceptionReplacer)"
)


@dataclass(frozen=True)
class Mutant:
    """A changed source file."""

    name: str  # unique within its file
    line: int
    before: str  # the line
    after: str
    code: str


def mutants_of(source: str) -> list[Mutant]:
    """All that differ from ``source`` in what they do to a program that ignores type annotations, by line."""
    lines = source.splitlines(keepends=True)
    mutants = []
    for where, first, last, column in _pieces(ast.parse(source).body):
        piece = textwrap.dedent("".join(lines[first - 1 : last]))
        seen = {_meaning(piece)}
        for name, changed in sorted(_changes(piece)):
            try:
                meaning = _meaning(changed)
            except SyntaxError:
                continue
            if meaning not in seen:
                seen.add(meaning)
                line, before, after = _first_difference(piece, changed)
                code = [*lines[: first - 1], textwrap.indent(changed, " " * column), *lines[last:]]
                mutants.append(Mutant(f"{where}:{name}", first + line, before, after, "".join(code)))
    return sorted(mutants, key=lambda mutant: (mutant.line, mutant.name))


def _pieces(body: list[ast.stmt], where: str = "") -> Iterator[tuple[str, int, int, int]]:
    """Name, first and last line and indentation of each function and each statement outside of one.

    Parsing piece by piece takes a twentieth of the time.
    """
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _pieces(node.body, f"{where}{node.name}.")
        else:
            decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
            first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
            name = node.name if isinstance(node, ast.FunctionDef) else f"line {first}"
            yield f"{where}{name}", first, node.end_lineno or first, node.col_offset


def _changes(source: str) -> Iterator[tuple[str, str]]:
    nodes = list(ast_nodes(get_ast(source)))
    for name in filter(WANTED.fullmatch, operator_names()):
        operator = get_operator(name)()
        count = sum(len(list(operator.mutation_positions(node))) for node in nodes)
        for occurrence in range(count):
            code = mutate_code(source, operator, occurrence)
            if code is not None:
                yield f"{name.removeprefix('core/')}#{occurrence}", code
    yield from _without_a_statement(source)


def _without_a_statement(source: str) -> Iterator[tuple[str, str]]:
    """Replace each simple statement of a function that yields no value by ``pass``."""
    lines = source.splitlines(keepends=True)
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    statements = {
        (node.lineno, node.end_lineno or 0, node.col_offset)
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Assign | ast.AugAssign | ast.Continue | ast.Break)
        or (isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Return) and node.value is None)
    }
    for number, (first, last, column) in enumerate(sorted(statements)):
        changed = [*lines[: first - 1], " " * column + "pass\n", *lines[last:]]
        yield f"RemoveStatement#{number}", "".join(changed)


class _WithoutAnnotations(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        if node.vararg is None:  # the marks / and * say only how arguments are given
            node.args = [*node.posonlyargs, *node.args, *node.kwonlyargs]
            node.defaults = [*node.defaults, *(one for one in node.kw_defaults if one is not None)]
            node.posonlyargs, node.kwonlyargs, node.kw_defaults = [], [], []
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)


def _meaning(code: str) -> str:
    return ast.dump(_WithoutAnnotations().visit(ast.parse(code)))


def _first_difference(source: str, code: str) -> tuple[int, str, str]:
    old, new = source.splitlines(), code.splitlines()
    index = next(i for i in range(len(old)) if old[i] != new[i])
    return index, old[index].strip(), new[index].strip()
