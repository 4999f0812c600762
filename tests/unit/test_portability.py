"""The recorder catches planted requests that one of the engines would refuse."""

from __future__ import annotations

from typing import Any

import pytest
from elasticsearch import helpers

from collectors.connection import EngineError, connect
from tests.portability import AGGREGATIONS, TYPES, Recorder, faults

MEAN = {"avg": {"field": "n"}}

PORTABLE: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/", None),
    ("PUT", "/a", {"mappings": {"properties": {"n": {"type": "double"}, "o": {"properties": {}}}}}),
    ("PUT", "/_index_template/a", {"template": {"mappings": {"dynamic": "strict"}}}),
    ("POST", "/a/_search", {"aggs": {"by": {"terms": {"field": "k"}, "aggs": {"m": MEAN}}}}),
    ("POST", "/a/_search", {"query": {"term": {"script": "a field of that name"}}}),
    ("POST", "/a/_search", {"query": {"term": {"script": {"value": "x"}}}}),
    ("POST", "/a/_search", {"aggs": {"p": {"percentiles": {"field": "n", "hdr": {}}}}}),
    ("POST", "/a/_msearch", [{"index": "a"}, {"aggs": {"m": MEAN}}]),
    ("PUT", "/_bulk", [b'{"create":{"_index":"a"}}', b'{"script":{"source":"a document"}}']),
    ("PUT", "/_bulk", [{"delete": {"_id": "1"}}, {"update": {"_id": "1"}}, {"doc": {}}]),
    ("PUT", "/a/_doc/1", {"script": {"source": "a document"}, "runtime_mappings": {}}),
    ("POST", "/a/_update/1", {"doc": {"script": {"source": "x"}}, "doc_as_upsert": True}),
    ("DELETE", "/a,b", None),
    ("GET", "/_field_caps?fields=*", None),
    ("PUT", "/_watcher/watch/w", {"input": {"search": {"request": {"body": {"aggs": {}}}}}}),
)

UNFIT: tuple[tuple[str, str, Any, str], ...] = (
    ("PUT", "/a", {"mappings": {"properties": {"v": {"type": "flattened"}}}}, "field v has"),
    (
        "PUT",
        "/a",
        {"mappings": {"properties": {"o": {"properties": {"v": {"type": "nested"}}}}}},
        "field o.v has the mapping type nested",
    ),
    (
        "PUT",
        "/a/_mapping",
        {"properties": {"t": {"type": "text", "fields": {"w": {"type": "wildcard"}}}}},
        "field t.w has the mapping type wildcard",
    ),
    (
        "PUT",
        "/_component_template/a",
        {
            "template": {
                "mappings": {"dynamic_templates": [{"all": {"mapping": {"type": "half_float"}}}]}
            }
        },
        "field dynamic template all has the mapping type half_float",
    ),
    ("PUT", "/_index_template/a", {"data_stream": {}, "template": {}}, "data streams"),
    (
        "PUT",
        "/_index_template/a",
        {"template": {"settings": {"index": {"default_pipeline": "p"}}}},
        "ingest pipeline",
    ),
    ("PUT", "/a", {"mappings": {"runtime": {"r": {"type": "long"}}}}, "runtime fields"),
    ("PUT", "/a", {"mappings": {"dynamic": "runtime"}}, "runtime fields"),
    ("POST", "/a/_search", {"runtime_mappings": {}}, "runtime fields"),
    ("POST", "/a/_search", {"script_fields": {}}, "scripts"),
    ("POST", "/a/_search", {"pit": {"id": "x"}}, "a point in time"),
    ("POST", "/a/_search", {"aggs": {"m": {"top_metrics": {}}}}, "kind top_metrics"),
    (
        "POST",
        "/a/_search",
        {"aggregations": {"by": {"terms": {}, "aggs": {"d": {"derivative": {}}}}}},
        "aggregation d is of the kind derivative",
    ),
    ("POST", "/a/_search", {"aggs": {"p": {"percentiles": {"field": "n"}}}}, "without hdr"),
    (
        "POST",
        "/a/_search",
        {"aggs": {"c": {"composite": {"sources": [{"g": {"geotile_grid": {}}}]}}}},
        "composite source c.g is of the kind geotile_grid",
    ),
    (
        "POST",
        "/a/_search",
        {"aggs": {"m": {"avg": {"script": {"source": "1"}}}}},
        "it runs a script (aggs.m.avg.script)",
    ),
    (
        "POST",
        "/a/_search",
        {"query": {"bool": {"filter": [{"script": {"script": {"source": "true"}}}]}}},
        "it runs a script (query.bool.filter.script)",
    ),
    (
        "POST",
        "/a/_search",
        {"sort": [{"_script": {"type": "number", "script": {"source": "1"}}}]},
        "it runs a script (sort._script)",
    ),
    (
        "POST",
        "/_msearch",
        b'{"index":"a"}\n{"aggs":{"m":{"median_absolute_deviation":{"field":"n"}}}}\n',
        "kind median_absolute_deviation",
    ),
    (
        "PUT",
        "/_watcher/watch/w",
        {"input": {"search": {"request": {"body": {"aggs": {"m": {"rate": {}}}}}}}},
        "kind rate",
    ),
    ("POST", "/a/_update/1", {"script": {"source": "ctx.op = 'none'"}}, "it runs a script"),
    ("PUT", "/_bulk", [{"update": {"_id": "1"}}, {"script": {}}], "updates by script"),
    ("PUT", "/_bulk", [{"index": {"pipeline": "p"}}, {}], "ingest pipeline"),
    ("PUT", "/_bulk?pipeline=p", [], "ingest pipeline"),
    ("POST", "/a/_delete_by_query", {}, "*_by_query"),
    ("POST", "/a/_update_by_query", {}, "*_by_query"),
    ("POST", "/_reindex", {}, "a reindex"),
    ("PUT", "/_ingest/pipeline/p", {}, "an ingest pipeline"),
    ("PUT", "/_data_stream/d", None, "a data stream"),
    ("POST", "/a/_pit?keep_alive=1m", None, "a point in time"),
    ("POST", "/a/_search/point_in_time", None, "a point in time"),
    ("POST", "/a/_search/template", {}, "a search template"),
    ("PUT", "/_scripts/s", {}, "a stored script"),
    ("POST", "/a/_field_caps", {"fields": ["*"]}, "fields in the address"),
    ("DELETE", "/a-*", None, "deletes by wildcard"),
    ("DELETE", "/_all", None, "deletes by wildcard"),
)


