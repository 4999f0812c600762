"""Fields of the request in hand, carried by contextvars to every event written inside it.

with bind(trace_id="0af7651916cd43dd8448eb211c80319c", session="s-1", tenant="bank-7"):
    ...
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from collectors.masking import Hasher, Tally, keyword, pairs, pseudonym

__all__ = ["bind", "current", "fields"]

_CURRENT: ContextVar[Mapping[str, Any]] = ContextVar("vigie_context", default={})  # noqa: B039
_TRACE, _SPAN = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{16}")
_NAMED = ("trace_id", "span_id", "session", "tenant")


@contextmanager
def bind(**values: Any) -> Iterator[None]:
    """Add fields to every event of the block; `trace_id`, `span_id`, `session` and `tenant` have
    places of their own, any other becomes a `name=value` keyword.
    """  # noqa: D205 - one sentence
    token = _CURRENT.set({**_CURRENT.get(), **values})
    try:
        yield
    finally:
        with suppress(ValueError):  # left in another context than entered: nothing to undo there
            _CURRENT.reset(token)


def current() -> Mapping[str, Any]:
    """Fields bound right now."""
    return _CURRENT.get()


def fields(values: Mapping[str, Any], hasher: Hasher, tally: Tally) -> dict[str, Any]:
    """Context as it is stored: ids checked, session hashed, everything else through the gate."""
    out: dict[str, Any] = {}
    for key, place, pattern in (("trace_id", "trace", _TRACE), ("span_id", "span", _SPAN)):
        value = values.get(key)
        if type(value) is str and pattern.fullmatch(value) and not value.isdecimal():
            out[place] = {"id": value}
        elif value is not None:
            tally.dropped += 1
    if values.get("session") is not None:
        out["session"] = {"id": pseudonym(values["session"], hasher, tally)}
    if values.get("tenant") is not None:
        out["organization"] = {"id": keyword(values["tenant"], tally)}
    rest = {k: v for k, v in values.items() if k not in _NAMED}
    if rest:
        out["inference"] = {"context": pairs(rest, tally)}
    return out
