"""The engine, and the watch over what the suite asks of it."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.portability import Recorder

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from collectors.connection import EngineInfo

_URL = "ELASTICSEARCH_URL"


@dataclass(frozen=True, slots=True)
class Engine:
    """A real engine to test against."""

    url: str
    client: Elasticsearch
    info: EngineInfo


def pytest_report_header() -> str:
    chosen = os.environ.get(_URL)
    if chosen is None:
        return f"engine: the embedded one; set {_URL} to use another"
    return f"engine: {re.sub('//[^/]*@', '//', chosen)} (from {_URL})"


@pytest.fixture(scope="session", autouse=True)
def recorder() -> Iterator[Recorder]:
    """Judges every request of the suite by the portability rule."""
    with Recorder().watching() as recorder:
        yield recorder


@pytest.fixture(autouse=True)
def _only_portable_requests(recorder: Recorder) -> Iterator[None]:
    before = len(recorder.unfit)
    yield
    if unfit := recorder.unfit[before:]:
        pytest.fail("not portable: " + "\n".join(unfit), pytrace=False)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The engine of ELASTICSEARCH_URL, else an embedded one; without any, the test fails."""
    from collectors.connection import EngineError
    from scripts.engine import EmbeddedEngine

    if url := os.environ.get(_URL):
        yield from _connected(url)
        return
    embedded = EmbeddedEngine(tmp_path_factory.mktemp("engine"))
    try:
        embedded.start()
    except EngineError as error:
        pytest.fail(f"{error}\nor set {_URL} to a running engine", pytrace=False)
    with embedded:
        yield from _connected(embedded.url)


def _connected(url: str) -> Iterator[Engine]:
    from collectors.connection import EngineError, check, connect

    try:
        client = connect(url, timeout_s=30)
        info = check(client)
    except EngineError as error:
        pytest.fail(f"{error}\nor unset {_URL} to use the embedded engine", pytrace=False)
    yield Engine(url=url, client=client, info=info)
    client.close()


@pytest.fixture
def namespace(engine: Engine) -> Iterator[str]:
    """A short unique word for names of indices and models; what carries it is removed."""
    word = f"t{secrets.token_hex(4)}"
    yield word
    _remove(engine.client, word)


def _remove(client: Elasticsearch, word: str) -> None:
    """Remove what carries the word in its name, each by its full name."""
    for index in client.indices.get(index=f"*{word}*", expand_wildcards="all").body:
        client.indices.delete(index=index)
    for template in client.indices.get_index_template().body["index_templates"]:
        if word in template["name"]:
            client.indices.delete_index_template(name=template["name"])
    for template in client.cluster.get_component_template().body["component_templates"]:
        if word in template["name"]:
            client.cluster.delete_component_template(name=template["name"])
