"""Contracts are read whole, and every refusal names line, key, value and cure."""

from __future__ import annotations

import pytest

from collectors import ContractError, loads
from tests.sample import CONTRACT, contract

GOOD = CONTRACT.replace("MODEL", "credit-scoring")


def test_what_is_kept_follows_from_the_features() -> None:
    c = contract()

    assert c.numeric[:2] == ("age", "income")
    assert "comment_chars" in c.numeric
    assert "secret" not in c.categorical
    assert c.positive == "accepted"


def test_version_changes_with_any_word() -> None:
    assert contract().version == contract().version
    assert contract().version != contract(rules='{no_minor: "age >= 21"}').version


def test_yes_and_no_are_labels_not_booleans() -> None:
    found = contract(output="{labels: [yes, no], positive: yes}")

    assert found.output_labels == ("yes", "no")


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("{type: numeric, range", "{typ: numeric, range", 5, "features.age.typ: unknown key"),
        ("type: numeric, sens", "type: numeri, sens", 6, "did you mean numeric?"),
        ("[18, 100]", "[100, 18]", 5, "the lower end comes first"),
        ("horizon: 90d", "horizon: 6 months", 19, "is not a duration"),
        ("age >= 18", "ages >= 18", 20, "'ages' is not a feature"),
        ("positive: accepted", "positive: yes", 18, "is not one of output.labels"),
        ("task: binary", "tusk: binary", 2, "did you mean task?"),
        ("{bucket: 1000}", "{bucket: -1}", 6, "a width above 0"),
        ("{bucket: 1000}", "{bucket: 5, truncate: 2}", 6, "exactly one of bucket and truncate"),
        ("income:   {type: numeric, sensitive: true, mask: {bucket: 1000}}",
         "income:   {type: numeric, mask: hash}", 6, "a number cannot be masked by 'hash'"),
        ("feature: purpose}", "feature: purposes}", 16, "is not a feature"),
        ("cuts: [30, 50]", "cuts: [50, 30]", 17, "must rise"),
        ("model: credit-scoring", "model: Credit Scoring", 1, "is not a model name"),
        ("model: credit-scoring", "model: credit-20", 1, "is not a model name"),
        ("  age: ", "  a.b: ", 5, "is not a field name"),
        ("{customer_id: hash}", "{age: hash}", 14, "is also a feature"),
        ("labels: [accepted, refused]", "labels: [accepted, refused, maybe]", 18, "exactly two"),
        ("identifiers:", "features:", 14, "the key stands twice"),
        ("features:", "features: [", 6, ""),
    ],
)  # fmt: skip
def test_refusals_name_line_key_value_and_cure(old: str, new: str, line: int, said: str) -> None:
    assert old in GOOD

    with pytest.raises(ContractError) as error:
        loads(GOOD.replace(old, new, 1), name="c.yaml")

    assert str(error.value).startswith(f"c.yaml:{line}: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_names_the_cure(tmp_path: object) -> None:
    from collectors import load

    with pytest.raises(ContractError, match="vigie init"):
        load("/nowhere/at/all.yaml")
