"""What can go wrong between a client and the engine, each in one line with its cure.

    EngineError                 whatever goes wrong between here and the engine
    ├── EngineUnreachableError  nothing answers, or TLS fails; also the client's `ConnectionError`
    ├── EngineTimeoutError      no answer in time; also the client's `ConnectionTimeout`
    └── EngineRefusedError      401, or 403 of the security layer; also the client's `ApiError`

Every other answer (404, 409, 429, 5xx ...) stays what elasticsearch-py makes of it.
"""

from __future__ import annotations

import re
from typing import Any

from elastic_transport import ApiResponseMeta, TlsError
from elastic_transport import ConnectionError as NoConnection
from elasticsearch import ApiError, ConnectionTimeout

__all__ = [
    "EngineError",
    "EngineRefusedError",
    "EngineTimeoutError",
    "EngineUnreachableError",
    "one_line",
    "root_cause",
    "shown",
    "translated",
]

_CREDENTIALS_IN_URL = re.compile(r"(?<=//)\S*@|^(?!\w+://)\S*@")
_REFUSED_ACTION = re.compile(r"action \[[^\]]+\]")


class EngineError(Exception):
    """The engine cannot be used; the message names its address and the cure, never a credential."""

    def __str__(self) -> str:
        return str(self.args[0])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class EngineUnreachableError(EngineError, NoConnection):
    """Nothing answers at the address, or its TLS certificate is not trusted."""


class EngineTimeoutError(EngineError, ConnectionTimeout):
    """The engine did not answer in time; it may still carry the request out."""


class EngineRefusedError(EngineError, ApiError):
    """The engine refused the credentials (401) or what they ask for (403)."""


def translated(error: Exception, address: str) -> EngineError | None:
    """The one-line error for what no caller can judge better, None for everything else."""
    if isinstance(error, EngineError):
        return error
    if isinstance(error, ApiError):
        return _refusal(error.meta, error.body, address)
    if isinstance(error, ConnectionTimeout):
        return EngineTimeoutError(
            f"{address} did not answer in time; see whether it is overloaded, or allow it more time"
        )
    if isinstance(error, TlsError):
        return EngineUnreachableError(
            f"no trusted TLS connection to {address}: {root_cause(error)}; set VIGIE_CA to the "
            "certificate authority's file, or use http:// where the engine speaks no TLS"
        )
    if isinstance(error, NoConnection):
        return EngineUnreachableError(
            f"no engine answers at {address}: {root_cause(error)}; start it, or correct VIGIE_URL"
        )
    return None


def _refusal(meta: ApiResponseMeta, body: Any, address: str) -> EngineRefusedError | None:
    if meta.status == 401:
        text = (
            f"{address} refused the credentials (401); set VIGIE_API_KEY, or VIGIE_USER and "
            "VIGIE_PASSWORD, to valid ones"
        )
    elif meta.status == 403 and "security_exception" in str(body):
        action = _REFUSED_ACTION.search(str(body))
        text = (
            f"{address} forbids {action[0] if action else 'this request'} (403); grant it to the "
            "role of the credentials, or use others"
        )
    else:
        return None
    return EngineRefusedError(text, meta, body)


def root_cause(error: BaseException) -> str:
    """What the operating system or the TLS library said, without the layers between."""
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    if isinstance(error, OSError) and error.strerror:
        return one_line(error.strerror)
    return one_line(error)


def one_line(text: object) -> str:
    """A foreign message on one line, without credentials, cut where it becomes a page."""
    return shown(" ".join(str(text).split()))[:300]


def shown(url: str) -> str:
    """An address without the credentials in it.

    >>> shown("https://ada:secret@es.example:9200/search")
    'https://es.example:9200/search'
    """
    return _CREDENTIALS_IN_URL.sub("", url)
