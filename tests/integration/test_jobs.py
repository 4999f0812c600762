"""Days of events through all jobs on a real engine, hour by hour, as they would have happened."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analyzers import profiles
from analyzers.jobs import JOBS, job
from analyzers.provision import provision
from analyzers.scheduler import Scheduler, run_job
from analyzers.store import Search, Store
from analyzers.windows import DAY, HOUR, Window, closed, floor
from collectors import Contract, InferenceLogger
from collectors.shipping import Shipper
from tests.conftest import Engine
from tests.sample import contract, logger

pytestmark = pytest.mark.engine
START = floor(datetime.now(UTC), DAY) - 5 * DAY
PER_HOUR = 30


class World:
    """A model that is used, labelled a day later, and watched."""

    def __init__(self, engine: Engine, model: str, spool: Path) -> None:
        end = START + 2 * DAY
        self.contract: Contract = contract(
            model, reference=f"{{from: {START:%Y-%m-%d}, to: {end:%Y-%m-%d}}}"
        )
        provision(engine.client, [self.contract])
        self.log: InferenceLogger = logger(
            spool, model, reference=f"{{from: {START:%Y-%m-%d}, to: {end:%Y-%m-%d}}}"
        )
        self.store = Store(engine.client)
        self.scheduler = Scheduler(self.store, [self.contract])
        self.shipper = Shipper(engine.client, spool)
        self.rng = random.Random(7)
        self.waiting: list[tuple[datetime, str, str]] = []

    def hour(self, start: datetime, *, older: float = 0.0, failing: float = 0.0) -> None:
        for number in range(PER_HOUR):
            self.predict(start + timedelta(seconds=number * 3600 / PER_HOUR), older, failing)
        while self.waiting and self.waiting[0][0] < start + HOUR:
            at, prediction, label = self.waiting.pop(0)
            self.log.label(prediction, label, source="core-banking", at=at)
        self.log.heartbeat(at=start, interval_s=3600)
        self.shipper.ship_once()
        run = self.scheduler.tick(start, start + HOUR)
        assert run.errors == []

    def predict(self, at: datetime, older: float, failing: float) -> None:
        rng = self.rng
        features = {
            "age": min(100.0, max(18.0, rng.gauss(45 + older, 10))),
            "income": rng.lognormvariate(10, 0.4), "purpose": rng.choice(["car", "home", "study"]),
            "referral": "web", "code": "A", "account": 1, "comment": "ok", "note": "ok",
        }  # fmt: skip
        try:
            with self.log.prediction(version="1", features=features, at=at) as p:
                if rng.random() < failing:
                    raise TimeoutError("injected")
                yes = rng.random() < 0.5
                p.output(label="accepted" if yes else "refused", score=rng.random())
        except TimeoutError:
            return
        truth = yes if rng.random() < 0.9 else not yes
        self.waiting.append((at + DAY, p.id, "accepted" if truth else "refused"))

    def figures(self, metric: str, size: str, **segment: str) -> dict[datetime, dict[str, Any]]:
        self.store.refresh("vigie-results-*")
        terms = {"model.name": self.contract.model, "metric.name": metric, "window.size": size}
        terms |= {f"segment.{k}": v for k, v in segment.items()} or {"segment.kind": "all"}
        query = {"bool": {"filter": [{"term": {k: v}} for k, v in terms.items()]}}
        hits = self.store.search("vigie-results-*", {"size": 1000, "query": query})["hits"]["hits"]
        found = [h["_source"] for h in hits]
        return {datetime.fromisoformat(f["window"]["start"]): f for f in found}


@pytest.fixture(scope="module")
def world(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(engine, "t_jobs", tmp_path_factory.mktemp("spool"))
    for step in closed(HOUR, START, START + 4 * DAY):
        drifted = step.start >= START + 3 * DAY
        burst = step.start == START + 2 * DAY + 5 * HOUR
        made.hour(step.start, older=12.0 if drifted else 0.0, failing=0.3 if burst else 0.0)
    return made


def test_drift_is_flagged_on_the_day_and_the_feature_that_drifted(world: World) -> None:
    drifted = world.figures("drifted_features", "1d")

    assert drifted[START + 2 * DAY]["metric"]["value"] == 0
    assert drifted[START + 3 * DAY]["reason"] == "age"
    psi = world.figures("psi", "1d", kind="feature", name="age")[START + 3 * DAY]
    assert psi["metric"]["value"] > 0.2
    assert psi["n"] == PER_HOUR * 24
    assert psi["metric"]["n_reference"] == PER_HOUR * 48


def test_the_profile_counts_every_row_once_and_stays_frozen(world: World) -> None:
    found = profiles.load(world.store, world.contract)
    again = profiles.build(world.store, world.contract, datetime.now(UTC))

    assert again == found
    assert {p.n for p in found.features} == {PER_HOUR * 48}
    assert {p.feature for p in found.outputs} == {"output.score", "output.label"}


def test_operations_tell_the_burst_and_nothing_else(world: World) -> None:
    rates = world.figures("error_rate", "1h")
    breached = [at for at, f in rates.items() if f["status"] == "critical"]

    assert breached == [START + 2 * DAY + 5 * HOUR]
    assert len(rates) == 96
    assert world.figures("requests", "1d")[START]["metric"]["value"] == PER_HOUR * 24
    assert world.figures("availability", "1d")[START]["metric"]["value"] == 1.0


def test_performance_is_stated_once_labels_come_and_restated_later(world: World) -> None:
    f1 = world.figures("f1", "1d")
    coverage = world.figures("label_coverage", "1d")

    first = f1[START]
    assert first["metric"]["value"] == pytest.approx(0.9, abs=0.04)
    assert first["metric"]["low"] < first["metric"]["value"] < first["metric"]["high"]
    assert first["metric"]["revision"] > 0
    assert coverage[START]["metric"]["value"] == 1.0
    assert f1[START + 3 * DAY]["status"] in ("insufficient", "no_data")
    assert "value" not in f1[START + 3 * DAY]["metric"]


def test_health_says_why(world: World) -> None:
    world.store.refresh("vigie-health")
    health = {
        h["_source"]["window"]["start"]: h["_source"]["health"]
        for h in world.store.search(
            "vigie-health", {"size": 50, "query": {"term": {"model.name": world.contract.model}}}
        )["hits"]["hits"]
    }
    calm, drifted = (health[f"{START + n * DAY:%Y-%m-%d}T00:00:00Z"] for n in (1, 3))

    assert calm["n"] == PER_HOUR * 24
    assert drifted["status"] == "critical"
    assert any("age" in reason for reason in drifted["reasons"])


def test_a_job_run_again_writes_nothing(world: World) -> None:
    now = datetime.now(UTC)
    for chosen in (j for j in JOBS if j.kind == "tile"):
        windows = [w for s in chosen.lengths for w in closed(s, START + DAY, START + 2 * DAY)]

        assert run_job(world.store, world.contract, chosen, windows, now) == 0, chosen.name


def test_late_events_reopen_their_tiles(world: World) -> None:
    at = START + 3 * DAY + 10 * HOUR
    world.predict(at + timedelta(minutes=1), 12.0, 0.0)
    world.shipper.ship_once()
    world.store.refresh("vigie-inference-*")  # an old day is not the scheduler's to refresh

    run = world.scheduler.tick(START + 4 * DAY, START + 4 * DAY + HOUR)

    assert run.reopened == 1
    hour = world.figures("requests", "1h")[at]
    assert hour["metric"]["value"] == PER_HOUR + 1
    assert hour["metric"]["first_value"] == PER_HOUR
    assert hour["metric"]["revision"] == 1
    assert world.figures("requests", "1d")[START + 3 * DAY]["metric"]["value"] == PER_HOUR * 24 + 1


def test_corrected_labels_win_by_source_and_reach_the_outcome(world: World) -> None:
    at = START + 2 * HOUR
    window = Window(at, at + HOUR)
    index = f"vigie-outcomes-{world.contract.model}-*"
    query = {"bool": {"filter": [window.query(), {"term": {"outcome.correct": 1}}]}}
    hit = world.store.search(index, {"size": 1, "query": query})["hits"]["hits"][0]
    wrong = "refused" if hit["_source"]["outcome"]["label"] == "accepted" else "accepted"

    world.log.label(hit["_id"], wrong, source="analyst", at=START + 4 * DAY)
    world.shipper.ship_once()
    world.scheduler.tick(START + 4 * DAY + HOUR, START + 4 * DAY + 2 * HOUR)
    assert world.store.get(hit["_index"], hit["_id"]).source["outcome"]["correct"] == 1  # type: ignore[union-attr]

    world.log.label(hit["_id"], wrong, source="core-banking", at=START + 4 * DAY)
    world.shipper.ship_once()
    world.scheduler.tick(START + 4 * DAY + 2 * HOUR, START + 4 * DAY + 3 * HOUR)
    stored = world.store.get(hit["_index"], hit["_id"])
    assert stored is not None
    assert stored.source["outcome"]["label"] == wrong
    assert stored.source["outcome"]["labels"] == 3


def test_a_job_that_breaks_is_recorded_and_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("injected")

    monkeypatch.setattr("analyzers.scheduler.JOBS", [
        job("looks"), *(j.__class__(j.name, j.kind, j.lengths, broken, j.read) if j.name == "drift"
                        else j for j in JOBS if j.kind == "tile"),
    ])  # fmt: skip
    since = START + 4 * DAY + 23 * HOUR

    run = world.scheduler.tick(since, since + HOUR)

    assert [e.split(":")[0] for e in run.errors] == ["drift of t_jobs"]
    assert "requests" in {f["metric"]["name"] for f in world.figures("requests", "1d").values()}
    world.store.refresh("vigie-audit-*")
    recorded = [
        {"term": {"job.name": "drift"}}, {"term": {"model.name": "t_jobs"}},
        {"term": {"error.type": "RuntimeError"}},
    ]  # fmt: skip
    assert world.store.count("vigie-audit-*", {"bool": {"filter": recorded}}) == 1


def test_a_changed_contract_reaches_open_indices(engine: Engine, world: World) -> None:
    changed = contract(world.contract.model, identifiers="{customer_id: hash, household: hash}")
    provision(engine.client, [changed])

    index = f"vigie-inference-{world.contract.model}-{START:%Y.%m.%d}"
    mapping = engine.client.indices.get_mapping(index=index)[index]["mappings"]["properties"]
    known = mapping["inference"]["properties"]["identifiers"]["properties"]
    assert set(known) == {"customer_id", "household"}


def test_a_missing_index_is_an_empty_answer(world: World) -> None:
    nothing = {"size": 0, "query": {"match_all": {}}, "aggs": {}}

    assert (
        world.store.searches([Search("vigie-inference-nobody-20*", nothing)])[0]["hits"]["hits"]
        == []
    )


def test_joining_by_news_and_by_counting_agree(world: World, engine: Engine) -> None:
    """What the quick way wrote is what counting from nothing would write."""
    index = f"vigie-outcomes-{world.contract.model}-20*"
    query = {"match_all": {}}
    fields = ("event.id", "outcome")
    world.store.refresh(index)
    before = {r["event.id"]: r for r in world.store.scan(index, query, fields)}
    engine.client.indices.delete(index=",".join(engine.client.indices.get(index=index)))

    fresh = Scheduler(world.store, [world.contract])
    fresh.tick(START + 5 * DAY, START + 5 * DAY + HOUR)
    world.store.refresh(index)
    after = {r["event.id"]: r for r in world.store.scan(index, query, fields)}

    assert len(after) > 2800
    assert after == before
