"""Standard logging into the same spool, with the same masking."""

from __future__ import annotations

import logging
from pathlib import Path

from collectors.formatter import JsonFormatter
from collectors.logger import SpoolSettings
from collectors.masking import Hasher
from collectors.segments import SegmentWriter

__all__ = ["SegmentHandler", "configure_logging"]

_OWN = ("elastic_transport", "urllib3")


class SegmentHandler(logging.Handler):
    """Writes each record as one line of a segment; nothing waits, nothing raises."""

    def __init__(
        self,
        *,
        spool: str | Path | None = None,
        service: str | None = None,
        hash_key: bytes | None = None,
        level: int | str = logging.NOTSET,
    ) -> None:
        super().__init__(level)
        settings = SpoolSettings.read(spool, service, hash_key, "service")
        self.writer = SegmentWriter(settings.spool, settings.service)
        self.formatter: JsonFormatter = JsonFormatter(
            service=settings.service, hasher=Hasher(settings.key), node=self.writer.node
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Format and append one record; what the shipper's own client says is not shipped."""
        try:
            if str(record.name).startswith(_OWN):
                return
            self.writer.write(self.formatter.line(record))
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Close the segment."""
        self.writer.close()
        super().close()


def configure_logging(
    service: str | None = None,
    *,
    spool: str | Path | None = None,
    hash_key: bytes | None = None,
    level: int | str = logging.INFO,
) -> SegmentHandler:
    """Send the root logger's records to the spool; a second call replaces the first."""
    handler = SegmentHandler(spool=spool, service=service, hash_key=hash_key)
    root = logging.getLogger()
    for old in [h for h in root.handlers if isinstance(h, SegmentHandler)]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(level)
    return handler
