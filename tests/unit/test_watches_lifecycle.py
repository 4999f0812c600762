"""The state machine: when an incident opens, and that nothing but clear looks close it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.watches.lifecycle import LINGER, Reading, start, step
from tests.unit.watch_world import MINUTE, T0

VERDICTS = ("breach", "rising", "calm", "clear", "no_data", "error")


def reading(verdict, worst=0.03, above=True):
    known = verdict not in ("no_data", "error")
    return Reading(
        verdict=verdict, above=above, threshold=0.02, value=worst if known else None,
        worst=worst if known else None, onset=T0 - 15 * MINUTE if known else None,
    )  # fmt: skip


def run(verdicts, pace=MINUTE):
    """Names and events along a sequence of verdicts."""
    state, told = start("R:m", T0), []
    for i, verdict in enumerate(verdicts):
        state, events = step(state, reading(verdict), T0 + i * pace)
        told.append((state.name, *(e for e in events if e != "changed")))
    return state, told


OPENED, RESOLVED = ("firing", "opened"), ("resolved", "resolved")


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        (["clear"], [("ok",)]),
        (["calm"], [("ok",)]),
        (["no_data"], [("no_data",)]),
        (["error"], [("error",)]),
        (["rising", "calm"], [("pending",), ("ok",)]),
        (["rising", "rising", "breach"], [("pending",), ("pending",), OPENED]),
        (["breach", "breach"], [OPENED, ("firing",)]),
        (["breach", "rising", "calm"], [OPENED, ("firing",), ("firing",)]),
        (["breach", "clear"], [OPENED, RESOLVED]),
        (["breach", "no_data", "breach"], [OPENED, ("no_data",), ("firing",)]),
        (["breach", "no_data", "clear"], [OPENED, ("no_data",), RESOLVED]),
        (["breach", "error", "calm"], [OPENED, ("error",), ("firing",)]),
        (["breach", "error", "clear"], [OPENED, ("error",), RESOLVED]),
        (["breach", "clear", "clear"], [OPENED, RESOLVED, ("resolved",)]),
        (["breach", "clear", "rising"], [OPENED, RESOLVED, ("pending",)]),
        (["no_data", "clear", "no_data"], [("no_data",), ("ok",), ("no_data",)]),
    ],
)
def test_transitions(verdicts, told):
    assert run(verdicts)[1] == told


def test_resolved_becomes_ok_after_a_while():
    state, told = run(["breach", "clear"] + ["clear"] * 11)

    assert [name for name, *_ in told[1:]] == ["resolved"] * (LINGER // MINUTE) + ["ok", "ok"]
    assert state.incident is None


def test_an_incident_keeps_onset_opening_and_its_worst_figure():
    state, _ = step(start("R:m", T0), reading("breach", 0.03), T0)
    state, events = step(state, reading("breach", 0.31), T0 + MINUTE)
    state, none = step(state, reading("breach", 0.05), T0 + 2 * MINUTE)
    state, _ = step(state, reading("clear", 0.01), T0 + 12 * MINUTE)

    assert (events, none) == (("worsened",), ())
    assert state.incident.peak == 0.31
    assert state.incident.onset == T0 - 15 * MINUTE
    assert state.incident.opened == T0
    assert state.incident.resolved == T0 + 12 * MINUTE
    assert state.incident.id == f"R:m:{int(T0.timestamp())}"


def test_the_worst_figure_of_a_rule_below_its_limit_is_the_lowest():
    state, _ = step(start("R:m", T0), reading("breach", 0.5, above=False), T0)
    state, _ = step(state, reading("breach", 0.4, above=False), T0 + MINUTE)

    assert state.incident.peak == 0.4


def test_a_reading_older_than_the_state_changes_nothing():
    state, _ = step(start("R:m", T0), reading("breach"), T0)

    assert step(state, reading("clear"), T0 - MINUTE) == (state, ())


def test_a_step_without_events_returns_the_very_same_state():
    state, _ = step(start("R:m", T0), reading("clear"), T0)

    assert step(state, reading("calm"), T0 + MINUTE)[0] is state


@given(st.lists(st.sampled_from(VERDICTS), max_size=60), st.integers(1, 40))
def test_openings_and_closings_alternate_and_only_clear_closes(verdicts, pace):
    state, last = start("R:m", T0), "resolved"
    for i, verdict in enumerate(verdicts):
        now = T0 + i * timedelta(minutes=pace)
        state, events = step(state, reading(verdict), now)
        for event in events:
            if event in ("opened", "resolved"):
                assert event != last
                last = event
        assert "resolved" not in events or verdict == "clear"
        assert "opened" not in events or verdict == "breach"
        assert (state.open is not None) == (last == "opened")
        if verdict in ("no_data", "error"):
            assert state.name == verdict