@pytest.mark.parametrize(("method", "target", "body"), PORTABLE)
def test_portable_request_passes(method: str, target: str, body: Any) -> None:
    assert faults(method, target, body) == ()


@pytest.mark.parametrize(("method", "target", "body", "expected"), UNFIT)
def test_planted_request_is_caught(method: str, target: str, body: Any, expected: str) -> None:
    assert expected in "; ".join(faults(method, target, body))


@pytest.mark.parametrize("kind", sorted(AGGREGATIONS))
def test_each_shared_aggregation_passes(kind: str) -> None:
    assert faults("POST", "/a/_search", {"aggs": {"a": {kind: {"hdr": {}}}}}) == ()


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_each_shared_type_passes(kind: str) -> None:
    assert faults("PUT", "/a/_mapping", {"properties": {"f": {"type": kind}}}) == ()


def test_client_of_any_origin_is_watched(recorder: Recorder) -> None:
    """The request is refused before it is sent: nothing listens at this address."""
    client = connect("http://127.0.0.1:1")

    with recorder.forgiving() as found, pytest.raises(pytest.fail.Exception, match="kind rate"):
        client.search(index="a", aggs={"m": {"rate": {"unit": "day"}}})

    assert found == ["POST /a/_search: aggregation m is of the kind rate"]


def test_failure_passes_through_a_broad_except(recorder: Recorder) -> None:
    """A job that catches every Exception cannot hide what it sent."""
    client = connect("http://127.0.0.1:1")

    def job() -> None:
        try:
            client.delete_by_query(index="a", query={"match_all": {}})
        except Exception:
            pytest.fail("the job swallowed it")

    with recorder.forgiving(), pytest.raises(pytest.fail.Exception, match="not portable"):
        job()


def test_portable_request_goes_on_to_the_engine(recorder: Recorder) -> None:
    before = recorder.seen["PUT"]

    with pytest.raises(EngineError, match="no engine answers"):
        helpers.bulk(connect("http://127.0.0.1:1"), ({"_index": "a", "n": n} for n in range(3)))

    assert recorder.seen["PUT"] == before + 1
