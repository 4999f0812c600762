"""`InferenceLogger`: what a service calls. A call is total, and done when it returns."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, ParamSpec, Self

from collectors import context, events
from collectors.contract import Contract, load
from collectors.ids import event_id, own_id, sample_of
from collectors.masking import Hasher, Inputs, Masker, Tally, keyword, pairs, scalar, text
from collectors.segments import SegmentWriter, say

__all__ = ["Counters", "InferenceLogger", "Prediction", "SpoolSettings"]

Clock = Callable[[], datetime]
P = ParamSpec("P")


def total(method: Callable[P, None]) -> Callable[P, None]:
    """A call that never raises into the service: what fails is said once and left out."""

    @wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(*args, **kwargs)
        except Exception as error:
            say(f"{method.__name__}() was left out: {type(error).__name__}")

    return guarded


def utcnow() -> datetime:
    """The wall clock, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Counters:
    """What one logger did since its process started."""

    emitted: int
    dropped: int
    masked: int


@dataclass(frozen=True)
class SpoolSettings:
    """Spool folder, service name and hash key, from arguments or the environment."""

    spool: Path
    service: str
    key: bytes

    @classmethod
    def read(
        cls, spool: str | Path | None, service: str | None, key: bytes | None, default: str
    ) -> SpoolSettings:
        """Arguments first, then VIGIE_SPOOL, VIGIE_SERVICE and VIGIE_HASH_KEY_FILE."""
        folder = spool or os.environ.get("VIGIE_SPOOL") or "vigie-spool"
        name = service or os.environ.get("VIGIE_SERVICE") or default
        clean = keyword(name, Tally(), 64) or default
        return cls(Path(folder), clean, key or _key())


def _key() -> bytes:
    path = os.environ.get("VIGIE_HASH_KEY_FILE")
    if path:
        try:
            key = Path(path).read_bytes().strip()
        except OSError as error:
            reason = error.strerror or str(error)
            raise ValueError(
                f"VIGIE_HASH_KEY_FILE {path}: {reason}; name a readable file"
            ) from error
        if len(key) >= 16:
            return key
        cure = "write one with `openssl rand -hex 32`"
        raise ValueError(f"VIGIE_HASH_KEY_FILE {path}: holds {len(key)} bytes, needs 16; {cure}")
    say("no VIGIE_HASH_KEY_FILE: hashes of this process cannot be joined with another's")
    return secrets.token_bytes(32)


