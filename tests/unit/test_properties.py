"""Masking lets no planted string through, and any object becomes exactly one valid line."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import collectors
from collectors.formatter import JsonFormatter
from collectors.masking import Hasher
from tests.sample import contract, lines

PLANTED = (
    "jean.dupont@example.org", "06 12 34 56 78", "+33 6 12 34 56 78", "FR7630006000011234567890189",
    "FR76 3000 6000 0112 3456 7890 189", "4111 1111 1111 1111", "4111111111111111",
    "2 55 08 14 168 025 38", "192.168.13.37", "sk-abcdefghijklmnopqrstuvwxyz0123",
    "AKIAIOSFODNN7EXAMPLE",
)  # fmt: skip


class Hostile:
    """Fails whatever is asked of it."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def cycle() -> list[Any]:
    knot: list[Any] = []
    knot.append(knot)
    return knot


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40),
    st.binary(max_size=20), st.datetimes(), st.builds(Hostile), st.builds(cycle),
    st.just("\ud800"), st.just(2**80), st.builds(object), st.just("x" * 100_000),
)  # fmt: skip
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["age", "income", "purpose", "referral", "code", "secret", "account", "comment", "note", "zz"]
)
FILLER = st.text(alphabet=" abcdefgé,;:()=\n\"'", max_size=20)
PLANTS = st.builds(lambda a, p, b: f"{a} {p} {b}", FILLER, st.sampled_from(PLANTED), FILLER)
RELAXED = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def compact(text: str) -> str:
    return "".join(c for c in text if c.isalnum() or c in "@._-").lower()


def spool_of(act: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        log = collectors.InferenceLogger(contract(), spool=folder, service="s", hash_key=b"k" * 32)
        act(log)
        log.close()
        return b"".join(lines(Path(folder)))


@RELAXED
@given(
    features=st.dictionaries(NAMES, PLANTS, max_size=9),
    planted=st.lists(PLANTS, min_size=12, max_size=12),
    fails=st.booleans(),
)
def test_no_planted_string_survives(
    features: dict[str, str], planted: list[str], fails: bool
) -> None:
    def act(log: collectors.InferenceLogger) -> None:
        try:
            with (
                collectors.bind(session=planted[0], tenant=planted[1], note=planted[2]),
                log.prediction(
                    version=planted[3], features={**features, planted[4]: 1},
                    identifiers={"customer_id": planted[5], planted[6]: 2}, endpoint=planted[7],
                    parameters={"p": planted[8], planted[9]: 3}, stage=planted[10],
                ) as p,
            ):  # fmt: skip
                p.output(label=planted[11])
                if fails:
                    raise ValueError(planted[0])
        except ValueError:
            pass
        log.label(planted[1], planted[2], source=planted[3])
        log.feedback(p.id, comment=planted[4], source=planted[5])

    text = spool_of(act).decode()

    for secret in PLANTED:
        assert secret not in text
        assert compact(secret) not in text.lower()


@RELAXED
@given(
    features=st.dictionaries(NAMES, ANYTHING, max_size=9),
    things=st.lists(ANYTHING, min_size=8, max_size=8),
)
def test_any_object_gives_exactly_one_valid_line(
    features: dict[str, Any], things: list[Any]
) -> None:
    def act(log: collectors.InferenceLogger) -> None:
        with log.prediction(
            version=things[0], features=features, identifiers={"customer_id": things[1]},
            endpoint=things[2], at=things[3], parameters={"p": things[4]}, trace_id=things[5],
        ) as p:  # fmt: skip
            p.output(label=things[6], score=things[7])
        log.label(things[0], things[1], source=things[2], at=things[3])
        log.feedback(things[4], rating=things[5], comment=things[6])

    found = spool_of(act).splitlines()

    assert len(found) == 3
    for line in found:
        assert isinstance(orjson.loads(line), dict)


@RELAXED
@given(message=ANYTHING, arguments=st.lists(ANYTHING, max_size=3), extra=ANYTHING, error=ANYTHING)
def test_any_record_is_one_valid_line(
    message: Any, arguments: list[Any], extra: Any, error: Any
) -> None:
    record = logging.LogRecord("app", 30, "x.py", 1, message, tuple(arguments), None)
    record.extra = extra
    try:
        raise ValueError(error)
    except ValueError as caught:
        record.exc_info = (type(caught), caught, caught.__traceback__)

    line = JsonFormatter(service="s", hasher=Hasher(b"k" * 32)).line(record)

    assert line.count(b"\n") == 1
    assert orjson.loads(line)["event"]["action"] == "log"
