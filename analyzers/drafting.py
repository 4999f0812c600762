"""`vigie init`: a first contract from a CSV sample, to be read and corrected by a person."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from collectors.pii import redact

__all__ = ["DraftError", "draft"]

SAMPLE_ROWS = 10_000
MAX_CATEGORIES = 30
TEXT_CHARS = 60
IDENTIFIER = re.compile(r"(^|_)(id|uuid|email|e_mail|phone|name|ssn|iban)$", re.IGNORECASE)


class DraftError(ValueError):
    """The sample cannot be read; the message names file and cure."""


def draft(path: Path, *, model: str | None = None, target: str | None = None) -> str:
    """Text of a contract for the columns of a CSV file."""
    columns = _columns(path)
    if target is not None and target not in columns:
        raise DraftError(f"--target {target!r} is no column of {path}; found: {', '.join(columns)}")
    name = _model_name(model or path.stem)
    features, identifiers = [], []
    for column, values in columns.items():
        if column == target:
            continue
        field = _field_name(column)
        if _identifies(column, values):
            identifiers.append(f"  {field}: hash")
        else:
            features.append(f"  {field}: {_feature(values)}")
    if not features:
        raise DraftError(f"{path}: no column looks like a feature; write the contract by hand")
    labels = sorted({v for v in columns.get(target or "", []) if v})
    return "\n".join([*_head(name, labels), *features, *_tail(identifiers, labels)])


def _columns(path: Path) -> dict[str, list[str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            start = file.read(8192)
            file.seek(0)
            rows = csv.DictReader(file, dialect=_dialect(start))
            names = list(rows.fieldnames or [])
            sample = [row for _, row in zip(range(SAMPLE_ROWS), rows, strict=False)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DraftError(f"{path}: {reason}; give a CSV file in UTF-8 with a header") from error
    if not names or not sample:
        raise DraftError(f"{path}: no rows below a header; give a CSV file with data")
    return {n: [(row.get(n) or "").strip() for row in sample] for n in names if n}


def _dialect(text: str) -> type[csv.Dialect] | str:
    try:
        return csv.Sniffer().sniff(text, delimiters=",;\t|")
    except csv.Error:
        return "excel"


def _identifies(column: str, values: Sequence[str]) -> bool:
    """By its name, because it holds personal data, or because it never repeats."""
    found = [v for v in values if v]
    if IDENTIFIER.search(_field_name(column)):
        return True
    personal = sum(bool(redact(v)[1]) for v in found[:200])
    return bool(found) and personal > 0.5 * min(200, len(found))


def _feature(values: Sequence[str]) -> str:
    found = [v for v in values if v]
    numbers = [n for v in found if (n := _number(v)) is not None]
    if found and len(numbers) == len(found):
        low, high = min(numbers), max(numbers)
        flags = set(numbers) <= {0.0, 1.0}
        return "{type: categorical, values: [0, 1]}" if flags else (
            f"{{type: numeric, range: [{low:g}, {high:g}]}}"
        )  # fmt: skip
    kinds = sorted(set(found))
    repeats = 0 < len(kinds) <= min(MAX_CATEGORIES, len(found) // 2)
    if repeats and max(map(len, kinds)) <= TEXT_CHARS:
        return f"{{type: categorical, values: [{', '.join(map(_quoted, kinds))}]}}"
    long = any(len(v) > TEXT_CHARS for v in found) or any(" " in v for v in found)
    return "{type: text}" if long else "{type: categorical}"


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def _task(labels: Sequence[str]) -> str:
    if len(labels) == 2:
        return "binary_classification"
    return "multiclass" if 2 < len(labels) <= MAX_CATEGORIES else "regression"


def _head(name: str, labels: Sequence[str]) -> list[str]:
    return [
        "# Drafted from a sample: correct the types and ranges, then `vigie check` this file.",
        f"model: {name}",
        f"task: {_task(labels)}",
        "owner: {team: my-team, email: team@example.org}",
        "features:  # the allow-list: anything else is dropped and counted",
    ]


def _tail(identifiers: Sequence[str], labels: Sequence[str]) -> list[str]:
    lines = ["identifiers:", *identifiers] if identifiers else []
    names = ", ".join(map(_quoted, labels))
    if len(labels) == 2:
        positive = _quoted(labels[-1])
        lines.append(f"output: {{labels: [{names}], positive: {positive}, score: probability}}")
    elif 2 < len(labels) <= MAX_CATEGORIES:
        lines.append(f"output: {{labels: [{names}], score: probability}}")
    lines += [
        "labels: {horizon: 30d, sources: [ground-truth]}",
        "slo: {availability: 99.5, latency_p95_ms: 300, latency_p99_ms: 800, period: 30d}",
        "drift: {psi: 0.2}",
        "alerts: {to: [team@example.org], language: en}",
        "",
    ]
    return lines


def _quoted(text: str) -> str:
    plain = re.fullmatch(r"[A-Za-z][\w-]*|\d+", text) and text.lower() not in {
        "true", "false", "null",
    }  # fmt: skip
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _field_name(column: str) -> str:
    name = re.sub(r"\W+", "_", column, flags=re.ASCII).strip("_")[:60]
    return name if re.match(r"[A-Za-z]", name) else f"f_{name}"


def _model_name(text: str) -> str:
    words = [w for w in re.split(r"[^a-z0-9]+", text.lower()) if w]
    return "-".join(w if w[0].isalpha() else f"m{w}" for w in words) or "my-model"
