"""The board over a real engine that holds two weeks of one model."""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from analyzers.results import Figure, Segment
from analyzers.windows import DAY, HOUR, MINUTE, Window, closed, floor, iso

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from analyzers.store import Store
    from collectors.contract import Contract
    from tests.conftest import Engine

pytestmark = pytest.mark.engine

HOSTILE = "<script>alert(1)</script> \x1b[31mred \u202egnp.exe {{7*7}}"
CONTRACT = """
model: {model}
task: binary_classification
owner: {{team: risk, email: risk@example.org}}
features:
  age: {{type: numeric, range: [18, 100]}}
  income: {{type: numeric}}
  purpose: {{type: categorical, values: [car, home]}}
output: {{labels: [accepted, refused], positive: accepted, score: probability}}
labels: {{horizon: 30d}}
rules: {{no_minor: "age >= 18"}}
performance: {{f1: {{min: 0.80}}}}
"""
Operation = tuple[dict[str, Any], dict[str, Any]]


@dataclass(frozen=True)
class World:
    """A seeded engine: what the pages are asked about."""

    store: Store
    contract: Contract
    now: datetime

    def app(self, **options: Any) -> Starlette:
        """The board over it, its clock held."""
        from analyzers.board import create_app

        return create_app(self.store, [self.contract], now=lambda: self.now, **options)


def seeded(engine: Engine, model: str) -> Iterator[World]:
    """Seed the engine; what does not carry the model's name in its index is removed again."""
    from analyzers.provision import provision
    from analyzers.store import Store
    from collectors.contract import loads

    contract = loads(CONTRACT.format(model=model))
    provision(engine.client, [contract])
    world = World(Store(engine.client), contract, floor(datetime.now(UTC), MINUTE))
    figures = [*hourly(world), *daily(world)]
    operations = [*incidents(world), *healths(world), *lines(world)]
    world.store.tiles(figures, world.now)
    world.store.bulk(operations)
    world.store.refresh("vigie-*")
    yield world
    written = [(f.index, f.id) for f in figures]
    written += [(a["_index"], a["_id"]) for action, _ in operations for a in action.values()]
    forget = [{"delete": {"_index": index, "_id": name}} for index, name in written]
    for start in range(0, len(forget), 4000):
        engine.client.bulk(operations=forget[start : start + 4000])


def figure(
    world: World, metric: str, value: float | None, unit: str, at: Window, **more: Any
) -> Figure:
    defaults = {"n": 400, "status": "ok", "model": world.contract.model, "contract": "c"}
    return Figure(metric=metric, value=value, unit=unit, window=at, **{**defaults, **more})


def breach(world: World) -> tuple[datetime, datetime]:
    """The two hours in which one prediction in fourteen failed."""
    return world.now - timedelta(hours=20), world.now - timedelta(hours=18)


def hourly(world: World) -> Iterator[Figure]:
    start, end = breach(world)
    for size, days in ((HOUR, 14), (DAY, 30)):
        for at in closed(size, world.now - days * DAY, world.now):
            n = int((300 + 200 * math.sin(at.start.hour / 4)) * (size / HOUR))
            bad = size == HOUR and at.end > start and at.start < end
            yield figure(world, "requests", n, "count", at, n=n)
            yield figure(world, "error_rate", 0.07 if bad else 0.004, "ratio", at, n=n)
            for name, base in (("p50", 40), ("p95", 150), ("p99", 240)):
                value = base * (4 if bad else 1) + at.start.hour
                yield figure(world, f"latency_{name}", value, "ms", at, n=n)


def daily(world: World) -> Iterator[Figure]:
    for i, at in enumerate(closed(DAY, world.now - 14 * DAY, world.now)):
        for name in world.contract.features:
            segment, moved = Segment("feature", name), name == "income" and i > 8
            psi, status = (0.31, "warning") if moved else (0.02, "ok")
            yield figure(world, "psi", psi, "score", at, segment=segment, status=status)
            q = 0.0001 if moved else 0.6
            test = "chi_square" if name == "purpose" else "ks"
            yield figure(world, test, 0.1, "score", at, segment=segment, status=status, q_value=q)
            yield figure(world, "missing_rate", 0.013, "ratio", at, segment=segment)
        yield figure(
            world, "violation_rate", 0.001, "ratio", at, segment=Segment("rule", "no_minor")
        )
        yield figure(world, "label_coverage", max(0.0, 0.9 - 0.06 * i), "ratio", at)
        f1 = 0.86 - 0.002 * i
        yield figure(world, "f1", f1, "score", at, low=f1 - 0.02, high=f1 + 0.02, threshold=0.8)
        yield figure(world, "accuracy", f1 + 0.03, "score", at)


