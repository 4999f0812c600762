"""Segments into the engine: each line once, each item judged on its own.

An offset advances only past lines that the engine answered 201 or 409 for, or that are settled in
another way: a line that is no event goes to `vigie-unparsed-*`, one that the engine refuses for
good goes to a dead-letter file with the reason. 429 and 5xx are tried again with back-off.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from elasticsearch import ApiError, Elasticsearch, TransportError

from collectors.segments import SpoolError

__all__ = ["Receipt", "Shipper"]

BATCH_BYTES = 4 * 2**20
BATCH_LINES = 2000
MAX_BACKOFF_S = 30.0
RETRYABLE = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Receipt:
    """What became of the lines that were read."""

    indexed: int = 0
    duplicates: int = 0
    unparsed: int = 0
    dead_letters: int = 0
    retried: int = 0

    def __add__(self, other: Receipt) -> Receipt:
        names = [f.name for f in fields(self)]
        return Receipt(**{n: getattr(self, n) + getattr(other, n) for n in names})

    @property
    def settled(self) -> int:
        """Lines that need no further care."""
        return self.indexed + self.duplicates + self.unparsed + self.dead_letters


@dataclass(frozen=True)
class Line:
    """One line on its way: where it goes, under which id, and the bytes."""

    index: str
    id: str
    body: bytes
    parsed: bool = True


class Shipper:
    """Reads every segment below a spool and creates its lines in the engine.

    Args:
        client: an engine client from `collectors.connection`.
        spool: folder of segments; offsets and dead letters live beside them.
        sleep, rng: how it waits, and the jitter of the waiting.
        attempts: how often a batch is tried before `ship_once` gives the turn back.

    """

    def __init__(
        self,
        client: Elasticsearch,
        spool: str | Path,
        *,
        sleep: Callable[[float], object] = time.sleep,
        rng: random.Random | None = None,
        attempts: int = 6,
    ) -> None:
        self.client = client
        self.spool = Path(spool)
        self.sleep, self.rng, self.attempts = sleep, rng or random.Random(), attempts  # noqa: S311

    def ship_once(self) -> Receipt:
        """Ship what stands in the spool now.

        Raises:
            SpoolError: offsets or dead letters cannot be written.
            elasticsearch.TransportError, ApiError: the engine stayed out of reach; nothing that
                it had not answered for was passed over.

        """
        receipt = Receipt()
        try:
            for segment in self.segments():
                receipt += self._segment(segment)
        except OSError as error:
            if isinstance(error, SpoolError) or error.filename is None:
                raise
            cure = "free space or make it writable; nothing is lost, offsets stay where they were"
            raise SpoolError(f"spool {error.filename}: {error.strerror}; {cure}") from error
        return receipt

    def run(self, stop: threading.Event, *, poll_s: float = 0.5) -> Receipt:
        """Ship until told to stop; an engine out of reach is waited for."""
        receipt, failures = Receipt(), 0
        while not stop.is_set():
            try:
                receipt += self.ship_once()
                failures = 0
            except (TransportError, ApiError):
                failures += 1
            stop.wait(poll_s if not failures else self._backoff(failures))
        return receipt

    def segments(self) -> list[Path]:
        """Segments, oldest first."""
        found = [p for p in self.spool.glob("*/*.jsonl") if not p.parent.name.startswith(".")]
        return sorted(found, key=lambda p: (p.stat().st_mtime_ns, p.name))

    @property
    def pending_bytes(self) -> int:
        """Bytes that are not settled yet."""
        return sum(p.stat().st_size - self._offset(p) for p in self.segments())

    def _segment(self, segment: Path) -> Receipt:
        receipt, offset = Receipt(), self._offset(segment)
        with segment.open("rb") as file:
            file.seek(offset)
            while batch := _batch(file, segment.name, offset):
                receipt += self._deliver(batch, segment)
                offset += sum(len(line.body) for line in batch)
                self._save_offset(segment, offset)
        return receipt

    def _deliver(self, batch: list[Line], segment: Path) -> Receipt:
        """Send until every line is settled; back-off between tries."""
        receipt, waiting = Receipt(), batch
        for attempt in range(1, self.attempts + 1):
            try:
                items = self._send(waiting)
            except (TransportError, ApiError) as error:
                if attempt == self.attempts or not _passing(error):
                    raise
                items = [{"status": 503}] * len(waiting)
            verdict, waiting = self._judge(waiting, items, segment)
            receipt += verdict
            if not waiting:
                return receipt
            self.sleep(self._backoff(attempt))
        raise TransportError(f"{len(waiting)} lines of {segment.name} are still refused for now")

    def _send(self, lines: list[Line]) -> list[dict[str, Any]]:
        operations: list[bytes] = []
        for line in lines:
            action = {"create": {"_index": line.index, "_id": line.id}}
            operations += (orjson.dumps(action), _document(line))
        answer = self.client.bulk(operations=operations)  # type: ignore[arg-type]
        items = [item["create"] for item in answer["items"]]
        if len(items) != len(lines):
            raise TransportError(f"the engine answered {len(items)} of {len(lines)} items")
        return items

    def _judge(
        self, lines: list[Line], items: list[dict[str, Any]], segment: Path
    ) -> tuple[Receipt, list[Line]]:
        receipt, again = Receipt(), []
        for line, item in zip(lines, items, strict=True):
            status = item["status"]
            if status in (200, 201):
                receipt += Receipt(indexed=1) if line.parsed else Receipt(unparsed=1)
            elif status == 409:
                receipt += Receipt(duplicates=1)
            elif status in RETRYABLE:
                again.append(line)
            else:
                self._bury(line, item, segment)
                receipt += Receipt(dead_letters=1)
        return receipt + Receipt(retried=len(again)), again

    def _bury(self, line: Line, item: dict[str, Any], segment: Path) -> None:
        folder = self.spool / ".dead"
        folder.mkdir(parents=True, exist_ok=True)
        letter = {
            "reason": item.get("error"), "status": item["status"], "index": line.index,
            "id": line.id, "segment": segment.name, "line": line.body.decode("utf-8", "replace"),
        }  # fmt: skip
        with (folder / segment.name).open("ab") as file:
            file.write(orjson.dumps(letter, option=orjson.OPT_APPEND_NEWLINE))
            file.flush()
            os.fsync(file.fileno())

    def _offset_file(self, segment: Path) -> Path:
        return self.spool / ".offsets" / f"{segment.parent.name}__{segment.name}"

    def _offset(self, segment: Path) -> int:
        try:
            return int(self._offset_file(segment).read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def _save_offset(self, segment: Path, offset: int) -> None:
        path = self._offset_file(segment)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.write_text(str(offset))
        draft.replace(path)

    def _backoff(self, attempt: int) -> float:
        """Seconds: doubling, with jitter of one half, bounded."""
        return min(MAX_BACKOFF_S, 0.2 * 2.0**attempt) * self.rng.uniform(0.5, 1.0)


def _passing(error: Exception) -> bool:
    """Whether the engine may answer the same request better later."""
    return not isinstance(error, ApiError) or error.status_code in RETRYABLE


def _batch(file: Any, segment: str, offset: int) -> list[Line]:
    """Whole lines up to the batch's bounds; a tail without its newline is left for later."""
    lines: list[Line] = []
    size = 0
    for body in _whole_lines(file):
        lines.append(_line(body, segment, offset + size))
        size += len(body)
        if size >= BATCH_BYTES or len(lines) >= BATCH_LINES:
            break
    return lines


