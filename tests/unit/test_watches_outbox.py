"""The outbox: nothing lost, nothing doubled, whatever the mail server does."""

from __future__ import annotations

import random

import pytest

from analyzers.watches import outbox
from analyzers.watches.documents import watches
from analyzers.watches.mail import compose
from analyzers.watches.outbox import CLAIM_LASTS, LAST_RETRY, deliver
from analyzers.watches.rules import load
from tests.unit.test_watches_mail import FIRING, RESOLVED
from tests.unit.watch_world import MINUTE, T0, Memory, Post, contract

OPENED, CLOSED = "R:m:1:opened", "R:m:1:resolved"


@pytest.fixture
def post():
    return Post()


def filled(*, closed=False, to="oncall@example.org"):
    store, watch = Memory(), watches(load(), [contract(to=to)])[0]
    outbox.put(store, watch, FIRING, "opened", compose(watch, FIRING, "opened"))
    if closed:
        outbox.put(store, watch, RESOLVED, "resolved", compose(watch, RESOLVED, "resolved"))
    return store


def send(store, post, now=T0, seed=1):
    return deliver(store, post, now, random.Random(seed))


def entry(store, name=OPENED):
    return store.documents["vigie-outbox", name].source["outbox"]


def test_a_mail_is_sent_once(post):
    store = filled()

    assert send(store, post).sent == 1
    assert send(store, post).sent == 0
    assert len(post.mails) == 1
    assert entry(store)["status"] == "sent"
    assert entry(store)["sent_at"] == "2026-11-21T08:00:00Z"


def test_the_same_mail_is_stored_once():
    store, watch = filled(), watches(load(), [contract()])[0]

    assert not outbox.put(store, watch, FIRING, "opened", compose(watch, FIRING, "opened"))


def test_a_server_that_is_down_keeps_mails_waiting_and_sends_them_once(post):
    store = filled()
    post.down = True
    first = send(store, post)
    post.down = False
    too_early = send(store, post, T0)
    then = send(store, post, T0 + MINUTE)

    assert (first.later, first.waiting) == (1, 1)
    assert "connection refused" in first.problem
    assert (too_early.sent, too_early.waiting) == (0, 1)
    assert then.sent == 1
    assert len(post.mails) == 1


def test_a_server_that_is_down_is_asked_once_per_round(post):
    store = filled()
    watch = watches(load(), [contract("other")])[0]
    other = FIRING.incident.__class__(id="R:other:1", onset=T0, opened=T0, peak=1.0)
    state = FIRING.__class__(watch="R:other", name="firing", since=T0, at=T0, incident=other)
    outbox.put(store, watch, state, "opened", compose(watch, state, "opened"))
    post.down = True

    assert (send(store, post).later, send(store, post).later) == (1, 1)


def test_retries_back_off_exponentially_with_jitter(post):
    store, now, pauses = filled(), T0, []
    post.down = True
    rng = random.Random(7)
    for _ in range(9):
        deliver(store, post, now, rng)
        before, now = now, outbox.parse(entry(store)["next_at"])
        pauses.append((now - before).total_seconds())

    for i, pause in enumerate(pauses):
        nominal = min(30 * 2**i, LAST_RETRY.total_seconds())
        assert 0.5 * nominal <= pause <= 1.5 * nominal
    assert len({round(p / min(30 * 2**i, 900), 6) for i, p in enumerate(pauses)}) == 9


def test_4xx_is_tried_again_and_5xx_is_given_up(post):
    store = filled()
    post.codes = {"oncall@example.org": 451}
    assert send(store, post).later == 1
    assert entry(store)["error"] == "oncall@example.org: 451 no"

    post.codes = {"oncall@example.org": 550}
    assert send(store, post, T0 + MINUTE).dead == 1
    assert entry(store)["status"] == "dead"
    assert entry(store)["error"] == "oncall@example.org: 550 no"
    assert send(store, post, T0 + 60 * MINUTE) == outbox.DeliveryReport()


def test_only_addresses_that_were_put_off_get_it_again(post):
    store = filled(to="a@x.org, b@x.org, c@x.org")
    post.codes = {"b@x.org": 450, "c@x.org": 550}
    assert send(store, post).later == 1
    post.codes = {}
    assert send(store, post, T0 + MINUTE).sent == 1

    assert [to for _, to in post.mails] == [("a@x.org",), ("b@x.org",)]
    assert (entry(store)["reached"], entry(store)["left"]) == (2, [])
    assert post.mails[1][0]["To"] == "a@x.org, b@x.org, c@x.org"


def test_a_closing_mail_never_overtakes_its_opening(post):
    store = filled(closed=True)
    post.down = True
    send(store, post, T0 + 83 * MINUTE)
    post.down = False

    assert send(store, post, T0 + 83 * MINUTE).sent == 0
    assert send(store, post, T0 + 85 * MINUTE).sent == 2
    assert ["Critical" in s for s in post.subjects()] == [True, False]


def test_a_claim_is_respected_until_it_is_old(post):
    store = filled()
    source = store.documents["vigie-outbox", OPENED].source
    claimed = {**source["outbox"], "status": "claimed", "claimed_at": "2026-11-21T08:00:00Z"}
    store.put("vigie-outbox", OPENED, {**source, "outbox": claimed})

    assert send(store, post, T0 + CLAIM_LASTS - MINUTE).sent == 0
    assert send(store, post, T0 + CLAIM_LASTS).sent == 1


def test_two_senders_at_once_send_one_mail(post):
    """The second one read the entry before the first one claimed it."""
    store = filled()
    stale = store.search(
        "vigie-outbox", {"size": 9, "query": {"terms": {"outbox.status": ["waiting"]}}}
    )

    class Behind(Memory):
        def __init__(self):
            super().__init__()
            self.documents = store.documents

        def search(self, _index, _body):
            return stale

    assert send(store, post).sent == 1
    assert send(Behind(), post).sent == 0
    assert len(post.mails) == 1


def test_a_mail_that_cannot_be_written_is_given_up_and_stops_no_other(post):
    store = filled(closed=True)
    source = store.documents["vigie-outbox", OPENED].source
    broken = {**source["outbox"], "subject": "a\r\nBcc: b@example.org"}
    store.put("vigie-outbox", OPENED, {**source, "outbox": broken})
    report = send(store, post, T0 + 90 * MINUTE)

    assert (report.dead, report.sent) == (1, 1)
    assert "cannot be written" in entry(store)["error"]
