"""The HTTP service of one model, as a team would write it, with a simulated clock in a header.

POST /predict             {"instances": [{"features": {...}, ...}]}   x-demo-at: one time each
POST /predict/{anything}  the same, under another endpoint
POST /labels              {"labels": [{"id": ..., "label": ..., "at": ...}]}
POST /heartbeat           {"at": ..., "interval_s": ...}
GET  /health
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import collectors
from analyzers.windows import parse
from collectors import context
from scripts.demo.models import MODELS, Classifier, load

__all__ = ["FeatureStoreError", "Service", "application"]

logger = logging.getLogger("scripts.demo.service")
Json = dict[str, Any]


class FeatureStoreError(RuntimeError):
    """The model's feature store did not deliver."""


class Service:
    """One model behind its logger."""

    def __init__(self, model: Classifier, log: collectors.InferenceLogger, source: str) -> None:
        self.model, self.log, self.source = model, log, source

    def predict(self, instances: list[Json], times: list[datetime | None], path: str) -> list[Json]:
        """Answer every instance; a failed one answers its error."""
        pairs = zip(instances, times, strict=True)
        return [self._answer(instance, at, path) for instance, at in pairs]

    def _answer(self, instance: Json, at: datetime | None, path: str) -> Json:
        with context.bind(**instance.get("context", {})):
            answer = self._predict(instance, at, path)
            self._aftermath(instance, answer["id"], at)
        return answer

    def _predict(self, instance: Json, at: datetime | None, path: str) -> Json:
        prediction = self.log.prediction(
            version=instance.get("version", self.model.version),
            features=instance["features"],
            identifiers=instance.get("identifiers"),
            parameters=instance.get("parameters"),
            endpoint=path,
            at=at,
            **{k: instance[k] for k in ("session", "tenant", "trace_id") if k in instance},
        )
        try:
            with prediction:
                _feature_store(instance.get("trouble", {}))
                label, score = self.model.predict(instance["features"])
                prediction.output(label=label, score=score)
        except Exception as error:  # answered as a 500, as frameworks do
            return {"id": prediction.id, "error": type(error).__name__}
        return {"id": prediction.id, "label": label, "score": score}

    def _aftermath(self, instance: Json, prediction_id: str, at: datetime | None) -> None:
        """What this call alone makes the service log besides its prediction."""
        if record := instance.get("log"):
            _log(record, at)
        if feedback := instance.get("feedback"):
            self._feedback(feedback, prediction_id, at)

    def _feedback(self, item: Json, prediction_id: str, at: datetime | None) -> None:
        if "label" in item:
            self.log.label(prediction_id, item["label"], source=self.source, at=at)
            return
        rating, comment = item.get("rating"), item.get("comment")
        source = item.get("source", "user")
        self.log.feedback(prediction_id, rating=rating, comment=comment, source=source, at=at)

    def labels(self, labels: list[Json]) -> int:
        """Log labels that arrived."""
        for item in labels:
            self.log.label(item["id"], item["label"], source=self.source, at=parse(item["at"]))
        return len(labels)

    def heartbeat(self, at: str | None, interval_s: float) -> None:
        """Say that the service lives."""
        self.log.heartbeat(at=parse(at) if at else None, interval_s=interval_s)


def _feature_store(trouble: Mapping[str, Any]) -> None:
    """The part of the model path that faults happen in: it may sleep or raise, for real."""
    if "sleep_s" in trouble:
        time.sleep(trouble["sleep_s"])
    if "error" in trouble:
        raise FeatureStoreError(trouble["error"])
    if "cause" in trouble:
        raise FeatureStoreError("a row is unreadable") from ValueError(trouble["cause"])


def _log(item: Json, at: datetime | None) -> None:
    """A standard log record, on the simulated clock."""
    error = FeatureStoreError(item["error"]) if "error" in item else None
    trace = (type(error), error, None) if error else None
    record = logger.makeRecord(
        logger.name, logging.WARNING, __file__, 0, item["message"],
        tuple(item.get("arguments", ())), trace, extra=item.get("extra"),
    )  # fmt: skip
    if at is not None:
        record.created = at.timestamp()
    logger.handle(record)


def application(service: Service) -> Starlette:
    """The routes."""

    async def predict(request: Request) -> Response:
        body = orjson.loads(await request.body())["instances"]
        times = _times(request.headers.get("x-demo-at"), len(body))
        path = unquote(request.url.path)
        answers = await run_in_threadpool(service.predict, body, times, path)
        failed = any("error" in answer for answer in answers)
        return _json({"predictions": answers}, 500 if failed else 200)

    async def labels(request: Request) -> Response:
        body = orjson.loads(await request.body())["labels"]
        return _json({"accepted": await run_in_threadpool(service.labels, body)})

    async def heartbeat(request: Request) -> Response:
        body = orjson.loads(await request.body())
        service.heartbeat(body.get("at"), body["interval_s"])
        return _json({})

    async def health(_request: Request) -> Response:
        return _json({"status": "ok"})

    return Starlette(
        routes=[
            _post("/predict", predict),
            _post("/predict/{rest:path}", predict),
            _post("/labels", labels),
            _post("/heartbeat", heartbeat),
            Route("/health", health),
        ]
    )


def _post(path: str, handler: Callable[[Request], Awaitable[Response]]) -> Route:
    return Route(path, handler, methods=["POST"])


def _json(value: Json, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


def _times(header: str | None, count: int) -> list[datetime | None]:
    return [parse(text) for text in header.split(",")] if header else [None] * count


@click.command(epilog="Example: python -m scripts.demo.service --model digit-reader ...")
@click.option("--model", required=True, help="Name of the model.")
@click.option("--file", required=True, type=click.Path(path_type=Path), help="Trained classifier.")
@click.option("--contract", required=True, type=click.Path(path_type=Path), help="Its contract.")
@click.option("--spool", required=True, type=click.Path(path_type=Path), help="Folder of segments.")
@click.option("--port-file", required=True, type=click.Path(path_type=Path), help="Gets the port.")
def main(model: str, file: Path, contract: Path, spool: Path, port_file: Path) -> None:
    """Serve one model on a free port of 127.0.0.1 until SIGTERM."""
    spec = next(spec for spec in MODELS if spec.name == model)
    log = collectors.InferenceLogger(contract, spool=spool, service=model)
    collectors.configure_logging(service=f"{model}-log", spool=spool, level=logging.WARNING)
    app = application(Service(load(file), log, spec.source))
    with _listener() as listener:
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
        )
        fresh = port_file.with_suffix(".new")
        fresh.write_text(str(listener.getsockname()[1]))
        fresh.replace(port_file)
        server.run(sockets=[listener])
    log.close()


def _listener() -> socket.socket:
    """A free port of 127.0.0.1; asyncio sends without delay only where TCP is named."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(256)
    return listener


if __name__ == "__main__":
    main()
