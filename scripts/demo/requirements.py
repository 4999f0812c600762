"""What a run must show; each function returns one line per violation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from analyzers.windows import HOUR, parse

__all__ = ["violations"]

Json = dict[str, Any]
MIN_PREDICTIONS, MIN_CANARIES = 50_000, 200
RULES = {"errors": "HighErrorRate", "drift": "DataDriftPSI", "latency": "HighP99Latency"}
PATIENCE = 2 * HOUR


def violations(summary: Json) -> list[str]:
    """Every requirement that the summary does not meet."""
    checks = (_events, _canaries, _drift, _performance, _incidents, _mails, _board, _jobs)
    return [line for check in checks for line in check(summary)]


def _events(summary: Json) -> Iterator[str]:
    events = summary["events"]
    if summary["predictions"] < MIN_PREDICTIONS:
        yield f"predictions: {summary['predictions']:,}, at least {MIN_PREDICTIONS:,} wanted"
    if events["indexed"] != events["emitted"]:
        yield f"events: {events['emitted']:,} emitted, {events['indexed']:,} indexed"
    for name in ("duplicates", "dropped", "dead_letters"):
        if events[name]:
            yield f"events.{name}: {events[name]:,}, none wanted"


def _canaries(summary: Json) -> Iterator[str]:
    canaries = summary["canaries"]
    if canaries["planted"] < MIN_CANARIES:
        yield f"canaries.planted: {canaries['planted']}, at least {MIN_CANARIES} wanted"
    if canaries["found"]:
        yield f"canaries.found: {canaries['found']}, none wanted ({canaries['leaks'][0]})"


def _drift(summary: Json) -> Iterator[str]:
    total = flagged = 0
    for model, found in summary["drift"].items():
        for day, features in found["injected"].items():
            seen = found["flagged"].get(day, [])
            if seen != features:
                yield f"drift of {model} on {day}: {features} shifted, {seen} flagged"
        total += found["windows_undrifted"]
        flagged += found["windows_undrifted_flagged"]
    if not total or flagged > total / 20:
        yield f"drift: {flagged} of {total} undrifted windows flagged, at most 1 in 20 wanted"


def _performance(summary: Json) -> Iterator[str]:
    for model, found in summary["performance"].items():
        if found["f1"] is None or found["coverage"] is None:
            yield f"performance of {model}: f1 {found['f1']}, coverage {found['coverage']}"


def _incidents(summary: Json) -> Iterator[str]:
    wanted = Counter((RULES[fault["kind"]], fault["model"]) for fault in summary["faults"])
    got = Counter((alert["rule"], alert["model"]) for alert in summary["alerts"])
    for rule, model in (wanted - got) + (got - wanted):
        yield f"{rule} of {model}: {got[rule, model]} incidents, {wanted[rule, model]} wanted"
    for fault in summary["faults"]:
        yield from _timely(fault, summary["alerts"])


def _timely(fault: Json, alerts: list[Json]) -> Iterator[str]:
    """The incident fires inside the fault and ends soon after it, never before."""
    rule, end = RULES[fault["kind"]], parse(fault["to"])
    for alert in alerts:
        if (alert["rule"], alert["model"]) != (rule, fault["model"]):
            continue
        if not parse(fault["from"]) < parse(alert["fired_at"]) <= end:
            yield f"{rule} of {fault['model']}: fired at {alert['fired_at']}, not in the fault"
        resolved = alert["resolved_at"]
        if not resolved or not end < parse(resolved) <= end + PATIENCE:
            yield f"{rule} of {fault['model']}: resolved at {resolved}, fault ended {fault['to']}"


def _mails(summary: Json) -> Iterator[str]:
    wanted = Counter(
        (RULES[fault["kind"]], fault["model"], event)
        for fault in summary["faults"]
        for event in ("opened", "resolved")
    )
    got = Counter((mail["rule"], mail["model"], mail["event"]) for mail in summary["mails"])
    for key in sorted((wanted - got) + (got - wanted)):
        yield f"mails: {got[key]} of {' '.join(key)}, {wanted[key]} wanted"


def _board(summary: Json) -> Iterator[str]:
    pages = summary["board"]["pages"]
    if not pages:
        yield "board: no page was fetched"
    for page in pages:
        if page["status"] != 200:
            yield f"board: {page['path']} answered {page['status']}"


def _jobs(summary: Json) -> Iterator[str]:
    for problem in summary.get("problems", []):
        yield f"a job failed: {problem}"
