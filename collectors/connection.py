"""The one place that makes an engine client, for Elasticsearch 9 and OpenSearch 3 alike.

    EngineError                 whatever goes wrong between here and the engine, in one line
    ├── EngineUnreachableError  nothing answers, or TLS fails; also the client's `ConnectionError`
    ├── EngineTimeoutError      no answer in time; also the client's `ConnectionTimeout`
    └── EngineRefusedError      401, or 403 of the security layer; also the client's `ApiError`

Every other answer (404, 409, 429, 5xx ...) stays what elasticsearch-py makes of it. The client
never retries by itself: a retry would hide the verdict on each item, which the shipper judges.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from elastic_transport import (
    ApiResponseMeta,
    HttpHeaders,
    TlsError,
    TransportError,
    Urllib3HttpNode,
)
from elastic_transport import ConnectionError as NoConnection
from elastic_transport._node import NodeApiResponse
from elastic_transport.client_utils import DEFAULT, DefaultType
from elasticsearch import ApiError, ConnectionTimeout, Elasticsearch
from elasticsearch.serializer import NdjsonSerializer, OrjsonSerializer

__all__ = [
    "DEFAULT_URL",
    "EngineError",
    "EngineInfo",
    "EngineNode",
    "EngineRefusedError",
    "EngineTimeoutError",
    "EngineUnreachableError",
    "Settings",
    "check",
    "connect",
]

DEFAULT_URL = "http://127.0.0.1:9200"
Flavor = Literal["elasticsearch", "opensearch"]

_VENDOR_TYPE = re.compile(
    r"application/vnd\.elasticsearch\+([\w.-]+)(?:\s*;\s*compatible-with=\d+)?"
)
_CREDENTIALS_IN_URL = re.compile(r"(^|//)\S*@")
_REFUSED_ACTION = re.compile(r"action \[[^\]]+\]")


class EngineError(Exception):
    """The engine cannot be used; the message names its address and the cure, never a credential."""

    def __str__(self) -> str:
        return str(self.args[0])


class EngineUnreachableError(EngineError, NoConnection):
    """Nothing answers at the address, or its TLS certificate is not trusted."""


class EngineTimeoutError(EngineError, ConnectionTimeout):
    """The engine did not answer in time; it may still carry the request out."""


class EngineRefusedError(EngineError, ApiError):
    """The engine refused the credentials (401) or what they ask for (403)."""


class EngineNode(Urllib3HttpNode):
    """An HTTP node that speaks plain media types, which both engines understand."""

    def perform_request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: DefaultType | float | None = DEFAULT,
    ) -> NodeApiResponse:
        """Send one request; vouch for the product, which OpenSearch does not name."""
        plain = HttpHeaders(
            {
                name: _VENDOR_TYPE.sub(r"application/\1", value)
                for name, value in (headers or {}).items()
            }
        )
        answer = super().perform_request(method, target, body, plain, request_timeout)
        named = HttpHeaders({"x-elastic-product": "Elasticsearch", **answer.meta.headers})
        return NodeApiResponse(replace(answer.meta, headers=named), answer.body)

    def _log_request(self, *_args: object, **_kwargs: object) -> None:
        """Log no bodies: a service that logs what it ships would ship what it logs."""


class _Ndjson(NdjsonSerializer):
    """Newline-delimited JSON encoded by orjson."""

    json_dumps = OrjsonSerializer.json_dumps
    json_loads = OrjsonSerializer.json_loads


class _Client(Elasticsearch):
    """The official client, with `EngineError` for what no caller can judge better."""

    def perform_request(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().perform_request(*args, **kwargs)
        except (ApiError, TransportError) as error:
            translated = _translate(error, self._address())
            if translated is None:
                raise
            raise translated from error

    def _address(self) -> str:
        return next(iter(self.transport.node_pool.all())).base_url


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the engine is and how to be let in."""

    url: str = DEFAULT_URL
    api_key: str | None = field(default=None, repr=False)
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: str | None = None

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read VIGIE_URL, _API_KEY, _USER, _PASSWORD and _CA; an empty value means unset."""
        env = os.environ if env is None else env
        return cls(
            url=env.get("VIGIE_URL") or DEFAULT_URL,
            api_key=env.get("VIGIE_API_KEY") or None,
            user=env.get("VIGIE_USER") or None,
            password=env.get("VIGIE_PASSWORD") or None,
            ca=env.get("VIGIE_CA") or None,
        )

    def connect(self, *, timeout_s: float = 10, connections: int = 10) -> Elasticsearch:
        """Make a client from these settings."""
        return connect(
            self.url,
            api_key=self.api_key,
            user=self.user,
            password=self.password,
            ca=self.ca,
            timeout_s=timeout_s,
            connections=connections,
        )


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What the engine said it is, and which features beyond the common core it can be asked for."""

    flavor: Flavor
    version: str
    ilm: bool
    security: bool
    watcher: bool
    licence: str = ""


