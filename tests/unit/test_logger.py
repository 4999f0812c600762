"""A log call gives one whole, masked line, and never disturbs the service."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import collectors
from collectors.ids import moment_of, sample_of
from tests.sample import documents, lines, logger

TRACE = "0af7651916cd43dd8448eb211c80319c"
AT = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)


def test_a_prediction_is_one_line_with_its_own_index_and_id(tmp_path: Path) -> None:
    log = logger(tmp_path)

    with log.prediction(version="3.2.0", features={"age": 41, "purpose": "car"}, at=AT) as p:
        p.output(label="accepted", score=0.83)

    (d,) = documents(tmp_path)
    assert d["vigie"]["index"] == f"vigie-inference-credit-scoring-{AT:%Y.%m.%d}"
    assert d["event"]["id"] == p.id
    assert moment_of(p.id) == AT
    assert d["inference"]["sample"] == sample_of(p.id)
    assert d["inference"]["features"]["numeric"]["age"] == 41.0
    assert d["inference"]["groups"] == {"purpose_group": "car", "age_band": "30-50"}
    assert d["inference"]["output"] == {"label": "accepted", "score": 0.83}
    assert d["inference"]["failed"] == 0


def test_an_exception_is_recorded_and_raised_again(tmp_path: Path) -> None:
    log = logger(tmp_path)

    with pytest.raises(TimeoutError), log.prediction(features={"age": 41}):
        raise TimeoutError("no answer for jean@example.org")

    (d,) = documents(tmp_path)
    assert d["event"]["outcome"] == "failure"
    assert d["inference"]["failed"] == 1
    assert d["error"]["code"] == "timeout"
    assert b"jean@" not in lines(tmp_path)[0]


def test_masking_follows_the_contract(tmp_path: Path) -> None:
    log = logger(tmp_path)
    features = {
        "age": 17, "income": 12_345.6, "purpose": "yacht", "code": "ABCDEF", "secret": "x",
        "account": "FR76", "comment": "appelez 0612345678", "note": "appelez 0612345678", "zip": 1,
    }  # fmt: skip

    with log.prediction(features=features, identifiers={"customer_id": 42, "other": 1}) as p:
        p.output(label="maybe")

    (d,) = documents(tmp_path)
    inference, raw = d["inference"], lines(tmp_path)[0]
    assert inference["features"]["numeric"]["income"] == 12_000.0
    assert inference["features"]["categorical"]["purpose"].startswith("h1:")
    assert inference["features"]["categorical"]["code"] == "ABC"
    assert inference["features"]["categorical"]["account"].startswith("h1:")
    assert inference["features"]["numeric"]["comment_words"] == 2.0
    assert inference["texts"] == {"note": "appelez [phone]"}
    assert inference["identifiers"]["customer_id"].startswith("h1:")
    assert inference["out_of_range"] == ["age"]
    assert inference["unseen"] == ["purpose"]
    assert inference["missing"] == ["referral"]
    assert inference["violations"] == ["no_minor"]
    assert inference["output"]["label"].startswith("h1:")
    assert d["masking"]["dropped"] == 2
    for secret in (b"yacht", b"0612345678", b"zip", b"other", b"maybe"):
        assert secret not in raw


def test_wrong_types_are_named_and_numpy_is_welcome(tmp_path: Path) -> None:
    log = logger(tmp_path)

    with log.prediction(features={"age": "forty", "income": np.float64(1999.0)}) as p:
        p.output(label=np.str_("accepted"), score=np.float32(0.5))

    (d,) = documents(tmp_path)
    assert d["inference"]["mistyped"] == ["age"]
    assert d["inference"]["features"]["numeric"]["income"] == 1000.0
    assert d["inference"]["output"] == {"label": "accepted", "score": 0.5}


def test_a_label_is_the_same_document_however_often_it_comes(tmp_path: Path) -> None:
    log = logger(tmp_path)
    with log.prediction(at=AT) as p:
        pass

    for _ in range(2):
        log.label(p.id, "refused", source="core-banking", at=AT + timedelta(days=1))

    _, first, again = documents(tmp_path)
    assert first["event"]["id"] == again["event"]["id"]
    assert (
        first["vigie"]["index"] == f"vigie-feedback-credit-scoring-{AT + timedelta(days=1):%Y.%m}"
    )
    assert first["feedback"]["delay_s"] == 86_400.0
    assert first["feedback"]["label"] == "refused"


def test_times_outside_the_horizon_are_put_aside_not_filed(tmp_path: Path) -> None:
    log = logger(tmp_path)

    for at in (datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)):
        with log.prediction(at=at):
            pass

    for d in documents(tmp_path):
        assert d["vigie"]["index"].startswith("vigie-unparsed-")
        assert d["event"]["reason"] == "time_out_of_range"


def test_context_reaches_every_event(tmp_path: Path) -> None:
    log = logger(tmp_path)
    handler = collectors.configure_logging("scoring-api", spool=tmp_path, hash_key=b"k" * 32)

    try:
        with collectors.bind(
            trace_id=TRACE,
            session="s-1",
            tenant="bank-7",
            campaign="autumn",
        ):
            with log.prediction():
                pass
            logging.getLogger("app").warning("cold for %s", "jean@example.org", extra={"k": 1})
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()

    for d in documents(tmp_path):
        assert d["trace"]["id"] == TRACE
        assert d["session"]["id"].startswith("h1:")
        assert d["organization"]["id"] == "bank-7"
        assert d["inference"]["context"] == ["campaign=autumn"]
    record = next(d for d in documents(tmp_path) if d["event"]["action"] == "log")
    assert record["message"] == "cold for [email]"
    assert record["inference"]["parameters"] == ["k=1"]


def test_heartbeats_tell_the_counters(tmp_path: Path) -> None:
    log = logger(tmp_path)
    with log.prediction(features={"account": "x"}):
        pass

    log.heartbeat(interval_s=30.0)

    beat = documents(tmp_path)[-1]
    assert beat["heartbeat"] == {"interval_s": 30.0, "emitted": 2, "dropped": 0, "masked": 1}
    assert log.counters.emitted == 2


def test_a_fork_writes_its_own_segment(tmp_path: Path) -> None:
    log = logger(tmp_path)
    with log.prediction():
        pass

    child = os.fork()
    if child == 0:
        with log.prediction():
            pass
        os._exit(0)
    os.waitpid(child, 0)
    with log.prediction():
        pass

    assert len(list(tmp_path.glob("*/*.jsonl"))) == 2
    assert [d["event"]["sequence"] for d in documents(tmp_path)].count(1) == 2
    assert len({d["event"]["id"] for d in documents(tmp_path)}) == 3


def test_an_id_is_of_the_hour_of_its_event(tmp_path: Path) -> None:
    log = logger(tmp_path)

    for hour in range(500):
        at = AT.replace(minute=0, second=0) - timedelta(hours=hour)
        with log.prediction(at=at) as p:
            pass
        assert moment_of(p.id) == at


def test_ids_are_never_taken_for_personal_data(tmp_path: Path) -> None:
    log = logger(tmp_path)
    ids = [log.prediction().id for _ in range(3000)]

    for identity in ids:
        log.label(identity, "accepted")

    assert [d["feedback"]["prediction_id"] for d in documents(tmp_path)] == ids
