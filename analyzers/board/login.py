"""The login page: one token, one cookie."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from analyzers.board.security import COOKIE, SESSION_S, secure, session
from analyzers.board.visit import Visit

__all__ = ["leave", "page"]

_LONGEST_FORM = 4096


async def page(request: Request) -> Response:
    """Ask for the token, or check it."""
    visit = Visit.of(request)
    token = visit.site.token
    if token is None:
        return RedirectResponse("/", status_code=303)
    if request.method != "POST":
        return await run_in_threadpool(visit.page, "login.html", wrong=False)
    if not secure(await _given(request), token):
        return await run_in_threadpool(visit.page, "login.html", status=403, wrong=True)
    answer = RedirectResponse(visit.href("/"), status_code=303)
    answer.set_cookie(
        COOKIE, session(token, visit.now), max_age=SESSION_S, httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer


async def leave(request: Request) -> Response:
    """Forget the cookie."""
    answer = RedirectResponse(Visit.of(request).href("/login"), status_code=303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


async def _given(request: Request) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            raise HTTPException(413, "the form is too long")
    return parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0]
