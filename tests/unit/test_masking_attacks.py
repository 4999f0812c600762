"""What an attack on the masking once got through, held shut."""

from __future__ import annotations

import contextvars
import logging
import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import collectors
from collectors.pii import redact
from tests.sample import documents, lines, logger

PHONE, CARD, MAIL = "0612345678", "4111111111111111", "jean.dupont@example.org"
IBAN = "FR7630006000011234567890189"


def raw(spool: Path) -> str:
    return b"".join(lines(spool)).decode()


@pytest.mark.parametrize("secret", [PHONE, "+33612345678", IBAN, CARD, "ghp_" + "a1" * 18])
@pytest.mark.parametrize("shift", range(0, 40, 3))
def test_no_cut_halves_a_finding(tmp_path: Path, secret: str, shift: int) -> None:
    log = logger(tmp_path)
    for limit in (256, 1024, 2048, 8192, 16384):
        long = "x " * ((limit - shift) // 2) + secret
        log.feedback("p", comment=long, source=long)
        try:
            with log.prediction(features={"note": long}, parameters={"p": long}):
                raise ValueError(secret + " " + "z" * (limit - shift) + "\n" + long)
        except ValueError:
            pass

    found = raw(tmp_path)
    assert secret[:-1] not in found
    assert secret[1:] not in found


@pytest.mark.parametrize(
    "text",
    [
        rf"tel\n{PHONE}", rf"\t{PHONE}", f"tel{PHONE}", f"client_{PHONE}", f".{PHONE}",
        f"1:{PHONE}",
        "06  12  34  56  78", "06_12_34_56_78", "06\u201312\u201334\u201356\u201378",
        "06 - 12 - 34 - 56 - 78", "(06) 12 34 56 78", "06\u200b12345678", "%2B33612345678",
        "".join(chr(0xFF10 + int(c)) for c in PHONE), "".join(chr(0x0660 + int(c)) for c in PHONE),
        f"IBAN{IBAN}", f"iban_{IBAN}", "FR76  3000  6000  0112  3456  7890  189",
        "4111  1111  1111  1111", "4111_1111_1111_1111", "4111\n1111\n1111\n1111",
        "jean\uff20example.org", r"jean\u0040example.org", "jean%2540example.org",
        "a!b#c@example.org", "2001:db8::8a2e:370:7334:", "Authorization: Basic amVhbjpzZWNyZXQ=",
        "token=abcdef123", "aws_secret_access_key=abcdef", "mdp=hunter22", "password%3Dhunter22",
        "ASIAIOSFODNN7EXAMPLE", "redis://:s3cr3tpw@host", "postgres://user:p@ss@host",
    ],
)  # fmt: skip
def test_spellings(text: str) -> None:
    clean, kinds = redact(text)

    assert kinds, text
    for part in ("12345678", "6789", "1111", "s3cr3t", "p@ss", "hunter", "jean"):
        assert part not in clean


def test_a_secret_is_known_by_its_name(tmp_path: Path) -> None:
    log = logger(tmp_path)
    with log.prediction(parameters={"password": "hunter22", "api_key": "abc"}, token="t0k3n"):
        pass

    kept = documents(tmp_path)[0]["inference"]["parameters"]
    assert kept == ["password=[token]", "api_key=[token]"]
    assert "t0k3n" not in raw(tmp_path)


def test_no_argument_passes_ungated(tmp_path: Path) -> None:
    any_log: Any = logger(tmp_path)
    any_log.label("p", "accepted", kind=MAIL)
    any_log.label("p", int(CARD))
    any_log.heartbeat(interval_s=MAIL)
    any_log.feedback("p", rating=33612345678)
    with any_log.prediction(span_id=CARD):
        pass
    other = collectors.InferenceLogger(
        any_log.contract, spool=tmp_path, service=MAIL, hash_key=b"k" * 32
    )
    other.heartbeat()

    found = raw(tmp_path)
    for secret in (MAIL, CARD, "33612345678"):
        assert secret not in found


def test_nothing_raises_into_the_service(tmp_path: Path) -> None:
    any_log: Any = logger(tmp_path)
    with any_log.prediction(features=pd.Series({"age": 41}), at=pd.NaT) as p:
        p.execution(status_code="x", retries="two")
        p.cost(float("nan"), input_tokens=float("nan"))
        p.output(label="accepted", score="high")
    any_log.label("ffffffff-ffff-7fff-bfff-ffffffffffff", "accepted", at=pd.NaT)
    any_log.label(p.id, "accepted", kind=None)
    manager = collectors.bind(session="s")
    contextvars.copy_context().run(manager.__enter__)
    contextvars.copy_context().run(manager.__exit__, None, None, None)
    handler = collectors.SegmentHandler(spool=tmp_path, service="s", hash_key=b"k" * 32)
    handler.handle(logging.makeLogRecord({"name": None, "msg": "x"}))
    handler.close()

    found = documents(tmp_path)
    assert len(found) == 4
    assert [d["event"]["outcome"] for d in found if "outcome" in d["event"]] == ["success"]


def test_a_refusing_disk_does_not_lock_a_stderr_that_is_a_logger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = logger(tmp_path)

    class ToLogger:
        def write(self, text: str) -> None:  # noqa: ARG002
            log.heartbeat()

    real = os.write

    def refuse(descriptor: int, data: bytes) -> int:
        if descriptor > 2:
            raise OSError(28, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(sys, "stderr", ToLogger())
    monkeypatch.setattr(os, "write", refuse)
    log.heartbeat()
    monkeypatch.undo()

    assert log.writer.flush() == 0


def test_a_missing_value_is_in_no_group_and_breaks_no_rule(tmp_path: Path) -> None:
    log = logger(tmp_path)
    with log.prediction(features={"age": float("nan"), "purpose": "car"}):
        pass

    (d,) = documents(tmp_path)
    assert d["inference"]["groups"] == {"purpose_group": "car"}
    assert "violations" not in d["inference"]


def test_an_exception_that_is_false_is_a_failure(tmp_path: Path) -> None:
    class Empty(Exception):  # noqa: N818
        def __len__(self) -> int:
            return 0

    log = logger(tmp_path)
    with pytest.raises(Empty), log.prediction():
        raise Empty

    assert documents(tmp_path)[0]["event"]["outcome"] == "failure"