def connect(
    url: str = DEFAULT_URL,
    *,
    api_key: str | None = None,
    user: str | None = None,
    password: str | None = None,
    ca: str | None = None,
    timeout_s: float = 10,
    connections: int = 10,
    compress: bool = False,
) -> Elasticsearch:
    """Make a client; nothing is sent yet.

    Args:
        url: Scheme, host and port of the engine, with a path prefix if it has one.
        api_key: An encoded API key, or `id:key`; excludes `user`.
        user: A user name; needs `password`.
        password: The password of `user`.
        ca: File with the certificate authorities to trust for an https address.
        timeout_s: How long one request may take, unless `client.options` says otherwise.
        connections: How many requests may run at once, each on its own connection.
        compress: Send bodies gzipped, which pays on slow networks only.

    Raises:
        EngineError: The address, the credentials or the certificate file cannot be used.

    """
    _check_arguments(url, api_key=api_key, user=user, password=password, ca=ca)
    try:
        return _Client(
            url,
            node_class=EngineNode,
            serializers={
                "application/json": OrjsonSerializer(),
                "application/x-ndjson": _Ndjson(),
            },
            request_timeout=timeout_s,
            connections_per_node=connections,
            http_compress=compress,
            max_retries=0,
            retry_on_status=(),
            retry_on_timeout=False,
            api_key=_api_key(api_key),
            basic_auth=(user, password) if user and password else None,
            ca_certs=ca or DEFAULT,
        )
    except (ValueError, OSError) as error:
        raise EngineError(f"cannot connect to {_shown(url)}: {_one_line(error)}") from None


def check(client: Elasticsearch) -> EngineInfo:
    """Ask the engine what it is.

    A feature that the credentials may not ask about counts as absent: they could not use it either.

    Raises:
        EngineError: Nothing answers, the credentials are refused, or it is another kind of server.

    """
    address = next(iter(client.transport.node_pool.all())).base_url
    try:
        body: Any = client.perform_request("GET", "/", headers=_JSON).body
        version = body["version"]
        flavor: Flavor = (
            "opensearch" if version.get("distribution") == "opensearch" else "elasticsearch"
        )
        number = str(version["number"])
    except EngineError:
        raise
    except (TransportError, ApiError, LookupError, TypeError, AttributeError) as error:
        raise EngineError(
            f"{address} answers, but neither as Elasticsearch nor as OpenSearch; check VIGIE_URL"
        ) from error
    return _features(client, flavor, number)


_JSON = {"accept": "application/json"}


def _features(client: Elasticsearch, flavor: Flavor, version: str) -> EngineInfo:
    """Read the features from `_xpack`, which only a complete Elasticsearch distribution knows."""
    asked = client.options(ignore_status=(400, 403, 404, 405)).perform_request(
        "GET", "/_xpack", params={"categories": "license,features"}, headers=_JSON
    )
    body: Any = asked.body if asked.meta.status == 200 else {}
    features = body.get("features", {})

    def usable(name: str) -> bool:
        entry = features.get(name, {})
        return bool(entry.get("available") and entry.get("enabled"))

    return EngineInfo(
        flavor=flavor,
        version=version,
        ilm=usable("ilm"),
        security=usable("security") or asked.meta.status == 403,
        watcher=usable("watcher"),
        licence=str((body.get("license") or {}).get("type", "")),
    )


def _check_arguments(
    url: str, *, api_key: str | None, user: str | None, password: str | None, ca: str | None
) -> None:
    shown = _shown(url)
    if api_key and user:
        raise EngineError(f"{shown}: give either VIGIE_API_KEY or VIGIE_USER, not both")
    if bool(user) != bool(password):
        missing = "VIGIE_PASSWORD" if user else "VIGIE_USER"
        raise EngineError(f"{shown}: {missing} is missing; a user and a password go together")
    if not url.startswith(("http://", "https://")):
        raise EngineError(
            f"{shown}: the address must start with http:// or https://; check VIGIE_URL"
        )
    if ca and not url.startswith("https://"):
        raise EngineError(
            f"{shown}: VIGIE_CA is set but the address is not https; correct VIGIE_URL"
        )
    if ca:
        _check_certificates(ca, shown)


def _check_certificates(ca: str, shown: str) -> None:
    try:
        ssl.create_default_context(cafile=ca)
    except OSError as error:
        fault = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise EngineError(
            f"{shown}: VIGIE_CA names {ca}: {fault}; name the PEM file of the authority"
        ) from None


def _api_key(value: str | None) -> str | tuple[str, str] | None:
    if value is None or ":" not in value:
        return value
    key_id, _, secret = value.partition(":")
    return key_id, secret


def _translate(error: Exception, address: str) -> EngineError | None:
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
            f"no trusted TLS connection to {address}: {_root_cause(error)}; set VIGIE_CA to the "
            "certificate authority's file, or use http:// where the engine speaks no TLS"
        )
    if isinstance(error, NoConnection):
        return EngineUnreachableError(
            f"no engine answers at {address}: {_root_cause(error)}; start it, or correct VIGIE_URL"
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


def _root_cause(error: BaseException) -> str:
    """What the operating system or the TLS library said, without the layers between."""
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    if isinstance(error, OSError) and error.strerror:
        return _one_line(error.strerror)
    return _one_line(error)


def _one_line(text: object) -> str:
    return _shown(" ".join(str(text).split()))[:300]


def _shown(url: str) -> str:
    return _CREDENTIALS_IN_URL.sub(r"\1", url)
