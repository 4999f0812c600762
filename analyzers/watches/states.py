"""States as documents: where two runners meet, and what a crash leaves behind.

A state is written only where nobody changed it since it was read, so of two runners one makes a
transition and the other notices. It carries its own list of what is still `due` (the alert, the
incident, the mail): whoever finds such a list carries it out before anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analyzers.store import Store, Stored, StoreError
from analyzers.watches.documents import VERSIONS, Watch
from analyzers.watches.lifecycle import Event, Incident, Reading, State
from analyzers.watches.words import WORDS, figure, plain, span
from analyzers.windows import iso, parse
from collectors.schema import ALERT_STATE

__all__ = ["Held", "about", "alert", "read", "say", "write"]

INDEX = ALERT_STATE.pattern
Source = dict[str, Any]


@dataclass(frozen=True)
class Held:
    """A stored state, what is still due for it, and its place in the engine."""

    state: State
    due: tuple[Event, ...]
    stored: Stored


def read(store: Store, ids: Sequence[str]) -> dict[str, Held]:
    """The stored states of these watches, in real time, in one request."""
    if not ids:
        return {}
    answer = store.client.mget(index=INDEX, ids=list(ids))
    found = [d for d in answer["docs"] if _judge(d)]
    return {
        d["_id"]: _held(d["_id"], Stored(d["_source"], d["_seq_no"], d["_primary_term"]))
        for d in found
    }


def write(
    store: Store, watch: Watch, state: State, due: Sequence[Event], old: Stored | None
) -> Held | None:
    """Write a state in place of the old one; None when somebody else was faster."""
    source = _source(watch, state, due)
    if old is None:
        won = store.create(INDEX, watch.id, source)
    else:
        won = store.replace(INDEX, watch.id, old, source)
    if not won:
        return None
    now = read(store, [watch.id]).get(watch.id)
    return now if now and now.stored.source == source else None


def about(watch: Watch, state: State) -> Source:
    """What every document about a watch says: model, rule and what was read."""
    alert = {
        "severity": watch.rule.severity,
        "state": state.name,
        "value": state.value,
        "n": state.n,
        "threshold": state.threshold,
        "message": state.message,
    }
    return {
        "model": {"name": watch.contract.model, "version": VERSIONS},
        "contract": {"version": watch.contract.version},
        "rule": {"name": watch.rule.name},
        "alert": {k: v for k, v in alert.items() if v is not None},
    }


def alert(watch: Watch, state: State) -> tuple[str, str, Source]:
    """Index, id and document of the transition into this state."""
    source = about(watch, state)
    source["alert"] |= {"previous": state.previous, **_named(state.incident)}
    document_id = f"{watch.id}:{int(state.since.timestamp())}:{state.name}"
    return (
        f"vigie-alerts-{state.since:%Y.%m}",
        document_id,
        {"@timestamp": iso(state.since), **source},
    )


def say(watch: Watch, state: State, reading: Reading) -> str:
    """One line that says why the state is what it is."""
    rule, language = watch.rule, watch.contract.alerts.language
    words, unit = WORDS[language], watch.rule.metric.unit
    title = rule.title(language) + words.colon
    if state.name == "error":
        return plain(f"{title} {words.failed.format(reading.problem)}")[:1000]
    if state.name == "no_data":
        few = words.too_few.format(
            reading.seen, rule.looks, span(rule.lasting, language), rule.seen
        )
        return f"{title} {few}"
    value = figure(reading.value, unit, language, beside=reading.threshold)
    limit = figure(reading.threshold, unit, language)
    return f"{title} {value} ({words.limit.lower()} {limit}, n = {reading.n})"


def _source(watch: Watch, state: State, due: Sequence[Event]) -> Source:
    source = about(watch, state)
    source["alert"] |= {
        "since": iso(state.since),
        "due": list(due),
        **({"previous": state.previous} if state.previous else {}),
        **_incident(state.incident),
    }
    return {"@timestamp": iso(state.at), **source}


def _named(incident: Incident | None) -> Source:
    return {"incident": incident.id} if incident else {}


def _incident(incident: Incident | None) -> Source:
    if incident is None:
        return {}
    resolved = {"resolved": iso(incident.resolved)} if incident.resolved else {}
    return {
        "incident": incident.id,
        "onset": iso(incident.onset),
        "opened": iso(incident.opened),
        "peak": incident.peak,
        **resolved,
    }


def _judge(document: Mapping[str, Any]) -> bool:
    """Whether a document was found; a missing index is an empty one, any other error is one."""
    error = document.get("error")
    if error and error.get("type") != "index_not_found_exception":
        raise StoreError(f"{INDEX}/{document['_id']} cannot be read: {error.get('reason')}")
    return bool(document.get("found"))


def _held(watch: str, stored: Stored) -> Held:
    source = stored.source
    fields = source["alert"]
    state = State(
        watch=watch,
        name=fields["state"],
        since=parse(fields["since"]),
        at=parse(source["@timestamp"]),
        previous=fields.get("previous"),
        incident=_parsed(fields),
        value=fields.get("value"),
        n=fields.get("n"),
        threshold=fields.get("threshold"),
        message=fields.get("message", ""),
    )
    return Held(state, tuple(fields.get("due", ())), stored)


def _parsed(fields: Mapping[str, Any]) -> Incident | None:
    if "incident" not in fields:
        return None
    return Incident(
        id=fields["incident"],
        onset=parse(fields["onset"]),
        opened=parse(fields["opened"]),
        peak=fields["peak"],
        resolved=_time(fields.get("resolved")),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else parse(text)
