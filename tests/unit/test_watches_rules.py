"""The rules shipped are the three asked for, and a wrong rule is named with its cure."""

from __future__ import annotations

from datetime import timedelta

import pytest

from analyzers.watches.rules import RULES_FILE, RuleError, load, loads
from tests.unit.watch_world import contract

GOOD = """
LowAvailability:
  metric: availability
  segment: all
  fire: {below: slo.error_rate}
  clear: 1.1
  for: 10m
  every: 5m
  seen: 3
  min_n: 20
  severity: warning
  english: Look at the service.
  french: Regardez le service.
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("HighErrorRate", (0.02, 0.015, 10, "critical", 11, 10, 20)),
        ("HighP99Latency", (800, 700, 5, "warning", 6, 5, 100)),
        ("DataDriftPSI", (0.2, 0.15, 30, "critical", 31, 28, 500)),
    ],
)
def test_shipped_rules_say_what_was_asked_for(name, expected):
    rule = next(r for r in load() if r.name == name)
    fire = rule.fire(contract())
    minutes = rule.lasting // timedelta(minutes=1)
    severity, counts = rule.severity, (rule.looks, rule.seen, rule.min_n)

    assert (fire, rule.recovery(fire), minutes, severity, *counts) == expected


def test_no_limit_of_a_contract_is_repeated_in_the_rules():
    """The numbers 0.02, 800 and 0.2 stand in the contract, and only there."""
    lines = [x for x in RULES_FILE.read_text("utf-8").splitlines() if "fire:" in x]

    assert not any(c.isdigit() for line in lines for c in line.replace("p99", ""))


def test_a_rule_that_fires_below_its_limit():
    (rule,) = loads(GOOD)

    assert not rule.above
    assert (rule.looks, rule.recovery(0.02)) == (3, 0.022)


def test_a_limit_that_the_contract_does_not_set_is_none():
    (rule,) = loads(GOOD.replace("slo.error_rate", "performance.f1.min"))

    assert rule.fire(contract()) is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("availability", "availabilty", "<rules>:3: LowAvailability.metric: unknown metric"),
        ("availability", "availabilty", "(did you mean availability?)"),
        ("all", "everything", "'everything' is not allowed; allowed: all"),
        ("slo.error_rate", "slo.eror_rate", "(did you mean error_rate?)"),
        ("slo.error_rate", "slo", "'slo' is not a number; allowed: availability"),
        ("slo.error_rate", "slo.error_rate.x", "goes past a value"),
        ("slo.error_rate", "0.02", "is not in the contract"),
        ("below", "beneath", "write {above: slo.error_rate}"),
        ("clear: 1.1", "clear: 0.9", "0.9 must be a multiple of the limit, at least 1"),
        ("clear: 1.1", "clear: yes", "'yes' must be a multiple"),
        ("for: 10m", "for: 10 min", "'10 min' is not a duration"),
        ("for: 10m", "for: 12m", "must be a multiple of `every`"),
        ("every: 5m", "every: 30s", "must be whole minutes"),
        ("seen: 3", "seen: 4", "4 can never be seen; at most 3"),
        ("min_n: 20", "min_n: 0", "0 must be a whole number of at least 1"),
        ("warning", "bad", "'bad' is not allowed; allowed: critical, warning"),
        ("english: Look at the service.", "english: ' '", "must be a text"),
        ("  min_n: 20\n", "", "`min_n` is missing; add `min_n: ...`"),
        ("  min_n: 20\n", "  min_n: 20\n  min: 3\n", "min: unknown key; allowed: metric"),
        ("LowAvailability", "low", "'low' is not a rule name; write it as HighErrorRate"),
        ("  metric: availability\n", "  - x\n", "<rules>:"),
    ],
)
def test_a_wrong_rule_is_named_with_line_value_and_cure(old, new, message):
    with pytest.raises(RuleError) as caught:
        loads(GOOD.replace(old, new, 1))

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_or_empty_file_is_named(tmp_path):
    with pytest.raises(RuleError, match="No such file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(RuleError, match="must hold a mapping of rules"):
        loads("[]")
