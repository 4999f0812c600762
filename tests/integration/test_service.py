"""`vigie run` keeps the minute: figures, watches, and the next tick goes on where one failed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analyzers.provision import provision
from analyzers.service import Service
from analyzers.store import Store
from analyzers.windows import HOUR, MINUTE, floor
from collectors.shipping import Shipper
from tests.conftest import Engine
from tests.sample import contract, logger

pytestmark = pytest.mark.engine


@pytest.fixture
def service(engine: Engine, namespace: str, tmp_path: Path) -> Service:
    provision(engine.client, [contract(namespace)])
    log = logger(tmp_path, namespace)
    now = floor(datetime.now(UTC), MINUTE)
    for number in range(120):
        with log.prediction(features={"age": 40}, at=now - timedelta(seconds=2 * number + 1)):
            pass
    Shipper(engine.client, tmp_path).ship_once()
    return Service(
        Store(engine.client), [contract(namespace)], smtp_url=None, board_url="http://127.0.0.1"
    )


def figures(service: Service) -> set[str]:
    service.scheduler.store.refresh("vigie-results-*")
    model = service.scheduler.contracts[0].model
    query = {"term": {"model.name": model}}
    hits = service.scheduler.store.search("vigie-results-*", {"size": 100, "query": query})
    return {h["_source"]["metric"]["name"] for h in hits["hits"]["hits"]}


def test_a_tick_takes_the_looks_and_runs_the_watches(service: Service) -> None:
    now = floor(datetime.now(UTC), MINUTE)

    service.tick(now)

    assert {"error_rate_5m", "latency_p99_5m", "psi_mean_1h"} <= figures(service)
    assert service.last == now


def test_a_tick_that_fails_is_caught_up_by_the_next(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hour = floor(datetime.now(UTC), HOUR)
    service.last = hour - MINUTE

    def broken(now: datetime) -> None:
        raise RuntimeError("injected")

    monkeypatch.setattr(service.watches, "tick", broken)
    service.tick(hour)
    assert service.last == hour - MINUTE
    assert "the next minute tries again" in caplog.text

    monkeypatch.undo()
    service.tick(hour + MINUTE)
    assert service.last == hour + MINUTE
    assert "requests" in figures(service)


def test_run_ends_when_told(service: Service) -> None:
    thread = threading.Thread(target=service.run)
    thread.start()

    service.stop()
    thread.join(10)

    assert not thread.is_alive()
