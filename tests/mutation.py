"""Mutants of the rules: each comparison turned, each negation dropped, each connective exchanged; who survives is printed.

`python tests/mutation.py [MODULE…]` tries them all; `make mutation` runs it; `test_mutation.py` tries a few. A mutant is a rule module compiled anew with
one change; its rules take the place of the real ones in the table, and the rules' own examples and the whole-file cases
judge it. It dies when any of them fails. A survivor shows a condition that no test holds, or a change that changes nothing.
"""

import ast
import copy
import importlib
import inspect
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import test_cases
import test_rules

from pisis_batch.validators import RULES, structure, suspects
from pisis_batch.validators.rule import _RULES

MODULES = sorted({rule.objects.__module__ if rule.objects else rule.judges.__module__ for rule in RULES.values()})  # type: ignore[union-attr]
_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_JOINS = {"anti": "semi", "semi": "anti", "left": "inner"}


@dataclass(frozen=True)
class Mutant:
    """One change of one module: where, what, and the changed tree."""

    module: str
    line: int
    what: str
    tree: ast.Module


def mutants(module: str) -> Iterator[Mutant]:
    """Every mutant of a module's functions."""
    source = inspect.getsource(importlib.import_module(module))
    tree = ast.parse(source)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    places = [node for function in functions for statement in function.body for node in ast.walk(statement)]
    numbers = {id(node): place for place, node in enumerate(ast.walk(tree))}
    for node in places:
        for what, change in _changes(node):
            made = copy.deepcopy(tree)
            twin = next(one for place, one in enumerate(ast.walk(made)) if place == numbers[id(node)])
            change(twin)
            yield Mutant(module, node.lineno, what, ast.fix_missing_locations(made))  # type: ignore[attr-defined]


def _changes(node: ast.AST) -> Iterator[tuple[str, "types.FunctionType"]]:
    """What may be changed in a node, in words and as a function of its twin."""
    if isinstance(node, ast.Compare):
        for place, op in enumerate(node.ops):
            if type(op) in _TURNED:
                told = f"{type(op).__name__} → {_TURNED[type(op)].__name__}"
                yield told, lambda twin, place=place, op=op: twin.ops.__setitem__(place, _TURNED[type(op)]())  # type: ignore[misc]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert | ast.Not):
        yield "sin negación", _drop_negation  # type: ignore[misc]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
        other = ast.BitOr if isinstance(node.op, ast.BitAnd) else ast.BitAnd
        yield "& ↔ |", lambda twin: setattr(twin, "op", other())  # type: ignore[misc]
    if isinstance(node, ast.BoolOp):
        opposite = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield "and ↔ or", lambda twin: setattr(twin, "op", opposite())  # type: ignore[misc]
    if isinstance(node, ast.keyword) and node.arg == "how" and isinstance(node.value, ast.Constant):
        how = _JOINS.get(str(node.value.value))
        if how:
            yield f"{node.value.value} → {how}", lambda twin: setattr(twin.value, "value", how)  # type: ignore[misc]


def _drop_negation(twin: ast.UnaryOp) -> None:
    """`~x` becomes `x & x`, a node of another kind in the same place being hard to put there."""
    kept, twin.op = twin.operand, ast.UAdd()
    if isinstance(kept, ast.expr):
        twin.operand = ast.Call(ast.Name("_same", ast.Load()), [kept], [])


class _Same:
    """Gives back what stands behind a unary plus."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __pos__(self) -> object:
        return self.value


@contextmanager
def mutated(mutant: Mutant) -> Iterator[list[str]]:
    """The table of rules with a mutant's rules in place of the real ones; yields their codes."""
    real = dict(_RULES)
    own = [code for code, rule in real.items() if mutant.module in {_module(rule.objects), _module(rule.judges)}]
    twin = types.ModuleType(mutant.module)
    twin.__dict__["_same"] = _Same
    _RULES.clear()
    try:
        exec(compile(mutant.tree, mutant.module, "exec"), twin.__dict__)  # noqa: S102 that is what a mutant is
        made = dict(_RULES)
        _RULES.clear()
        _RULES.update({code: made.get(code, rule) for code, rule in real.items()})
        _forget()
        yield own
    finally:
        _RULES.clear()
        _RULES.update(real)
        _forget()


def _module(function: object) -> str | None:
    return getattr(function, "__module__", None)


def _forget() -> None:
    """What was built with the rules of the table."""
    structure._TABLES.clear()


@contextmanager
def _every_cell_asked() -> Iterator[None]:
    """What vouches for a cell would hide a rule that now objects to it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suspects, "lines", lambda rows, record: list(rows))
        patch.setattr(suspects, "fields", lambda rows, record: list(record.by_name))
        yield


def killed(mutant: Mutant) -> bool:
    """Whether an example or a case notices."""
    try:
        with mutated(mutant) as codes:
            with _every_cell_asked():
                for code in codes:
                    for example in RULES[code].examples:
                        test_rules.test_example(RULES[code], *example)
            for path in test_cases._CASES:
                test_cases.test_case(path)
    except Exception:  # noqa: BLE001 however it dies, it is dead
        return True
    return False


def survivors(modules: list[str], every: int = 1) -> tuple[int, list[Mutant]]:
    """How many mutants were tried, each `every`-th, and those that nothing noticed."""
    chosen = [one for module in modules for one in mutants(module)][::every]
    return len(chosen), [one for one in chosen if not killed(one)]


if __name__ == "__main__":
    ASKED = [name for name in MODULES if not sys.argv[1:] or name.rpartition(".")[2] in sys.argv[1:]]
    TRIED, LEFT = survivors(ASKED)
    for one in LEFT:
        print(f"{Path(one.module.replace('.', '/'))}.py:{one.line}: {one.what}")  # noqa: T201 a measurement is printed
    print(f"{TRIED} mutantes en {len(ASKED)} módulos, {len(LEFT)} sobreviven ({1 - len(LEFT) / TRIED:.1%} muertos)")  # noqa: T201
