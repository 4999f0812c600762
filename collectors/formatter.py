"""A `logging` record as one masked JSON line, on python-json-logger.

Total: any record gives exactly one valid line; what cannot be kept is dropped and counted.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS, BaseJsonFormatter

from collectors import context, events
from collectors.ids import event_id
from collectors.masking import Hasher, Tally, keyword, pairs, text

__all__ = ["JsonFormatter"]

_ATTRIBUTES = frozenset((*RESERVED_ATTRS, "message", "asctime", "color_message"))


class JsonFormatter(BaseJsonFormatter):
    """Formats records as `vigie-service` documents.

    Args:
        service: name of the service.
        hasher: keyed hash for the session of the bound context.
        node: name of the writing process.

    """

    def __init__(self, *, service: str, hasher: Hasher, node: str = "") -> None:
        super().__init__()
        self.service, self.hasher, self.node = service, hasher, node
        self.sequence = 0

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON, without the newline. Never raises."""
        return self.line(record).decode("utf-8").rstrip("\n")

    def line(self, record: logging.LogRecord) -> bytes:
        """The same as bytes, newline included."""
        self.sequence += 1
        try:
            return events.encode(self._document(record))
        except Exception:
            return events.encode(self._head(record, "unformattable"))

    def _head(self, record: logging.LogRecord, reason: str | None = None) -> dict[str, Any]:
        moment = _moment(record)
        index, aside = events.index_of("vigie-service", moment, events.SERVICE_HORIZON)
        why = reason or aside
        return {
            "@timestamp": moment.text,
            "vigie": {"index": index},
            "ecs": events.ECS,
            "event": {
                "id": event_id(moment.at),
                "action": "log",
                "created": events.stamp(moment.created),
                "sequence": self.sequence,
                **({"reason": why} if why else {}),
            },
            "service": {"name": self.service, "node": {"name": self.node}},
        }

    def _document(self, record: logging.LogRecord) -> dict[str, Any]:
        tally = Tally()
        document = self._head(record)
        bound = context.fields(context.current(), self.hasher, tally)
        extra = {k: v for k, v in vars(record).items() if k not in _ATTRIBUTES}
        parameters = pairs(extra, tally) if extra else []
        document |= {
            "log": {
                "level": keyword(record.levelname, tally, 32),
                "logger": keyword(record.name, tally),
            },
            "message": text(_message(record, tally), tally),
        }
        if record.exc_info and isinstance(record.exc_info[1], BaseException):
            document["error"] = events.failure(record.exc_info[1], tally)
        inference = {**bound.pop("inference", {}), "parameters": parameters}
        document |= {**bound, **({"inference": inference} if any(inference.values()) else {})}
        document["masking"] = tally.fields()
        return document


def _moment(record: logging.LogRecord) -> events.Moment:
    now = datetime.now(UTC)
    try:
        return events.Moment(datetime.fromtimestamp(record.created, UTC), now)
    except (ValueError, OverflowError, OSError, TypeError):
        return events.Moment(now, now)


def _message(record: logging.LogRecord, tally: Tally) -> str:
    try:
        return record.getMessage()
    except Exception:
        tally.dropped += 1
        return record.msg if isinstance(record.msg, str) else ""
