"""What may leave the process: an allow-list compiled from a contract, gates for all the rest.

Masking fails closed. A feature that the contract does not name is dropped and counted, its name
too; a category outside the declared values is stored as a keyed hash; a value whose masking fails
is dropped, never passed on raw.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from collectors.contract import Contract, Feature, Mask, Protected, label_text
from collectors.pii import SECRET_NAME, redact
from collectors.rules import Rule, compile_rule

__all__ = ["KEYWORD_LIMIT", "TEXT_LIMIT", "Hasher", "Inputs", "Masker", "Tally", "keyword", "text"]

KEYWORD_LIMIT = 256
TEXT_LIMIT = 8192
MARGIN, HALVED = 512, 256
"""Characters read beyond a limit, and how many of them are left out where the text goes on."""
MAX_DIGITS = 2**63
Redacted = tuple[str, tuple[str, ...]]
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,63}")


@dataclass(slots=True)
class Tally:
    """What masking did to one event."""

    masked: int = 0
    dropped: int = 0
    detected: set[str] = field(default_factory=set)

    def fields(self) -> dict[str, Any]:
        """The tally as it is stored."""
        found = {"detected": sorted(self.detected)} if self.detected else {}
        return {"masked": self.masked, "dropped": self.dropped, **found}


class Hasher:
    """Keyed hash (HMAC-SHA-256) with the key's version in front: `h1:9f2c...`, 32 digits."""

    def __init__(self, key: bytes, version: int = 1) -> None:
        self._state = hmac.new(key, digestmod=hashlib.sha256)
        self._prefix = f"h{version}:"

    def __call__(self, value: object) -> str:
        """Pseudonym of a value; equal values have equal pseudonyms under one key."""
        state = self._state.copy()
        state.update(label_text(value).encode("utf-8", "replace"))
        return self._prefix + state.hexdigest()[:32]


def _redacted_long(value: str) -> Redacted:
    return redact(_printable(value))


_redacted = lru_cache(maxsize=4096)(_redacted_long)


def _printable(value: str) -> str:
    """Text that UTF-8 can hold: lone surrogates replaced, NUL removed."""
    return value.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


def keyword(value: object, tally: Tally, limit: int = KEYWORD_LIMIT) -> str | None:
    """A short string through the detectors; None where there is nothing that can be kept."""
    return _gated(value, tally, limit, _redacted)


def text(value: object, tally: Tally, limit: int = TEXT_LIMIT) -> str | None:
    """A long string through the detectors, cut to `limit` characters before they run."""
    return _gated(value, tally, limit, _redacted_long)


def _gated(
    value: object, tally: Tally, limit: int, redacted: Callable[[str], Redacted]
) -> str | None:
    """The first `limit` characters of a value's redacted text.

    More is read than kept, and the end of what was read is left out: a finding that the cut
    halves would no longer be found.
    """
    if value is None:
        return None
    try:
        plain = value if type(value) is str else label_text(value)
        clean, kinds = redacted(plain[: limit + MARGIN])
        clean = clean[:-HALVED] if len(plain) > limit + MARGIN else clean
    except Exception:
        tally.dropped += 1
        return None
    if kinds:
        tally.masked += 1
        tally.detected.update(kinds)
    return clean[:limit]


def pseudonym(value: object, hasher: Hasher, tally: Tally) -> str | None:
    """Keyed hash of one value; None where it has no text."""
    if value is None:
        return None
    try:
        hashed = hasher(value)
    except Exception:
        tally.dropped += 1
        return None
    tally.masked += 1
    return hashed


def pairs(values: Mapping[Any, object], tally: Tally, limit: int = 32) -> list[str]:
    """Free parameters as `name=value` keywords; names are gated as values are."""
    kept = []
    for name, value in list(values.items())[:limit]:
        clean = keyword(name, tally) if type(name) is str else None
        if clean is None or not _NAME.fullmatch(clean):
            tally.dropped += 1
            continue
        kept.append(f"{clean}={_secret(clean, tally) or keyword(value, tally)}")
    tally.dropped += max(0, len(values) - limit)
    return kept


def _secret(name: str, tally: Tally) -> str | None:
    """What stands for the value of a parameter that is a secret by its name."""
    if not SECRET_NAME.fullmatch(name):
        return None
    tally.masked += 1
    tally.detected.add("token")
    return "[token]"


@dataclass(slots=True)
class Inputs:
    """Features of one prediction after masking, and what was wrong with them."""

    numeric: dict[str, float] = field(default_factory=dict)
    categorical: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    mistyped: list[str] = field(default_factory=list)
    out_of_range: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


Step = Callable[[Any, Inputs, Tally], None]