class InferenceLogger:
    """Logs predictions, labels and feedback of one model.

    Args:
        contract: the model's contract, or the path of its file.
        spool: folder for segments; default VIGIE_SPOOL, else `vigie-spool`.
        service: name of the service; default VIGIE_SERVICE, else the model's name.
        hash_key: key of pseudonyms, at least 16 bytes; default from VIGIE_HASH_KEY_FILE.
        clock: the wall clock, for tests.

    Raises:
        ContractError: the contract cannot be used.
        SpoolError: the spool cannot be written. After construction nothing raises any more.

    """

    def __init__(
        self,
        contract: str | Path | Contract,
        *,
        spool: str | Path | None = None,
        service: str | None = None,
        hash_key: bytes | None = None,
        clock: Clock = utcnow,
    ) -> None:
        self.contract = contract if isinstance(contract, Contract) else load(contract)
        settings = SpoolSettings.read(spool, service, hash_key, self.contract.model)
        self.service = settings.service
        self.clock = clock
        self.masker = Masker(self.contract, Hasher(settings.key))
        self.writer = SegmentWriter(settings.spool, settings.service)
        self._contract = {"version": self.contract.version}
        self._critical = self.contract.critical
        self._horizon = self.contract.horizon
        self._family = f"vigie-inference-{self.contract.model}"
        self._sequence = self._dropped = self._masked = 0
        self._pid = os.getpid()

    @property
    def counters(self) -> Counters:
        """Events written, events dropped and values masked since the process started."""
        return Counters(self._sequence, self._dropped + self.writer.dropped, self._masked)

    def prediction(
        self,
        *,
        version: str = "unknown",
        features: Mapping[str, Any] | None = None,
        identifiers: Mapping[str, Any] | None = None,
        endpoint: str | None = None,
        at: datetime | None = None,
        parameters: Mapping[str, Any] | None = None,
        origin: Literal["live", "shadow", "replay", "robustness"] = "live",
        stage: str | None = None,
        **context_fields: Any,
    ) -> Prediction:
        """A prediction to be timed and logged by a `with` block.

        Args:
            version: version of the model that answers.
            features: inputs by name; what the contract does not name is dropped.
            identifiers: keys of the subject by name; stored as keyed hashes.
            endpoint: path that was called.
            at: time of the prediction when it is not now (back-fill).
            parameters: free parameters, stored as `name=value`.
            origin: only `live` traffic counts in indicators.
            stage: registry stage of the model.
            context_fields: trace_id, span_id, session, tenant, or any other `name=value`.

        """
        given = ({} if x is None else x for x in (features, identifiers, parameters))
        call = _Call(version, endpoint, at, *given)
        return Prediction(self, call, origin, stage, context_fields)

    @total
    def label(
        self,
        prediction_id: str,
        label: object,
        *,
        source: str = "unknown",
        at: datetime | None = None,
        kind: Literal["label", "correction", "decision", "review"] = "label",
    ) -> None:
        """The true, corrected or decided label of a prediction, however late."""
        tally = Tally()
        number = None if self.contract.output.labels else _number(label)
        values = {"label": self.masker.label(label, tally), "value": number}
        kind = kind if kind in _KINDS else "label"
        self._feedback(kind, (prediction_id, source), at, values, tally)

    @total
    def feedback(
        self,
        prediction_id: str,
        *,
        rating: float | None = None,
        comment: str | None = None,
        source: str = "user",
        at: datetime | None = None,
    ) -> None:
        """What a user said of a prediction; the comment is stored masked."""
        tally = Tally()
        values = {"rating": _bounded(rating), "comment": text(comment, tally, 2048)}
        self._feedback("rating", (prediction_id, source), at, values, tally)

    @total
    def heartbeat(self, *, at: datetime | None = None, interval_s: float = 60.0) -> None:
        """Says that the service lives, and that it speaks again within `interval_s`."""
        counters = self.counters
        beat = {
            "interval_s": _number(interval_s) or 60.0,
            "emitted": counters.emitted + 1,
            "dropped": counters.dropped,
            "masked": counters.masked,
        }
        document = {"event": {"action": "heartbeat"}, "model": {"name": self.contract.model}}
        self.emit("vigie-service", {**document, "heartbeat": beat}, self.moment(at), Tally())

    def close(self) -> None:
        """Write what waits and close the segment."""
        self.writer.close()

    def moment(self, at: datetime | None) -> events.Moment:
        """Event time and the time of writing; whatever is not a datetime counts as now."""
        created = self.clock()
        if not isinstance(at, datetime):
            return events.Moment(created, created)
        try:
            at = datetime.fromisoformat(at.isoformat())  # pandas' NaT is a datetime, and is none
            utc = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except Exception:
            return events.Moment(created, created)
        return events.Moment(utc, created)

    def emit(
        self, family: str, document: dict[str, Any], moment: events.Moment, tally: Tally
    ) -> None:
        """Complete, encode and write one event. Never raises."""
        try:
            self._emit(family, document, moment, tally)
        except Exception as error:
            self._dropped += 1
            say(f"an event was dropped: {type(error).__name__}")

    def _emit(
        self, family: str, document: dict[str, Any], moment: events.Moment, tally: Tally
    ) -> None:
        if self._pid != os.getpid():
            self._pid, self._sequence, self._dropped, self._masked = os.getpid(), 0, 0, 0
        horizon = events.SERVICE_HORIZON if family == "vigie-service" else self._horizon
        index, reason = events.index_of(family, moment, horizon)
        self._sequence += 1
        self._masked += tally.masked
        event = document["event"]
        if "id" not in event:
            event["id"] = event_id(moment.at)
        event |= {"created": events.stamp(moment.created), "sequence": self._sequence}
        if reason:
            event["reason"] = reason
        head = {
            "@timestamp": moment.text,
            "vigie": {"index": index},
            "ecs": events.ECS,
            "service": {"name": self.service, "node": {"name": self.writer.node}},
            "masking": tally.fields(),
        }
        self.writer.write(events.encode({**head, **document}))

    def _feedback(
        self,
        kind: str,
        about: tuple[object, object],
        at: datetime | None,
        values: Mapping[str, Any],
        tally: Tally,
    ) -> None:
        moment = self.moment(at)
        prediction_id = own_id(about[0]) or keyword(about[0], tally)
        source = keyword(about[1], tally)
        document = events.feedback(
            self.contract, kind, prediction_id or "", moment,
            source=source or "unknown", version=self._contract["version"],
            values=values,
        )  # fmt: skip
        context_fields = context.fields(context.current(), self.masker.hasher, tally)
        family = f"vigie-feedback-{self.contract.model}"
        self.emit(family, {**context_fields, **document}, moment, tally)


@dataclass(frozen=True, slots=True)
class _Call:
    version: object
    endpoint: object
    at: datetime | None
    features: Mapping[str, Any]
    identifiers: Mapping[str, Any]
    parameters: Mapping[str, Any]


