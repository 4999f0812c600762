"""The only door of the analyzers to the engine: typed reads, idempotent writes.

Everything here runs on the core that Elasticsearch 9 and OpenSearch 3 share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from elasticsearch import ConflictError, Elasticsearch, NotFoundError

from analyzers.results import Figure
from analyzers.windows import iso

__all__ = ["Search", "Store", "StoreError", "Stored", "flatten"]

Document = dict[str, Any]
PAGE = 5000
_LENIENT: dict[str, Any] = {"ignore_unavailable": True, "allow_no_indices": True}


class StoreError(RuntimeError):
    """The engine refused part of a write; the message names index, id and reason."""


@dataclass(frozen=True)
class Search:
    """A search that is to be run: index pattern and body."""

    index: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Stored:
    """A document with what is needed to replace exactly this state of it."""

    source: Document
    seq_no: int
    primary_term: int


class Store:
    """Reads and writes of the analyzers."""

    def __init__(self, client: Elasticsearch) -> None:
        self.client = client

    def search(self, index: str, body: Mapping[str, Any]) -> Document:
        """One search; a missing index is an empty one."""
        answer = dict(self.client.search(index=index, **_LENIENT, **body))
        _require_whole(index, answer)
        return answer

    def searches(self, searches: Sequence[Search]) -> list[Document]:
        """Several searches in one request, answered in order."""
        if not searches:
            return []
        lines = [x for s in searches for x in ({"index": s.index, **_LENIENT}, s.body)]
        answers = self.client.msearch(searches=lines)["responses"]
        for search, answer in zip(searches, answers, strict=True):
            _require_whole(search.index, answer)
        return list(answers)

    def count(self, index: str, query: Mapping[str, Any]) -> int:
        """Number of documents that match."""
        body = {"size": 0, "track_total_hits": True, "query": query}
        return int(self.search(index, body)["hits"]["total"]["value"])

    def scan(
        self, index: str, query: Mapping[str, Any], fields: Sequence[str], *, key: str = "event.id"
    ) -> Iterator[Document]:
        """Chosen fields (as `{dotted name: value}`, `_id` included) of all matches, by `key`."""
        body: Document = {
            "size": PAGE, "query": query, "_source": list(fields), "sort": [{key: "asc"}],
            "track_total_hits": False,
        }  # fmt: skip
        while hits := self.search(index, body)["hits"]["hits"]:
            yield from ({"_id": h["_id"], **flatten(h["_source"])} for h in hits)
            if len(hits) < PAGE:
                return
            body["search_after"] = hits[-1]["sort"]

    def get(self, index: str, document_id: str) -> Stored | None:
        """One document, in real time; None where there is none."""
        try:
            hit = self.client.get(index=index, id=document_id)
        except NotFoundError:
            return None
        return Stored(hit["_source"], hit["_seq_no"], hit["_primary_term"])

    def get_many(self, places: Iterable[tuple[str, str]]) -> dict[str, Stored]:
        """Those of the documents (index, id) that are there, in real time, by id."""
        docs = [{"_index": index, "_id": identity} for index, identity in places]
        answer = self.client.mget(docs=docs)["docs"] if docs else []
        return {
            d["_id"]: Stored(d["_source"], d["_seq_no"], d["_primary_term"])
            for d in answer
            if d.get("found")
        }

    def put(self, index: str, document_id: str, source: Document) -> None:
        """Write a document whole."""
        self.client.index(index=index, id=document_id, document=source)

    def create(self, index: str, document_id: str, source: Document) -> bool:
        """Write a document that must not exist yet; False when it did."""
        try:
            self.client.create(index=index, id=document_id, document=source)
        except ConflictError:
            return False
        return True

    def replace(self, index: str, document_id: str, old: Stored, source: Document) -> bool:
        """Write a document only where nobody changed it since it was read."""
        try:
            self.client.index(
                index=index, id=document_id, document=source,
                if_seq_no=old.seq_no, if_primary_term=old.primary_term,
            )  # fmt: skip
        except ConflictError:
            return False
        return True

    def refresh(self, *patterns: str) -> None:
        """Make everything written so far visible to searches."""
        if patterns:
            self.client.indices.refresh(index=",".join(patterns), **_LENIENT)

    def bulk(
        self, operations: Iterable[tuple[Document, Document]], *, refresh: bool = False
    ) -> int:
        """Actions with their documents; a create of what exists already is no failure."""
        lines = [x for operation in operations for x in operation]
        written = 0
        for start in range(0, len(lines), 4000):
            part = lines[start : start + 4000]
            items = self.client.bulk(operations=part, refresh=refresh)["items"]
            written += _judge(items)
        return written

    def looks(self, figures: Iterable[Figure], now: datetime) -> int:
        """Write sliding figures: what was seen then is never changed."""
        return self.bulk(
            ({"create": {"_index": f.index, "_id": f.id}}, f.document(now)) for f in figures
        )

    def tiles(self, figures: Sequence[Figure], now: datetime) -> int:
        """Write figures of tiles; one that changed keeps what was published first."""
        old = self._existing(figures)
        changed = [(f, old.get(f.id)) for f in figures if _differs(f, old.get(f.id), now)]
        return self.bulk(
            ({"index": {"_index": f.index, "_id": f.id}}, _restated(f.document(now), before, now))
            for f, before in changed
        )

    def _existing(self, figures: Sequence[Figure]) -> dict[str, Document]:
        if not figures:
            return {}
        found = self.get_many((f.index, f.id) for f in figures)
        return {identity: stored.source for identity, stored in found.items()}


def flatten(source: Mapping[str, Any], prefix: str = "") -> Document:
    """A document with dotted names instead of nested objects.

    >>> flatten({"a": {"b": 1}, "c": 2})
    {'a.b': 1, 'c': 2}
    """
    flat: Document = {}
    for key, value in source.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


_RUN_TIME = ("first_value", "first_at", "revision", "computed_at")


def _differs(figure: Figure, old: Document | None, now: datetime) -> bool:
    if old is None:
        return True
    return _comparable(old) != _comparable(figure.document(now))


def _comparable(document: Document) -> Document:
    metric = {k: v for k, v in document["metric"].items() if k not in _RUN_TIME}
    return {**document, "metric": metric}


def _restated(new: Document, old: Document | None, now: datetime) -> Document:
    if old is None:
        return new
    before = old["metric"]
    kept = {k: before[k] for k in ("first_value", "first_at") if k in before}
    metric = {k: v for k, v in new["metric"].items() if k not in ("first_value", "first_at")}
    metric |= {**kept, "revision": before["revision"] + 1, "computed_at": iso(now)}
    return {**new, "metric": metric}


def _require_whole(index: str, answer: Mapping[str, Any]) -> None:
    """Part of an answer must not pass for all of it: a figure over lost shards would be false."""
    if "error" in answer:
        raise StoreError(f"search in {index} failed: {_reason(answer['error'])}")
    failed = answer.get("_shards", {}).get("failed", 0)
    if failed or answer.get("timed_out"):
        why = _reason((answer["_shards"].get("failures") or [{}])[0].get("reason", "time-out"))
        raise StoreError(f"search in {index} answered in part, {failed} shards failed: {why}")


def _judge(items: Sequence[Mapping[str, Any]]) -> int:
    written = 0
    for item in items:
        (kind, verdict), *_ = item.items()
        if verdict["status"] in (200, 201):
            written += 1
        elif not (kind == "create" and verdict["status"] == 409):
            where = f"{verdict['_index']}/{verdict['_id']}"
            raise StoreError(f"{where} was refused: {_reason(verdict['error'])}")
    return written


def _reason(error: Any) -> str:
    return str(error.get("reason", error)) if isinstance(error, Mapping) else str(error)
