"""Reference profiles: built once from the contract's period, frozen, read back by every job.

Quantile edges come from at most `SAMPLE` rows, taken by `inference.sample` so that the same data
give the same edges; the counts over them come from all rows, pushed down to the engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from analyzers.drift import binning, counts
from analyzers.drift.distribution import CategoricalProfile, NumericProfile, Profile
from analyzers.job import Profiles, live
from analyzers.store import Store
from analyzers.windows import Window, iso
from collectors.contract import Contract

__all__ = ["ProfileError", "apart", "build", "load", "profile_id"]

INDEX = "vigie-profiles"
SAMPLE = 10_000
BINS = 50


class ProfileError(ValueError):
    """No profile can be built; the message says what is missing and the cure."""


def profile_id(window: Window) -> str:
    """Identity of the profile of a period.

    >>> from datetime import UTC
    >>> profile_id(Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC)))
    '2026-10-01T00:00:00Z..2026-10-31T00:00:00Z'
    """
    return f"{iso(window.start)}..{iso(window.end)}"


def build(store: Store, contract: Contract, now: datetime) -> Profiles:
    """Build the profile of the contract's reference period, unless it is there already.

    Raises:
        ProfileError: the contract names no period, it is not over, or nothing was logged in it.

    """
    window = _period(contract, now)
    if (found := load(store, contract)).features:
        return found
    index, query = f"vigie-inference-{contract.model}-20*", live(contract, window)
    total = store.count(index, query)
    if not total:
        raise ProfileError(
            f"{contract.model}: no predictions in {profile_id(window)}; correct `reference`"
        )
    edges = _edges(store, contract, query, min(1.0, SAMPLE / total))
    names = [(n, True) for n in _numeric(contract)] + [(n, False) for n in _labels(contract)]
    empty: list[Profile] = [
        NumericProfile(n, edges[n], (), 0, 0, None, None, None, None)
        if numeric
        else CategoricalProfile(n, {}, 0, 0)
        for n, numeric in names
    ]
    aggs = counts.aggregations(empty) | _moments(empty)
    answer = store.search(index, {"size": 0, "query": query, "aggs": aggs})["aggregations"]
    built = [_counted(p, i, answer) for i, p in enumerate(empty)]
    _save(store, contract, window, built, now)
    return _grouped(profile_id(window), [p for p in built if p.n])


def load(store: Store, contract: Contract) -> Profiles:
    """The frozen profiles of the contract's period; empty when none was built."""
    period = contract.reference_period
    if period is None:
        return Profiles()
    identity = profile_id(Window(*period))
    filters = [{"term": {"model.name": contract.model}}, {"term": {"profile.id": identity}}]
    body = {"size": 5000, "query": {"bool": {"filter": filters}}, "sort": ["profile.feature"]}
    hits = store.search(INDEX, body)["hits"]["hits"]
    found = [_read(h["_source"]["profile"]) for h in hits]
    return _grouped(identity, [p for p in found if p.n])


def apart(contract: Contract, window: Window, found: Profiles) -> Profiles:
    """The profiles, unless the window is part of the reference: that would be its own judge."""
    period = contract.reference_period
    inside = period is not None and window.start < period[1] and window.end > period[0]
    return Profiles(found.id) if inside else found


def _period(contract: Contract, now: datetime) -> Window:
    period = contract.reference_period
    if period is None:
        cure = "add `reference: {from: 2026-10-01, to: 2026-10-31}`"
        raise ProfileError(f"{contract.model}: the contract names no reference period; {cure}")
    if period[1] > now:
        raise ProfileError(
            f"{contract.model}: the reference period ends at {iso(period[1])}; wait until then"
        )
    return Window(*period)


def _numeric(contract: Contract) -> list[str]:
    outputs = ["output.score"] if contract.output.score else []
    regression = ["output.value"] if contract.task == "regression" else []
    return [*contract.numeric, *outputs, *regression]


