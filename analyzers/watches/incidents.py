"""Incidents as documents: one per breach of one watch, from its first look to its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyzers.store import Store, StoreError
from analyzers.watches.documents import Watch
from analyzers.watches.lifecycle import State
from analyzers.watches.states import about
from analyzers.windows import iso, parse
from collectors.schema import INCIDENTS, OUTBOX

__all__ = ["Told", "document", "listed", "one", "save"]

INDEX = INCIDENTS.pattern
ATTEMPTS = 5


@dataclass(frozen=True)
class Told:
    """An incident as stored, with its mails, oldest first."""

    source: dict[str, Any]
    mails: tuple[dict[str, Any], ...]


def document(watch: Watch, state: State) -> dict[str, Any]:
    """The incident of a state, open or ended."""
    incident = state.incident
    if incident is None:
        raise ValueError(f"{watch.id} is {state.name} and has no incident")
    source = about(watch, state)
    source["alert"]["state"] = "resolved" if incident.resolved else "firing"
    fields: dict[str, Any] = {
        "id": incident.id,
        "onset": iso(incident.onset),
        "opened": iso(incident.opened),
        "peak": incident.peak,
        "updated": iso(state.at),
        "detection_s": (incident.opened - incident.onset).total_seconds(),
    }
    if incident.resolved:
        fields["resolved"] = iso(incident.resolved)
        fields["duration_s"] = (incident.resolved - incident.onset).total_seconds()
    return {"@timestamp": iso(incident.opened), **source, "incident": fields}


def save(store: Store, watch: Watch, state: State) -> None:
    """Write the incident of a state; a writer that was delayed never undoes a newer one."""
    source = document(watch, state)
    name = source["incident"]["id"]
    if store.create(INDEX, name, source):
        return
    for _ in range(ATTEMPTS):
        old = store.get(INDEX, name)
        if old and _newer(old.source["incident"], source["incident"]):
            return
        if old and store.replace(INDEX, name, old, source):
            return
    raise StoreError(f"{INDEX}/{name} is being changed by others all the time; it is tried again")


def one(store: Store, identity: str) -> Told | None:
    """One incident and its mails; None where there is none."""
    found = store.get(INDEX, identity)
    if found is None:
        return None
    mails = (store.get(OUTBOX.pattern, f"{identity}:{kind}") for kind in ("opened", "resolved"))
    return Told(found.source, tuple(m.source["outbox"] for m in mails if m))


def _newer(stored: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
    return parse(stored["updated"]) > parse(ours["updated"]) or (
        "resolved" in stored and "resolved" not in ours
    )


def listed(
    store: Store, *, models: Sequence[str] = (), only_open: bool = False, size: int = 50
) -> list[dict[str, Any]]:
    """Incidents as stored, newest first."""
    query: dict[str, Any] = {"bool": {"filter": [{"exists": {"field": "incident.id"}}]}}
    if models:
        query["bool"]["filter"].append({"terms": {"model.name": list(models)}})
    if only_open:
        query["bool"]["must_not"] = [{"exists": {"field": "incident.resolved"}}]
    sort = [{"incident.opened": {"order": "desc", "unmapped_type": "date"}}]
    answer = store.search(INDEX, {"size": size, "query": query, "sort": sort})
    return [hit["_source"] for hit in answer["hits"]["hits"]]
