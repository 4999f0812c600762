"""Figures as people read them; text that cannot play tricks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from analyzers.board.format import ABSENT, Formatter, visible

EN, FR = Formatter("en"), Formatter("fr")


@pytest.mark.parametrize(
    ("value", "unit", "english", "french"),
    [
        (12345, "count", "12,345", "12\u202f345"),
        (0.013, "ratio", "1.3 %", "1,3 %"),
        (0.9995, "ratio", "99.95 %", "99,95 %"),
        (0.00001, "ratio", "< 0.01 %", "< 0,01 %"),
        (0.0, "ratio", "0 %", "0 %"),
        (1.0, "ratio", "100 %", "100 %"),
        (231.4, "ms", "231 ms", "231 ms"),
        (4.25, "ms", "4.2 ms", "4,2 ms"),
        (12_500.0, "ms", "12.5 s", "12,5 s"),
        (0.81249, "score", "0.812", "0,812"),
        (1.5, "per_s", "1.5/s", "1,5/s"),
        (-0.00001, "score", "0", "0"),
        (0.31, "none", "0.31", "0,31"),
    ],
)
def test_a_figure_is_written_with_its_unit(
    value: float, unit: str, english: str, french: str
) -> None:
    assert EN.value(value, unit).replace("\u00a0", " ") == english
    assert FR.value(value, unit).replace("\u00a0", " ") == french


@pytest.mark.parametrize("unit", ["ratio", "ms", "per_s", "count", "score", "none"])
def test_an_unknown_figure_is_a_dash_and_never_a_zero(unit: str) -> None:
    assert EN.value(None, unit) == ABSENT


def test_a_tiny_p_value_is_a_bound() -> None:
    assert EN.q_value(1e-9).replace("\u00a0", " ") == "< 0.001"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=45), "45 s"),
        (timedelta(hours=3), "3 h"),
        (timedelta(days=3, hours=4, minutes=5), "3 d 4 h"),
        (timedelta(seconds=-3), "0 s"),
    ],
)
def test_a_length_is_told_in_its_two_largest_units(length: timedelta, text: str) -> None:
    assert EN.span(length).replace("\u00a0", " ") == text


def test_moments_are_told_in_utc() -> None:
    at = datetime(2026, 11, 21, 8, 51, 7, 123_456, tzinfo=UTC)

    assert (EN.moment(at), EN.second(at)) == ("2026-11-21 08:51", "2026-11-21 08:51:07.123")


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\u2066a\u2069", "\\u2066a\\u2069"),
        ("nul\x00", "nul\\x00"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\ud800", "\\ud800"),
        ("été, שלום, 日本", "été, שלום, 日本"),
        ("two\nlines", "two\nlines"),
    ],
)
def test_what_cannot_be_seen_is_spelled_out(hostile: str, shown: str) -> None:
    assert visible(hostile) == shown