class Prediction:
    """One prediction in the making: `with` times it, an exception is recorded and re-raised."""

    def __init__(
        self,
        log: InferenceLogger,
        call: _Call,
        origin: str,
        stage: str | None,
        context_fields: Mapping[str, Any],
    ) -> None:
        self._log, self._call = log, call
        self._moment = log.moment(call.at)
        self._origin, self._stage, self._context = origin, stage, context_fields
        self._output: dict[str, Any] = {}
        self._values: dict[str, Any] = {}
        self._facts: dict[str, Any] = {}
        self._more: dict[str, Any] = {}
        self._tally = Tally()
        self.id = event_id(self._moment.at)
        self._start = time.perf_counter_ns()

    @total
    def output(
        self, *, label: object = None, score: float | None = None, value: float | None = None
    ) -> None:
        """What the model answered: a label with its score, or a number."""
        stored = self._log.masker.label(label, self._tally)
        kept = {"label": stored, "score": _number(score), "value": _number(value)}
        self._output = {k: v for k, v in kept.items() if v is not None}
        self._values = {"label": stored, "score": kept["score"]}
        if self._log._critical is not None:  # noqa: SLF001 - one unit, two classes
            self._facts["critical"] = int(stored == self._log._critical)  # noqa: SLF001

    @total
    def execution(
        self,
        *,
        retries: int | None = None,
        fallback: bool | None = None,
        cache_hit: bool | None = None,
        status_code: int | None = None,
    ) -> None:
        """How the answer came about."""
        flags = {"retries": retries, "fallback": fallback, "cache_hit": cache_hit}
        self._facts |= {k: n for k, v in flags.items() if (n := _whole(v)) is not None}
        if (code := _whole(status_code)) is not None:
            self._more["http"] = {"response": {"status_code": code}}

    @total
    def cost(
        self,
        amount: float | None = None,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
    ) -> None:
        """Price of the call in the contract's currency, and the tokens that made it."""
        if _number(amount) is not None:
            currency = self._log.contract.cost.currency
            self._facts["cost"] = {"amount": _number(amount), "currency": currency}
        tokens = {"input_tokens": input_tokens, "output_tokens": output_tokens}
        used = {k: n for k, v in tokens.items() if (n := _whole(v)) is not None}
        if used:
            self._more["gen_ai"] = {"usage": used}

    def __enter__(self) -> Self:
        self._start = time.perf_counter_ns()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        duration = time.perf_counter_ns() - self._start
        try:
            document = self._document(duration, error)
        except Exception:
            self._tally.dropped += 1
            document = {"event": {"id": self.id, "action": "prediction", "reason": "unmaskable"}}
        family = self._log._family  # noqa: SLF001 - one unit, two classes
        self._log.emit(family, document, self._moment, self._tally)

    def _document(self, duration: int, error: BaseException | None) -> dict[str, Any]:
        tally, masker = self._tally, self._log.masker
        inputs = masker.inputs(self._call.features, tally)
        bound = {**context.current(), **self._context}
        document = context.fields(bound, masker.hasher, tally) if bound else {}
        document["event"] = {
            "id": self.id,
            "action": "prediction",
            "outcome": "success" if error is None else "failure",
            "duration": duration,
        }
        document["model"] = self._model(tally)
        document["contract"] = self._log._contract  # noqa: SLF001 - one unit, two classes
        if self._call.endpoint is not None:
            document["url"] = {"path": keyword(self._call.endpoint, tally)}
        if error is not None:
            document["error"] = events.failure(error, tally)
        inference = self._inference(inputs, error is not None)
        document["inference"] = {**document.get("inference", {}), **inference}
        return {**document, **self._more}

    def _model(self, tally: Tally) -> dict[str, Any]:
        model = {
            "name": self._log.contract.model,
            "version": keyword(self._call.version, tally, 64) or "unknown",
        }
        return model if self._stage is None else {**model, "stage": keyword(self._stage, tally)}

    def _inference(self, inputs: Inputs, failed: bool) -> dict[str, Any]:
        call, tally, masker = self._call, self._tally, self._log.masker
        found = {
            "missing": inputs.missing,
            "mistyped": inputs.mistyped,
            "out_of_range": inputs.out_of_range,
            "unseen": inputs.unseen,
            "groups": inputs.groups,
            "texts": inputs.texts,
            "identifiers": masker.identifiers(call.identifiers, tally) if call.identifiers else {},
            "parameters": pairs(call.parameters, tally) if call.parameters else [],
            "violations": self._violations(),
            "output": self._output,
        }
        broken = inputs.missing or inputs.mistyped or inputs.out_of_range or inputs.unseen
        return {
            "sample": sample_of(self.id),
            "origin": self._origin if self._origin in _ORIGINS else "replay",
            "failed": int(failed),
            "invalid": int(bool(broken)),
            "features": {"numeric": inputs.numeric, "categorical": inputs.categorical},
            **{k: v for k, v in found.items() if v},
            **self._facts,
        }

    def _violations(self) -> list[str]:
        if not self._log.masker.has_rules:
            return []
        return self._log.masker.violations({**self._call.features, **self._values})


_KINDS = frozenset({"label", "correction", "decision", "review"})
_ORIGINS = frozenset({"live", "shadow", "replay", "robustness"})


def _whole(value: object) -> int | None:
    """A count that 31 bits hold, or None."""
    number = float(value) if isinstance(value, bool) else _number(value)
    return int(number) if number is not None and abs(number) < 2**31 else None


def _bounded(value: object) -> float | None:
    """A rating: what is larger than any scale is something else, a telephone number perhaps."""
    number = _number(value)
    return number if number is not None and abs(number) <= 1000 else None


def _number(value: object) -> float | None:
    """A finite number, or None; numpy scalars count, booleans do not."""
    value = scalar(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if abs(number) < float("inf") else None
