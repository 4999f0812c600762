"""Personal data is found in every spelling; what only looks like it stays."""

from __future__ import annotations

import pytest

from collectors.pii import luhn_valid, nir_valid, redact


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("email", "jean.dupont+x@mail.example.org"),
        ("email", "jean%40example.org"),
        ("phone", "06 12 34 56 78"),
        ("phone", "06.12.34.56.78"),
        ("phone", "0612345678"),
        ("phone", "+33 6 12 34 56 78"),
        ("phone", "+33 (0)6 12 34 56 78"),
        ("phone", "0033612345678"),
        ("phone", "+1-415-555-2671"),
        ("phone", "(415) 555-2671"),
        ("iban", "FR7630006000011234567890189"),
        ("iban", "FR76 3000 6000 0112 3456 7890 189"),
        ("iban", "fr76-3000-6000-0112-3456-7890-189"),
        ("iban", "GB29 NWBK 6016 1331 9268 19"),
        ("iban", "DE89370400440532013000"),
        ("card", "4111111111111111"),
        ("card", "4111 1111 1111 1111"),
        ("card", "5500-0055-5555-5559"),
        ("card", "3782 822463 10005"),
        ("nir", "255081416802538"),
        ("nir", "2 55 08 14 168 025 38"),
        ("ip", "192.168.1.42"),
        ("ip", "2001:db8::8a2e:370:7334"),
        ("token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"),
        ("token", "sk-abcdefghijklmnopqrstuvwxyz0123"),
        ("token", "AKIAIOSFODNN7EXAMPLE"),
        ("token", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
        ("token", "Bearer abcdefghijklmnop.qrstuv"),
        ("token", "password=hunter22"),
    ],
)
@pytest.mark.parametrize("frame", ["{}", "avant {} après", "({}),", '{{"k": "{}"}}', "x={};"])
def test_found_in_every_position(kind: str, found: str, frame: str) -> None:
    clean, kinds = redact(frame.format(found))

    assert found not in clean
    assert kind in kinds


@pytest.mark.parametrize(
    "text",
    [
        "019a9d2c-5f00-7c3e-8a51-2f6b1d0c9e77",
        "2026-11-21T08:51:00.123456Z",
        "1763715060123456789",
        "1 234 567,89 EUR, soit 12 345.00",
        "version 1.2.3, build 20261121",
        "std::vector à 12:34:56",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "Le client travaille depuis 2009 et gagne 2 450 EUR par mois.",
        "The model answered in 231 ms, 99.5 % of the time.",
        "FR7630006000011234567890188",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert redact(text) == (text, ())


def test_checksums() -> None:
    assert luhn_valid("4012888888881881")
    assert nir_valid("185052A12345633") == (97 - (1850519123456 - 0) % 97 == 33)


def test_ids_digests_times_and_amounts_are_seldom_touched() -> None:
    import hashlib
    import random
    import uuid

    rng = random.Random(3)
    many = range(4000)
    seconds = (f"{n % 60:02d}:{n % 59:02d}.{n * 7919 % 10**6:06d}" for n in many)
    thousands = (f"{rng.randrange(1000):03d} {rng.randrange(1000):03d}" for _ in many)
    values = {
        "uuid": [str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in many],
        "digest": [hashlib.sha256(str(n).encode()).hexdigest() for n in many],
        "time": [f"2026-11-21T08:{text}Z" for text in seconds],
        "nanoseconds": [str(1763715060123456789 + rng.randrange(10**15)) for _ in many],
        "amount": [f"{rng.randrange(1, 9)} {text}.65 EUR" for text in thousands],
    }
    touched = {name: sum(bool(redact(v)[1]) for v in found) for name, found in values.items()}

    assert touched["time"] == touched["nanoseconds"] == touched["amount"] == 0
    assert touched["uuid"] == 0
    assert touched["digest"] <= 10
