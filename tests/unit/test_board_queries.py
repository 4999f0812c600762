"""Every search of the pages: portable, and only of fields that the schema declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from analyzers.board import create_app
from analyzers.board.searching import FIELDS
from analyzers.metrics import METRICS
from analyzers.store import Search
from collectors.schema import STREAMS
from tests.portability import faults
from tests.unit.board_world import NOW, Told, contract, visit

PAGES = (
    "/", "/models/credit-scoring", "/models/credit-scoring?range=30d", "/logs?q=timeout",
    "/logs?q=a:b&kind=inference&model=credit-scoring", "/logs?kind=feedback", "/alerts",
)  # fmt: skip
DECLARED = {f.name for s in STREAMS for f in s.fields}
LEAVES = frozenset({"term", "terms", "range", "match"})


def searches() -> list[Search]:
    store = Told()
    app = create_app(store, [contract()], now=lambda: NOW)
    for page in PAGES:
        visit(app, page)
    return [search for asked in store.asked for search in asked]


def fields(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from fields(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in LEAVES and isinstance(value, dict):
                yield from value
            elif key in ("field", "exists"):
                yield value if isinstance(value, str) else value["field"]
            elif key == "sort":
                yield from (name for order in value for name in order)
            else:
                yield from fields(value)


def test_every_search_is_portable() -> None:
    found = [faults("POST", f"/{s.index}/_search", s.body) for s in searches()]

    assert not any(found)


def test_every_field_is_declared() -> None:
    used = {name for s in searches() for name in fields(s.body)}

    assert used
    assert used - DECLARED == set()


def test_the_fields_of_plain_words_are_declared() -> None:
    assert {f for f in FIELDS if "*" not in f} - DECLARED == set()


def test_every_index_is_one_of_the_schema() -> None:
    patterns = tuple(s.pattern.rstrip("*") for s in STREAMS)

    for search in searches():
        assert all(name.startswith(patterns) for name in search.index.split(","))


@pytest.mark.parametrize("name", ["requests", "psi", "violation_rate", "label_coverage"])
def test_metrics_are_those_that_jobs_publish(name: str) -> None:
    assert name in {m.name for m in METRICS}
    asked = [t for s in searches() for t in str(s.body).split("'") if t == name]
    assert asked
