"""The generated Watcher documents: plain, portable, complete, and without a number of their own."""

from __future__ import annotations

import json

import pytest

from analyzers.watches import evaluate
from analyzers.watches.documents import watches
from analyzers.watches.mustache import java_time, render_json, render_text
from analyzers.watches.rules import load, loads
from collectors.contract import loads as read_contract
from tests.portability import AGGREGATIONS, faults
from tests.unit.test_watches_rules import GOOD
from tests.unit.watch_world import CONTRACT, MINUTE, T0, contract

KEYS = {"metadata", "trigger", "input", "condition", "actions"}


def documents(**values):
    return {w.rule.name: w.document for w in watches(load(), [contract(**values)])}


def test_one_document_per_rule_and_model():
    found = watches(load(), [contract("a"), contract("b")])

    assert [w.id for w in found] == [
        f"{rule}:{model}"
        for model in ("a", "b")
        for rule in ("HighErrorRate", "HighP99Latency", "DataDriftPSI")
    ]


def test_a_rule_without_a_limit_in_the_contract_is_no_watch():
    rules = loads(GOOD.replace("slo.error_rate", "performance.f1.min"))

    assert watches(rules, [contract()]) == ()


def test_the_document_reads_as_designed():
    document = documents()["HighErrorRate"]
    request = document["input"]["search"]["request"]
    filters = request["body"]["query"]["bool"]["filter"]

    assert set(document) == KEYS
    assert document["trigger"] == {"schedule": {"interval": "1m"}}
    assert request["indices"] == ["vigie-results-*"]
    assert {"term": {"model.name": "scoring"}} in filters
    assert {"term": {"segment.kind": "all"}} in filters
    assert {"range": {"n": {"gte": 20}}} in filters
    assert filters[-1]["range"]["window.end"] == {
        "gt": "{{ctx.trigger.scheduled_time}}||-11m",
        "lte": "{{ctx.trigger.scheduled_time}}",
    }
    assert document["condition"] == {
        "compare": {"ctx.payload.aggregations.lowest.value": {"gt": 0.02}}
    }
    assert document["metadata"]["clear"] == {
        "compare": {"ctx.payload.aggregations.highest.value": {"lt": 0.015}}
    }
    assert document["actions"]["mail"]["condition"] == document["metadata"]["known"]


def test_a_rule_below_its_limit_is_mirrored():
    ((document,),) = ([w.document for w in watches(loads(GOOD), [contract()])],)

    assert document["condition"]["compare"] == {
        "ctx.payload.aggregations.highest.value": {"lt": 0.02}
    }
    assert document["metadata"]["clear"]["compare"] == {
        "ctx.payload.aggregations.lowest.value": {"gt": 0.022}
    }


@pytest.mark.parametrize("name", ["HighErrorRate", "HighP99Latency", "DataDriftPSI"])
def test_documents_are_portable(name):
    document = documents()[name]
    search = evaluate.search(document, T0)

    assert faults("POST", "/vigie-results-*/_search", search.body) == ()
    assert faults("PUT", "/_watcher/watch/x", document) == ()
    assert set(_kinds(search.body["aggs"])) <= AGGREGATIONS
    assert "script" not in json.dumps(document)


def _kinds(aggs):
    for agg in aggs.values():
        yield from (k for k in agg if k != "aggs")
        yield from _kinds(agg.get("aggs", {}))


def test_limits_follow_the_contract():
    changed = read_contract(
        CONTRACT.format(model="scoring", to="a@b.org", language="en") + "slo: {error_rate: 0.1}\n"
    )
    (watch, *_) = watches(load(), [changed])

    assert watch.document["condition"]["compare"].popitem()[1] == {"gt": 0.1}
    assert "above 10 %" in watch.document["actions"]["mail"]["email"]["subject"]


def test_the_sha_changes_with_any_word_and_only_then():
    one, same, other = documents(), documents(), documents(language="fr")

    assert one == same
    assert one["HighErrorRate"]["metadata"]["sha"] != other["HighErrorRate"]["metadata"]["sha"]


def test_nobody_to_tell_makes_a_log_line_of_the_mail():
    action = documents(to="")["HighErrorRate"]["actions"]["mail"]

    assert "email" not in action
    assert action["logging"]["text"] == "[vigie] scoring: Error rate, 5 min above 2 %"


def test_text_of_a_contract_is_never_a_template():
    hostile = read_contract(
        CONTRACT.format(model="scoring", to="a@b.org", language="en").replace(
            "https://runbooks.example.org/scoring", "'{{ctx.payload}}<script>'"
        )
    )
    (watch, *_) = watches(load(), [hostile])
    body = watch.document["actions"]["mail"]["email"]["body"]

    assert "{{ctx.payload}}" not in json.dumps(watch.document)
    assert "<script>" not in body["html"]


def test_watchers_own_mail_fills_in_from_the_answer():
    email = documents()["HighErrorRate"]["actions"]["mail"]["email"]
    newest = {"hits": {"hits": [{"_source": {"metric": {"value": 0.031}, "n": 412}}]}}
    context = {"ctx": {"payload": {"aggregations": {"newest": newest}}}}

    assert "Value: 0.031 (n = 412)" in render_text(email["body"]["text"], context)


def test_mustache_reaches_data_and_nothing_else():
    context = {"ctx": {"list": [{"x": 1}], "none": None, "yes": True}}

    assert render_text("{{ctx.list.0.x}}|{{ctx.none}}|{{ctx.yes}}", context) == "1||true"
    assert render_text("{{ctx.list.9.x}}{{ctx.items}}{{ctx.__class__}}", context) == ""


def test_mustache_cannot_break_out_of_a_json_string():
    rendered = render_json({"a": "{{ctx.v}}"}, {"ctx": {"v": '", "b": "<&'}})

    assert rendered == {"a": '", "b": "<&'}


def test_times_as_watcher_writes_them():
    assert java_time(T0) == "2026-11-21T08:00Z"
    assert java_time(T0 + MINUTE / 60) == "2026-11-21T08:00:01Z"
    assert java_time(T0.replace(microsecond=5000)) == "2026-11-21T08:00:00.005Z"
