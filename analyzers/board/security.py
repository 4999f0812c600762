"""Who may see the board, from which address, and what its pages may do in a browser."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from http.cookies import SimpleCookie

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from analyzers.board.visit import Site
from analyzers.board.words import LANGUAGES

__all__ = [
    "COOKIE",
    "HEADERS",
    "LOOPBACK",
    "PAGE_POLICY",
    "SESSION_S",
    "Guard",
    "allowed_host",
    "secure",
    "session",
    "valid_session",
]

COOKIE = "vigie_board"
SESSION_S = 12 * 3600
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_OPEN_PATHS = ("/healthz", "/login")
HEADERS = {
    "content-security-policy": PAGE_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """ASGI middleware: host check, token login, and the headers of every answer."""

    def __init__(self, app: ASGIApp, *, site: Site, hosts: Sequence[str]) -> None:
        self.app, self.site = app, site
        self.hosts = frozenset(h.lower() for h in (*LOOPBACK, *hosts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or send to the login page."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = self._refusal(scope) or self.app
        await answer(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not allowed_host(host, self.hosts):
            text = "400: this board answers to 127.0.0.1, localhost and its configured hosts only\n"
            return PlainTextResponse(text, status_code=400)
        token, path = self.site.token, str(scope["path"])
        if token is None or path in _OPEN_PATHS or path.startswith("/static/"):
            return None
        if valid_session(_cookie(headers), token, self.site.now()):
            return None
        chosen = QueryParams(scope["query_string"]).get("lang")
        query = f"?lang={chosen}" if chosen in LANGUAGES else ""
        return RedirectResponse(f"/login{query}", status_code=303)


def allowed_host(header: str, hosts: frozenset[str]) -> bool:
    """Whether a Host header names one of the hosts, with any port.

    >>> allowed_host("[::1]:8600", frozenset({"::1"})), allowed_host("evil.example", frozenset())
    (True, False)
    """
    name, port = header.strip().lower(), ""
    if name.startswith("["):
        name, _, port = name[1:].partition("]")
        port = port.removeprefix(":")
    elif ":" in name:
        name, _, port = name.partition(":")
    return name in hosts and (not port or port.isdecimal())


def session(token: str, now: datetime) -> str:
    """Value of the login cookie: when it ends, signed with the token."""
    end = str(int(now.timestamp()) + SESSION_S)
    return f"{end}.{_signature(end, token)}"


def valid_session(value: str, token: str, now: datetime) -> bool:
    """Whether a cookie was made with the token and has not ended."""
    end, _, signature = value.partition(".")
    if not (end.isascii() and end.isdecimal() and len(end) < 13):
        return False
    genuine = secure(signature, _signature(end, token))
    return genuine and int(end) > now.timestamp()


def secure(given: str, expected: str) -> bool:
    """Whether two secrets are equal, in a time that tells nothing."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _signature(end: str, token: str) -> str:
    return hmac.new(token.encode(), f"vigie-board:{end}".encode(), hashlib.sha256).hexdigest()


def _cookie(headers: Headers) -> str:
    found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    return found.value if found else ""


def _with_headers(send: Send) -> Send:
    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sender
