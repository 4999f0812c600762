"""Figures, times and hostile text as people read them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from analyzers.board.words import Language

__all__ = ["ABSENT", "Formatter", "visible"]

ABSENT = "–"  # noqa: RUF001 - an en dash stands for an unknown figure
_NBSP, _THIN = "\u00a0", "\u202f"
_DANGEROUS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: object) -> str:
    r"""Text with every invisible or direction-changing character spelled out.

    >>> visible("a\x1b[31mb\u202ec")
    'a\\x1b[31mb\\u202ec'
    """
    return "".join(_spelled(c) if _hidden(c) else c for c in str(text))


def _hidden(character: str) -> bool:
    return character not in "\n\t" and unicodedata.category(character) in _DANGEROUS


def _spelled(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


@dataclass(frozen=True)
class Formatter:
    """Writes figures in one language; None is always a dash."""

    lang: Language

    def number(self, value: float | None, digits: int = 0) -> str:
        """Grouped decimal without trailing zeros.

        >>> Formatter("en").number(12345), Formatter("en").number(0.5, 3)
        ('12,345', '0.5')
        """
        if value is None:
            return ABSENT
        text = f"{value:,.{digits}f}"
        text = text.rstrip("0").rstrip(".") if digits and "." in text else text
        text = text.removeprefix("-") if text.strip("-0.,") == "" else text
        if self.lang == "fr":
            text = text.replace(",", _THIN).replace(".", ",")
        return text

    def percent(self, ratio: float | None) -> str:
        """A ratio as per cent: more digits near 0 and 100, where they matter."""
        if ratio is None:
            return ABSENT
        share = 100 * ratio
        if 0 < share < 0.01:
            return f"<{_NBSP}{self.number(0.01, 2)}{_NBSP}%"
        near = 0 < share < 1 or 99 < share < 100
        return f"{self.number(share, 2 if near else 1)}{_NBSP}%"

    def milliseconds(self, value: float | None) -> str:
        """Milliseconds, from ten seconds on as seconds."""
        if value is None:
            return ABSENT
        if value >= 10_000:
            return f"{self.number(value / 1000, 1)}{_NBSP}s"
        return f"{self.number(value, 0 if value >= 10 else 1)}{_NBSP}ms"

    def loose(self, value: float | None) -> str:
        """A figure of unknown unit, with three significant digits."""
        if value is None:
            return ABSENT
        size = abs(value)
        return self.number(value, 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 4)

    def value(self, value: float | None, unit: str) -> str:
        """A figure with its unit, as `analyzers.metrics` names units."""
        match unit:
            case "ratio":
                return self.percent(value)
            case "ms":
                return self.milliseconds(value)
            case "per_s":
                return ABSENT if value is None else f"{self.number(value, 2)}/s"
            case "count":
                return self.number(value)
            case "score":
                return self.number(value, 3)
        return self.loose(value)

    def q_value(self, value: float | None) -> str:
        """A p-value: three digits are all it can carry."""
        if value is not None and value < 0.001:
            return f"<{_NBSP}{self.number(0.001, 3)}"
        return self.number(value, 3)

    def moment(self, at: datetime | None) -> str:
        """Date and minute, UTC."""
        return ABSENT if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"

    def second(self, at: datetime | None) -> str:
        """Date and time to the millisecond, UTC."""
        if at is None:
            return ABSENT
        at = at.astimezone(UTC)
        return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"

    def day(self, at: datetime | None) -> str:
        """Date, UTC."""
        return ABSENT if at is None else f"{at.astimezone(UTC):%Y-%m-%d}"

    def span(self, length: timedelta | None) -> str:
        r"""A length of time in its two largest units.

        >>> Formatter("en").span(timedelta(minutes=125)).replace("\xa0", " ")
        '2 h 5 min'
        """
        if length is None:
            return ABSENT
        seconds = max(0, round(length.total_seconds()))
        units = ((86_400, "j" if self.lang == "fr" else "d"), (3600, "h"), (60, "min"), (1, "s"))
        parts: list[str] = []
        for size, name in units:
            count, seconds = divmod(seconds, size)
            if count or (name == "s" and not parts):
                parts.append(f"{count}{_NBSP}{name}")
        return f"{_NBSP}".join(parts[:2])