def _whole_lines(file: Any) -> Iterator[bytes]:
    while (body := file.readline()).endswith(b"\n"):
        yield body
    if body:
        file.seek(-len(body), os.SEEK_CUR)


def _line(body: bytes, segment: str, offset: int) -> Line:
    try:
        event = orjson.loads(body)
        index, identity = event["vigie"]["index"], event["event"]["id"]
    except (ValueError, KeyError, TypeError):
        return _unparsed(body, segment, offset)
    if not (isinstance(index, str) and index.startswith("vigie-") and isinstance(identity, str)):
        return _unparsed(body, segment, offset)
    return Line(index, identity, body)


def _unparsed(body: bytes, segment: str, offset: int) -> Line:
    index = f"vigie-unparsed-{datetime.now(UTC):%Y.%m.%d}"
    return Line(index, f"{segment}:{offset}", body, parsed=False)


def _document(line: Line) -> bytes:
    if line.parsed:
        return line.body.rstrip(b"\n")
    segment, _, offset = line.id.rpartition(":")
    return orjson.dumps(
        {
            "@timestamp": datetime.now(UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "event": {
                "id": line.id,
                "action": "dead_letter",
                "reason": "not_an_event",
                "original": line.body.decode("utf-8", "replace")[:8192],
            },
            "vigie": {"index": line.index},
            "log": {"file": {"path": segment}, "offset": int(offset)},
        }
    )
