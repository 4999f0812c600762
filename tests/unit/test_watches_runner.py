"""The runner on an engine in memory: minute by minute, killed at every write, and in company."""

from __future__ import annotations

import logging
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.store import StoreError, flatten
from analyzers.watches import incidents
from analyzers.watches.runner import Runner
from collectors.schema import stream
from tests.unit.test_watches_mail import FIRING, INCIDENT
from tests.unit.watch_world import MINUTE, T0, Memory, Post, contract, figure

ERROR = "error_rate_5m"
STREAMS = {
    "vigie-alerts-": "alerts",
    "vigie-alert-state": "alert-state",
    "vigie-incidents": "incidents",
    "vigie-outbox": "outbox",
}


def runner(store, post=None, **more):
    given_contract = more.pop("contract", None) or contract()
    return Runner(store, [given_contract], sender=post, rng=random.Random(1), **more)


def minute(store, who, i, value, n=1000):
    """One minute: a look, a tick, a delivery."""
    now = T0 + i * MINUTE
    if value is not None:
        store.looks([figure(ERROR, now, value, n)], now)
    report = who.tick(now)
    who.deliver(now)
    return report


def play(values, store=None, post=None, start=0):
    """Feed values minute by minute; returns what happened when."""
    store, post = store or Memory(), post or Post()
    who, told = runner(store, post), []
    for i, value in enumerate(values, start):
        report = minute(store, who, i, value)
        told += [(i, "opened") for _ in report.opened] + [(i, "resolved") for _ in report.resolved]
    return store, post, told


def test_a_breach_opens_after_ten_minutes_and_closes_after_ten_clear_ones():
    _, post, told = play([0.001] * 12 + [0.05] * 20 + [0.001] * 20)

    assert told == [(22, "opened"), (42, "resolved")]
    assert [s.split(":")[0] for s in post.subjects()] == ["[vigie] Critical", "[vigie] Resolved"]


def test_a_short_breach_tells_nobody():
    store, post, told = play([0.001] * 12 + [0.05] * 9 + [0.001] * 20)

    assert (told, post.mails) == ([], [])
    assert {a["alert"]["state"] for a in store.sources("vigie-alerts-")} >= {"pending", "ok"}


def test_flapping_inside_the_hold_is_one_incident():
    """Up and down every three minutes after the opening: never ten clear minutes."""
    flaps = [0.001, 0.001, 0.001, 0.05, 0.05, 0.05] * 20
    _, post, told = play([0.001] * 12 + [0.05] * 11 + flaps + [0.001] * 12)

    assert [event for _, event in told] == ["opened", "resolved"]
    assert len(post.mails) == 2


def test_between_the_limits_it_neither_opens_nor_closes():
    _, _, told = play([0.018] * 20 + [0.05] * 11 + [0.018] * 60)

    assert told == [(30, "opened")]


def test_a_stop_of_traffic_is_no_data_and_closes_nothing():
    store, post, told = play([0.05] * 12 + [None] * 120)
    state = store.documents["vigie-alert-state", "HighErrorRate:scoring"].source["alert"]

    assert told == [(9, "opened")]
    assert len(post.mails) == 1
    assert (state["state"], state["incident"].split(":")[0]) == ("no_data", "HighErrorRate")
    assert "resolved" not in store.sources("vigie-incidents")[0]["incident"]


def test_data_that_returns_clear_closes_the_incident():
    _, post, told = play([0.05] * 12 + [None] * 60 + [0.001] * 12)

    assert [event for _, event in told] == ["opened", "resolved"]
    assert len(post.mails) == 2


def test_coarse_ticks_hold_the_incident():
    """Thirty minutes at a time, one look each: too little to decide anything."""
    store, post, _ = play([0.05] * 12)
    who = runner(store, post)
    for i in range(60, 600, 30):
        minute(store, who, i, 0.001)

    assert len(post.mails) == 1
    assert len(store.sources("vigie-alerts-")) <= 4


def test_the_incident_knows_onset_peak_and_times():
    store, _, _ = play([0.001] * 12 + [0.05] * 5 + [0.31] + [0.05] * 14 + [0.001] * 12)
    (found,) = store.sources("vigie-incidents")

    assert found["incident"]["onset"] == "2026-11-21T08:07:00Z"
    assert found["incident"]["opened"] == "2026-11-21T08:22:00Z"
    assert found["incident"]["resolved"] == "2026-11-21T08:42:00Z"
    assert found["incident"]["peak"] == 0.31
    assert found["incident"]["detection_s"] == 900
    assert found["incident"]["duration_s"] == 2100
    assert found["alert"]["state"] == "resolved"