class Masker:
    """A contract, compiled to one step per feature."""

    def __init__(self, contract: Contract, hasher: Hasher) -> None:
        self.hasher = hasher
        self._steps = tuple((n, _step(n, f, hasher)) for n, f in contract.features.items())
        self._known = frozenset(contract.features)
        self._identifiers = contract.identifiers
        self._groups = tuple((n, g, _grouper(g)) for n, g in contract.protected.items())
        names = (*contract.features, "label", "score")
        self._rules = tuple((n, compile_rule(r, names)) for n, r in contract.rules.items())
        self._labels = frozenset(contract.output_labels)

    def inputs(self, values: Mapping[str, Any], tally: Tally) -> Inputs:
        """Mask the features of one prediction."""
        out = Inputs()
        used = 0
        for name, step in self._steps:
            used += name in values
            value = scalar(values.get(name))
            if value is None or (type(value) is float and math.isnan(value)):
                out.missing.append(name)
                continue
            try:
                step(value, out, tally)
            except Exception:
                out.mistyped.append(name)
                tally.dropped += 1
        tally.dropped += len(values) - used
        self._group(values, out)
        return out

    def _group(self, values: Mapping[str, Any], out: Inputs) -> None:
        for name, group, band in self._groups:
            stored = out.categorical.get(group.feature)
            value = scalar(values.get(group.feature)) if group.cuts else stored
            known = group.feature not in out.mistyped and group.feature not in out.missing
            if value is not None and known:
                out.groups[name] = band(value)

    def identifiers(self, values: Mapping[str, Any], tally: Tally) -> dict[str, str]:
        """Pseudonyms of the declared identifiers."""
        kept: dict[str, str] = {}
        for name, value in values.items():
            if self._identifiers.get(name) != "hash":
                tally.dropped += 1
            elif value is not None:
                kept[name] = pseudonym(value, self.hasher, tally) or ""
        return kept

    def label(self, value: object, tally: Tally) -> str | None:
        """An output label: kept when declared (or nothing is declared), else hashed."""
        if value is None:
            return None
        if not self._labels:
            return keyword(scalar(value), tally)
        try:
            plain = label_text(scalar(value))
        except Exception:
            tally.dropped += 1
            return None
        return plain if plain in self._labels else pseudonym(plain, self.hasher, tally)

    def violations(self, values: Mapping[str, Any]) -> list[str]:
        """Business rules that the prediction breaks."""
        return [name for name, rule in self._rules if _broken(rule, values)]

    @property
    def has_rules(self) -> bool:
        """Whether the contract states any business rule."""
        return bool(self._rules)


def _broken(rule: Rule, values: Mapping[str, Any]) -> bool:
    try:
        return rule(values) is False
    except Exception:
        return False


def scalar(value: Any) -> Any:
    """A numpy scalar as the Python value that it holds; anything else as it is."""
    if type(value) in (int, float, str, bool):
        return value
    try:
        item = getattr(value, "item", None)
        return item() if callable(item) and getattr(value, "ndim", 0) == 0 else value
    except Exception:
        return None


def _step(name: str, feature: Feature, hasher: Hasher) -> Step:
    if feature.mask == "drop":
        return _drop
    build = {"numeric": _numeric, "categorical": _categorical, "text": _text}[feature.type]
    return build(name, feature, hasher)


def _drop(value: Any, out: Inputs, tally: Tally) -> None:  # noqa: ARG001 - the shape of a step
    tally.masked += 1


def _numeric(name: str, feature: Feature, hasher: Hasher) -> Step:  # noqa: ARG001
    low, high = feature.range or (-math.inf, math.inf)
    width = feature.mask.bucket if isinstance(feature.mask, Mask) else None

    def step(value: Any, out: Inputs, tally: Tally) -> None:
        if not isinstance(value, int | float) or not -MAX_DIGITS < value < MAX_DIGITS:
            raise TypeError(name)
        number = float(value)
        if not low <= number <= high:
            out.out_of_range.append(name)
        if width is not None:
            number = math.floor(number / width) * width
            tally.masked += 1
        out.numeric[name] = number

    return step


def _categorical(name: str, feature: Feature, hasher: Hasher) -> Step:
    known = None if feature.values is None else frozenset(label_text(v) for v in feature.values)
    mask = feature.mask

    def step(value: Any, out: Inputs, tally: Tally) -> None:
        if not isinstance(value, str | int | float | bool):
            raise TypeError(name)
        plain = label_text(value)
        unseen = known is not None and plain not in known
        if unseen:
            out.unseen.append(name)
        if unseen or mask == "hash":
            tally.masked += 1
            out.categorical[name] = hasher(plain)
        elif known is not None:
            out.categorical[name] = plain
        else:
            out.categorical[name] = keyword(plain, tally, _limit(mask)) or ""

    return step


def _limit(mask: object) -> int:
    return mask.truncate if isinstance(mask, Mask) and mask.truncate else KEYWORD_LIMIT


def _text(name: str, feature: Feature, hasher: Hasher) -> Step:  # noqa: ARG001
    keep, limit = feature.keep == "masked", TEXT_LIMIT
    if isinstance(feature.mask, Mask) and feature.mask.truncate:
        limit = feature.mask.truncate

    def step(value: Any, out: Inputs, tally: Tally) -> None:
        if not isinstance(value, str):
            raise TypeError(name)
        length = len(value)
        head = value[:TEXT_LIMIT]
        out.numeric[f"{name}_chars"] = float(length)
        out.numeric[f"{name}_words"] = float(len(head.split()))
        digits = sum(map(str.isdigit, head))
        out.numeric[f"{name}_digit_share"] = digits / len(head) if head else 0.0
        tally.masked += 1
        if keep:
            out.texts[name] = (text(value, tally) or "")[:limit]

    return step


def _grouper(group: Protected) -> Callable[[Any], str]:
    cuts = group.cuts
    if not cuts:
        return str
    edges = ("", *(label_text(c) for c in cuts), "")

    def band(value: Any) -> str:
        place = sum(value >= c for c in cuts)
        low, high = edges[place], edges[place + 1]
        return f"<{high}" if not low else f">={low}" if not high else f"{low}-{high}"

    return band
