"""Pages over a store that answers what it is told."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from analyzers.board import create_app
from analyzers.board.logs import line
from analyzers.board.mails import MAIL_POLICY
from analyzers.board.searching import text_query
from analyzers.results import Figure
from analyzers.store import Search, Store
from analyzers.windows import DAY, HOUR, Window, floor, iso
from collectors.connection import connect
from tests.unit.board_world import NOW, URL, Told, contract, hits, visit

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e{{7*7}}"


def app_over(store: Store, **options: object) -> Starlette:
    return create_app(store, [contract()], now=lambda: NOW, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/", "No health yet"),
        ("/", "No open incident"),
        ("/models/credit-scoring", "No prediction was analyzed"),
        (
            "/models/credit-scoring",
            "No labels yet: they arrive up to 30\u00a0d after a prediction.",
        ),
        ("/models/credit-scoring", "vigie profile build credit-scoring"),
        ("/models/credit-scoring", "No quality figures"),
        ("/models/credit-scoring", "No incident in this period"),
        ("/logs", "No line matches"),
        ("/alerts", "No past incident"),
        ("/alerts", "No change of state yet"),
        ("/mails", "start it with --mails DIR"),
    ],
)
def test_an_empty_panel_says_why(path: str, why: str) -> None:
    answer = visit(app_over(Told()), path)

    assert answer.status == 200
    assert why in answer.text


def test_each_page_asks_the_engine_once() -> None:
    for path in ("/", "/models/credit-scoring", "/logs", "/alerts"):
        store = Told()
        visit(app_over(store), path)
        assert len(store.asked) == 1


def test_a_board_without_contracts_says_where_to_name_them() -> None:
    assert "VIGIE_CONTRACTS" in visit(create_app(Told(), []), "/").text


def test_the_language_is_kept_by_links() -> None:
    french = visit(app_over(Told()), "/?lang=fr").text

    assert '<html lang="fr">' in french
    assert 'href="/models/credit-scoring?lang=fr"' in french
    assert '<html lang="fr">' in visit(app_over(Told()), "/", accept_language="fr").text


@pytest.mark.parametrize("path", ["/", "/models/credit-scoring", "/logs", "/logs?q=x", "/alerts"])
def test_an_engine_that_does_not_answer_is_named_with_the_cure(path: str) -> None:
    answer = visit(app_over(Store(connect(URL))), path)

    assert answer.status == 503
    assert URL in answer.text
    assert "correct VIGIE_URL" in answer.text


@pytest.mark.parametrize("path", ["/nope", "/models/nope", "/mails/nope.eml", "/static/nope.css"])
def test_what_is_not_there_is_a_page_that_says_so(path: str) -> None:
    answer = visit(app_over(Told()), path)

    assert answer.status == 404
    assert "nope" in answer.text


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    assert "Known: credit-scoring" in visit(app_over(Told()), "/models/nope").text


def test_a_path_is_shown_as_text() -> None:
    assert "<b>x" not in visit(app_over(Told()), "/<b>x").text


def figures(*values: tuple[str, float | None, str], **changes: Any) -> list[dict[str, Any]]:
    day = Window(floor(NOW, DAY) - DAY, floor(NOW, DAY))
    return [
        Figure(
            metric=name, value=value, unit=unit, n=100, status="ok", window=day,
            model="credit-scoring", contract="c", **changes,
        ).document(NOW)
        for name, value, unit in values
    ]  # fmt: skip


def test_an_insufficient_figure_is_not_drawn_and_its_reason_is() -> None:
    found = figures(("f1", None, "score"), reason="12 labels; 30 needed")

    def answer(search: Search) -> dict[str, Any]:
        return hits(*found) if search.index == "vigie-results-*" else hits()

    text = visit(app_over(Told(answer)), "/models/credit-scoring").text

    assert "Not published: 12 labels; 30 needed." in text


def test_the_newest_revision_of_a_figure_is_shown() -> None:
    old, new = figures(("f1", 0.5, "score")), figures(("f1", 0.912, "score"))
    new[0]["metric"]["computed_at"] = iso(NOW + HOUR)

    def answer(search: Search) -> dict[str, Any]:
        return hits(*new, *old) if search.index == "vigie-results-*" else hits()

    assert ">0.912<" in visit(app_over(Told(answer)), "/models/credit-scoring").text


def health(status: str, days_ago: int, *reasons: str) -> dict[str, Any]:
    start = floor(NOW, DAY) - days_ago * DAY
    return {
        "model": {"name": "credit-scoring"},
        "health": {"status": status, "reasons": list(reasons)},
        "window": {"start": iso(start), "end": iso(start + DAY)},
    }


def told_health(*documents: dict[str, Any]) -> Told:
    return Told(lambda s: hits(*documents) if s.index == "vigie-health" else hits())


def test_health_is_told_with_its_reasons_as_text() -> None:
    text = visit(app_over(told_health(health("critical", 1, HOSTILE))), "/").text

    assert 'class="chip critical"' in text
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[31m\\u202e{{7*7}}" in text


def test_health_that_stopped_is_no_data_and_not_the_last_word() -> None:
    text = visit(app_over(told_health(health("ok", 4))), "/").text

    assert "Nothing since 2026-11-17" in text
    assert 'class="chip no_data"' in text


def test_incidents_carry_the_title_and_unit_of_their_rule() -> None:
    incident = {
        "rule": {"name": "HighErrorRate"}, "model": {"name": "credit-scoring"},
        "alert": {"severity": "critical", "threshold": 0.02},
        "incident": {"id": "i", "onset": iso(NOW - timedelta(minutes=125)), "peak": 0.081},
    }  # fmt: skip
    store = Told(lambda s: hits(incident) if s.index == "vigie-incidents" else hits())

    text = visit(app_over(store), "/alerts").text.replace("\u00a0", " ")

    for shown in ("Error rate, 5 min", "8.1 %", "2 h 5 min"):
        assert shown in text


def test_a_hostile_line_is_shown_as_text() -> None:
    source = {
        "@timestamp": iso(NOW), "message": HOSTILE, "service": {"name": "</summary>"},
        "event": {"outcome": HOSTILE, "action": HOSTILE, "duration": "soon"},
    }  # fmt: skip
    text = visit(app_over(Told(lambda _: hits(source))), "/logs").text

    assert "<script" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "{{7*7}}" in text


@pytest.mark.parametrize(
    "source",
    [{}, {"@timestamp": 5}, {"@timestamp": "no"}, {"event": "flat"}, {"message": ["a", {"b": 1}]}],
)
def test_a_line_of_any_shape_becomes_a_row(source: dict[str, Any]) -> None:
    assert line(source).document.startswith("{")


def test_plain_words_are_split_and_operators_are_understood() -> None:
    assert "simple_query_string" in text_query("timeout scoring-api")
    assert "query_string" in text_query("model.version:3.2.0")
    assert "query_string" in text_query("timeout OR oom")
    assert "query_string" in text_query("timeout -oom")


def test_a_slash_is_never_a_regular_expression_and_a_hash_never_a_field() -> None:
    asked = text_query("url.path:/predict h1:0f3a9c0d5e6b7a81")["query_string"]

    assert asked["query"] == r'url.path:\/predict "h1:0f3a9c0d5e6b7a81"'
    assert asked["allow_leading_wildcard"] is False


def test_a_query_too_long_is_said_and_not_sent() -> None:
    store = Told()

    answer = visit(app_over(store), "/logs?q=" + "a" * 501)

    assert (answer.status, store.asked) == (400, [])
    assert "longer than 500 characters" in answer.text


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999", "²"])
def test_a_page_number_of_any_kind_stays_in_reach(page: str) -> None:
    store = Told()

    assert visit(app_over(store), f"/logs?page={page}").status == 200
    assert 0 <= store.asked[0][0].body["from"] <= 9950


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    message = EmailMessage()
    message["From"], message["To"] = "vigie <vigie@example.org>", "oncall@example.org"
    message["Subject"] = "Taux d'erreur <b>7 %</b>"
    message["Date"] = NOW
    message.set_content("le texte <i>brut</i>")
    message.add_alternative("<p>la page</p><script>1</script>", subtype="html")
    (tmp_path / "0001.eml").write_bytes(message.as_bytes())
    (tmp_path / "0002.eml").write_bytes(b"\xff\xfe not a mail\r\nDate: never\r\n\r\n\x00body")
    (tmp_path / "0003.eml").write_bytes(b'Content-Type: text/plain; charset="x-none"\r\n\r\nhi\xff')
    (tmp_path / "0004.eml").write_bytes(b"")
    (tmp_path / "secret.txt").write_text("secret")
    return tmp_path


def test_mails_are_listed_and_shown_as_text(mails: Path) -> None:
    app = app_over(Told(), mails=mails)

    listed, shown = visit(app, "/mails").text, visit(app, "/mails/0001.eml").text

    assert "Taux d&#39;erreur &lt;b&gt;7 %&lt;/b&gt;" in listed
    assert "le texte &lt;i&gt;brut&lt;/i&gt;" in shown
    assert 'src="/mails/0001.eml/html" sandbox=""' in shown
    assert "<script" not in shown


def test_the_html_part_lives_in_a_sandbox_of_its_own(mails: Path) -> None:
    answer = visit(app_over(Told(), mails=mails), "/mails/0001.eml/html")

    assert answer.headers["content-security-policy"] == MAIL_POLICY
    assert MAIL_POLICY.startswith("sandbox;")
    assert "allow" not in MAIL_POLICY


@pytest.mark.parametrize("name", ["0002.eml", "0003.eml", "0004.eml"])
def test_a_broken_mail_is_shown_as_far_as_it_goes(mails: Path, name: str) -> None:
    assert visit(app_over(Told(), mails=mails), f"/mails/{name}").status == 200


@pytest.mark.parametrize("name", ["secret.txt", "..%2fsecret.txt", "../secret.txt", "%00", "."])
def test_only_listed_mails_are_opened(mails: Path, name: str) -> None:
    inside = mails / "inbox"
    inside.mkdir()

    assert visit(app_over(Told(), mails=inside), f"/mails/{name}").status == 404
