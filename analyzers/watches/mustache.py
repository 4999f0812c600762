"""Mustache as Watcher renders it: dotted paths into `ctx`, list indices, nothing else.

Only data is reachable, never an attribute or a method of a Python object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import mstache

__all__ = ["java_time", "render_json", "render_text"]

_MISSING = object()


def render_text(template: str, context: Mapping[str, Any]) -> str:
    """Fill in a text; values stand as they are."""
    return _render(template, context, _plain)


def render_json(template: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in the texts of a JSON body; no value can break out of its string.

    >>> render_json({"gt": "{{ctx.at}}||-11m"}, {"ctx": {"at": "2026-11-21T04:40Z"}})
    {'gt': '2026-11-21T04:40Z||-11m'}
    """
    text = _render(json.dumps(template), context, _json)
    return dict(json.loads(text))


def java_time(moment: datetime) -> str:
    """A time as Watcher writes it: without seconds when they are zero.

    >>> java_time(datetime(2026, 11, 21, 4, 40, tzinfo=UTC))
    '2026-11-21T04:40Z'
    """
    moment = moment.astimezone(UTC)
    if moment.microsecond:
        precision = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    else:
        precision = "seconds" if moment.second else "minutes"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


def _render(template: str, context: Mapping[str, Any], escape: Any) -> str:
    return str(
        mstache.render(template, context, getter=_getter, stringify=_stringify, escape=escape)
    )


def _getter(scope: Any, scopes: Sequence[Any], key: str | bytes, default: Any = None) -> Any:
    if key in (b".", "."):
        return scope
    path = key.decode() if isinstance(key, bytes) else str(key)
    for candidate in (scope, *reversed(scopes)):
        found = _descend(candidate, path)
        if found is not _MISSING:
            return found
    return default


def _descend(value: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _MISSING
    return value


def _stringify(value: Any, text: bool) -> bytes:  # noqa: ARG001 - the library's signature
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    return str(value).lower().encode() if isinstance(value, bool) else str(value).encode()


def _plain(data: bytes) -> bytes:
    return data


def _json(data: bytes) -> bytes:
    return json.dumps(data.decode())[1:-1].encode()