def incidents(world: World) -> Iterator[Operation]:
    start, end = breach(world)
    name = f"HighErrorRate:{world.contract.model}"
    about = {"model": {"name": world.contract.model}, "rule": {"name": "HighErrorRate"}}
    alert = {"severity": "critical", "threshold": 0.02}
    told = {"id": name, "onset": iso(start), "opened": iso(start + 11 * MINUTE), "peak": 0.071}
    yield (
        {"index": {"_index": "vigie-incidents", "_id": name}},
        {
            "@timestamp": iso(start),
            **about,
            "alert": alert,
            "incident": {**told, "resolved": iso(end)},
        },
    )
    yield (
        {"index": {"_index": "vigie-incidents", "_id": f"{name}:open"}},
        {
            "@timestamp": iso(world.now - HOUR), **about, "rule": {"name": "DataDriftPSI"},
            "alert": {"severity": "critical", "threshold": 0.2},
            "incident": {"id": f"{name}:open", "onset": iso(world.now - 2 * HOUR), "peak": 0.31},
        },
    )  # fmt: skip
    moves = (("ok", "pending", start), ("pending", "firing", start + 11 * MINUTE))
    for before, after, at in (*moves, ("firing", "firing", start + 12 * MINUTE)):
        moved = {**alert, "previous": before, "state": after, "message": f"{before} to {after}"}
        yield (
            {"index": {"_index": f"vigie-alerts-{at:%Y.%m}", "_id": f"{name}:{iso(at)}"}},
            {"@timestamp": iso(at), **about, "alert": moved},
        )


def healths(world: World) -> Iterator[Operation]:
    states = ("critical", "warning", "ok", "no_data", *["ok"] * 9)
    for back, status in enumerate(states, 1):
        day = floor(world.now, DAY) - back * DAY
        reasons = [] if status == "ok" else [f"reason of {status}"]
        yield (
            {"index": {"_index": "vigie-health", "_id": f"{world.contract.model}:{iso(day)}"}},
            {
                "@timestamp": iso(day + DAY), "model": {"name": world.contract.model},
                "health": {"status": status, "reasons": reasons},
                "window": {"start": iso(day), "end": iso(day + DAY)},
            },
        )  # fmt: skip


def lines(world: World) -> Iterator[Operation]:
    model = world.contract.model
    for i in range(120):
        at = world.now - i * 11 * MINUTE
        failed = i % 15 == 7
        event = {
            "id": f"{model}-{i:04d}", "action": "prediction", "duration": 31_400_000,
            "outcome": "failure" if failed else "success",
        }  # fmt: skip
        source = {
            "@timestamp": iso(at), "event": event, "model": {"name": model, "version": "3.2.0"},
            "url": {"path": "/predict"},
            "inference": {"output": {"label": "accepted", "score": 0.8}},
        }  # fmt: skip
        if failed:
            source["error"] = {"type": "TimeoutError", "message": "no answer from the store"}
        index = f"vigie-inference-{model}-{at:%Y.%m.%d}"
        yield {"create": {"_index": index, "_id": event["id"]}}, source
    at = world.now - MINUTE
    hostile = {"id": f"{model}-hostile", "action": "log"}
    yield (
        {"create": {"_index": f"vigie-service-{at:%Y.%m.%d}", "_id": hostile["id"]}},
        {
            "@timestamp": iso(at), "event": hostile, "model": {"name": model},
            "log": {"level": "error"}, "message": HOSTILE, "service": {"name": "</summary>"},
        },
    )  # fmt: skip


@pytest.fixture(scope="module")
def world(engine: Engine) -> Iterator[World]:
    """One seeded model for the whole module: nothing here writes."""
    from tests.conftest import _remove

    word = f"t{secrets.token_hex(4)}"
    yield from seeded(engine, word)
    _remove(engine.client, word)


def read(world: World, address: str, **options: Any) -> tuple[int, str]:
    from tests.unit.board_world import visit

    answer = visit(world.app(**options), address)
    return answer.status, answer.text.replace("\u00a0", " ")


def shows(text: str, *wanted: str) -> Sequence[str]:
    """What of the wanted does not stand in the text."""
    return [w for w in wanted if w not in text]


