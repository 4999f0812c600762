"""The outcome of one prediction: what it answered, joined with the label that counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from analyzers.windows import parse
from collectors.contract import Contract

__all__ = ["Row", "outcome", "winner"]

Row = Mapping[str, Any]


def outcome(
    contract: Contract, prediction: Row, labels: Sequence[Row], strays: int = 0
) -> dict[str, Any]:
    """The outcome document of a prediction and its labels.

    Args:
        contract: names the positive and critical labels and the order of sources.
        prediction: flattened prediction.
        labels: flattened labels of it, in any order.
        strays: labels of the hour that belong to no prediction, counted here so that they are
            not taken for news.

    """
    won = winner(contract, labels)
    output = _nested(prediction, "inference.output.")
    groups = _nested(prediction, "inference.groups.")
    inference = {"origin": prediction["inference.origin"], "output": output, "groups": groups}
    return {
        "@timestamp": prediction["@timestamp"],
        "event": {"id": prediction["event.id"]},
        "model": {"name": contract.model, "version": prediction.get("model.version", "unknown")},
        "contract": {"version": contract.version},
        "inference": {k: v for k, v in inference.items() if v},
        "outcome": {
            "labels": len(labels) + strays,
            "labelled": int(won is not None),
            **(_judged(contract, output, won) if won else {}),
        },
    }


def winner(contract: Contract, labels: Sequence[Row]) -> Row | None:
    """The label that counts: by source order, then label time, then arrival (latest wins)."""
    order = {source: rank for rank, source in enumerate(contract.labels.sources)}

    def rank(row: Row) -> tuple[int, datetime, datetime]:
        place = order.get(row.get("feedback.source", ""), len(order))
        return (-place, parse(row["@timestamp"]), parse(row["event.created"]))

    return max(labels, key=rank, default=None)


def _judged(contract: Contract, output: Row, won: Row) -> dict[str, Any]:
    known = {"source": won.get("feedback.source"), "at": won["@timestamp"]}
    truth, value = won.get("feedback.label"), won.get("feedback.value")
    answered = output.get("label")
    if truth is not None and answered is not None:
        known |= {"label": truth, "correct": int(truth == answered)}
        known |= _binary(contract, truth, answered)
    if value is not None and output.get("value") is not None:
        known |= {"value": value, "squared_error": (value - output["value"]) ** 2}
    return known


def _binary(contract: Contract, truth: str, answered: str) -> dict[str, int]:
    flags: dict[str, int] = {}
    if contract.positive is not None:
        yes, said = truth == contract.positive, answered == contract.positive
        flags = {
            "tp": int(yes and said), "fp": int(said and not yes),
            "fn": int(yes and not said), "tn": int(not yes and not said),
        }  # fmt: skip
    critical = contract.critical
    if critical is not None:
        flags["critical_fp"] = int(answered == critical != truth)
        flags["critical_fn"] = int(truth == critical != answered)
    return flags


def _nested(row: Row, prefix: str) -> dict[str, Any]:
    return {k.removeprefix(prefix): v for k, v in row.items() if k.startswith(prefix)}
