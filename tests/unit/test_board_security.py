"""Who may see the board, and what its pages may do."""

from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette

from analyzers.board import BoardError, create_app, serve
from analyzers.board.security import (
    COOKIE,
    HEADERS,
    SESSION_S,
    allowed_host,
    session,
    valid_session,
)
from tests.unit.board_world import NOW, Told, contract, visit

HOSTS = frozenset({"127.0.0.1", "localhost", "::1", "board.example.org"})


def board(**options: object) -> Starlette:
    return create_app(Told(), [contract()], now=lambda: NOW, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8600", "localhost:1", "LOCALHOST", "[::1]", "[::1]:8600"],
)
def test_loopback_names_are_let_in_with_any_port(host: str) -> None:
    assert allowed_host(host, HOSTS)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost:80@evil",
        "[::1]x",
        "::1:80",
        "a:b:c",
    ],
)
def test_other_names_are_refused(host: str) -> None:
    assert not allowed_host(host, HOSTS)
    assert visit(board(), "/", host=host).status == 400


def test_a_configured_name_is_let_in() -> None:
    assert (
        visit(board(hosts=["board.example.org"]), "/", host="board.example.org:443").status == 200
    )


@pytest.mark.parametrize(
    "path", ["/", "/logs", "/nope", "/healthz", "/static/board.css", "/models/x"]
)
def test_every_answer_carries_every_header(path: str) -> None:
    answer = visit(board(), path)

    assert {k: answer.headers.get(k) for k in HEADERS} == HEADERS


def test_a_failure_is_a_page_with_every_header_and_no_detail() -> None:
    def fail(_search: object) -> dict[str, object]:
        raise ZeroDivisionError("a secret detail")

    answer = visit(create_app(Told(fail), [contract()], now=lambda: NOW), "/")

    assert answer.status == 500
    assert "secret detail" not in answer.text
    assert {k: answer.headers.get(k) for k in HEADERS} == HEADERS


def test_pages_hold_neither_script_nor_style() -> None:
    for path in ("/", "/models/credit-scoring", "/logs", "/alerts", "/mails", "/nope"):
        text = visit(board(mails=Path("/nonexistent")), path).text
        assert "<script" not in text
        assert "style=" not in text
        assert "<style" not in text


def test_without_a_token_the_board_is_open_and_has_no_login() -> None:
    assert visit(board(), "/").status == 200
    assert visit(board(), "/login").headers["location"] == "/"


def test_with_a_token_a_visitor_is_sent_to_the_login_page_in_the_language() -> None:
    answer = visit(board(token="s3cret"), "/logs?lang=fr")

    assert (answer.status, answer.headers["location"]) == (303, "/login?lang=fr")


@pytest.mark.parametrize("path", ["/healthz", "/static/board.css", "/login"])
def test_probes_styles_and_the_login_page_need_no_token(path: str) -> None:
    assert visit(board(token="s3cret"), path).status == 200


def test_the_right_token_gives_a_cookie_that_scripts_and_other_sites_never_see() -> None:
    app = board(token="s3cret")

    answer = visit(app, "/login", body=b"token=s3cret")

    cookie = answer.headers["set-cookie"]
    assert answer.status == 303
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "s3cret" not in cookie
    assert visit(app, "/", cookie=cookie.partition(";")[0]).status == 200


@pytest.mark.parametrize("body", [b"token=wrong", b"", b"token=", b"token=%ff%fe", b"\xff"])
def test_a_wrong_token_is_refused_with_the_cure(body: bytes) -> None:
    answer = visit(board(token="s3cret"), "/login", body=body)

    assert answer.status == 403
    assert "VIGIE_BOARD_TOKEN" in answer.text
    assert "set-cookie" not in answer.headers


def test_an_endless_form_is_cut_off() -> None:
    assert visit(board(token="s3cret"), "/login", body=b"x" * 10_000).status == 413


def test_leaving_forgets_the_cookie() -> None:
    app = board(token="s3cret")
    cookie = f"{COOKIE}={session('s3cret', NOW)}"

    answer = visit(app, "/logout", body=b"", cookie=cookie)

    assert "Max-Age=0" in answer.headers["set-cookie"]


def test_a_session_ends_after_twelve_hours() -> None:
    value = session("s3cret", NOW)

    assert valid_session(value, "s3cret", NOW + timedelta(seconds=SESSION_S - 1))
    assert not valid_session(value, "s3cret", NOW + timedelta(seconds=SESSION_S))


@pytest.mark.parametrize("value", ["", ".", "99999999999.", "9e9.x", "²." + "0" * 64, "x" * 99])
def test_a_forged_session_is_worth_nothing(value: str) -> None:
    assert not valid_session(value, "s3cret", NOW)
    assert not valid_session(session("other", NOW), "s3cret", NOW)


def test_a_busy_port_is_one_line_with_the_cure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            BoardError, match=rf"^port {port} .* choose another: .*--port {port + 1}$"
        ):
            serve(board(), port=port)


def test_an_open_board_never_leaves_this_machine() -> None:
    with pytest.raises(BoardError, match="VIGIE_BOARD_TOKEN"):
        serve(board(), host="0.0.0.0", port=1)
