"""Runs a Watcher document's search and conditions, from the JSON alone.

Conditions follow Watcher, its corner cases included: a missing value never satisfies a comparison
(but for `not_eq`), and text compares as text. What we do not know is refused,
by its name.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from analyzers.store import Search
from analyzers.watches.lifecycle import Reading, Verdict
from analyzers.watches.mustache import java_time, render_json

__all__ = ["WatchError", "failure", "met", "read", "search"]

Json = Mapping[str, Any]

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "not_eq": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_OUTSIDE = "index {} of {} is outside the list of {}"


class WatchError(ValueError):
    """A watch document cannot be run; the message names what is wrong with it."""


def search(document: Json, scheduled: datetime) -> Search:
    """The document's search, as it stands at the scheduled time."""
    request = _input(document)
    context = {"ctx": {"trigger": {"scheduled_time": java_time(scheduled)}}}
    return Search(",".join(request["indices"]), render_json(request["body"], context))


def met(condition: Json, context: Json) -> bool:
    """Whether a condition holds in a context `{"ctx": ...}`."""
    if len(condition) != 1:
        raise WatchError(f"condition {sorted(condition)}: write exactly one")
    ((kind, body),) = condition.items()
    if kind in ("always", "never"):
        return kind == "always"
    if kind == "compare":
        return _compare(body, context)
    if kind == "array_compare":
        return _array_compare(body, context)
    raise WatchError(f"condition {kind!r}: use always, never, compare or array_compare")


def read(document: Json, answer: Json) -> Reading:
    """What the answer of the document's search says."""
    if problem := _incomplete(answer):
        return failure(document, problem)
    if not answer["_shards"]["total"]:
        return _nothing(document)
    context = {"ctx": {"payload": _payload(answer), "metadata": document["metadata"]}}
    aggregations = answer["aggregations"]
    above, threshold = _limit(document)
    newest = _newest(aggregations["newest"])
    onset = aggregations["onset"]["value"]
    return Reading(
        verdict=_verdict(document, context),
        above=above,
        threshold=threshold,
        value=newest.get("metric", {}).get("value"),
        n=newest.get("n"),
        worst=aggregations["highest" if above else "lowest"]["value"],
        onset=None if onset is None else datetime.fromtimestamp(onset / 1000, UTC),
        seen=int(aggregations["seen"]["value"]),
    )


def _nothing(document: Json) -> Reading:
    """The reading where there is no index yet: engines then leave the aggregations out."""
    above, threshold = _limit(document)
    return Reading(verdict="no_data", above=above, threshold=threshold)


def failure(document: Json, problem: str) -> Reading:
    """The reading of a search that gave no answer."""
    above, threshold = _limit(document)
    return Reading(verdict="error", above=above, threshold=threshold, problem=problem)


def _verdict(document: Json, context: Json) -> Verdict:
    metadata = document["metadata"]
    known = met(metadata["known"], context)
    if known and met(document["condition"], context):
        return "breach"
    if met(metadata["pending"], context):
        return "rising"
    if not known:
        return "no_data"
    return "clear" if met(metadata["clear"], context) else "calm"


def _input(document: Json) -> Json:
    ((kind, body),) = document["input"].items()
    if kind != "search":
        raise WatchError(f"input {kind!r}: only search is run")
    return cast(Json, body["request"])


def _limit(document: Json) -> tuple[bool, float]:
    """Direction and number of the condition that opens an incident."""
    (test,) = document["condition"]["compare"].values()
    ((name, number),) = test.items()
    return name in ("gt", "gte"), float(number)


def _newest(aggregation: Json) -> Json:
    hits = aggregation["hits"]["hits"]
    return cast(Json, hits[0]["_source"]) if hits else {}


def _incomplete(answer: Json) -> str:
    """Why an answer must not be trusted: figures of a failed shard are missing, not absent."""
    if answer.get("timed_out"):
        return "the search timed out"
    shards = answer.get("_shards", {})
    if not shards.get("failed"):
        return ""
    reasons = [f.get("reason", {}).get("reason", "") for f in shards.get("failures", ())]
    return f"{shards['failed']} of {shards['total']} shards failed: {(reasons or [''])[0]}"


def _payload(answer: Json) -> Json:
    """The answer as Watcher hands it on: the total number of hits is a number."""
    hits = dict(answer.get("hits", {}))
    total = hits.get("total")
    if isinstance(total, Mapping):
        hits["total"] = total["value"]
    return {**answer, "hits": hits}


def _compare(body: Json, context: Json) -> bool:
    (path, test), *more = body.items()
    if more:
        raise WatchError(f"compare of {path!r} and {more[0][0]!r}: one path only, there is no AND")
    name, right = _test(path, test)
    return _holds(name, _at(context, path), _right(right, context))


def _array_compare(body: Json, context: Json) -> bool:
    ((path, test),) = body.items()
    inner = test.get("path", "")
    name, right = _test(path, {k: v for k, v in test.items() if k != "path"})
    elements = _at(context, path) or []
    if not isinstance(elements, list):
        raise WatchError(f"{path!r} holds {type(elements).__name__}, array_compare needs a list")
    limit = _right(right["value"], context)
    values = [_at(element, inner) if inner else element for element in elements]
    holds = [value is not None and _holds(name, value, limit) for value in values]
    return all(holds) if right.get("quantifier", "some") == "all" else any(holds)


def _test(path: str, test: Json) -> tuple[str, Any]:
    ((name, right),) = test.items()
    if name not in _OPERATORS:
        raise WatchError(f"{path!r}: unknown operator {name!r}; use {', '.join(_OPERATORS)}")
    return name, right


def _right(value: Any, context: Json) -> Any:
    """The right side: a number, a text, or `{{path}}` of another value."""
    if isinstance(value, str) and value.startswith("{{") and value.endswith("}}"):
        return _at(context, value[2:-2].strip())
    if isinstance(value, str) and value.startswith("<{"):
        raise WatchError(f"{value!r}: date math is not run in conditions; put it into the search")
    return value


def _holds(name: str, left: Any, right: Any) -> bool:
    """Compare as the right side's type says; what cannot be compared is different, no more."""
    if left is None or right is None:
        return name == "not_eq" and left is not right
    if isinstance(right, int | float) and not isinstance(right, bool):
        number = _number(left)
        return name == "not_eq" if number is None else _OPERATORS[name](number, float(right))
    if isinstance(right, str):
        return _OPERATORS[name](str(left), right)
    return _OPERATORS[name](left, right) if name in ("eq", "not_eq") else False


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _at(value: Any, path: str) -> Any:
    """Follow a dotted path; a missing key is nothing, an index outside its list is an error."""
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal():
            if int(step) >= len(value):
                raise WatchError(_OUTSIDE.format(step, path, len(value)))
            value = value[int(step)]
        else:
            return None
    return value
