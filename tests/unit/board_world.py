"""A board without an engine: an in-process visitor, and a store that answers what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.types import ASGIApp, Message

from analyzers.store import Search, Store
from collectors.connection import connect
from collectors.contract import Contract, loads

NOW = datetime(2026, 11, 21, 8, 51, tzinfo=UTC)
URL = "http://127.0.0.1:9"  # nothing ever answers at the discard port

CONTRACT = """
model: credit-scoring
task: binary_classification
owner: {team: risk, email: risk@example.org}
features:
  age: {type: numeric, range: [18, 100]}
  purpose: {type: categorical, values: [car, home]}
output: {labels: [accepted, refused], positive: accepted}
labels: {horizon: 30d}
rules: {no_minor: "age >= 18"}
performance: {f1: {min: 0.80}}
alerts: {runbook: "https://runbooks.example.org/credit"}
"""


def contract() -> Contract:
    return loads(CONTRACT)


def hits(*sources: Mapping[str, Any]) -> dict[str, Any]:
    found = [{"_source": s} for s in sources]
    total = {"value": len(found)}
    over_time: dict[str, Any] = {"buckets": []}
    return {
        "hits": {"total": total, "hits": found},
        "aggregations": {"over_time": over_time},
        "_shards": {"failed": 0},
        "timed_out": False,
    }


class Told(Store):
    """Answers each search by what a function makes of it, and keeps the searches."""

    def __init__(self, answer: Callable[[Search], dict[str, Any]] = lambda _: hits()) -> None:
        super().__init__(connect(URL))
        self.answer, self.asked = answer, list[list[Search]]()

    def searches(self, searches: Sequence[Search]) -> list[dict[str, Any]]:
        self.asked.append(list(searches))
        return [self.answer(s) for s in searches]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


def visit(app: ASGIApp, address: str, *, body: bytes | None = None, **headers: str) -> Answer:
    """One request, without a network; `host` is 127.0.0.1 unless said otherwise."""
    return asyncio.run(_visit(app, address, body, {"host": "127.0.0.1:8600", **headers}))


async def _visit(
    app: ASGIApp, address: str, body: bytes | None, headers: Mapping[str, str]
) -> Answer:
    path, _, query = address.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1",
        "method": "GET" if body is None else "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8600),
    }  # fmt: skip
    sent: list[Message] = []
    parts: list[Message] = [{"type": "http.request", "body": body or b"", "more_body": False}]

    async def receive() -> Message:
        if not parts:
            await asyncio.Event().wait()  # the visitor never leaves
        return parts.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    try:
        await app(scope, receive, send)
    except Exception:
        if not sent:
            raise
    text = b"".join(m.get("body", b"") for m in sent[1:]).decode()
    found = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    return Answer(sent[0]["status"], found, text)
