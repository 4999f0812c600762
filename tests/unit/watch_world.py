"""A small world for tests of watches: contracts, looks, an engine in memory, a mail server."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

from analyzers.metrics import metric
from analyzers.results import Figure
from analyzers.store import Search, Store, Stored, StoreError
from analyzers.watches.smtp import Refusal, ServerError
from analyzers.windows import Window, parse
from collectors.contract import Contract, loads

T0 = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LENGTHS = {"error_rate_5m": 5, "latency_p99_5m": 5, "psi_mean_1h": 60}

CONTRACT = """
model: {model}
task: binary_classification
features:
  age: {{type: numeric}}
output: {{labels: [yes, no], positive: yes}}
alerts:
  to: [{to}]
  runbook: https://runbooks.example.org/scoring
  language: {language}
"""


def contract(
    model: str = "scoring", to: str = "oncall@example.org", language: str = "en"
) -> Contract:
    return loads(CONTRACT.format(model=model, to=to, language=language))


def figure(
    name: str, end: datetime, value: float | None, n: int = 1000, model: str = "scoring"
) -> Figure:
    """One look that ends at `end`."""
    window = Window(end - LENGTHS[name] * MINUTE, end)
    return Figure(
        metric=name, value=value, unit=metric(name).unit, n=n, status="ok", window=window,
        model=model, contract="c1",
    )  # fmt: skip


class Memory(Store):
    """An engine in memory: documents with sequence numbers, and the searches that watches send."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str], Stored] = {}
        self.broken: set[str] = set()
        self.requests = 0
        self._seq = 0
        self.client = self  # type: ignore[assignment]

    def mget(self, *, index: str, ids: Sequence[str]) -> dict[str, Any]:
        self.requests += 1
        found = ((i, self.get(index, i)) for i in ids)
        return {
            "docs": [
                {
                    "_id": i, "found": True, "_source": s.source, "_seq_no": s.seq_no,
                    "_primary_term": 1,
                }
                if s
                else {"_id": i, "found": False}
                for i, s in found
            ]
        }  # fmt: skip

    def refresh(self, *_patterns: str) -> None:
        self.requests += 1

    def get(self, index: str, document_id: str) -> Stored | None:
        return copy.deepcopy(self.documents.get((index, document_id)))

    def put(self, index: str, document_id: str, source: dict[str, Any]) -> None:
        self._seq += 1
        self.documents[index, document_id] = Stored(copy.deepcopy(source), self._seq, 1)

    def create(self, index: str, document_id: str, source: dict[str, Any]) -> bool:
        if (index, document_id) in self.documents:
            return False
        self.put(index, document_id, source)
        return True

    def replace(self, index: str, document_id: str, old: Stored, source: dict[str, Any]) -> bool:
        stored = self.documents.get((index, document_id))
        if stored is None or stored.seq_no != old.seq_no:
            return False
        self.put(index, document_id, source)
        return True

    def looks(self, figures: Iterable[Figure], now: datetime) -> int:
        return sum(self.create(f.index, f.id, f.document(now)) for f in figures)

    def searches(self, searches: Sequence[Search]) -> list[dict[str, Any]]:
        self.requests += 1
        for search in searches:
            if any(word in str(search.body) for word in self.broken):
                raise StoreError(f"search in {search.index} failed: broken on purpose")
        return [self.search(s.index, s.body) for s in searches]

    def search(self, index: str, body: Mapping[str, Any]) -> dict[str, Any]:
        hits = [
            {"_id": i, "_source": s.source, "_seq_no": s.seq_no, "_primary_term": 1}
            for (name, i), s in copy.deepcopy(self.documents).items()
            if name.startswith(index.rstrip("*")) and _matches(body["query"], s.source)
        ]
        hits.sort(key=lambda h: h["_source"]["@timestamp"])
        shown = hits[: body["size"]]
        aggs = {k: _aggregate(a, hits) for k, a in body.get("aggs", {}).items()}
        return {"_shards": {"total": 1, "failed": 0}, "hits": {"hits": shown}, "aggregations": aggs}

    def sources(self, prefix: str) -> list[dict[str, Any]]:
        return [s.source for (index, _), s in self.documents.items() if index.startswith(prefix)]


def _at(source: Any, path: str) -> Any:
    for step in path.split("."):
        source = source.get(step) if isinstance(source, Mapping) else None
    return source


def _matches(query: Mapping[str, Any], source: Mapping[str, Any]) -> bool:
    ((kind, body),) = query.items()
    if kind == "bool":
        return all(_matches(q, source) for q in body["filter"])
    if kind == "exists":
        return _at(source, body["field"]) is not None
    ((field, wanted),) = body.items()
    found = _at(source, field)
    if kind == "terms":
        return found in wanted
    return found == wanted if kind == "term" else _in_range(found, wanted)


def _in_range(found: Any, limits: Mapping[str, Any]) -> bool:
    if isinstance(found, str):
        found, limits = parse(found), {k: _date(v) for k, v in limits.items()}
    return (
        found is not None
        and ("gt" not in limits or found > limits["gt"])
        and ("gte" not in limits or found >= limits["gte"])
        and ("lte" not in limits or found <= limits["lte"])
    )


def _date(text: str) -> datetime:
    moment, _, math = text.partition("||")
    return parse(moment) + int(math.rstrip("m") or 0) * MINUTE


def _aggregate(agg: Mapping[str, Any], hits: list[dict[str, Any]]) -> dict[str, Any]:
    (kind,) = set(agg) - {"aggs"}
    if kind == "top_hits":
        newest = sorted(hits, key=lambda h: str(_at(h["_source"], "window.end")), reverse=True)
        return {"hits": {"hits": newest[:1]}}
    if kind == "filter":
        inside = [h for h in hits if _matches(agg["filter"], h["_source"])]
        return {k: _aggregate(a, inside) for k, a in agg["aggs"].items()}
    values = [_number(_at(h["_source"], agg[kind]["field"])) for h in hits]
    functions: dict[str, Any] = {"min": min, "max": max, "value_count": len}
    return {"value": functions[kind](values) if values or kind == "value_count" else None}


def _number(value: Any) -> float:
    return parse(value).timestamp() * 1000 if isinstance(value, str) else value


class Post:
    """A mail server in memory; `down` makes it unreachable, `codes` make it refuse."""

    sender = "vigie@example.org"

    def __init__(self) -> None:
        self.mails: list[tuple[EmailMessage, tuple[str, ...]]] = []
        self.down = False
        self.codes: dict[str, int] = {}

    def send(self, message: EmailMessage, to: Sequence[str]) -> Mapping[str, Refusal]:
        if self.down:
            raise ServerError("mail server 127.0.0.1:25: connection refused")
        refused = {a: Refusal(self.codes[a], "no") for a in to if a in self.codes}
        if len(refused) < len(to):
            self.mails.append((message, tuple(a for a in to if a not in refused)))
        return refused

    def subjects(self) -> list[str]:
        return [str(m["Subject"]) for m, _ in self.mails]