def test_a_peak_after_the_opening_is_kept():
    store, post, _ = play([0.05] * 12 + [0.4] + [0.05] * 9 + [0.001] * 12)

    assert store.sources("vigie-incidents")[0]["incident"]["peak"] == 0.4
    assert "Worst value: 40 %" in post.mails[1][0].get_body(("plain",)).get_content()


def test_every_document_has_declared_fields_only():
    store, _, _ = play([0.001] * 12 + [0.05] * 12 + [0.001] * 25)

    for prefix, name in STREAMS.items():
        declared = {f.name for f in stream(name).fields}
        for source in store.sources(prefix):
            assert set(flatten(source)) <= declared


def test_a_quiet_tick_costs_three_requests_and_no_write():
    store, post, _ = play([0.001] * 15)
    who = runner(store, post)
    store.looks([figure(ERROR, T0 + 15 * MINUTE, 0.001)], T0)
    before, seq = store.requests, store._seq
    who.tick(T0 + 15 * MINUTE)

    assert (store.requests - before, store._seq - seq) == (3, 0)


def test_a_restart_changes_nothing():
    """A new runner every minute, as if killed each time."""
    values = [0.001] * 12 + [0.05] * 20 + [0.001] * 20
    store, post, told = Memory(), Post(), []
    for i, value in enumerate(values):
        report = minute(store, runner(store, post), i, value)
        told += [(i, "opened")] * len(report.opened) + [(i, "resolved")] * len(report.resolved)

    assert told == [(22, "opened"), (42, "resolved")]
    assert len(post.mails) == 2


class Killed(BaseException):
    """What kill -9 looks like from inside."""


class Mortal(Memory):
    """Dies at the n-th write, before or after it was made."""

    def __init__(self, shared, at, after):
        super().__init__()
        self.documents, self._shared = shared.documents, shared
        self.left, self.after = at, after

    def _write(self, name, *args):
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Killed
        done = getattr(Memory, name)(self._shared, *args)
        if self.left == 0:
            raise Killed
        return done

    def create(self, *args):
        return self._write("create", *args)

    def replace(self, *args):
        return self._write("replace", *args)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", range(1, 7))
@pytest.mark.parametrize("transition", [22, 42])
def test_killed_at_any_write_of_a_transition_nothing_is_lost_or_doubled(transition, write, after):
    """A transition takes five writes: state, alert, incident, mail, state."""
    values = [0.001] * 12 + [0.05] * 20 + [0.001] * 30
    store, post = Memory(), Post()
    for i, value in enumerate(values):
        if i == transition:
            store.looks([figure(ERROR, T0 + i * MINUTE, value)], T0)
            mortal = Mortal(store, write, after)
            try:
                runner(mortal, None).tick(T0 + i * MINUTE)
            except Killed:
                continue
        minute(store, runner(store, post), i, value)
    (found,) = store.sources("vigie-incidents")
    alerts = [(a["alert"]["previous"], a["alert"]["state"]) for a in store.sources("vigie-alerts-")]

    assert len(post.mails) == len(store.sources("vigie-outbox")) == 2
    assert {"opened", "resolved"} <= set(found["incident"])
    assert alerts.count(("pending", "firing")) == alerts.count(("firing", "resolved")) == 1
    state = store.documents["vigie-alert-state", "HighErrorRate:scoring"].source
    assert state["alert"]["due"] == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", [1, 2])
def test_killed_while_sending_the_mail_goes_out(write, after):
    """A kill after the server's answer and before our note sends it again under the same id."""
    store, _, _ = play([0.05] * 9)
    post = Post()
    store.looks([figure(ERROR, T0 + 9 * MINUTE, 0.05)], T0)
    runner(store).tick(T0 + 9 * MINUTE)
    with pytest.raises(Killed):
        runner(Mortal(store, write, after), post).deliver(T0 + 9 * MINUTE)
    runner(store, post).deliver(T0 + 10 * MINUTE)
    runner(store, post).deliver(T0 + 20 * MINUTE)

    assert len({m["Message-ID"] for m, _ in post.mails}) == 1
    assert len(post.mails) == (2 if (write, after) == (2, False) else 1)


class Rival(Memory):
    """Lets another runner run in the middle: after the states were read, before any is written."""

    def __init__(self, shared, meanwhile):
        super().__init__()
        self.documents, self._shared, self.meanwhile = shared.documents, shared, meanwhile

    def searches(self, searches):
        answers = self._shared.searches(searches)
        self.meanwhile()
        return answers

    def put(self, *args):
        self._shared.put(*args)


