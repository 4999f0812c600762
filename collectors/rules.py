"""Business rules of a contract: `age >= 18 and purpose != "car"`, compiled once, checked per call.

The language is comparisons of features with constants (or with each other), joined by `and`,
`or` and `not`. Nothing else parses: no call, no attribute, no arithmetic.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["Rule", "RuleError", "compile_rule"]

Rule = Callable[[Mapping[str, Any]], "bool | None"]
OPERATORS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


class RuleError(ValueError):
    """The text is not a rule."""


def compile_rule(text: str, names: Sequence[str]) -> Rule:
    """Compile a rule over `names`; it answers True, False, or None where a value is missing.

    >>> adult = compile_rule("age >= 18", ["age"])
    >>> adult({"age": 41}), adult({"age": 12}), adult({})
    (True, False, None)
    """
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise RuleError("is not a comparison; write it as `age >= 18`") from error
    _check(tree, names)
    return lambda values: _evaluate(tree, values)


def _check(node: ast.AST, names: Sequence[str]) -> None:
    match node:
        case ast.BoolOp(values=values):
            parts: list[ast.AST] = list(values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            parts = [operand]
        case ast.Compare(left=left, ops=ops, comparators=others):
            if any(type(op) not in OPERATORS for op in ops):
                raise RuleError("uses an operator that is not allowed; use < <= > >= == != in")
            for value in (left, *others):
                _check_value(value, names)
            return
        case _:
            raise RuleError("may hold only comparisons joined by and, or, not")
    for part in parts:
        _check(part, names)


def _check_value(node: ast.AST, names: Sequence[str]) -> None:
    if isinstance(node, ast.Name):
        if node.id not in names:
            raise RuleError(f"{node.id!r} is not a feature; known: {', '.join(names)}")
        return
    try:
        ast.literal_eval(node)
    except ValueError as error:
        raise RuleError("compares something that is neither a feature nor a constant") from error


def _evaluate(node: ast.AST, values: Mapping[str, Any]) -> bool | None:
    if isinstance(node, ast.BoolOp):
        found = [_evaluate(part, values) for part in node.values]
        wanted = isinstance(node.op, ast.Or)
        if wanted in found:
            return wanted
        return None if None in found else not wanted
    if isinstance(node, ast.UnaryOp):
        inner = _evaluate(node.operand, values)
        return None if inner is None else not inner
    assert isinstance(node, ast.Compare)  # noqa: S101 - proved by _check
    return _compare(node, values)


def _compare(node: ast.Compare, values: Mapping[str, Any]) -> bool | None:
    terms = [_value(part, values) for part in (node.left, *node.comparators)]
    if any(term is None for term in terms):
        return None
    try:
        pairs = zip(node.ops, terms, terms[1:], strict=False)
        return all(OPERATORS[type(op)](a, b) for op, a, b in pairs)
    except TypeError:
        return None


def _value(node: ast.AST, values: Mapping[str, Any]) -> Any:
    if not isinstance(node, ast.Name):
        return ast.literal_eval(node)
    value = values.get(node.id)
    return value if value == value else None  # noqa: PLR0124 - NaN is a missing value
