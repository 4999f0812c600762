"""Planted personal data: well formed, of every kind in every place, and found wherever it leaks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest

import collectors
from collectors.pii import iban_valid, luhn_valid, nir_valid
from scripts.demo import scan
from scripts.demo.canaries import KINDS, PLACES, Canary, call, plant
from scripts.demo.models import RISK, Classifier
from scripts.demo.scan import Finder, file_parts
from scripts.demo.service import Service
from scripts.demo.timeline import Timeline
from scripts.demo.traffic import Instance
from tests.unit.test_demo_world import NOW

CANARIES = plant(np.random.default_rng(4))
CONTRACT = Path(scan.__file__).parent / "contracts" / f"{RISK}.yaml"
FEATURES = {
    "age": 50.0, "sex": "male", "bmi": 25.0, "bp": 90.0, "tc": 180.0, "ldl": 110.0,
    "hdl": 50.0, "tch": 4.0, "ltg": 4.6, "glucose": 90.0, "referral": "cardiologist",
    "note": "suivi annuel",
}  # fmt: skip


def of(kind: str) -> list[str]:
    return ["".join(filter(str.isalnum, c.text)) for c in CANARIES if c.kind == kind]


def test_there_is_one_canary_of_every_kind_in_every_place() -> None:
    assert len(CANARIES) == len(KINDS) * len(PLACES) == len({c.secret for c in CANARIES}) >= 200
    assert len({(c.kind, c.place) for c in CANARIES}) == len(CANARIES)


def test_numbers_carry_valid_checksums() -> None:
    assert all(map(iban_valid, of("iban")))
    assert all(map(luhn_valid, of("card")))
    assert all(map(nir_valid, of("nir")))


@pytest.mark.parametrize("spelled", ['{{"a":"{}"}}', "joindre {} avant midi", "x={};"])
def test_a_leak_is_found_as_it_was_planted(spelled: str) -> None:
    finder = Finder(CANARIES)
    for canary in CANARIES:
        assert finder.found(spelled.format(canary.text).encode()) == {canary}


@pytest.mark.parametrize(
    ("text", "leaked"),
    [
        ("06 39 98 12 34", "0639981234"),
        ("06.39.98.12.34", "+33 (6) 39 98 12 34"),
        ("4970 1012 3456 7893", "4970101234567893"),
    ],
)
def test_a_leak_is_found_in_another_spelling(text: str, leaked: str) -> None:
    kind, mark = ("card", "497010") if text.startswith("4") else ("phone_fr", "63998")
    canary = Canary(kind, text, mark)
    assert Finder([canary]).found(leaked.encode()) == {canary}


def test_digits_of_a_longer_number_are_no_leak() -> None:
    finder = Finder([Canary("phone_fr", "06 39 98 12 34", "63998")])
    assert not finder.found(b'{"score":0.0639981234,"ns":33639981234000}')
    assert finder.found(b"n06 39 98 12 345")  # the very spelling, whatever stands around it


def test_files_are_read_in_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"".join(b"%d\n" % i for i in range(1000)))
    monkeypatch.setattr(scan, "PART", 100)
    parts = list(file_parts(path))
    assert len(parts) > 20 and b"".join(parts) == path.read_bytes()
    assert all(part.endswith(b"\n") for part in parts)


class _Estimator:
    @staticmethod
    def predict_proba(rows: np.ndarray) -> np.ndarray:
        return np.array([[0.3, 0.7]] * len(rows))


def service(spool: Path) -> Service:
    log = collectors.InferenceLogger(CONTRACT, spool=spool, service=RISK, hash_key=b"k" * 32)
    names = ("age", "bmi", "bp", "tc", "ldl", "hdl", "tch", "ltg", "glucose")
    return Service(Classifier("3.2.0", names, True, _Estimator(), 0.4), log, "clinic")


def test_no_canary_passes_the_service(tmp_path: Path) -> None:
    """Each planted as the demo plants it; the same spool must hold one line at least for each."""
    handler = collectors.configure_logging(service="log", spool=tmp_path, hash_key=b"k" * 32)
    try:
        under_test = service(tmp_path)
        for canary in CANARIES:
            sent = call(canary, RISK, Instance(Timeline.ending(NOW).start, FEATURES, "low"))
            bodies = orjson.loads(orjson.dumps([i.body() for i in sent.instances]))
            path = sent.path if canary.place != "path" else f"/predict/{canary.text}"
            under_test.predict(bodies, [i.at for i in sent.instances], path)
        under_test.log.close()
    finally:
        collectors_root_without(handler)
    lines = b"".join(path.read_bytes() for path in tmp_path.rglob("*.jsonl"))
    assert lines.count(b"\n") >= len(CANARIES)
    assert not Finder(CANARIES).found(lines)


def collectors_root_without(handler: collectors.SegmentHandler) -> None:
    import logging

    logging.getLogger().removeHandler(handler)
    handler.close()


def test_a_failure_is_answered_and_logged(tmp_path: Path) -> None:
    under_test = service(tmp_path)
    trouble = {"trouble": {"error": "no answer from the feature store"}}
    bad, good = under_test.predict(
        [{"features": FEATURES, **trouble}, {"features": FEATURES}], [None, None], "/predict"
    )
    assert bad["error"] == "FeatureStoreError"
    assert (good["label"], good["score"]) == ("high", 0.7)
    under_test.log.close()
    (segment,) = tmp_path.rglob("*.jsonl")
    events = [orjson.loads(line) for line in segment.read_bytes().splitlines()]
    assert [e["event"]["id"] for e in events] == [bad["id"], good["id"]]
    assert [e["event"]["outcome"] for e in events] == ["failure", "success"]
