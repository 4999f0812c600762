"""What calls the services: keep-alive connections, several requests at once, answers in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import orjson
import urllib3

from scripts.demo.traffic import Call

__all__ = ["Clients", "ServiceError"]

CONNECTIONS = 16
TIMEOUT_S = 30.0


class ServiceError(RuntimeError):
    """A service does not answer as it should."""


class Clients:
    """Connections to all services; `workers` requests are under way at most."""

    def __init__(self, addresses: Mapping[str, str], workers: int = CONNECTIONS) -> None:
        self._pools = {
            model: urllib3.connection_from_url(
                url, maxsize=workers, block=True, timeout=TIMEOUT_S, retries=False
            )
            for model, url in addresses.items()
        }
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="demo-client")

    def predict(self, calls: Sequence[Call]) -> list[list[str]]:
        """Send the calls, oldest first; ids of the predictions that each made.

        A model's calls follow each other on one connection, but nobody waits behind a slow one.
        """
        lanes: dict[tuple[str, int], list[int]] = {}
        for number, call in enumerate(calls):
            lanes.setdefault((call.model, number if call.slow else -1), []).append(number)

        def send(lane: Sequence[int]) -> list[tuple[int, list[str]]]:
            return [(number, self._predict(calls[number])) for number in lane]

        answers = dict(x for lane in self._workers.map(send, lanes.values()) for x in lane)
        return [answers[number] for number in range(len(calls))]

    def _predict(self, call: Call) -> list[str]:
        headers = {"x-demo-at": call.header}
        body = {"instances": [instance.body() for instance in call.instances]}
        answer = self.post(call.model, call.path, body, headers)
        return [prediction["id"] for prediction in answer["predictions"]]

    def post(
        self, model: str, path: str, body: Any, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Send one JSON body; a 500 is an answer too, since faults make them."""
        sent = {"content-type": "application/json", **(headers or {})}
        try:
            answer = self._pools[model].urlopen("POST", path, body=orjson.dumps(body), headers=sent)
        except urllib3.exceptions.HTTPError as error:
            raise ServiceError(f"the service of {model} does not answer: {error}") from error
        if answer.status not in (200, 500):
            raise ServiceError(f"{model}{path} answered {answer.status}: {answer.data[:200]!r}")
        return orjson.loads(answer.data)

    def close(self) -> None:
        """End all connections."""
        self._workers.shutdown(cancel_futures=True)
        for pool in self._pools.values():
            pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()