def test_the_overview_tells_health_traffic_and_incidents(world: World) -> None:
    status, text = read(world, "/")

    assert status == 200
    assert not shows(text, "reason of critical", "DataDriftPSI", 'class="spark"', "chip critical")
    assert (
        text.count('<li class="no_data" title=') == 2
    )  # a day without data, and one without health


def test_the_page_of_a_model_has_no_empty_panel(world: World) -> None:
    for span in ("24h", "7d", "14d", "30d"):
        status, text = read(world, f"/models/{world.contract.model}?range={span}")
        assert status == 200
        assert 'class="empty"' not in text
        assert text.count('<div class="chart wide">') == 5


def test_the_page_of_a_model_tells_figures_against_their_limits(world: World) -> None:
    _, text = read(world, f"/models/{world.contract.model}?range=7d")

    assert not shows(
        text, "p95 limit 300 ms", "limit 2 %", "minimum 0.8", "0.31", "&lt; 0.001", "1.3 %"
    )
    assert re.search(r'class="chip warning">.*?Warning.*?0\.31', text, re.DOTALL)
    assert not shows(text, "HighErrorRate", "DataDriftPSI", "ongoing", "no_minor")


def test_alerts_list_changes_of_state_and_not_every_run(world: World) -> None:
    _, text = read(world, "/alerts")

    assert not shows(text, "pending to firing", "ok to pending", "7.1 %", "2 h")
    assert "firing to firing" not in text


def test_lines_are_counted_paged_and_shown_whole(world: World) -> None:
    model = world.contract.model

    _, first = read(world, f"/logs?model={model}&range=7d")
    _, last = read(world, f"/logs?model={model}&range=7d&page=3")

    assert not shows(first, "121 lines", "Page 1 of 3", "31 ms", "accepted (0.8)", 'rel="next"')
    assert first.count("<details>") == 50
    assert last.count("<details>") == 21


def test_a_hostile_line_stays_text(world: World) -> None:
    _, text = read(world, f"/logs?kind=service&model={world.contract.model}")

    assert not shows(
        text, "&lt;script&gt;alert(1)&lt;/script&gt; \\x1b[31mred \\u202egnp.exe {{7*7}}"
    )
    assert not shows(text, "&lt;/summary&gt;")
    assert "<script" not in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 121),
        ("TimeoutError", 8),
        ("accepted failure", 8),
        ("answer store", 8),
        ("event.outcome:failure", 8),
        ("event.outcome:failure AND model.version:3.2.0", 8),
        ("event.outcome:success OR log.level:error", 113),
        ("event.duration:>31000000", 120),
        ("url.path:/predict", 120),
        ("NOT _exists_:error.type", 113),
        ("accept*", 120),
        ("h1:0f3a9c0d5e6b7a81", 0),
        ("event.duration:soon", 0),
        ("/a(/", 0),
    ],
)
def test_a_query_finds_what_it_says(world: World, query: str, found: int) -> None:
    from urllib.parse import quote

    status, text = read(world, f"/logs?range=7d&model={world.contract.model}&q={quote(query)}")

    assert status == (400 if query == "/a(/" else 200)
    shown = re.search(r">([\d,]+) lines?<", text)
    assert (int(shown[1].replace(",", "")) if shown else 0) == found


@pytest.mark.parametrize("query", ["foo:(", '"', "a AND", "[1 TO", ")", "a:b:c", "x/("])
def test_a_query_that_cannot_be_read_is_said(world: World, query: str) -> None:
    from urllib.parse import quote

    for model in ("", world.contract.model):
        status, text = read(world, f"/logs?model={model}&q={quote(query)}")
        assert status == 400
        assert not shows(text, "The query was not understood: check quotes")


def test_a_leading_wildcard_is_said(world: World) -> None:
    status, text = read(world, "/logs?q=*error")

    assert status == 400
    assert not shows(text, "a term may not start with * or ?")


def test_a_model_without_any_index_is_no_error(engine: Engine, namespace: str) -> None:
    from analyzers.store import Store
    from collectors.contract import loads

    contract = loads(CONTRACT.format(model=f"{namespace}-new"))
    world = World(Store(engine.client), contract, datetime.now(UTC))

    for page in ("/", f"/models/{contract.model}", f"/logs?model={contract.model}", "/alerts"):
        assert read(world, page)[0] == 200
