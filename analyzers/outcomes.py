"""Predictions joined with the labels that come later, kept as long as a label may come.

Work is found by counting: an hour whose predictions or labels differ in number from what its
outcomes hold is joined again, so a label months late, a correction and a replay are all seen, and a
run without news costs two aggregations. The winner of several labels is decided by the order of the
contract's sources, then by label time, then by arrival.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from analyzers import indices
from analyzers.job import live
from analyzers.store import Search, Store
from analyzers.windows import HOUR, Window, floor, parse
from collectors.contract import Contract, label_text

__all__ = ["changed_hours", "join", "outcome", "winner"]

PREDICTION = (
    "event.id", "@timestamp", "model.version", "inference.origin", "inference.output",
    "inference.groups",
)  # fmt: skip
LABEL = (
    "feedback.prediction_id", "feedback.prediction_at", "feedback.label", "feedback.value",
    "feedback.source", "@timestamp",
    "event.created",
)  # fmt: skip
HOURS_AT_ONCE = 48
Row = Mapping[str, Any]


def join(store: Store, contract: Contract, hours: Iterable[Window]) -> int:
    """Write the outcomes of those hours; returns how many were written."""
    ordered = sorted(hours)
    parts = [ordered[i : i + HOURS_AT_ONCE] for i in range(0, len(ordered), HOURS_AT_ONCE)]
    written = sum(store.bulk(_operations(store, contract, part)) for part in parts)
    if written:
        span = Window(ordered[0].start, ordered[-1].end)
        store.refresh(indices.outcomes(contract.model, span))
    return written


def changed_hours(store: Store, contract: Contract, now: datetime) -> list[Window]:
    """Hours whose predictions or labels are not all in their outcomes."""
    end = floor(now, HOUR) + HOUR
    period = Window(floor(now - contract.horizon, HOUR), end)
    searches = [
        Search(indices.predictions(contract.model, period), _hourly(_answered(contract, period))),
        Search(indices.feedback(contract.model), _hourly(_labels(period), _ABOUT)),
        Search(indices.outcomes(contract.model, period), _hourly(_known(contract, period))),
    ]
    predictions, labels, outcomes = (_by_hour(a) for a in store.searches(searches))
    return [
        Window(hour, hour + HOUR)
        for hour in sorted({*predictions, *labels})
        if _stale(predictions.get(hour), labels.get(hour), outcomes.get(hour))
    ]


_ABOUT = "feedback.prediction_at"


def _hourly(query: Row, field: str = "@timestamp") -> dict[str, Any]:
    seen = {"seen": {"sum": {"field": "outcome.labels"}}}
    histogram = {"field": field, "fixed_interval": "1h", "min_doc_count": 1}
    hours = {"hours": {"date_histogram": histogram, "aggs": seen}}
    return {"size": 0, "query": query, "aggs": hours}


def _answered(contract: Contract, *windows: Window) -> dict[str, Any]:
    query = live(contract, Window(windows[0].start, windows[-1].end))
    query["bool"]["filter"] += [{"term": {"event.outcome": "success"}}, _any(windows, "@timestamp")]
    return query


def _labels(*windows: Window) -> dict[str, Any]:
    kinds = {"terms": {"feedback.kind": ["label", "correction"]}}
    return {"bool": {"filter": [kinds, _any(windows, _ABOUT)]}}


def _any(windows: Sequence[Window], field: str) -> dict[str, Any]:
    return {"bool": {"should": [w.query(field) for w in windows], "minimum_should_match": 1}}


def _known(contract: Contract, window: Window) -> dict[str, Any]:
    return {"bool": {"filter": [{"term": {"model.name": contract.model}}, window.query()]}}


def _by_hour(answer: Row) -> dict[datetime, tuple[int, int]]:
    buckets = answer.get("aggregations", {}).get("hours", {}).get("buckets", [])
    return {
        parse(b["key_as_string"]): (b["doc_count"], int(b["seen"]["value"] or 0)) for b in buckets
    }


Count = tuple[int, int] | None


def _stale(predictions: Count, labels: Count, outcomes: Count) -> bool:
    """Labels of predictions that are not (yet) there do not count as work for ever."""
    stubs, seen = outcomes or (0, 0)
    wanted = predictions[0] if predictions else 0
    arrived = labels[0] if labels else 0
    return wanted > stubs or (wanted > 0 and arrived != seen)


def _operations(
    store: Store, contract: Contract, hours: Sequence[Window]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """An outcome for each answered prediction of those hours."""
    index = indices.predictions(contract.model, Window(hours[0].start, hours[-1].end))
    predictions = list(store.scan(index, _answered(contract, *hours), PREDICTION))
    given = _given(store, contract, hours)
    strays = _strays(given, {p["event.id"] for p in predictions})
    for p in predictions:
        at = parse(p["@timestamp"])
        extra = strays.pop(floor(at, HOUR), 0)
        target = f"vigie-outcomes-{contract.model}-{at:%Y.%m}"
        action = {"index": {"_index": target, "_id": p["event.id"]}}
        yield action, outcome(contract, p, given.get(p["event.id"], []), extra)


def _strays(given: Mapping[str, Sequence[Row]], known: set[str]) -> Counter[datetime]:
    """Labels of no known prediction, by hour: one outcome of the hour accounts for them."""
    return Counter(
        floor(parse(row[_ABOUT]), HOUR)
        for about, rows in given.items()
        if about not in known
        for row in rows
    )


def _given(store: Store, contract: Contract, hours: Sequence[Window]) -> dict[str, list[Row]]:
    by_prediction: dict[str, list[Row]] = defaultdict(list)
    for row in store.scan(indices.feedback(contract.model), _labels(*hours), LABEL):
        by_prediction[row["feedback.prediction_id"]].append(row)
    return by_prediction


def outcome(
    contract: Contract, prediction: Row, labels: Sequence[Row], strays: int = 0
) -> dict[str, Any]:
    """The outcome document of a prediction and its labels.

    Args:
        contract: names the positive and critical labels and the order of sources.
        prediction: flattened prediction.
        labels: flattened labels of it, in any order.
        strays: labels of the hour that belong to no prediction, counted here so that they are
            not taken for news.

    """
    won = winner(contract, labels)
    output = _nested(prediction, "inference.output.")
    groups = _nested(prediction, "inference.groups.")
    inference = {"origin": prediction["inference.origin"], "output": output, "groups": groups}
    return {
        "@timestamp": prediction["@timestamp"],
        "event": {"id": prediction["event.id"]},
        "model": {"name": contract.model, "version": prediction.get("model.version", "unknown")},
        "contract": {"version": contract.version},
        "inference": {k: v for k, v in inference.items() if v},
        "outcome": {
            "labels": len(labels) + strays,
            "labelled": int(won is not None),
            **(_judged(contract, output, won) if won else {}),
        },
    }


def winner(contract: Contract, labels: Sequence[Row]) -> Row | None:
    """The label that counts: by source order, then label time, then arrival (latest wins)."""
    order = {source: rank for rank, source in enumerate(contract.labels.sources)}

    def rank(row: Row) -> tuple[int, datetime, datetime]:
        place = order.get(row.get("feedback.source", ""), len(order))
        return (-place, parse(row["@timestamp"]), parse(row["event.created"]))

    return max(labels, key=rank, default=None)


def _judged(contract: Contract, output: Row, won: Row) -> dict[str, Any]:
    known = {"source": won.get("feedback.source"), "at": won["@timestamp"]}
    truth, value = won.get("feedback.label"), won.get("feedback.value")
    answered = output.get("label")
    if truth is not None and answered is not None:
        known |= {"label": truth, "correct": int(truth == answered)}
        known |= _binary(contract, truth, answered)
    if value is not None and output.get("value") is not None:
        known |= {"value": value, "squared_error": (value - output["value"]) ** 2}
    return known


def _binary(contract: Contract, truth: str, answered: str) -> dict[str, int]:
    flags: dict[str, int] = {}
    if contract.positive is not None:
        yes, said = truth == contract.positive, answered == contract.positive
        flags = {
            "tp": int(yes and said), "fp": int(said and not yes),
            "fn": int(yes and not said), "tn": int(not yes and not said),
        }  # fmt: skip
    if contract.output.critical is not None:
        critical = label_text(contract.output.critical)
        flags["critical_fp"] = int(answered == critical != truth)
        flags["critical_fn"] = int(truth == critical != answered)
    return flags


def _nested(row: Row, prefix: str) -> dict[str, Any]:
    return {k.removeprefix(prefix): v for k, v in row.items() if k.startswith(prefix)}