def test_two_runners_at_once_open_one_incident_and_send_one_mail():
    store, post = Memory(), Post()
    lost = []
    for i, value in enumerate([0.001] * 12 + [0.05] * 20 + [0.001] * 20):
        now = T0 + i * MINUTE
        store.looks([figure(ERROR, now, value)], now)
        rival = Rival(store, lambda now=now: runner(store, post).tick(now))
        report = runner(rival, post).tick(now)
        lost += [(i, watch) for watch in report.lost]
        runner(store, post).deliver(now)

    assert len(post.mails) == 2
    assert len(store.sources("vigie-incidents")) == 1
    assert (22, "HighErrorRate:scoring") in lost


def test_a_delayed_writer_never_reopens_an_incident():
    store, _, _ = play([0.05] * 12 + [0.001] * 12)
    held = store.sources("vigie-incidents")[0]
    who = runner(store)
    (watch, *_) = who.watches
    stale = replace(INCIDENT, id=held["incident"]["id"], onset=T0, opened=T0)
    incidents.save(store, watch, replace(FIRING, incident=stale, at=T0 + 9999 * MINUTE))

    assert "resolved" in store.sources("vigie-incidents")[0]["incident"]


def test_a_search_that_fails_is_an_error_of_its_watch_alone(caplog):
    store, post = Memory(), Post()
    play([0.05] * 12, store, post)
    store.broken = {"latency_p99_5m"}
    who = runner(store, post)
    with caplog.at_level(logging.ERROR):
        for i in range(12, 15):
            report = minute(store, who, i, 0.05)

    assert report.states == {
        "HighErrorRate:scoring": "firing",
        "HighP99Latency:scoring": "error",
        "DataDriftPSI:scoring": "no_data",
    }
    assert [r.message.split(" ")[1] for r in caplog.records] == ["HighP99Latency:scoring"]
    assert "broken on purpose" in caplog.text


def test_an_error_never_closes_an_incident():
    store, post, _ = play([0.05] * 12)
    store.broken = {ERROR}
    who = runner(store, post)
    report = minute(store, who, 12, 0.001)
    store.broken = set()
    later = minute(store, who, 13, 0.001)

    assert report.states["HighErrorRate:scoring"] == "error"
    assert later.states["HighErrorRate:scoring"] == "firing"
    assert len(post.mails) == 1


def test_an_engine_that_is_away_stops_no_runner(caplog):
    class Away(Memory):
        def refresh(self, *_patterns):
            raise StoreError("no engine answers")

    report, sent = runner(Away(), Post()).tick(T0), runner(Away(), Post()).deliver(T0)

    assert (report.ran, report.errors) == (False, ("no engine answers",))
    assert sent.problem == "no engine answers"
    assert len(caplog.records) == 2


def test_nobody_to_tell_is_said_and_the_incident_still_opens(caplog):
    store, post = Memory(), Post()
    who = runner(store, post, contract=contract(to=""))
    for i in range(12):
        minute(store, who, i, 0.05)

    assert len(store.sources("vigie-incidents")) == 1
    assert (store.sources("vigie-outbox"), post.mails) == ([], [])
    assert caplog.text.count("names nobody to tell") == 1


def test_without_a_mail_server_mails_wait():
    store, _, _ = play([0.001])
    who = runner(store, None)
    for i in range(1, 14):
        minute(store, who, i, 0.05)

    assert who.deliver(T0).problem == "no mail server; set VIGIE_SMTP_URL"
    assert store.sources("vigie-outbox")[0]["outbox"]["status"] == "waiting"


def test_the_link_in_the_mail_leads_to_the_model():
    store, post = Memory(), Post()
    who = runner(store, post, board_url="http://127.0.0.1:8600/")
    for i in range(12):
        minute(store, who, i, 0.05)

    assert "http://127.0.0.1:8600/models/scoring" in post.mails[0][0].as_string()


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.016, 0.05, 0.5, None]), st.integers(1, 14)), max_size=8
    )
)
def test_any_traffic_gives_pairs_of_mails_in_order(runs):
    """Openings and closings alternate, each mail once, whatever the looks do."""
    _, post, told = play([value for value, count in runs for _ in range(count)])
    events = [event for _, event in told]

    assert events == (["opened", "resolved"] * len(events))[: len(events)]
    assert len(post.mails) == len(events)
    assert len({m["Message-ID"] for m, _ in post.mails}) == len(events)
