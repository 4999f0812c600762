"""Counts of a window over the bins of its profiles, pushed down to the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from analyzers.drift.distribution import (
    CategoricalCounts,
    Counts,
    NumericCounts,
    NumericProfile,
    Profile,
)

__all__ = ["OUTPUTS", "aggregations", "field_of", "read"]

MAX_LABELS = 1000
OTHER = "(other)"
OUTPUTS = {
    "output.score": "inference.output.score",
    "output.value": "inference.output.value",
    "output.label": "inference.output.label",
}


def field_of(feature: str, *, numeric: bool) -> str:
    """Stored field of a feature, or of an output."""
    if feature in OUTPUTS:
        return OUTPUTS[feature]
    return f"inference.features.{'numeric' if numeric else 'categorical'}.{feature}"


def aggregations(profiles: Sequence[Profile]) -> dict[str, Any]:
    """Aggregations that count a window over the profiles' bins and labels."""
    return {name: body for i, p in enumerate(profiles) for name, body in _pair(i, p)}


def _pair(number: int, profile: Profile) -> list[tuple[str, Any]]:
    field = field_of(profile.feature, numeric=isinstance(profile, NumericProfile))
    counted = ranges(field, profile.edges) if isinstance(profile, NumericProfile) else labels(field)
    return [(f"c{number}", counted), (f"m{number}", {"missing": {"field": field}})]


def ranges(field: str, edges: Sequence[float]) -> dict[str, Any]:
    """Range aggregation over inner edges; an edge belongs to the bin above."""
    if not edges:
        return {"filter": {"exists": {"field": field}}}
    inner = [{"from": a, "to": b} for a, b in pairwise(edges)]
    bins = [{"to": edges[0]}, *inner, {"from": edges[-1]}]
    return {"range": {"field": field, "ranges": bins}}


def labels(field: str) -> dict[str, Any]:
    """Terms aggregation over the labels."""
    return {"terms": {"field": field, "size": MAX_LABELS}}


def read(profiles: Sequence[Profile], answers: Mapping[str, Any]) -> dict[str, Counts]:
    """Counts by feature from the answered aggregations."""
    return {
        p.feature: _counts(p, answers[f"c{i}"], answers[f"m{i}"]["doc_count"])
        for i, p in enumerate(profiles)
    }


def _counts(profile: Profile, answer: Mapping[str, Any], missing: int) -> Counts:
    if not isinstance(profile, NumericProfile):
        return CategoricalCounts(label_counts(answer), missing)
    return NumericCounts(bin_counts(answer), missing)


def bin_counts(answer: Mapping[str, Any]) -> tuple[int, ...]:
    """Counts per bin, in the order of the edges."""
    if "buckets" not in answer:
        return (answer["doc_count"],)
    return tuple(b["doc_count"] for b in answer["buckets"])


def label_counts(answer: Mapping[str, Any]) -> dict[str, int]:
    """Counts per label; what the bound cut off is one label of its own."""
    found = {b["key"]: b["doc_count"] for b in answer["buckets"]}
    rest = answer.get("sum_other_doc_count", 0)
    return {**found, OTHER: rest} if rest else found
