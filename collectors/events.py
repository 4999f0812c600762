"""Builders of the documents that services emit. Plain functions of values: no clock, no file."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from collectors.contract import Contract
from collectors.ids import feedback_id, moment_of
from collectors.masking import Tally, keyword, text

__all__ = ["LINE_LIMIT", "Moment", "encode", "failure", "feedback", "index_of"]

LINE_LIMIT = 256 * 1024
TRACE_LIMIT = 16 * 1024
_IDENTITY = ("id", "action", "created", "sequence")
ECS = {"version": "9.0.0"}
FUTURE = timedelta(days=1)
SERVICE_HORIZON = timedelta(days=30)
"""How old a log record or heartbeat may be; predictions follow their contract."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When an event happened and when its line was written (both UTC)."""

    at: datetime
    created: datetime

    @property
    def text(self) -> str:
        """Event time as it is stored."""
        return stamp(self.at)

    def fileable(self, horizon: timedelta) -> bool:
        """Whether the event's time lies in [created - horizon, created + 1 day]."""
        return self.created - horizon <= self.at <= self.created + FUTURE


def stamp(moment: datetime) -> str:
    """UTC with microseconds, as every line spells it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def index_of(family: str, moment: Moment, horizon: timedelta) -> tuple[str, str | None]:
    """Index that the line belongs into, and why it is put aside when it is.

    A monthly family ends in a month, all others in a day; both are the event's own.
    """
    if not moment.fileable(horizon):
        return f"vigie-unparsed-{moment.created:%Y.%m.%d}", "time_out_of_range"
    monthly = family.startswith("vigie-feedback-")
    return f"{family}-{moment.at:%Y.%m}" if monthly else f"{family}-{moment.at:%Y.%m.%d}", None


def failure(error: BaseException, tally: Tally) -> dict[str, Any]:
    """An exception as `error.*`: class, kind, masked message and traceback."""
    return {
        "type": keyword(type(error).__name__, tally),
        "code": _kind(error),
        "message": text(_message(error), tally, 1024),
        "stack_trace": text(_trace(error), tally, TRACE_LIMIT),
    }


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


def _trace(error: BaseException) -> str:
    try:
        trace = "".join(traceback.format_exception(error, limit=12))
    except Exception:
        return ""
    if len(trace) <= TRACE_LIMIT:
        return trace
    _, newline, whole = trace[-TRACE_LIMIT:].partition("\n")
    return whole if newline else ""


def _kind(error: BaseException) -> str:
    status = getattr(error, "status_code", None)
    if isinstance(error, TimeoutError) or "timeout" in type(error).__name__.lower():
        return "timeout"
    if isinstance(error, MemoryError):
        return "oom"
    if isinstance(status, int) and status >= 500:
        return "5xx"
    invalid = isinstance(error, ValueError | TypeError | KeyError)
    return "validation" if invalid else "other"


def feedback(
    contract: Contract,
    kind: str,
    prediction_id: str,
    moment: Moment,
    *,
    source: str,
    version: str,
    values: Mapping[str, Any],
) -> dict[str, Any]:
    """A label, rating, correction, decision or review of one prediction."""
    predicted = moment_of(prediction_id)
    about = {"prediction_at": stamp(predicted)} if predicted else {}
    delay = {"delay_s": (moment.at - predicted).total_seconds()} if predicted else {}
    return {
        "event": {"id": feedback_id(prediction_id, source, kind, moment.text), "action": kind},
        "model": {"name": contract.model},
        "contract": {"version": version},
        "feedback": {
            "kind": kind, "prediction_id": prediction_id, "source": source,
            **about, **delay, **{k: v for k, v in values.items() if v is not None},
        },
    }  # fmt: skip


def encode(document: Mapping[str, Any]) -> bytes:
    """One line of JSON. What is too long loses its texts, and says so."""
    try:
        line = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    except (TypeError, ValueError, RecursionError):
        return orjson.dumps(_skeleton(document, "unencodable"), option=orjson.OPT_APPEND_NEWLINE)
    if len(line) <= LINE_LIMIT:
        return line
    return orjson.dumps(_skeleton(document, "too_long"), option=orjson.OPT_APPEND_NEWLINE)


def _skeleton(document: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """Identity, time and place of an event whose rest cannot be kept."""
    kept = {k: document[k] for k in ("@timestamp", "vigie", "service", "model") if k in document}
    event = {k: v for k, v in document.get("event", {}).items() if k in _IDENTITY}
    return {**kept, "event": {**event, "reason": reason}}
