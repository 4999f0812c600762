"""The outbox: mails are stored before they are sent, and claimed before they are tried.

    waiting ──claim──> claimed ──250──> sent
       ^                  │ └───5xx──> dead
       └──4xx, no server──┘ (exponential back-off)      a claim that grew old is taken again

Each mail has an id of its own, so a second runner or a restart cannot double it. Should a process
die between the server's answer and our note of it, the mail goes out again, with the same
Message-ID.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any, Protocol

from analyzers.store import Store, Stored
from analyzers.watches.documents import VERSIONS, Watch
from analyzers.watches.lifecycle import State
from analyzers.watches.mail import Kind, Mail, build
from analyzers.watches.smtp import Refusal, ServerError
from analyzers.windows import iso, parse
from collectors.schema import OUTBOX

__all__ = ["DeliveryReport", "Sender", "deliver", "put"]

INDEX = OUTBOX.pattern
CLAIM_LASTS = timedelta(minutes=5)
FIRST_RETRY = timedelta(seconds=30)
LAST_RETRY = timedelta(minutes=15)
BATCH = 200

_log = logging.getLogger(__name__)


class Sender(Protocol):
    """Hands mails on; `MailServer` is one."""

    @property
    def sender(self) -> str:
        """Address that mails come from."""

    def send(self, message: EmailMessage, to: Sequence[str]) -> Mapping[str, Refusal]:
        """Send; returns refused addresses, raises ServerError when nothing can be sent."""


@dataclass(frozen=True)
class DeliveryReport:
    """What one round did: mails sent, put off, given up, and left for later."""

    sent: int = 0
    later: int = 0
    dead: int = 0
    waiting: int = 0
    problem: str = ""


@dataclass(frozen=True)
class _Entry:
    id: str
    stored: Stored

    @property
    def outbox(self) -> dict[str, Any]:
        return dict(self.stored.source["outbox"])

    def due(self, now: datetime) -> bool:
        if self.outbox["status"] == "claimed":
            return parse(self.outbox["claimed_at"]) <= now - CLAIM_LASTS
        return parse(self.outbox["next_at"]) <= now


def put(store: Store, watch: Watch, state: State, kind: Kind, mail: Mail) -> bool:
    """Store a mail that is to be sent; False when it stood there already."""
    if state.incident is None:
        raise ValueError(f"{watch.id} is {state.name} and has no incident to tell")
    incident = state.incident.id
    outbox = {
        "event": kind, "incident": incident, "status": "waiting",
        "to": list(mail.to), "left": list(mail.to),
        "subject": mail.subject, "text": mail.text, "html": mail.html,
        "message_id": mail.message_id, "attempts": 0, "next_at": iso(state.at),
        **({"reply_to": mail.reply_to} if mail.reply_to else {}),
    }  # fmt: skip
    source = {
        "@timestamp": iso(state.at),
        "model": {"name": watch.contract.model, "version": VERSIONS},
        "contract": {"version": watch.contract.version},
        "rule": {"name": watch.rule.name},
        "outbox": outbox,
    }
    return store.create(INDEX, f"{incident}:{kind}", source)


def deliver(
    store: Store, sender: Sender, now: datetime, rng: random.Random | None = None
) -> DeliveryReport:
    """Send what is due, oldest first; the mails of one incident never overtake each other."""
    round_ = _Round(store, sender, now, rng or random.Random())  # noqa: S311 - spreads retries
    store.refresh(INDEX)
    blocked: set[str] = set()
    for entry in _unsent(store):
        incident = entry.outbox["incident"]
        if incident in blocked or round_.report.problem or not entry.due(now):
            done = False
        else:
            done = round_.try_one(entry)
        if not done:
            blocked.add(incident)
            round_.count(waiting=1)
    return round_.report


def _unsent(store: Store) -> Iterator[_Entry]:
    body = {
        "size": BATCH,
        "seq_no_primary_term": True,
        "query": {"terms": {"outbox.status": ["waiting", "claimed"]}},
        "sort": [{"@timestamp": {"order": "asc", "unmapped_type": "date"}}],
    }
    for hit in store.search(INDEX, body)["hits"]["hits"]:
        yield _Entry(hit["_id"], Stored(hit["_source"], hit["_seq_no"], hit["_primary_term"]))


class _Round:
    """One delivery; it ends at the first sign that the server itself is unwell."""

    def __init__(self, store: Store, sender: Sender, now: datetime, rng: random.Random) -> None:
        self.store, self.sender, self.now, self.rng = store, sender, now, rng
        self.report = DeliveryReport()

    def count(self, **more: int) -> None:
        self.report = replace(
            self.report, **{k: getattr(self.report, k) + v for k, v in more.items()}
        )

    def try_one(self, entry: _Entry) -> bool:
        """Claim, send, note the outcome; False when the mail is still to be sent."""
        claimed = self._claim(entry)
        if claimed is None:
            return False
        left = claimed.source["outbox"]["left"]
        try:
            message = build(claimed.source, self.sender.sender, self.now)
            refused = self.sender.send(message, left)
        except ValueError as error:
            return self._dead(entry, claimed, [f"cannot be written: {error}"])
        except ServerError as error:
            self.report = replace(self.report, problem=str(error))
            return self._later(entry, claimed, left, [str(error)])
        return self._judge(entry, claimed, refused)

    def _judge(self, entry: _Entry, claimed: Stored, refused: Mapping[str, Refusal]) -> bool:
        reasons = [f"{address}: {refusal}" for address, refusal in refused.items()]
        later = [address for address, refusal in refused.items() if not refusal.final]
        outbox = claimed.source["outbox"]
        reached = outbox.get("reached", 0) + len(outbox["left"]) - len(refused)
        if later:
            return self._later(entry, claimed, later, reasons, reached=reached)
        if not reached:
            return self._dead(entry, claimed, reasons)
        for reason in reasons:
            _log.error("mail %s was refused for good: %s", entry.id, reason)
        self._note(
            entry,
            claimed,
            status="sent",
            left=[],
            reached=reached,
            sent_at=iso(self.now),
            **_error(reasons),
        )
        self.count(sent=1)
        return True

    def _claim(self, entry: _Entry) -> Stored | None:
        """Take the mail where nobody else did; read it back for the place to note the outcome."""
        attempts = entry.outbox["attempts"] + 1
        if not self._note(
            entry, entry.stored, status="claimed", claimed_at=iso(self.now), attempts=attempts
        ):
            return None
        claimed = self.store.get(INDEX, entry.id)
        return claimed if claimed and claimed.source["outbox"]["attempts"] == attempts else None

    def _later(
        self,
        entry: _Entry,
        claimed: Stored,
        left: Sequence[str],
        reasons: Sequence[str],
        **fields: Any,
    ) -> bool:
        _log.warning("mail %s is put off: %s", entry.id, "; ".join(reasons))
        pause = self._pause(claimed.source["outbox"]["attempts"])
        fields |= {"status": "waiting", "left": list(left), "next_at": iso(self.now + pause)}
        self._note(entry, claimed, **fields, **_error(reasons))
        self.count(later=1)
        return False

    def _dead(self, entry: _Entry, claimed: Stored, reasons: Sequence[str]) -> bool:
        _log.error("mail %s is given up: %s", entry.id, "; ".join(reasons))
        self._note(entry, claimed, status="dead", **_error(reasons))
        self.count(dead=1)
        return True

    def _pause(self, attempts: int) -> timedelta:
        """Exponential back-off with jitter, from half to one and a half of the nominal pause."""
        nominal = min(FIRST_RETRY * 2 ** min(attempts - 1, 16), LAST_RETRY)
        return timedelta(seconds=nominal.total_seconds() * self.rng.uniform(0.5, 1.5))

    def _note(self, entry: _Entry, old: Stored, **fields: Any) -> bool:
        source = {**old.source, "outbox": {**old.source["outbox"], **fields}}
        return self.store.replace(INDEX, entry.id, old, source)


def _error(reasons: Sequence[str]) -> dict[str, str]:
    return {"error": "; ".join(reasons)[:1000]} if reasons else {}
