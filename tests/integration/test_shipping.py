"""From the log call to the index on a real engine: each event once, each failure settled."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from elasticsearch import ApiError, TransportError

from analyzers.provision import provision
from collectors.connection import EngineError, connect
from collectors.shipping import Shipper
from tests.conftest import Engine
from tests.sample import contract, lines, logger

pytestmark = pytest.mark.engine
NOW = datetime.now(UTC)


def fill(spool: Path, model: str, count: int) -> set[str]:
    log = logger(spool, model)
    ids = set()
    for number in range(count):
        at = NOW - timedelta(hours=number % 60)
        with log.prediction(version="1", features={"age": 20 + number % 70}, at=at) as p:
            p.output(label="accepted", score=0.5)
        ids.add(p.id)
    log.close()
    return ids


def stored(engine: Engine, model: str) -> list[str]:
    index = f"vigie-inference-{model}-*"
    engine.client.indices.refresh(index=index)
    body = {"size": 10_000, "query": {"term": {"model.name": model}}}
    return [h["_id"] for h in engine.client.search(index=index, **body)["hits"]["hits"]]


def test_every_event_is_indexed_once_under_its_own_id_and_day(
    engine: Engine, namespace: str, tmp_path: Path
) -> None:
    provision(engine.client, [contract(namespace)])
    ids = fill(tmp_path, namespace, 300)

    receipt = Shipper(engine.client, tmp_path).ship_once()

    found = stored(engine, namespace)
    assert receipt.indexed == 300
    assert sorted(found) == sorted(ids)
    days = engine.client.indices.get(index=f"vigie-inference-{namespace}-*")
    assert len(days) >= 3


def test_a_replay_lands_on_the_same_documents(
    engine: Engine, namespace: str, tmp_path: Path
) -> None:
    provision(engine.client, [contract(namespace)])
    ids = fill(tmp_path, namespace, 50)
    Shipper(engine.client, tmp_path).ship_once()
    for offset in (tmp_path / ".offsets").iterdir():
        offset.unlink()

    receipt = Shipper(engine.client, tmp_path).ship_once()

    assert (receipt.indexed, receipt.duplicates) == (0, 50)
    assert sorted(stored(engine, namespace)) == sorted(ids)


def test_shipping_goes_on_where_it_stopped_and_leaves_a_torn_tail(
    engine: Engine, namespace: str, tmp_path: Path
) -> None:
    provision(engine.client, [contract(namespace)])
    fill(tmp_path, namespace, 5)
    (segment,) = tmp_path.glob("*/*.jsonl")
    with segment.open("ab") as file:
        file.write(b'{"@timestamp": "2026-')
    shipper = Shipper(engine.client, tmp_path)

    assert shipper.ship_once().indexed == 5
    assert shipper.ship_once().settled == 0
    assert shipper.pending_bytes == 21


def test_a_line_that_is_no_event_is_put_aside_with_its_place(
    engine: Engine, namespace: str, tmp_path: Path
) -> None:
    provision(engine.client, [contract(namespace)])
    folder = tmp_path / "s"
    folder.mkdir()
    bad = [
        b"not json\n",
        b"[1]\n",
        b'{"event":{}}\n',
        b'{"vigie":{"index":"x"},"event":{"id":1}}\n',
    ]
    (folder / f"{namespace}.jsonl").write_bytes(b"".join(bad))

    receipt = Shipper(engine.client, tmp_path).ship_once()

    assert receipt.unparsed == 4
    index = f"vigie-unparsed-{datetime.now(UTC):%Y.%m.%d}"
    found = engine.client.get(index=index, id=f"{namespace}.jsonl:9")["_source"]
    assert found["event"]["original"] == "[1]\n"
    assert found["log"]["offset"] == 9


def test_what_the_engine_refuses_for_good_is_a_dead_letter(
    engine: Engine, namespace: str, tmp_path: Path
) -> None:
    provision(engine.client, [contract(namespace)])
    fill(tmp_path, namespace, 2)
    (segment,) = tmp_path.glob("*/*.jsonl")
    broken = orjson.loads(lines(tmp_path)[0])
    broken["event"] |= {"id": "refused-1", "outcome": {"an": "object"}}
    with segment.open("ab") as file:
        file.write(orjson.dumps(broken) + b"\n")

    receipt = Shipper(engine.client, tmp_path).ship_once()

    assert (receipt.indexed, receipt.dead_letters) == (2, 1)
    (letter,) = (tmp_path / ".dead").iterdir()
    told = orjson.loads(letter.read_bytes())
    assert told["id"] == "refused-1"
    assert told["status"] == 400
    assert told["reason"]


class Refusing:
    """A client whose bulk fails as told, before it works."""

    def __init__(self, client: Any, faults: list[Any]) -> None:
        self.client, self.faults = client, faults

    def bulk(self, *, operations: Any) -> Any:
        if not self.faults:
            return self.client.bulk(operations=operations)
        return self.faults.pop(0)(self.client, operations)


def half_refused(client: Any, operations: Any) -> Any:
    half = len(operations) // 4 * 2
    answer = client.bulk(operations=operations[:half])
    refused = [{"create": {"status": 429}}] * ((len(operations) - half) // 2)
    return {"items": [*answer["items"], *refused]}


def cut_answer(client: Any, operations: Any) -> Any:
    client.bulk(operations=operations)
    raise TransportError("connection reset")


def test_each_item_is_judged_on_its_own(engine: Engine, namespace: str, tmp_path: Path) -> None:
    provision(engine.client, [contract(namespace)])
    ids = fill(tmp_path, namespace, 40)
    client: Any = Refusing(engine.client, [half_refused, cut_answer])
    waits: list[float] = []
    shipper = Shipper(client, tmp_path, sleep=waits.append, rng=random.Random(1))

    receipt = shipper.ship_once()

    assert receipt.settled == 40
    assert receipt.retried == 40
    assert sorted(stored(engine, namespace)) == sorted(ids)
    assert 0 < waits[0] < waits[1]


def test_an_engine_out_of_reach_loses_nothing_and_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "lonely", 3)
    client = connect("http://127.0.0.1:9")
    shipper = Shipper(client, tmp_path, sleep=lambda _: None)

    with pytest.raises((TransportError, ApiError, EngineError), match=r"127\.0\.0\.1:9"):
        shipper.ship_once()

    assert shipper.pending_bytes == sum(map(len, lines(tmp_path)))
