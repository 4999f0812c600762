"""Settings, refused arguments, and what is sent, without an engine."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import orjson
import pytest
from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig, Urllib3HttpNode

from collectors.connection import DEFAULT_URL, EngineError, EngineNode, Settings, connect

SECRET = "s3cret!"


def test_settings_default_to_the_local_engine() -> None:
    assert Settings.from_environment({}) == Settings(url=DEFAULT_URL)


def test_settings_take_every_variable_and_empty_means_unset() -> None:
    env = {
        "VIGIE_URL": "https://es:9200",
        "VIGIE_API_KEY": "",
        "VIGIE_USER": "ada",
        "VIGIE_PASSWORD": SECRET,
        "VIGIE_CA": "ca.crt",
    }

    assert Settings.from_environment(env) == Settings(
        "https://es:9200", None, "ada", SECRET, "ca.crt"
    )


def test_settings_never_show_their_secrets() -> None:
    assert SECRET not in repr(Settings(api_key=SECRET, user="ada", password=SECRET))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"api_key": SECRET, "user": "ada", "password": SECRET},
            "either VIGIE_API_KEY or VIGIE_USER",
        ),
        ({"user": "ada"}, "VIGIE_PASSWORD is missing"),
        ({"password": SECRET}, "VIGIE_USER is missing"),
        ({"url": f"ftp://ada:{SECRET}@es:9200"}, "it must start with http:// or https://"),
        ({"url": f"http://ada:{SECRET}@es"}, "'scheme', 'host', and 'port'"),
        ({"url": f"http://ada:/{SECRET}@es:9200"}, "cannot tell which credentials"),
        ({"url": f"http://ada:{SECRET}@es:9200", "user": "bob"}, "cannot tell which credentials"),
        ({"url": "http://ada@es:9200"}, "VIGIE_PASSWORD is missing"),
        ({"url": f"http://ada:{SECRET}@es:x"}, "Could not parse URL"),
        (
            {"url": f"http://ada:{SECRET}@es:9200", "ca": "ca.crt"},
            "VIGIE_CA is set but this is not https",
        ),
        (
            {"url": "https://es:9200", "ca": "/nowhere/ca.crt"},
            "/nowhere/ca.crt: No such file or directory; name the PEM file",
        ),
    ],
)
def test_unusable_arguments_are_refused_in_one_line_without_secrets(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(EngineError) as raised:
        connect(**arguments)

    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert SECRET not in str(raised.value)


def test_ca_file_that_holds_no_certificate_is_refused(tmp_path: Path) -> None:
    ca = tmp_path / "ca.crt"
    ca.write_text("not a certificate")

    with pytest.raises(EngineError, match=r"ca\.crt: holds no certificate"):
        connect("https://es:9200", ca=str(ca))


@pytest.mark.parametrize(
    ("arguments", "header"),
    [
        ({"api_key": "aWQ6a2V5"}, "ApiKey aWQ6a2V5"),
        ({"api_key": "id:key"}, "ApiKey aWQ6a2V5"),
        ({"url": "http://ada:p%3Aw@es:9200"}, "Basic " + base64.b64encode(b"ada:p:w").decode()),
        ({"user": "ada", "password": "p:w"}, "Basic " + base64.b64encode(b"ada:p:w").decode()),
    ],
)
def test_credentials_become_the_header(
    arguments: dict[str, Any], header: str, sent: list[dict[str, Any]]
) -> None:
    connect(**arguments).info()

    assert sent[0]["headers"]["authorization"] == header


def test_credentials_of_the_address_are_in_no_description() -> None:
    client = connect(f"http://ada:{SECRET}@es:9200")

    nodes = list(client.transport.node_pool.all())
    assert SECRET not in repr(client) + repr(nodes) + repr([node.config for node in nodes])


def test_media_types_are_plain_and_the_product_is_vouched_for(sent: list[dict[str, Any]]) -> None:
    client = connect()

    client.bulk(operations=[{"create": {"_index": "a", "_id": "1"}}, {"n": 1}])

    assert sent[0]["headers"]["content-type"] == "application/x-ndjson"
    assert sent[0]["headers"]["accept"] == "application/json"
    assert sent[0]["body"] == b'{"create":{"_index":"a","_id":"1"}}\n{"n":1}\n'


def test_a_not_a_number_is_sent_as_null(sent: list[dict[str, Any]]) -> None:
    connect().index(index="a", document={"n": float("nan")})

    assert orjson.loads(sent[0]["body"]) == {"n": None}


def test_nothing_is_retried(sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWER, "status", 503)

    with pytest.raises(Exception, match="503"):
        connect().info()

    assert len(sent) == 1


ANSWER: dict[str, Any] = {"status": 200}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What reaches the wire; the answer is that of a server which does not name its product."""
    requests: list[dict[str, Any]] = []

    def perform_request(node: Urllib3HttpNode, *request: Any) -> Any:
        _method, _target, body, headers, _timeout = request
        requests.append({"body": body, "headers": {**node._headers, **headers}})
        meta = ApiResponseMeta(
            status=ANSWER["status"],
            http_version="1.1",
            headers=HttpHeaders({"content-type": "application/json"}),
            duration=0.0,
            node=NodeConfig("http", "127.0.0.1", 9200),
        )
        return EngineNode.perform_request.__globals__["NodeApiResponse"](meta, b"{}")

    monkeypatch.setattr(Urllib3HttpNode, "perform_request", perform_request)
    return requests
