"""Charts are SVG without style, script or colour of their own."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET  # our own drawings

import pytest

from analyzers.board.charts import Drawing, Layer, Limit, draw, sparkline
from analyzers.board.spans import Span
from analyzers.windows import DAY, HOUR

START = datetime(2026, 11, 14, tzinfo=UTC)
SPAN = Span(START, START + 7 * DAY)
ROWS = [(START + i * HOUR, 100.0 + i, 90.0 + i, 110.0 + i) for i in range(168)]


def drawn(**changes: object) -> Drawing:
    options = {
        "unit": "ms",
        "lang": "en",
        "label": "Latency",
        "limits": [Limit(300, "limit 300 ms"), Limit(800, "limit 800 ms")],
        "bands": [(START - DAY, START + HOUR)],
    }
    return draw([Layer("p95", "line", ROWS, band=True)], SPAN, **{**options, **changes})  # type: ignore[arg-type]


def test_a_chart_needs_neither_style_nor_script() -> None:
    drawing = drawn()

    for svg in (drawing.wide, drawing.narrow):
        assert not re.search(r"style=|<style|<script|\son\w+=|href=|<image|<foreignObject", svg)


def test_a_chart_is_well_formed_and_named_for_a_reader() -> None:
    root = ET.fromstring(drawn(label='<b>"x" & y').wide)  # noqa: S314

    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == '<b>"x" & y'
    assert root[0].text == '<b>"x" & y'


def test_marks_carry_the_classes_that_the_style_sheet_paints() -> None:
    svg = drawn().wide

    for name in ("p95_marks", "p95_band_marks", "limit_marks", "limit_text_marks", "shade_marks"):
        assert name in svg


def test_both_widths_hold_the_limit_in_words() -> None:
    drawing = drawn()

    assert "limit 800 ms" in drawing.wide
    assert "limit 800 ms" in drawing.narrow


def test_numbers_and_months_follow_the_language() -> None:
    rows = [(START + i * HOUR, 1500.0, None, None) for i in range(168)]

    french = draw([Layer("p95", "line", rows)], SPAN, unit="ms", lang="fr", label="x").wide

    assert "1\u202f500\u00a0ms" in french
    assert "15 nov." in french


def test_a_lonely_point_is_drawn_as_a_dot() -> None:
    values = [None, 5.0, None, 6.0, 7.0]
    rows = [(START + i * HOUR, v, None, None) for i, v in enumerate(values)]

    svg = draw([Layer("p95", "line", rows)], SPAN, unit="score", lang="en", label="x").wide

    assert svg.count("p95_dots_marks") == 1


@pytest.mark.parametrize("unit", ["ratio", "count", "ms", "score", "per_s"])
def test_no_value_at_all_still_draws(unit: str) -> None:
    rows = [(START, None, None, None)]

    assert (
        "<svg" in draw([Layer("volume", "bar", rows)], SPAN, unit=unit, lang="en", label="x").wide
    )


def test_ids_of_two_drawings_never_meet() -> None:
    one, two = drawn(label="a"), drawn(unit="count")

    ids = [set(re.findall(r'\bid="([^"]+)"', str(d.wide))) for d in (one, two)]
    assert not ids[0] & ids[1]


def test_a_sparkline_leaves_a_gap_for_what_is_unknown() -> None:
    svg = sparkline([1, 2, None, 3, None, 1, 2], "traffic & co")

    assert (svg.count("<polyline"), svg.count("<circle")) == (2, 1)
    assert "traffic &amp; co" in svg


def test_a_sparkline_of_nothing_is_nothing() -> None:
    assert sparkline([None, None], "x") == ""


def test_midnights_are_labelled_evenly() -> None:
    long = Span(START - timedelta(days=23), START + 7 * DAY)
    rows = [(START, 1.0, None, None)]

    svg = draw([Layer("p95", "line", rows)], long, unit="count", lang="en", label="x").wide

    days = [int(d) for d in re.findall(r">(\d+) Nov<", svg)]
    assert [b - a for a, b in pairwise(days)] == [5] * (len(days) - 1)
