"""What a run must show: one line per violation, none for a good run."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from scripts.demo.requirements import violations

Json = dict[str, Any]
MODELS = ("diabetes-risk", "digit-reader")
RULES = {"errors": "HighErrorRate", "drift": "DataDriftPSI", "latency": "HighP99Latency"}


def fault(kind: str, model: str, start: str, end: str) -> Json:
    return {"kind": kind, "model": model, "from": start, "to": end}


FAULTS = [
    fault("errors", MODELS[1], "2026-11-12T14:00:00Z", "2026-11-12T14:20:00Z"),
    fault("drift", MODELS[0], "2026-11-13T00:00:00Z", "2026-11-17T00:00:00Z"),
    fault("latency", MODELS[0], "2026-11-19T09:00:00Z", "2026-11-19T09:15:00Z"),
]


def alert(kind: str, model: str, fired: str, resolved: str | None) -> Json:
    return {"rule": RULES[kind], "model": model, "fired_at": fired, "resolved_at": resolved}


def shifted() -> Json:
    return {"2026-11-13": ["bmi", "bp"]}


def good() -> Json:
    undrifted = {"windows_undrifted": 10, "windows_undrifted_flagged": 0}
    return copy.deepcopy(
        {
            "predictions": 60_000,
            "events": {
                "emitted": 9, "indexed": 9, "duplicates": 0, "dropped": 0, "dead_letters": 0
            },
            "canaries": {"planted": 250, "found": 0, "leaks": []},
            "faults": FAULTS,
            "drift": {
                MODELS[0]: {"injected": shifted(), "flagged": shifted(), **undrifted},
                MODELS[1]: {"injected": {}, "flagged": {}, **undrifted},
            },
            "performance": {m: {"f1": 0.8, "coverage": 0.9} for m in MODELS},
            "alerts": [
                alert("errors", MODELS[1], "2026-11-12T14:12:00Z", "2026-11-12T14:34:00Z"),
                alert("drift", MODELS[0], "2026-11-13T01:05:00Z", "2026-11-17T00:43:00Z"),
                alert("latency", MODELS[0], "2026-11-19T09:06:00Z", "2026-11-19T09:25:00Z"),
            ],
            "mails": [
                {"rule": RULES[f["kind"]], "model": f["model"], "event": event, "subject": ""}
                for f in FAULTS
                for event in ("opened", "resolved")
            ],
            "board": {"pages": [{"path": "/", "status": 200}]},
        }
    )  # fmt: skip


def test_a_good_run_violates_nothing() -> None:
    assert violations(good()) == []


def put(*path: Any, value: Any) -> Callable[[Json], None]:
    def change(summary: Json) -> None:
        place: Any = summary
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


CASES: list[tuple[Callable[[Json], None], str]] = [
    (put("predictions", value=49_999), "predictions: 49,999, at least 50,000 wanted"),
    (put("events", "indexed", value=8), "events: 9 emitted, 8 indexed"),
    (put("events", "duplicates", value=2), "events.duplicates: 2, none wanted"),
    (put("events", "dropped", value=1), "events.dropped: 1, none wanted"),
    (put("events", "dead_letters", value=1), "events.dead_letters: 1, none wanted"),
    (put("canaries", "planted", value=10), "canaries.planted: 10, at least 200 wanted"),
    (
        put("canaries", value={"planted": 250, "found": 1, "leaks": ["iban, spool"]}),
        "canaries.found: 1, none wanted (iban, spool)",
    ),
    (
        put("drift", MODELS[0], "flagged", "2026-11-13", value=["bmi"]),
        "drift of diabetes-risk on 2026-11-13: ['bmi', 'bp'] shifted, ['bmi'] flagged",
    ),
    (
        put("drift", MODELS[1], "windows_undrifted_flagged", value=2),
        "drift: 2 of 20 undrifted windows flagged, at most 1 in 20 wanted",
    ),
    (
        put("performance", MODELS[1], "f1", value=None),
        "performance of digit-reader: f1 None, coverage 0.9",
    ),
    (
        put("alerts", 0, "resolved_at", value=None),
        "HighErrorRate of digit-reader: resolved at None, fault ended 2026-11-12T14:20:00Z",
    ),
    (
        put("alerts", 2, "fired_at", value="2026-11-19T08:59:00Z"),
        "HighP99Latency of diabetes-risk: fired at 2026-11-19T08:59:00Z, not in the fault",
    ),
    (
        put("mails", 5, "event", value="opened"),
        "mails: 2 of HighP99Latency diabetes-risk opened, 1 wanted",
    ),
    (put("board", "pages", 0, "status", value=500), "board: / answered 500"),
    (put("problems", value=["drift of x: boom"]), "a job failed: drift of x: boom"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "line"), CASES, ids=[line for _, line in CASES])
def test_a_violation_is_one_line(change: Callable[[Json], None], line: str) -> None:
    summary = good()
    change(summary)
    assert line in violations(summary)


def test_one_flag_in_twenty_windows_is_what_chance_gives() -> None:
    summary = good()
    summary["drift"][MODELS[1]]["windows_undrifted_flagged"] = 1
    assert violations(summary) == []
