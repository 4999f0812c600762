"""The portability rule, held against every request that the suite sends to an engine.

Product code may use only what Elasticsearch 9 and OpenSearch 3 share. `faults` judges one request;
`Recorder` watches the client's transport, so that no request of any client, thread or test escapes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from elastic_transport import Transport

__all__ = ["AGGREGATIONS", "TYPES", "Recorder", "faults"]

TYPES = frozenset(
    {
        *("keyword", "text", "long", "integer", "byte", "double", "float"),
        *("boolean", "date", "ip", "object"),
    }
)
AGGREGATIONS = frozenset(
    {
        *("terms", "missing", "filter", "filters", "range", "date_range"),
        *("histogram", "date_histogram", "composite"),
        *("avg", "sum", "min", "max", "stats", "extended_stats", "value_count", "cardinality"),
        *("percentiles", "percentile_ranks", "weighted_avg", "top_hits"),
        *("avg_bucket", "max_bucket", "min_bucket", "sum_bucket"),
        *("stats_bucket", "extended_stats_bucket", "percentiles_bucket"),
    }
)
COMPOSITE_SOURCES = frozenset({"terms", "histogram", "date_histogram"})
ABSENT = {  # part of an address -> what it asks for
    "_async_search": "an asynchronous search",
    "_data_stream": "a data stream",
    "_delete_by_query": "*_by_query",
    "_eql": "EQL",
    "_ingest": "an ingest pipeline",
    "_pit": "a point in time",
    "_plugins": "an OpenSearch plug-in",
    "_query": "ES|QL",
    "_reindex": "a reindex",
    "_rollup": "a rollup",
    "_scripts": "a stored script",
    "_sql": "SQL",
    "_transform": "a transform",
    "_update_by_query": "*_by_query",
    "point_in_time": "a point in time",
}
_SEARCHES = frozenset({"_search", "_count", "_msearch", "_validate", "_explain"})
_SCRIPT_KEYS = frozenset({"script", "script_score", "_script", "init_script", "scripted_metric"})
_SCRIPT_BODY = frozenset({"source", "id", "lang", "inline", "script"})


def faults(method: str, target: str, body: Any = None) -> tuple[str, ...]:
    """What this request asks for beyond the shared core, in words; empty when it is portable."""
    address = urlsplit(target)
    parts = [part for part in address.path.split("/") if part]
    query = parse_qs(address.query)
    return (*_address_faults(method, parts, query), *_body_faults(method, parts, body))


class Recorder:
    """Fails the test whose code sends a request that is not portable.

    The request itself is refused with pytest's own failure, which `except Exception` does not
    catch; it is also kept in `unfit`, in case a thread swallowed it.
    """

    def __init__(self) -> None:
        self.unfit: list[str] = []
        self.seen: Counter[str] = Counter()

    @contextmanager
    def watching(self) -> Iterator[Recorder]:
        """Judge each request of each client of this process."""
        send = Transport.perform_request
        Transport.perform_request = self._judging(send)  # type: ignore[method-assign]
        try:
            yield self
        finally:
            Transport.perform_request = send  # type: ignore[method-assign]

    @contextmanager
    def forgiving(self) -> Iterator[list[str]]:
        """Forget what is found inside: for tests of the recorder itself."""
        before = len(self.unfit)
        found: list[str] = []
        yield found
        found[:] = self.unfit[before:]
        del self.unfit[before:]

    def _judging(self, send: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(send)
        def judged(transport: Transport, method: str, target: str, **rest: Any) -> Any:
            body = rest.get("body")
            if body is not None and not isinstance(body, str | bytes | Mapping | list | tuple):
                rest["body"] = body = list(body)  # an iterator can be read once only
            self.judge(method, target, body)
            return send(transport, method, target, **rest)

        return judged

    def judge(self, method: str, target: str, body: Any) -> None:
        """Count a request, and fail when it is not portable."""
        self.seen[method] += 1
        if found := faults(method, target, body):
            self.unfit.append(f"{method} {target}: {'; '.join(found)}")
            pytest.fail(f"not portable: {self.unfit[-1]} (see design, portability rule)")


def _address_faults(method: str, parts: list[str], query: dict[str, list[str]]) -> Iterator[str]:
    for part in parts:
        if part in ABSENT:
            yield f"it asks for {ABSENT[part]} (/{part})"
    if "_search" in parts and parts[-1] == "template":
        yield "it asks for a search template (/_search/template)"
    if "pipeline" in query:
        yield "it names an ingest pipeline (?pipeline=)"
    if "_field_caps" in parts and "fields" not in query:
        yield "_field_caps needs its fields in the address (?fields=)"
    if method == "DELETE" and parts and len(parts) == 1 and _is_pattern(parts[0]):
        yield f"it deletes by wildcard ({parts[0]}); name the indices"


def _is_pattern(names: str) -> bool:
    return names == "_all" or "*" in names.replace("%2A", "*")


def _body_faults(method: str, parts: list[str], body: Any) -> Iterator[str]:
    if body is None or not parts:
        return
    if "_msearch" in parts:
        for search in list(_lines(body))[1::2]:
            yield from _search_faults(search)
    elif "_bulk" in parts:
        yield from _bulk_faults(body)
    elif isinstance(document := _parsed(body), Mapping):
        yield from _document_faults(method, parts, document)


def _document_faults(method: str, parts: list[str], body: Mapping[str, Any]) -> Iterator[str]:
    last = parts[-1]
    if _SEARCHES & set(parts):
        yield from _search_faults(body)
    elif "_watcher" in parts:
        request = body.get("input", {}).get("search", {}).get("request", {})
        yield from _search_faults(request.get("body", {}))
    elif {"_component_template", "_index_template", "_template"} & set(parts):
        yield from _template_faults(body)
    elif last in ("_mapping", "_mappings"):
        yield from _mapping_faults(body)
    elif "_update" in parts:
        yield from _script_faults(body if "script" in body else {})
    elif method == "PUT" and len(parts) == 1:
        yield from _mapping_faults(body.get("mappings", {}))


def _template_faults(body: Mapping[str, Any]) -> Iterator[str]:
    if "data_stream" in body:
        yield "the template makes data streams"
    template = body.get("template", body)
    yield from _mapping_faults(template.get("mappings", {}))
    settings = json.dumps(template.get("settings", {}))
    if "default_pipeline" in settings or "final_pipeline" in settings:
        yield "the settings name an ingest pipeline"


def _mapping_faults(mapping: Mapping[str, Any], path: str = "") -> Iterator[str]:
    if "runtime" in mapping or mapping.get("dynamic") == "runtime":
        yield f"the mapping has runtime fields ({path or 'top level'})"
    for rule in mapping.get("dynamic_templates", ()):
        for name, template in rule.items():
            yield from _field_faults(template.get("mapping", {}), f"dynamic template {name}")
    for kind in ("properties", "fields"):
        for name, field in mapping.get(kind, {}).items():
            yield from _field_faults(field, f"{path}.{name}" if path else name)


def _field_faults(field: Mapping[str, Any], path: str) -> Iterator[str]:
    kind = field.get("type", "object")
    if kind not in TYPES:
        yield f"field {path} has the mapping type {kind}"
    yield from _mapping_faults(field, path)


def _search_faults(body: Any) -> Iterator[str]:
    if not isinstance(body, Mapping):
        return
    for key, meaning in (
        ("runtime_mappings", "runtime fields"),
        ("script_fields", "scripts"),
        ("pit", "a point in time"),
    ):
        if key in body:
            yield f"the search uses {meaning} ({key})"
    yield from _aggregations_faults(body.get("aggs", body.get("aggregations", {})))
    yield from _script_faults(body)


def _aggregations_faults(aggregations: Mapping[str, Any]) -> Iterator[str]:
    for name, declared in aggregations.items():
        for kind, body in declared.items():
            if kind in ("aggs", "aggregations"):
                yield from _aggregations_faults(body)
            elif kind != "meta":
                yield from _aggregation_faults(name, kind, body)


def _aggregation_faults(name: str, kind: str, body: Mapping[str, Any]) -> Iterator[str]:
    if kind not in AGGREGATIONS:
        yield f"aggregation {name} is of the kind {kind}"
    if kind == "percentiles" and "hdr" not in body:
        yield f"aggregation {name} takes percentiles without hdr, so a re-run may differ"
    if kind == "top_hits" and "script_fields" in body:
        yield f"aggregation {name} uses scripts (script_fields)"
    if kind == "composite":
        for source in body.get("sources", ()):
            for source_name, declared in source.items():
                if unfit := set(declared) - COMPOSITE_SOURCES:
                    yield f"composite source {name}.{source_name} is of the kind {unfit.pop()}"


def _script_faults(node: Any, path: str = "") -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            here = f"{path}.{key}" if path else key
            if key in _SCRIPT_KEYS and isinstance(value, Mapping) and _SCRIPT_BODY & set(value):
                yield f"it runs a script ({here})"
            else:
                yield from _script_faults(value, here)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from _script_faults(item, path)


def _bulk_faults(body: Any) -> Iterator[str]:
    lines = _lines(body)
    for action in lines:
        verb, about = next(iter(action.items()))
        source: Mapping[str, Any] = {} if verb == "delete" else next(lines, {})
        if "pipeline" in about:
            yield "a bulk item names an ingest pipeline"
        if verb == "update" and "script" in source:
            yield "a bulk item updates by script"


def _lines(body: Any) -> Iterator[Any]:
    """Each document of a newline-delimited body, in whichever form the caller gave it."""
    if isinstance(body, str | bytes):
        body = body.splitlines()
    items: Iterable[Any] = body
    return (_parsed(item) for item in items if item not in (b"", ""))


def _parsed(item: Any) -> Any:
    return orjson.loads(item) if isinstance(item, str | bytes) else item
