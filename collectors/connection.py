"""The one place that makes an engine client, for Elasticsearch 9 and OpenSearch 3 alike.

The client never retries by itself: a retry would hide the verdict on each item, which the shipper
judges. Errors that no caller can judge better are an `EngineError`: one line, with the cure.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from elastic_transport import HttpHeaders, TransportError, Urllib3HttpNode
from elastic_transport._node import NodeApiResponse
from elastic_transport.client_utils import DEFAULT, DefaultType
from elasticsearch import ApiError, Elasticsearch
from elasticsearch.serializer import NdjsonSerializer, OrjsonSerializer

from collectors._engine_errors import (
    EngineError,
    EngineRefusedError,
    EngineTimeoutError,
    EngineUnreachableError,
    one_line,
    shown,
    translated,
)

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
_JSON = {"accept": "application/json"}
Flavor = Literal["elasticsearch", "opensearch"]

_VENDOR_TYPE = re.compile(
    r"application/vnd\.elasticsearch\+([\w.-]+)(?:\s*;\s*compatible-with=\d+)?"
)


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
            plain = translated(error, self._address())
            if plain is None:
                raise
            raise plain from error

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
        url: Scheme, host and port of the engine; a path prefix or `user:password@` if need be.
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
    address = shown(url)
    if address != url:
        user, password = _credentials_in(url, user)
    _check_credentials(address, api_key, user, password)
    _check_tls(address, ca)
    try:
        return _Client(
            address,
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
        raise EngineError(f"cannot connect to {address}: {one_line(error)}") from None


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


def _credentials_in(url: str, user: str | None) -> tuple[str | None, str | None]:
    """The user and password of an address; they go into a header, never into a message."""
    parts = urlsplit(url)
    if user or not parts.username:
        raise EngineError(
            f"{shown(url)}: cannot tell which credentials to use; take them out of VIGIE_URL and "
            "set VIGIE_USER and VIGIE_PASSWORD"
        )
    return unquote(parts.username), unquote(parts.password or "")


def _check_credentials(
    address: str, api_key: str | None, user: str | None, password: str | None
) -> None:
    if api_key and user:
        raise EngineError(f"{address}: give either VIGIE_API_KEY or VIGIE_USER, not both")
    if bool(user) != bool(password):
        missing = "VIGIE_PASSWORD" if user else "VIGIE_USER"
        raise EngineError(f"{address}: {missing} is missing; a user and a password go together")


def _check_tls(address: str, ca: str | None) -> None:
    if not address.startswith(("http://", "https://")):
        raise EngineError(f"{address}: it must start with http:// or https://; correct VIGIE_URL")
    if ca is None:
        return
    if not address.startswith("https://"):
        raise EngineError(f"{address}: VIGIE_CA is set but this is not https; correct VIGIE_URL")
    try:
        ssl.create_default_context(cafile=ca)
    except OSError as error:
        fault = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise EngineError(
            f"{address}: VIGIE_CA names {ca}: {fault}; name the PEM file of the authority"
        ) from None


def _api_key(value: str | None) -> str | tuple[str, str] | None:
    if value is None or ":" not in value:
        return value
    key_id, _, secret = value.partition(":")
    return key_id, secret
