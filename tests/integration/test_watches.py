"""Watches against a real engine and a real mail server, minute by minute."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from analyzers.cli import main
from analyzers.provision import provision
from analyzers.store import Search, Store
from analyzers.watches import MailServer, Runner, incidents
from analyzers.watches.rules import load
from tests.unit.watch_mailbox import Mailbox
from tests.unit.watch_world import CONTRACT, MINUTE, contract, figure

pytestmark = pytest.mark.engine

T0 = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
CALM, BAD = 0.001, 0.05
BREACH = [CALM] * 12 + [BAD] * 20 + [CALM] * 12
PATTERNS = tuple(f"vigie-{n}*" for n in ("alert", "incidents", "outbox", "results"))


@pytest.fixture
def mailbox():
    with Mailbox() as box:
        yield box


class World:
    """One model on the engine, with its own addresses, so that tests do not meet."""

    def __init__(self, engine, word, mailbox):
        self.client, self.store, self.mailbox = engine.client, Store(engine.client), mailbox
        self.model, self.to = word, f"{word}@example.org"
        self.contract = contract(word, self.to)
        provision(engine.client, [self.contract])
        self.told, self.lost, self.states = [], [], []

    def runner(self, store=None):
        sender = MailServer.from_url(f"{self.mailbox.url}/?from=vigie@example.org")
        return Runner(store or self.store, [self.contract], sender=sender, rng=random.Random(1))

    def look(self, i, value, name="error_rate_5m"):
        if value is not None:
            self.store.looks([figure(name, T0 + i * MINUTE, value, 1000, self.model)], T0)

    def minute(self, who, i, value, name="error_rate_5m"):
        self.look(i, value, name)
        report = who.tick(T0 + i * MINUTE)
        self.note(i, report)
        return who.deliver(T0 + i * MINUTE)

    def note(self, i, report):
        assert report.errors == ()
        self.told += [(i, "opened") for _ in report.opened]
        self.told += [(i, "resolved") for _ in report.resolved]
        self.lost += report.lost
        self.states.append(dict(report.states))

    def mails(self):
        return [m.message for m in self.mailbox.mails if m.to == [self.to]]

    def subjects(self):
        return [str(m["Subject"]).split(":")[0] for m in self.mails()]

    def documents(self, index):
        self.store.refresh(index)
        body = {"size": 500, "query": {"term": {"model.name": self.model}}}
        return [h["_source"] for h in self.store.search(index, body)["hits"]["hits"]]

    def incidents(self, **more):
        self.store.refresh("vigie-incidents")
        return incidents.listed(self.store, models=[self.model], **more)

    def remove(self):
        for pattern in PATTERNS:
            self.store.refresh(pattern)
            body = {"size": 1000, "query": {"term": {"model.name": self.model}}, "_source": False}
            hits = self.store.search(pattern, body)["hits"]["hits"]
            if hits:
                lines = [{"delete": {"_index": h["_index"], "_id": h["_id"]}} for h in hits]
                self.client.bulk(operations=lines, refresh=True)


@pytest.fixture
def world(engine, namespace, mailbox):
    made = World(engine, namespace, mailbox)
    yield made
    made.remove()


def test_one_opening_and_one_closing_mail_at_the_right_minutes(world):
    who = world.runner()
    for i, value in enumerate(BREACH):
        world.minute(who, i, value)
    (incident,) = world.incidents()
    opening, closing = world.mails()

    assert world.told == [(22, "opened"), (42, "resolved")]
    assert world.subjects() == ["[vigie] Critical", "[vigie] Resolved"]
    assert closing["In-Reply-To"] == opening["Message-ID"]
    assert incident["incident"]["onset"] == "2026-11-21T08:07:00Z"
    assert incident["incident"]["resolved"] == "2026-11-21T08:42:00Z"
    moves = [
        (a["alert"]["previous"], a["alert"]["state"]) for a in world.documents("vigie-alerts-*")
    ]
    assert ("pending", "firing") in moves
    assert ("firing", "resolved") in moves


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("latency_p99_5m", (300.0, 900.0), [(13, "opened"), (48, "resolved")]),
        ("psi_mean_1h", (0.05, 0.4), [(38, "opened"), (73, "resolved")]),
    ],
)
def test_the_other_two_rules(world, name, values, told):
    """Latency opens after 5 breaching minutes, drift after 30; both close after as many clear."""
    who, (calm, bad) = world.runner(), values
    for i, value in enumerate([calm] * 8 + [bad] * 35 + [calm] * 32):
        world.minute(who, i, value, name)

    assert world.told == told
    assert len(world.mails()) == 2


def test_a_stop_of_traffic_is_no_data_and_no_mail(world):
    who, watch = world.runner(), f"HighErrorRate:{world.model}"
    for i, value in enumerate([BAD] * 12 + [None] * 15):
        world.minute(who, i, value)

    assert world.told == [(9, "opened")]
    assert world.states[-1][watch] == "no_data"
    assert world.subjects() == ["[vigie] Critical"]
    assert len(world.incidents(only_open=True)) == 1


def test_a_new_runner_every_minute_tells_the_same(world):
    for i, value in enumerate(BREACH):
        world.minute(world.runner(), i, value)

    assert world.told == [(22, "opened"), (42, "resolved")]
    assert len(world.mails()) == 2


def test_two_runners_at_once_send_one_mail(world):
    """The second runs after the first has read and before it writes, in every minute."""
    second = world.runner()

    class Rival(Store):
        def searches(self, searches: list[Search]):
            answers = super().searches(searches)
            world.note(minute, second.tick(T0 + minute * MINUTE))
            return answers

    first = world.runner(Rival(world.client))
    for minute, value in enumerate(BREACH):
        world.look(minute, value)
        report = first.tick(T0 + minute * MINUTE)
        world.lost += report.lost
        first.deliver(T0 + minute * MINUTE)
        second.deliver(T0 + minute * MINUTE)

    assert len(world.lost) >= 2
    assert world.told == [(22, "opened"), (42, "resolved")]
    assert len(world.mails()) == len(world.documents("vigie-outbox")) == 2
    assert len(world.documents("vigie-incidents")) == 1


def test_a_mail_server_that_was_down_gets_one_mail(world, mailbox):
    mailbox.codes = {world.to: 451}
    who = world.runner()
    for i in range(12):
        world.minute(who, i, BAD)
    waiting = world.documents("vigie-outbox")[0]["outbox"]
    mailbox.codes = {}
    for i in range(12, 20):
        world.minute(who, i, BAD)

    assert (waiting["status"], waiting["error"]) == ("waiting", f"{world.to}: 451 no")
    assert waiting["attempts"] >= 2
    assert world.subjects() == ["[vigie] Critical"]


def test_no_mail_server_at_all_then_one(world, engine, mailbox):
    away = MailServer.from_url("smtp://127.0.0.1:1/")
    gone = Runner(world.store, [world.contract], sender=away, rng=random.Random(1))
    for i in range(12):
        sent = world.minute(gone, i, BAD)
    back = world.runner()
    for i in range(12, 16):
        world.minute(back, i, BAD)

    assert "mail server 127.0.0.1:1" in sent.problem or sent.waiting
    assert world.subjects() == ["[vigie] Critical"]


def test_a_refused_mail_is_given_up_with_the_reason(world, mailbox):
    mailbox.codes = {world.to: 550}
    who = world.runner()
    for i in range(14):
        world.minute(who, i, BAD)
    (mail,) = world.documents("vigie-outbox")

    assert (mail["outbox"]["status"], mail["outbox"]["error"]) == ("dead", f"{world.to}: 550 no")
    assert mail["outbox"]["attempts"] == 1
    assert world.mails() == []


def test_a_broken_search_is_an_error_of_its_watch_alone(world):
    who = world.runner()
    body = who.watches[1].document["input"]["search"]["request"]["body"]
    body["query"]["bool"]["filter"].append({"range": {"window.end": {"gt": "not a date"}}})
    for i in range(11):
        world.look(i, BAD)
        report = who.tick(T0 + i * MINUTE)

    assert report.states[f"HighP99Latency:{world.model}"] == "error"
    assert report.states[f"HighErrorRate:{world.model}"] == "firing"


def test_a_quiet_tick_of_six_watches_takes_milliseconds(world, record_property):
    other = contract(f"{world.model}-b", world.to)
    who = Runner(world.store, [world.contract, other], rules=load())
    for i in range(15):
        for model in (world.model, other.model):
            found = figure("error_rate_5m", T0 + i * MINUTE, CALM, 1000, model)
            world.store.looks([found], T0)
        who.tick(T0 + i * MINUTE)
    times = []
    for _ in range(30):
        start = time.perf_counter()
        who.tick(T0 + 14 * MINUTE)
        times.append((time.perf_counter() - start) * 1000)

    record_property("quiet_tick_ms", f"{sorted(times)[15]:.1f}")
    assert min(times) < 100


def test_nothing_provisioned_and_no_index_is_no_data(engine, namespace):
    """A first tick before anything was written: searches and states find no index."""

    class Elsewhere(Store):
        def searches(self, searches):
            return super().searches([Search(f"{namespace}-none-*", s.body) for s in searches])

    report = Runner(Elsewhere(engine.client), [contract(namespace)]).tick(T0)
    World.remove(_only(engine, namespace))

    assert set(report.states.values()) == {"no_data"}
    assert report.errors == ()


def _only(engine, model):
    made = World.__new__(World)
    made.client, made.store, made.model = engine.client, Store(engine.client), model
    return made


def test_the_commands_run_list_and_show(world, engine, monkeypatch, tmp_path):
    """`vigie watch run` ticks once with the clock of the machine; incidents can be read."""
    for i in range(12):
        world.minute(world.runner(), i, BAD)
    text = CONTRACT.format(model=world.model, to=world.to, language="en")
    (tmp_path / "scoring.yaml").write_text(text, "utf-8")
    monkeypatch.setenv("VIGIE_URL", engine.url)
    monkeypatch.delenv("VIGIE_SMTP_URL", raising=False)
    (found,) = world.incidents()

    ran = CliRunner().invoke(main, ["watch", "run", "--contracts", str(tmp_path)])
    listed = CliRunner().invoke(main, ["incident", "list", "--model", world.model, "--open"])
    shown = CliRunner().invoke(main, ["incident", "show", found["incident"]["id"]])
    unknown = CliRunner().invoke(main, ["incident", "show", "none"])

    assert "3 watches, 0 opened, 0 resolved" in ran.output
    assert f"HighErrorRate:{world.model}" in listed.output
    assert f"mail opened: sent, to {world.to}" in shown.output
    assert (unknown.exit_code, "`vigie incident list` lists them" in unknown.output) == (2, True)
