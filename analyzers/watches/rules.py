"""Rules: when a figure is worth a mail, declared once in `rules.yaml`.

    load(path) -> tuple[Rule, ...]      raises RuleError (file, line, key, value, cure)

A rule names where the contract of a model holds its limit; it never holds the number.
"""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Union, cast, get_args, get_origin

import msgspec

from analyzers.metrics import METRICS, Metric
from collectors._yaml import Document, YamlError, parse
from collectors.contract import Contract, duration

__all__ = ["RULES_FILE", "Language", "Rule", "RuleError", "Severity", "load", "loads", "rounded"]

Language = Literal["en", "fr"]
Severity = Literal["critical", "warning"]

RULES_FILE = Path(__file__).with_name("rules.yaml")
NAME = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")
KEYS = (
    "metric", "segment", "fire", "clear", "for", "every", "seen", "min_n", "severity",
    "english", "french",
)  # fmt: skip


class RuleError(ValueError):
    """A rule cannot be used: one line with file, line, key, value and the cure."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule; `limit` is a path into the contract, `clear` a multiple of what it finds there."""

    name: str
    metric: Metric
    segment: str
    above: bool
    limit: str
    clear: float
    lasting: timedelta
    every: timedelta
    seen: int
    min_n: int
    severity: Severity
    english: str
    french: str

    @property
    def looks(self) -> int:
        """Looks from the start to the end of `lasting`, both included."""
        return self.lasting // self.every + 1

    def fire(self, contract: Contract) -> float | None:
        """The limit that the contract sets; None where it sets none."""
        value: Any = contract
        for step in self.limit.split("."):
            value = value.get(step) if isinstance(value, Mapping) else getattr(value, step, None)
        return None if value is None else float(value)

    def recovery(self, fire: float) -> float:
        """The limit that closes an incident."""
        return rounded(fire * self.clear)

    def title(self, language: Language) -> str:
        """What is measured, in words."""
        return self.metric.french if language == "fr" else self.metric.english

    def text(self, language: Language) -> str:
        """What it means and where to look first."""
        return self.french if language == "fr" else self.english


def rounded(value: float) -> float:
    """Without the noise of binary arithmetic.

    >>> 0.2 * 0.75, rounded(0.2 * 0.75)
    (0.15000000000000002, 0.15)
    """
    return float(f"{value:.12g}")


