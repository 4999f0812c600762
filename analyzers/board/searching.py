"""Searches of raw lines: what is asked, within what limits, and what was wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from analyzers.board.queries import histogram
from analyzers.board.spans import Span
from analyzers.store import Search, Store, StoreError

__all__ = [
    "KINDS",
    "LONGEST",
    "PAGE",
    "REACH",
    "TIMEOUT_S",
    "LineSearch",
    "QueryFault",
    "find",
    "text_query",
]

KINDS = ("all", "inference", "feedback", "service")
PAGE, REACH, LONGEST, TIMEOUT_S = 50, 10_000, 500, 5
FIELDS = (
    "event.id", "event.action", "event.outcome", "trace.id", "session.id", "organization.id",
    "service.name", "model.name", "model.version", "error.type", "error.code", "error.message",
    "message", "log.level", "log.logger", "inference.output.label", "inference.context",
    "inference.parameters", "inference.violations", "inference.missing", "inference.out_of_range",
    "inference.unseen", "inference.identifiers.*", "feedback.prediction_id", "feedback.label",
    "feedback.source", "feedback.kind", "feedback.comment",
)  # fmt: skip
_PLAIN = re.compile(r"[\w\s.@-]+")
_OPERATOR = re.compile(r"(?:^|\s)(?:AND|OR|NOT|-\S+)(?:\s|$)")
_SLASH = re.compile(r"(?<!\\)/")
_HASH = re.compile(r"(?<!\S)h\d+:[0-9a-f]+(?!\S)")
_LEADING = re.compile(r"(?:^|[\s:(])[*?]\w|(?:^|[\s:(])\?")

Fault = Literal["long_query", "wildcard_query", "syntax_query"]


@dataclass(frozen=True)
class LineSearch:
    """What a visitor asked for."""

    text: str
    model: str
    kind: str
    span: Span
    page: int

    @property
    def address(self) -> dict[str, str]:
        """What to put into an address to ask the same, without the page."""
        return {"q": self.text, "model": self.model, "kind": self.kind, **self.span.address}


@dataclass(frozen=True)
class QueryFault:
    """A query that cannot be run; `why` is a key of the words."""

    why: Fault


def find(store: Store, asked: LineSearch) -> dict[str, Any] | QueryFault:
    """Run the search; a query that the engine cannot parse is a fault, not an exception."""
    if len(asked.text) > LONGEST:
        return QueryFault("long_query")
    try:
        answer = store.searches([line_search(asked)])[0]
    except StoreError:
        if _valid(store, asked):
            raise
        return _fault(asked)
    if answer["_shards"]["failed"] and not _valid(store, asked):
        return _fault(asked)  # shards without a line in the period do not even parse the query
    return answer


def _fault(asked: LineSearch) -> QueryFault:
    return QueryFault("wildcard_query" if _LEADING.search(asked.text) else "syntax_query")


def line_search(asked: LineSearch) -> Search:
    """The search of one page of lines, with the histogram of all of them."""
    clauses: list[dict[str, Any]] = [asked.span.window().query()]
    if asked.model:
        clauses.append({"term": {"model.name": asked.model}})
    if asked.text:
        clauses.append(text_query(asked.text))
    bars = {
        "date_histogram": histogram("@timestamp", asked.span.step, asked.span),
        "aggs": {"failed": {"filter": _failed()}},
    }
    body = {
        "size": PAGE,
        "from": (asked.page - 1) * PAGE,
        "timeout": f"{TIMEOUT_S}s",
        "track_total_hits": True,
        "query": {"bool": {"filter": clauses}},
        "sort": [_descending("@timestamp", "date"), _descending("event.id", "keyword")],
        "aggs": {"over_time": bars},
    }
    return Search(_pattern(asked), body)


def text_query(text: str) -> dict[str, Any]:
    """Plain words must all occur, each in any field; everything else is query_string syntax.

    query_string hands a run of plain words to each field as one term, which no keyword field
    would match; simple_query_string splits them first. A slash is a slash (an endpoint), never a
    regular expression, and a keyed hash (h1:...) is a value, never a field.
    """
    if _PLAIN.fullmatch(text) and not _OPERATOR.search(text):
        simple = {
            "query": text,
            "fields": list(FIELDS),
            "default_operator": "and",
            "flags": "WHITESPACE",
        }
        return {"simple_query_string": {**simple, "lenient": True}}
    text = _HASH.sub(r'"\g<0>"', _SLASH.sub(r"\/", text))
    asked = {"query": text, "fields": list(FIELDS), "default_operator": "AND", "lenient": True}
    return {"query_string": {**asked, "allow_leading_wildcard": False, "time_zone": "UTC"}}


def _valid(store: Store, asked: LineSearch) -> bool:
    """Whether the engine can parse the text, asked only when a search has failed."""
    if not asked.text:
        return True
    answer = store.client.indices.validate_query(
        index=_pattern(asked), query=text_query(asked.text),
        ignore_unavailable=True, allow_no_indices=True,
    )  # fmt: skip
    return bool(answer["valid"])


def _failed() -> dict[str, Any]:
    bad = [
        {"term": {"event.outcome": "failure"}},
        {"terms": {"log.level": ["error", "critical", "fatal", "ERROR", "CRITICAL"]}},
    ]
    return {"bool": {"should": bad, "minimum_should_match": 1}}


def _pattern(asked: LineSearch) -> str:
    model = f"{asked.model}-20*" if asked.model else "*"
    patterns = {
        "inference": f"vigie-inference-{model}",
        "feedback": f"vigie-feedback-{model}",
        "service": "vigie-service-*",
    }
    return ",".join(patterns.values()) if asked.kind == "all" else patterns[asked.kind]


def _descending(field: str, kind: str) -> dict[str, Any]:
    return {field: {"order": "desc", "unmapped_type": kind}}
