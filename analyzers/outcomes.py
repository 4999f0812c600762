"""Predictions joined with the labels that come later, kept as long as a label may come.

Labels written since the last run are joined one by one. What that misses is found by counting: an
hour whose predictions or labels differ in number from what its outcomes hold is joined again, so a
label months late, a correction and a replay are all seen, and a run without news costs three
aggregations. Only outcomes that changed are written, and a label that comes after its raw event was
purged still finds the outcome. The winner of several labels is
decided by the order of the contract's sources, then by label time, then by arrival.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from analyzers import indices
from analyzers.job import live
from analyzers.outcome import Row, outcome
from analyzers.store import Search, Store, flatten
from analyzers.windows import HOUR, Window, floor, parse
from collectors.contract import Contract

__all__ = ["Change", "News", "join", "join_new", "news"]

PREDICTION = (
    "event.id", "@timestamp", "model.version", "inference.origin", "inference.output",
    "inference.groups",
)  # fmt: skip
LABEL = (
    "feedback.prediction_id", "feedback.prediction_at", "feedback.label", "feedback.value",
    "feedback.source", "@timestamp", "event.created",
)  # fmt: skip
HOURS_AT_ONCE = 100
IDS_AT_ONCE = 1000
KINDS = {"terms": {"feedback.kind": ["label", "correction"]}}
ABOUT = "feedback.prediction_at"
Operation = tuple[dict[str, Any], dict[str, Any]]


@dataclass(frozen=True)
class Change:
    """An hour to be joined again; `fresh` when it has predictions without an outcome."""

    hour: Window
    fresh: bool


@dataclass(frozen=True)
class News:
    """What counting found: hours to join, oldest first, and when the newest label was written."""

    changed: tuple[Change, ...]
    newest: str | None


def news(store: Store, contract: Contract, now: datetime) -> News:
    """Hours whose predictions or labels are not all in their outcomes."""
    period = Window(floor(now - contract.horizon, HOUR), floor(now, HOUR) + HOUR)
    searches = [
        Search(indices.predictions(contract.model, period), _hourly(_answered(contract, [period]))),
        Search(indices.feedback(contract.model), _hourly(_labels([period]), ABOUT)),
        Search(indices.outcomes(contract.model, period), _hourly(_known(contract, [period]))),
    ]
    answers = store.searches(searches)
    predictions, labels, outcomes = (_by_hour(a) for a in answers)
    found = []
    for hour in sorted({*predictions, *labels}):
        stubs, seen = outcomes.get(hour, (0, 0))
        wanted, arrived = predictions.get(hour, (0, 0))[0], labels.get(hour, (0, 0))[0]
        # Labels of predictions that nobody knows must not count as work for ever.
        if wanted > stubs or (max(wanted, stubs) > 0 and arrived != seen):
            found.append(Change(Window(hour, hour + HOUR), fresh=wanted > stubs))
    newest = answers[1].get("aggregations", {}).get("newest", {}).get("value_as_string")
    return News(tuple(found), newest)


def join_new(store: Store, contract: Contract, since: str) -> set[Window]:
    """Join the labels written after `since` to outcomes that are there; returns their hours."""
    query = {"bool": {"filter": [KINDS, {"range": {"event.created": {"gt": since}}}]}}
    rows = store.scan(indices.feedback(contract.model), query, LABEL)
    given = _by_prediction(row for row in rows if ABOUT in row)
    hours: set[Window] = set()
    for ids in _batched(given, IDS_AT_ONCE):
        hours |= _join_some(store, contract, {i: given[i] for i in ids})
    return hours


def _join_some(store: Store, contract: Contract, given: Mapping[str, Sequence[Row]]) -> set[Window]:
    known = store.get_many((_place(contract, rows[0]), i) for i, rows in given.items())
    several = [i for i, old in known.items() if old.source["outcome"]["labels"]]
    every = {**given, **(_labels_of(store, contract, several) if several else {})}
    operations = [
        _rejoined(contract, i, flatten(old.source), every[i], len(given[i]))
        for i, old in known.items()
    ]
    if store.bulk(operations):
        store.refresh(*{action["index"]["_index"] for action, _ in operations})
    starts = {floor(parse(given[i][0][ABOUT]), HOUR) for i in known}
    return {Window(start, start + HOUR) for start in starts}


def _rejoined(
    contract: Contract, identity: str, old: Row, labels: Sequence[Row], fresh: int
) -> Operation:
    document = outcome(contract, old, labels, old["outcome.labels"] + fresh - len(labels))
    place = f"vigie-outcomes-{contract.model}-{parse(old['@timestamp']):%Y.%m}"
    return {"index": {"_index": place, "_id": identity}}, document


def _batched(items: Iterable[str], size: int) -> Iterator[list[str]]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def _place(contract: Contract, label: Row) -> str:
    return f"vigie-outcomes-{contract.model}-{parse(label[ABOUT]):%Y.%m}"


def _labels_of(store: Store, contract: Contract, ids: Sequence[str]) -> dict[str, list[Row]]:
    about = {"terms": {"feedback.prediction_id": list(ids)}}
    query = {"bool": {"filter": [KINDS, about]}}
    return _by_prediction(store.scan(indices.feedback(contract.model), query, LABEL))


def join(store: Store, contract: Contract, changed: Sequence[Change]) -> int:
    """Write the outcomes that changed; returns how many."""
    parts = [changed[i : i + HOURS_AT_ONCE] for i in range(0, len(changed), HOURS_AT_ONCE)]
    written = sum(store.bulk(_operations(store, contract, part)) for part in parts)
    if written:
        span = Window(changed[0].hour.start, changed[-1].hour.end)
        store.refresh(indices.outcomes(contract.model, span))
    return written


def _operations(store: Store, contract: Contract, changed: Sequence[Change]) -> Iterator[Operation]:
    hours = [c.hour for c in changed]
    stubs = {row["event.id"]: row for row in _stubs(store, contract, hours)}
    fresh = {row["event.id"]: row for row in _fresh(store, contract, changed)}
    given = _given(store, contract, hours)
    rows = {**stubs, **fresh}
    strays = _strays(given, rows)
    for identity in sorted(rows):
        row, mine = rows[identity], given.get(identity, [])
        at = parse(row["@timestamp"])
        extra = strays.pop(floor(at, HOUR), 0)
        if identity in stubs and stubs[identity]["outcome.labels"] == len(mine) + extra:
            continue
        target = f"vigie-outcomes-{contract.model}-{at:%Y.%m}"
        action = {"index": {"_index": target, "_id": identity}}
        yield action, outcome(contract, row, mine, extra)


def _stubs(store: Store, contract: Contract, hours: Sequence[Window]) -> Iterator[Row]:
    index = indices.outcomes(contract.model, _span(hours))
    return store.scan(index, _known(contract, hours), (*PREDICTION, "outcome.labels"))


def _fresh(store: Store, contract: Contract, changed: Sequence[Change]) -> Iterator[Row]:
    hours = [c.hour for c in changed if c.fresh]
    if not hours:
        return iter(())
    index = indices.predictions(contract.model, _span(hours))
    return store.scan(index, _answered(contract, hours), PREDICTION)


def _given(store: Store, contract: Contract, hours: Sequence[Window]) -> dict[str, list[Row]]:
    return _by_prediction(store.scan(indices.feedback(contract.model), _labels(hours), LABEL))


def _by_prediction(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["feedback.prediction_id"]].append(row)
    return found


def _strays(given: Mapping[str, Sequence[Row]], known: Iterable[str]) -> Counter[datetime]:
    """Labels of no known prediction, by hour: the first outcome of the hour accounts for them."""
    there = set(known)
    return Counter(
        floor(parse(row[ABOUT]), HOUR)
        for about, rows in given.items()
        if about not in there
        for row in rows
    )


def _hourly(query: Row, field: str = "@timestamp") -> dict[str, Any]:
    seen = {"seen": {"sum": {"field": "outcome.labels"}}}
    histogram = {"field": field, "fixed_interval": "1h", "min_doc_count": 1}
    hours = {"hours": {"date_histogram": histogram, "aggs": seen}}
    newest = {"newest": {"max": {"field": "event.created"}}} if field == ABOUT else {}
    return {"size": 0, "query": query, "aggs": {**hours, **newest}}


def _by_hour(answer: Row) -> dict[datetime, tuple[int, int]]:
    buckets = answer.get("aggregations", {}).get("hours", {}).get("buckets", [])
    return {
        parse(b["key_as_string"]): (b["doc_count"], int(b["seen"]["value"] or 0)) for b in buckets
    }


def _answered(contract: Contract, windows: Sequence[Window]) -> dict[str, Any]:
    query = live(contract, _span(windows))
    query["bool"]["filter"] += [{"term": {"event.outcome": "success"}}, _any(windows, "@timestamp")]
    return query


def _labels(windows: Sequence[Window]) -> dict[str, Any]:
    return {"bool": {"filter": [KINDS, _any(windows, ABOUT)]}}


def _known(contract: Contract, windows: Sequence[Window]) -> dict[str, Any]:
    model = {"term": {"model.name": contract.model}}
    return {"bool": {"filter": [model, _any(windows, "@timestamp")]}}


def _any(windows: Sequence[Window], field: str) -> dict[str, Any]:
    """In any of the windows; those that touch are asked for as one."""
    merged: list[Window] = []
    for window in windows:
        if merged and merged[-1].end == window.start:
            merged[-1] = Window(merged[-1].start, window.end)
        else:
            merged.append(window)
    return {"bool": {"should": [w.query(field) for w in merged], "minimum_should_match": 1}}


def _span(windows: Sequence[Window]) -> Window:
    return Window(windows[0].start, windows[-1].end)