def _labels(contract: Contract) -> list[str]:
    return [*contract.categorical, *(["output.label"] if contract.output.labels else [])]


def _edges(
    store: Store, contract: Contract, query: Mapping[str, Any], share: float
) -> dict[str, tuple[float, ...]]:
    """Inner quantile edges of every number, from a reproducible sample of rows."""
    fields = {n: counts.field_of(n, numeric=True) for n in _numeric(contract)}
    sampled = {"bool": {"filter": [query, {"range": {"inference.sample": {"lt": share}}}]}}
    index = f"vigie-inference-{contract.model}-20*"
    rows = list(store.scan(index, sampled, list(fields.values())))
    return {
        n: tuple(binning.quantile_edges(_column(rows, f), BINS).tolist()) for n, f in fields.items()
    }


def _column(rows: Sequence[Mapping[str, Any]], field: str) -> Any:
    return np.array([r.get(field, np.nan) for r in rows], dtype=np.float64)


def _moments(profiles: Sequence[Profile]) -> dict[str, Any]:
    return {
        f"s{i}": {"extended_stats": {"field": counts.field_of(p.feature, numeric=True)}}
        for i, p in enumerate(profiles)
        if isinstance(p, NumericProfile)
    }


def _counted(profile: Profile, number: int, answer: Mapping[str, Any]) -> Profile:
    missing = answer[f"m{number}"]["doc_count"]
    if isinstance(profile, CategoricalProfile):
        labels = counts.label_counts(answer[f"c{number}"])
        return CategoricalProfile(profile.feature, labels, missing, sum(labels.values()))
    bins, stats = counts.bin_counts(answer[f"c{number}"]), answer[f"s{number}"]
    return NumericProfile(
        profile.feature, profile.edges, bins, missing, sum(bins),
        stats["avg"], stats["std_deviation"], stats["min"], stats["max"],
    )  # fmt: skip


def _save(
    store: Store, contract: Contract, window: Window, profiles: Iterable[Profile], now: datetime
) -> None:
    """Create the documents; one that exists is frozen and stays."""
    identity = profile_id(window)
    head = {
        "@timestamp": iso(now),
        "model": {"name": contract.model},
        "contract": {"version": contract.version},
        "window": {"start": iso(window.start), "end": iso(window.end)},
    }
    store.bulk(
        (
            (
                {"create": {"_index": INDEX, "_id": f"{contract.model}:{identity}:{p.feature}"}},
                {**head, "profile": {"id": identity, **_written(p)}},
            )
            for p in profiles
        ),
        refresh=True,
    )


def _written(p: Profile) -> dict[str, Any]:
    common = {"feature": p.feature, "n": p.n, "missing": p.missing}
    if isinstance(p, CategoricalProfile):
        labels = {"labels": list(p.counts), "counts": list(p.counts.values())}
        return {"type": "categorical", **common, **labels}
    moments = {"mean": p.mean, "std": p.std, "min": p.minimum, "max": p.maximum}
    known = {k: v for k, v in moments.items() if v is not None}
    return {
        "type": "numeric", **common, "edges": list(p.edges), "counts": list(p.counts), **known
    }  # fmt: skip


def _read(d: Mapping[str, Any]) -> Profile:
    if d["type"] == "categorical":
        labels = dict(zip(d["labels"], d["counts"], strict=True))
        return CategoricalProfile(d["feature"], labels, d["missing"], d["n"])
    return NumericProfile(
        d["feature"], tuple(d["edges"]), tuple(d["counts"]), d["missing"], d["n"],
        d.get("mean"), d.get("std"), d.get("min"), d.get("max"),
    )  # fmt: skip


def _grouped(identity: str, profiles: Sequence[Profile]) -> Profiles:
    ordered = sorted(profiles, key=lambda p: p.feature)
    outputs = tuple(p for p in ordered if p.feature in counts.OUTPUTS)
    features = tuple(p for p in ordered if p.feature not in counts.OUTPUTS)
    return Profiles(identity, features, outputs)
