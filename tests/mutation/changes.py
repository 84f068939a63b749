"""The small changes that cosmic-ray makes of a module, and a seeded sample of them.

Of the operators of cosmic-ray those are taken that a slip of a hand could have made; one more exchanges the names of
functions that read alike. Places are drawn, then one of the changes at the place: so arithmetic, which can be changed
in many ways, does not crowd out the rest. Annotations are nobody's numbers and are left alone.
"""

import ast
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import parso.python.tree as tree
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.plugins import get_operator

from core import ROOT, core_modules, name_of

_BINARY = "Add_Sub Sub_Add Mul_Div Div_Mul FloorDiv_Div Mod_Mul Pow_Mul BitAnd_BitOr BitOr_BitAnd BitXor_BitOr"
_COMPARISONS = "Lt_LtE Lt_Gt LtE_Lt LtE_GtE Gt_GtE Gt_Lt GtE_Gt GtE_LtE Eq_NotEq NotEq_Eq Is_IsNot IsNot_Is"
_UNARY = "Delete_Not Delete_Invert Delete_USub"
_OTHERS = (
    "AddNot NumberReplacer ReplaceTrueWithFalse ReplaceFalseWithTrue ReplaceAndWithOr ReplaceOrWithAnd "
    "ReplaceBreakWithContinue ReplaceContinueWithBreak ZeroIterationForLoop"
)
OPERATORS = (
    *(f"core/ReplaceBinaryOperator_{each}" for each in _BINARY.split()),
    *(f"core/ReplaceComparisonOperator_{each}" for each in _COMPARISONS.split()),
    *(f"core/ReplaceUnaryOperator_{each}" for each in _UNARY.split()),
    *(f"core/{each}" for each in _OTHERS.split()),
    "own/exchange_names",
)
ALIKE = {
    "min": "max",
    "any": "all",
    "minimum": "maximum",
    "fmin": "fmax",
    "argmin": "argmax",
    "idxmin": "idxmax",
    "floor": "ceil",
    "sum": "mean",
    "cumsum": "cumprod",
    "cummax": "cummin",
    "ffill": "bfill",
    "first": "last",
    "logical_and": "logical_or",
    "argsort": "argmax",
    "nansum": "nanmean",
    "isnan": "isfinite",
    "isna": "notna",
    "zeros": "ones",
    "zeros_like": "ones_like",
    "left": "right",
}
ALIKE |= {new: old for old, new in ALIKE.items() if new not in ALIKE} | {"mean": "sum", "prod": "sum", "abs": "float"}


class ExchangeNames(Operator):  # type: ignore[misc]
    """Calls the function that reads alike: the smallest for the largest, all for any."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        """The name of a called function that has such a twin, or a side that is named so."""
        if isinstance(node, tree.Name) and node.value in ALIKE:
            after = node.get_next_leaf()
            if after is not None and after.value == "(" and node.parent.type in ("trailer", "atom_expr", "power"):
                yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """The twin in its place."""
        return tree.Name(ALIKE[node.value], node.start_pos, prefix=node.prefix)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """One pair of names."""
        return (Example("x = min(y)", "x = max(y)"),)


@dataclass(frozen=True)
class Change:
    """One small change of a module.

    Attributes:
        module: its path below the checkout.
        function: in which it is, as a qualified name; empty for the module itself.
        line: where it begins, from 1.
        column: from 0.
        was: the line, without its indentation.
        became: the same line, changed.
        operator: of cosmic-ray, or ours.
        occurrence: which of the operator's places it is.
    """

    module: str
    function: str
    line: int
    column: int
    was: str
    became: str
    operator: str
    occurrence: int

    def source(self) -> str:
        """The module with the change made."""
        changed = mutate_code((ROOT / self.module).read_text(encoding="utf-8"), made(self.operator), self.occurrence)
        assert changed is not None
        return str(changed)

    def told(self) -> str:
        """One line for people."""
        return f"{self.module}:{self.line} ({self.function or 'module'}): {self.was}  ->  {self.became}"


@cache
def made(operator: str) -> Any:
    """An operator by its name."""
    return ExchangeNames() if operator.startswith("own/") else get_operator(operator)()


class _Scopes(ast.NodeVisitor):
    """Which function a line is in, and what is annotation or check of types alone."""

    def __init__(self) -> None:
        self.functions: list[tuple[int, int, str]] = []
        self.left_alone: list[tuple[tuple[int, int], tuple[int, int]]] = []
        self._names: list[str] = []

    def _leave(self, node: ast.AST | None) -> None:
        if isinstance(node, (ast.expr, ast.stmt)):
            end = (node.end_lineno or 0, node.end_col_offset or 0)
            self.left_alone.append(((node.lineno, node.col_offset), end))

    def _scope(self, node: Any) -> None:
        self._names.append(node.name)
        self.functions.append((node.lineno, node.end_lineno, ".".join(self._names)))
        self.generic_visit(node)
        self._names.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._leave(node.returns)
        self._scope(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._scope(node)

    def visit_arg(self, node: ast.arg) -> None:
        self._leave(node.annotation)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._leave(node.annotation)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.BitOr) and not self._names:
            self._leave(node)  # the name of a type
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            self._leave(node)
        self.generic_visit(node)


def changes_of(path: Path) -> list[Change]:
    """All changes of a module, in the order of its text."""
    source = path.read_text(encoding="utf-8")
    scopes = _Scopes()
    scopes.visit(ast.parse(source))
    nodes = list(ast_nodes(get_ast(source)))
    found = []
    for operator in OPERATORS:
        places = [place for node in nodes for place in made(operator).mutation_positions(node)]
        for occurrence, (begin, _) in enumerate(places):
            if any(first <= begin < last for first, last in scopes.left_alone):
                continue
            inside = [name for first, last, name in scopes.functions if first <= begin[0] <= last]
            function = max(inside, key=len, default="")
            found.append(Change(name_of(path), function, *begin, "", "", operator, occurrence))
    return sorted(found, key=lambda each: (each.line, each.column, each.operator, each.occurrence))


def with_lines(change: Change) -> Change | None:
    """The change with the line that it changes; None where it changes nothing or is no Python."""
    before = (ROOT / change.module).read_text(encoding="utf-8")
    after = change.source()
    try:
        if ast.dump(ast.parse(before)) == ast.dump(ast.parse(after)):
            return None
    except SyntaxError:
        return None
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    was, became = next((old.strip(), new.strip()) for old, new in pairs if old != new)
    return Change(**{**vars(change), "was": was, "became": became})


@cache
def all_changes() -> dict[tuple[str, int, int], list[Change]]:
    """Every change of the core by its place."""
    by_place: dict[tuple[str, int, int], list[Change]] = defaultdict(list)
    for path in core_modules():
        for change in changes_of(path):
            by_place[change.module, change.line, change.column].append(change)
    return dict(by_place)


def sample(seed: int, count: int) -> list[Change]:
    """A seeded draw of that many changes, no two at one place."""
    drawn, chosen = random.Random(seed), []
    by_place = all_changes()
    places = sorted(by_place)
    for place in drawn.sample(places, len(places)):
        change = with_lines(drawn.choice(by_place[place]))
        if change is not None:
            chosen.append(change)
        if len(chosen) == count:
            break
    return chosen


def found_again(told: dict[str, Any]) -> Change | None:
    """A change that was tried before, where its module has it still; its line may have moved."""
    for change in changes_of(ROOT / told["module"]):
        if (change.operator, change.column, change.function) == (told["operator"], told["column"], told["function"]):
            again = with_lines(change)
            if again is not None and (again.was, again.became) == (told["was"], told["became"]):
                return again
    return None
