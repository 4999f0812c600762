"""The period of a page is read from its address, whatever stands there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from analyzers.board.spans import Span, read_span
from analyzers.windows import DAY, HOUR

NOW = datetime(2026, 11, 21, 8, 51, 30, tzinfo=UTC)


@pytest.mark.parametrize(("name", "length"), [("24h", DAY), ("7d", 7 * DAY), ("30d", 30 * DAY)])
def test_a_named_range_ends_with_the_minute_that_runs(name: str, length: timedelta) -> None:
    span = read_span({"range": name}, NOW)

    assert (span.end, span.length, span.name) == (NOW.replace(minute=52, second=0), length, name)


def test_from_and_to_are_utc_unless_they_say_otherwise() -> None:
    span = read_span({"from": "2026-11-01T08:00", "to": "2026-11-02T08:00+01:00"}, NOW)

    assert span.start == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert span.end == datetime(2026, 11, 2, 7, tzinfo=UTC)
    assert span.address == {"from": "2026-11-01T08:00:00Z", "to": "2026-11-02T07:00:00Z"}


@pytest.mark.parametrize(
    "query",
    [
        {"range": "1y"},
        {"from": "yesterday"},
        {"from": "2026-11-02", "to": "2026-11-01"},
        {"from": "2020-01-01", "to": "2026-11-01"},
        {"from": "0001-01-01T00:00+23:59", "to": "0001-01-02"},
        {"to": "9999-12-31T23:59-23:00"},
    ],
    ids=lambda q: "-".join(q.values()),
)
def test_a_range_that_makes_no_sense_becomes_a_week_and_is_said(query: dict[str, str]) -> None:
    span = read_span(query, NOW)

    assert (span.fault, span.name) == (True, "7d")


@pytest.mark.parametrize("days", [1, 7, 14, 30, 400])
def test_a_histogram_has_a_readable_number_of_bars(days: int) -> None:
    span = Span(NOW - days * DAY, NOW)

    assert 24 <= span.length / span.step <= 75


def test_hours_are_drawn_up_to_two_weeks_then_days() -> None:
    assert Span(NOW - 14 * DAY, NOW).tile == HOUR
    assert Span(NOW - 15 * DAY, NOW).tile == DAY


def test_daily_figures_show_a_week_at_least() -> None:
    days = list(Span(NOW - DAY, NOW).daily().grid(DAY))

    assert (len(days), days[-1]) == (8, datetime(2026, 11, 21, tzinfo=UTC))
