"""Identities: made from the event, so that a replay lands on the same document."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime, timedelta
from uuid import UUID

__all__ = ["event_id", "feedback_id", "moment_of", "own_id", "sample_of"]

_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


def event_id(moment: datetime) -> str:
    """UUIDv7 (RFC 9562) of a moment: sorts by time, 74 random bits.

    Milliseconds are counted in whole numbers: a float would now and then put an event of a full
    hour into the hour before.
    """
    milliseconds = (moment - _EPOCH) // _MILLISECOND
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def moment_of(identity: str) -> datetime | None:
    """Moment of a UUIDv7, to the millisecond; None for any other id.

    >>> moment_of("01a1fd4d-3d9b-7c3e-8a51-2f6b1d0c9e77").isoformat()
    '2026-11-21T08:51:00.123000+00:00'
    """
    try:
        uuid = UUID(identity)
    except (ValueError, AttributeError, TypeError):
        return None
    if uuid.version != 7:
        return None
    try:
        return _EPOCH + (uuid.int >> 80) * _MILLISECOND
    except OverflowError:
        return None


def own_id(identity: object) -> str | None:
    """An id that `event_id` made, in its one spelling; None for anything else.

    Ids are recognised by their form and never scanned: one in some hundreds holds digits that
    look like a telephone number.
    """
    if type(identity) is not str or moment_of(identity) is None:
        return None
    return str(UUID(identity))


def sample_of(identity: str) -> float:
    """Uniform number in [0, 1) from the hash of an id: a range on it is a reproducible sample."""
    digest = hashlib.blake2b(identity.encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) * 2.0**-53


def feedback_id(prediction_id: str, source: str, kind: str, at: str) -> str:
    """Hash of what makes a label itself: prediction, source, kind and time."""
    parts = "\x1f".join((prediction_id, source, kind, at))
    return hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()[:32]
