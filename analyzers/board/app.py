"""The application: routes, errors, and how it is served."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from elastic_transport import ApiError, TransportError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from analyzers.board import alerts, login, logs, mails, model, overview
from analyzers.board.security import HEADERS, LOOPBACK, Guard
from analyzers.board.visit import HERE, Site, Visit
from analyzers.store import Store, StoreError
from collectors.connection import EngineError
from collectors.contract import Contract

__all__ = ["BoardError", "create_app", "serve"]

_LOG = logging.getLogger(__name__)


class BoardError(RuntimeError):
    """The board cannot be started; the message names the reason and the cure."""


def utcnow() -> datetime:
    """The clock on the wall, UTC."""
    return datetime.now(UTC)


def create_app(
    store: Store,
    contracts: Sequence[Contract],
    *,
    mails: Path | None = None,
    token: str | None = None,
    hosts: Sequence[str] = (),
    now: Callable[[], datetime] = utcnow,
) -> Starlette:
    """The board as a Starlette application.

    Args:
        store: Where figures, incidents and lines are read.
        contracts: Models to show, in this order.
        mails: Folder of caught mails (.eml); None hides that page's content.
        token: What a visitor must know; None leaves the board open.
        hosts: Names, beside the loopback ones, that a Host header may carry.
        now: The clock, so that a board can show a simulated time.

    """
    site = Site(store, {c.model: c for c in contracts}, mails, token or None, now)
    guard = Middleware(Guard, site=site, hosts=tuple(hosts))
    failures = {
        HTTPException: _http_error,
        StoreError: _refused,
        ApiError: _refused,
        EngineError: _unreachable,
        TransportError: _unreachable,
        500: _failed,
    }
    app = Starlette(routes=_routes(), middleware=[guard], exception_handlers=failures)
    app.state.site = site
    return app


def _routes() -> list[Route | Mount]:
    return [
        Route("/", overview.page),
        Route("/models/{model}", model.page),
        Route("/logs", logs.page),
        Route("/alerts", alerts.page),
        Route("/mails", mails.index),
        Route("/mails/{name}", mails.mail),
        Route("/mails/{name}/html", mails.html),
        Route("/login", login.page, methods=["GET", "POST"]),
        Route("/logout", login.leave, methods=["POST"]),
        Route("/healthz", _healthz),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]


def serve(
    app: Starlette,
    *,
    host: str = "127.0.0.1",
    port: int = 8600,
    ready: Callable[[], None] | None = None,
) -> None:
    """Serve until interrupted; `ready` is called once the port is ours.

    Raises:
        BoardError: The port cannot be had, or an open board would leave this machine.

    """
    if host not in LOOPBACK and app.state.site.token is None:
        cure = "set VIGIE_BOARD_TOKEN, or bind 127.0.0.1"
        raise BoardError(f"{host}: a board without a token is served on this machine only; {cure}")
    listener = _listen(host, port)
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    try:
        if ready:
            ready()
        with suppress(KeyboardInterrupt):  # Ctrl-C is how it ends
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        listener.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        cure = f"stop what uses it, or choose another: vigie board --port {min(port + 1, 65535)}"
        reason = getattr(error, "strerror", None) or error
        raise BoardError(f"port {port} of {host} cannot be used ({reason}); {cure}") from error
    return listener


def _healthz(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    visit = Visit.of(request)
    if error.status_code == 404:
        text = error.detail if error.detail != "Not Found" else ""
        text = text or visit.say("not_found_text", path=request.url.path)
        return visit.page(
            "error.html", status=404, title=visit.say("not_found"), text=text, cure=""
        )
    return PlainTextResponse(f"{error.detail}\n", error.status_code, headers=error.headers)


def _unreachable(request: Request, error: Exception) -> Response:
    visit = Visit.of(request)
    text = str(error) if isinstance(error, EngineError) else f"{_address(visit)}: {error}"
    title, cure = visit.say("unreachable"), visit.say("unreachable_cure")
    return visit.page("error.html", status=503, title=title, text=text, cure=cure)


def _address(visit: Visit) -> str:
    nodes = visit.site.store.client.transport.node_pool.all()
    return ", ".join(node.base_url for node in nodes)


def _refused(request: Request, error: Exception) -> Response:
    visit = Visit.of(request)
    _LOG.warning("%s: %s", request.url.path, error)
    title, cure = visit.say("refused"), visit.say("refused_cure")
    return visit.page("error.html", status=502, title=title, text=str(error), cure=cure)


def _failed(request: Request, _error: Exception) -> Response:
    visit = Visit.of(request)
    title, text = visit.say("broken_page"), visit.say("broken_text")
    answer = visit.page("error.html", status=500, title=title, text=text, cure="")
    answer.headers.update(HEADERS)  # this answer does not pass through the guard
    return answer
