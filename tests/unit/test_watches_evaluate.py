"""Conditions as Watcher understands them, and what a reading says."""

from __future__ import annotations

import pytest

from analyzers.watches.documents import watches
from analyzers.watches.evaluate import WatchError, met, read, search
from analyzers.watches.rules import load
from tests.unit.watch_world import MINUTE, T0, Memory, contract, figure

CONTEXT = {"ctx": {"a": 5, "s": "10", "none": None, "list": [{"v": 1}, {"v": None}], "empty": []}}
WATCH = watches(load(), [contract()])[0]


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"always": {}}, True),
        ({"never": {}}, False),
        ({"compare": {"ctx.a": {"gt": 4}}}, True),
        ({"compare": {"ctx.a": {"gt": 5}}}, False),
        ({"compare": {"ctx.a": {"gte": 5}}}, True),
        ({"compare": {"ctx.a": {"lt": 5}}}, False),
        ({"compare": {"ctx.a": {"lte": "{{ctx.a}}"}}}, True),
        ({"compare": {"ctx.a": {"eq": 5.0}}}, True),
        ({"compare": {"ctx.s": {"gt": 9}}}, True),
        ({"compare": {"ctx.s": {"gt": "9"}}}, False),
        ({"compare": {"ctx.missing": {"lt": 5}}}, False),
        ({"compare": {"ctx.none": {"not_eq": 5}}}, True),
        ({"compare": {"ctx.list.0.v": {"eq": 1}}}, True),
        ({"array_compare": {"ctx.list": {"path": "v", "eq": {"value": 1}}}}, True),
        ({"array_compare": {"ctx.list": {"path": "v", "not_eq": {"value": 1}}}}, False),
        ({"array_compare": {"ctx.empty": {"gt": {"value": 1, "quantifier": "all"}}}}, True),
        ({"array_compare": {"ctx.empty": {"gt": {"value": 1, "quantifier": "some"}}}}, False),
        ({"array_compare": {"ctx.missing": {"gt": {"value": 1}}}}, False),
    ],
)
def test_conditions(condition, holds):
    assert met(condition, CONTEXT) is holds


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"script": "return true"}, "condition 'script': use always, never, compare"),
        ({"compare": {"ctx.a": {"gt": 1}, "ctx.s": {"gt": 1}}}, "there is no AND"),
        ({"compare": {"ctx.a": {"above": 1}}}, "unknown operator 'above'; use eq"),
        ({"compare": {"ctx.a": {"gt": "<{now-5m}>"}}}, "put it into the search"),
        ({"compare": {"ctx.list.7": {"gt": 1}}}, "index 7 of ctx.list.7 is outside the list of 2"),
        ({"array_compare": {"ctx.a": {"gt": {"value": 1}}}}, "array_compare needs a list"),
        ({"always": {}, "never": {}}, "write exactly one"),
    ],
)
def test_what_is_not_understood_is_refused(condition, message):
    with pytest.raises(WatchError, match=message.replace("(", r"\(")):
        met(condition, CONTEXT)


def reading(values, *, n=1000, watch=WATCH, now=T0):
    """Reading of looks that end at `now` and before, newest first."""
    store = Memory()
    ends = [now - i * MINUTE for i in range(len(values))]
    store.looks(
        [
            figure(watch.rule.metric.name, e, v, n)
            for e, v in zip(ends, values, strict=True)
            if v is not ...
        ],
        now,
    )
    (answer,) = store.searches([search(watch.document, now)])
    return read(watch.document, answer)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([0.03] * 11, "breach"),
        ([0.03] * 10, "breach"),
        ([0.03] * 9, "rising"),
        ([0.03] * 5 + [0.01] * 6, "rising"),
        ([0.02] * 11, "calm"),
        ([0.016] * 11, "calm"),
        ([0.01] + [0.03] * 10, "calm"),
        ([0.014] * 11, "clear"),
        ([0.015] * 11, "calm"),
        ([0.01] * 10, "clear"),
        ([0.01] * 9, "no_data"),
        ([..., ..., *[0.03] * 8], "no_data"),
        ([], "no_data"),
        ([None] * 11, "no_data"),
    ],
)
def test_verdicts(values, verdict):
    assert reading(values).verdict == verdict


def test_looks_with_too_few_events_are_not_seen():
    assert reading([0.9] * 11, n=19).verdict == "no_data"
    assert reading([0.9] * 11, n=20).verdict == "breach"


def test_a_reading_says_value_n_worst_and_onset():
    found = reading([0.03, 0.05, *[0.04] * 9], n=412)

    assert (found.value, found.n, found.worst, found.seen) == (0.03, 412, 0.05, 11)
    assert found.onset == T0 - 15 * MINUTE
    assert (found.threshold, found.above) == (0.02, True)


def test_a_partial_answer_is_an_error_not_a_reading():
    answer = {"_shards": {"total": 3, "failed": 1, "failures": [{"reason": {"reason": "lost"}}]}}

    assert read(WATCH.document, answer).problem == "1 of 3 shards failed: lost"
    assert read(WATCH.document, {"timed_out": True}).verdict == "error"
