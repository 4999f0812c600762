"""Clients against the engine, and what they say when it cannot be used."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from elasticsearch import ApiError, ConflictError, NotFoundError, helpers

from collectors.connection import (
    EngineError,
    EngineRefusedError,
    EngineTimeoutError,
    EngineUnreachableError,
    Settings,
    check,
    connect,
)
from tests.conftest import Engine

pytestmark = pytest.mark.engine


@contextmanager
def _server(status: int, body: bytes, content_type: str = "application/json") -> Iterator[str]:
    """Something that answers every request alike; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(status)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - names of the base class

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_engine_says_what_it_is(engine: Engine) -> None:
    info = check(engine.client)

    assert info.flavor in ("elasticsearch", "opensearch")
    assert info.version[0].isdigit()
    assert (info.ilm, info.watcher) == (False, False) or info.licence


def test_embedded_engine_has_no_licensed_feature(engine: Engine) -> None:
    if engine.info.flavor == "opensearch":
        assert not any((engine.info.ilm, engine.info.security, engine.info.watcher))


def test_bulk_gives_one_verdict_per_item(engine: Engine, namespace: str) -> None:
    """A duplicate answers 409 and nothing is retried behind our back."""
    actions = [{"_op_type": "create", "_index": namespace, "_id": "1", "n": n} for n in (1, 2)]

    verdicts = list(helpers.streaming_bulk(engine.client, actions, raise_on_error=False))

    assert [item["create"]["status"] for _, item in verdicts] == [201, 409]


def test_aggregation_and_search_round_trip(engine: Engine, namespace: str) -> None:
    engine.client.index(
        index=namespace, id="é", document={"n": 1.5, "at": "2026-11-21"}, refresh=True
    )

    found = engine.client.search(index=namespace, aggs={"mean": {"avg": {"field": "n"}}})

    assert found["hits"]["hits"][0]["_id"] == "é"
    assert found["aggregations"]["mean"]["value"] == 1.5


def test_ordinary_answers_stay_the_clients_own_errors(engine: Engine, namespace: str) -> None:
    engine.client.create(index=namespace, id="1", document={})

    with pytest.raises(ConflictError):
        engine.client.create(index=namespace, id="1", document={})
    with pytest.raises(NotFoundError):
        engine.client.get(index=namespace, id="2")
    assert not engine.client.exists(index=namespace, id="2")


def test_silence_is_a_timeout_that_names_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with connect(url) as client, pytest.raises(EngineTimeoutError) as raised:
            client.options(request_timeout=0.1).info()

    assert str(raised.value).startswith(f"{url} did not answer in time; ")


def test_settings_connect(engine: Engine) -> None:
    with Settings(url=engine.url).connect(timeout_s=5) as client:
        assert check(client).version == engine.info.version


def test_nobody_at_the_address_names_it_and_the_cure() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        with connect(url) as client, pytest.raises(EngineUnreachableError) as raised:
            check(client)

    assert str(raised.value) == (
        f"no engine answers at {url}: Connection refused; start it, or correct VIGIE_URL"
    )


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b'{"error": "who?"}', "refused the credentials (401); set VIGIE_API_KEY"),
        (
            403,
            b'{"error": {"type": "security_exception", "root_cause": [{"reason": "no"}],'
            b' "reason": "action [indices:admin/create] is unauthorized for user [ada]"}}',
            "forbids action [indices:admin/create] (403)",
        ),
    ],
)
def test_refusal_names_the_cure_and_no_credential(status: int, body: bytes, expected: str) -> None:
    with (
        _server(status, body) as url,
        connect(url, user="ada", password="s3cret!") as client,
        pytest.raises(EngineRefusedError) as raised,
    ):
        check(client)

    message = str(raised.value)
    assert expected in message
    assert url in message
    assert "\n" not in message
    assert "ada" not in message
    assert "s3cret!" not in message + repr(raised.value)


def test_blocked_index_is_not_mistaken_for_bad_credentials() -> None:
    body = b'{"error": {"type": "cluster_block_exception", "root_cause": [{"reason": "full"}]}}'
    with (
        _server(403, body) as url,
        connect(url) as client,
        pytest.raises(ApiError, match="cluster_block_exception") as raised,
    ):
        client.index(index="a", document={})

    assert not isinstance(raised.value, EngineError)


@pytest.mark.parametrize("content_type", ["application/json", "text/html"])
def test_another_server_is_told_from_an_engine(content_type: str) -> None:
    with (
        _server(200, b"[]", content_type) as url,
        connect(url) as client,
        pytest.raises(EngineError, match="neither as Elasticsearch nor as OpenSearch"),
    ):
        check(client)


def test_tls_to_a_plain_port_names_the_cure(engine: Engine) -> None:
    if engine.url.startswith("https"):
        pytest.fail("this test needs an engine without TLS; unset ELASTICSEARCH_URL")
    url = engine.url.replace("http://", "https://")

    with connect(url) as client, pytest.raises(EngineUnreachableError, match="no trusted TLS"):
        check(client)