def load(path: str | Path = RULES_FILE) -> tuple[Rule, ...]:
    """Read and check a file of rules."""
    try:
        text = Path(path).read_text("utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise RuleError(f"{path}: {reason}; leave out --rules to use the rules shipped") from error
    return loads(text, name=Path(path).name)


def loads(text: str, *, name: str = "<rules>") -> tuple[Rule, ...]:
    """Read and check rules from text; `name` stands in messages."""
    try:
        document = parse(text)
    except YamlError as error:
        raise RuleError(f"{name}:{error.line}: {error}") from error
    if not isinstance(document.data, dict) or not document.data:
        raise RuleError(f"{name}:1: the file must hold a mapping of rules, as `HighErrorRate: ...`")
    return tuple(_Reader(name, document, str(rule)).rule() for rule in document.data)


class _Reader:
    """Reads one rule; every failure names its line."""

    def __init__(self, file: str, document: Document, name: str) -> None:
        self.file, self.document, self.name = file, document, name
        self.values: Any = document.data[name]

    def rule(self) -> Rule:
        if not NAME.fullmatch(self.name):
            raise self.error((), f"{self.name!r} is not a rule name; write it as HighErrorRate")
        self._keys()
        above, limit = self._fire()
        rule = Rule(
            name=self.name,
            metric=self._metric(),
            segment=self._word("segment", ("all",)),
            above=above,
            limit=limit,
            clear=self._clear(above),
            lasting=self._duration("for"),
            every=self._duration("every"),
            seen=self._count("seen"),
            min_n=self._count("min_n"),
            severity=cast(Severity, self._word("severity", get_args(Severity))),
            english=self._text("english"),
            french=self._text("french"),
        )
        self._windows(rule)
        return rule

    def error(self, path: tuple[str, ...], message: str) -> RuleError:
        full = (self.name, *path)
        return RuleError(f"{self.file}:{self.document.line(full)}: {'.'.join(full)}: {message}")

    def _keys(self) -> None:
        if not isinstance(self.values, dict):
            raise self.error((), f"{self.values!r} must be a mapping with {', '.join(KEYS)}")
        for key in self.values:
            if key not in KEYS:
                raise self.error((str(key),), f"unknown key; {_suggest(str(key), KEYS)}")
        for key in KEYS:
            if key not in self.values:
                raise self.error((), f"`{key}` is missing; add `{key}: ...`")

    def _metric(self) -> Metric:
        name = self.values["metric"]
        found = next((m for m in METRICS if m.name == name), None)
        if found is None:
            known = [m.name for m in METRICS]
            raise self.error(("metric",), f"unknown metric {name!r}; {_suggest(str(name), known)}")
        return found

    def _fire(self) -> tuple[bool, str]:
        fire = self.values["fire"]
        if not isinstance(fire, dict) or len(fire) != 1 or not fire.keys() <= {"above", "below"}:
            cure = "write {above: slo.error_rate} or {below: ...}"
            raise self.error(("fire",), f"{fire!r} needs one direction; {cure}")
        ((direction, limit),) = fire.items()
        problem = _path_problem(str(limit))
        if problem:
            raise self.error(("fire", direction), f"{limit!r} {problem}")
        return direction == "above", str(limit)

    def _clear(self, above: bool) -> float:
        value = self.values["clear"]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not (0 < value <= 1 if above else value >= 1):
            cure = "above 0, at most 1" if above else "at least 1"
            raise self.error(("clear",), f"{value!r} must be a multiple of the limit, {cure}")
        return float(value)

    def _word(self, key: str, known: tuple[str, ...]) -> str:
        value = self.values[key]
        if value not in known:
            raise self.error((key,), f"{value!r} is not allowed; {_suggest(str(value), known)}")
        return str(value)

    def _duration(self, key: str) -> timedelta:
        try:
            return duration(str(self.values[key]))
        except ValueError as error:
            raise self.error((key,), str(error)) from error

    def _count(self, key: str) -> int:
        value = self.values[key]
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.error((key,), f"{value!r} must be a whole number of at least 1")
        return value

    def _text(self, key: str) -> str:
        value = self.values[key]
        if not isinstance(value, str) or not value.strip():
            raise self.error((key,), f"{value!r} must be a text that says what to look at")
        return " ".join(value.split())

    def _windows(self, rule: Rule) -> None:
        if rule.every % timedelta(minutes=1):
            raise self.error(("every",), "must be whole minutes, as looks are taken on the minute")
        if rule.lasting % rule.every:
            raise self.error(("for",), "must be a multiple of `every`")
        if rule.seen > rule.looks:
            cure = f"at most {rule.looks} looks fit into `for`"
            raise self.error(("seen",), f"{rule.seen} can never be seen; {cure}")


def _path_problem(path: str) -> str:
    """Why a path does not lead to a number of the contract; empty when it does."""
    kind: Any = Contract
    for step in path.split("."):
        members = _members(kind)
        if members is None:
            return "goes past a value; end it one step earlier"
        if step not in members and "*" not in members:
            return f"is not in the contract; {_suggest(step, members)}"
        kind = members.get(step, members.get("*"))
    return (
        "" if kind in (float, int) or set(_options(kind)) <= {float, int} else _not_a_number(kind)
    )


def _not_a_number(kind: Any) -> str:
    members = _members(kind)
    return f"is not a number; {_suggest('', members)}" if members else "is not a number"


def _members(kind: Any) -> dict[str, Any] | None:
    """Keys below a section of the contract with their types; `*` stands for any key."""
    for option in _options(kind):
        if get_origin(option) is dict:
            return {"*": get_args(option)[1]}
        if isinstance(option, type) and issubclass(option, msgspec.Struct):
            return {f.encode_name: f.type for f in msgspec.structs.fields(option)}
    return None


def _options(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) in (Union, types.UnionType):
        return tuple(k for k in get_args(kind) if k is not type(None))
    return (kind,)


def _suggest(word: str, known: Iterable[str]) -> str:
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return f"allowed: {', '.join(known)}{hint}"
