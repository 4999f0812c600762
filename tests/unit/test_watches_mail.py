"""Mails say everything, in two languages, and nothing hostile gets through."""

from __future__ import annotations

import email
from dataclasses import replace
from email import policy
from html import escape
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.watches.documents import Watch, watches
from analyzers.watches.lifecycle import Incident, State
from analyzers.watches.mail import address_problem, build, compose, message_id
from analyzers.watches.rules import load
from analyzers.watches.words import figure, plain
from tests.unit.watch_world import MINUTE, T0, contract

INCIDENT = Incident(id="R:m:1", onset=T0 - 15 * MINUTE, opened=T0, peak=0.31)
FIRING = State(
    watch="HighErrorRate:scoring", name="firing", since=T0, at=T0, incident=INCIDENT,
    value=0.031, n=412, threshold=0.02,
)  # fmt: skip
ENDED = replace(INCIDENT, resolved=T0 + 83 * MINUTE)
RESOLVED = replace(FIRING, name="resolved", at=T0 + 83 * MINUTE, incident=ENDED, value=0.004)
HOSTILE = 'x"><script>alert(1)</script>\r\nBcc: victim@example.org\r\n\r\n<img src=x onerror=y>'


def watch(language="en", **alerts):
    made = contract(language=language)
    made = msgspec.structs.replace(made, alerts=msgspec.structs.replace(made.alerts, **alerts))
    return watches(load(), [made])[0]


def sent(mail):
    outbox = {
        "to": list(mail.to), "subject": mail.subject, "text": mail.text, "html": mail.html,
        "message_id": mail.message_id, **({"reply_to": mail.reply_to} if mail.reply_to else {}),
    }  # fmt: skip
    wire = build({"outbox": outbox}, "vigie@example.org", T0).as_bytes()
    return wire, email.message_from_bytes(wire, policy=policy.default)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in ("href", "src")]


def test_the_opening_mail_says_everything():
    mail = compose(watch(), FIRING, "opened", "http://board.example.org/")
    _, message = sent(mail)
    text = message.get_body(("plain",)).get_content()

    assert message["Subject"] == "[vigie] Critical: scoring: Error rate, 5 min above 2 %"
    assert (message["From"], message["To"]) == ("vigie@example.org", "oncall@example.org")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == T0
    assert "Value:       3.1 % (n = 412 events)" in text
    assert "Limit:       above 2 % for 10 min" in text
    assert "Since:       2026-11-21 07:45 UTC" in text
    assert "Board:       http://board.example.org/models/scoring" in text
    assert "Runbook:     https://runbooks.example.org/scoring" in text
    assert "Ended" not in text


def test_the_closing_mail_has_duration_and_peak_in_the_thread_of_the_first():
    opening = compose(watch(), FIRING, "opened")
    _, message = sent(compose(watch(), RESOLVED, "resolved"))
    text = message.get_body(("plain",)).get_content()

    assert message["Subject"] == "[vigie] Resolved: scoring: Error rate, 5 min above 2 %"
    assert message["In-Reply-To"] == message["References"] == opening.message_id
    assert message["Message-ID"] != opening.message_id
    assert "Duration:    1 h 38 min" in text
    assert "Worst value: 31 %" in text
    assert "recovery limit (1.5 %)" in text


def test_french():
    mail = compose(watch("fr"), RESOLVED, "resolved")

    assert mail.subject == "[vigie] Résolu : scoring : Taux d'erreur, 5 min au-dessus de 2 %"
    assert "Valeur :" in mail.text
    assert "0,4 %" in mail.text
    assert '<html lang="fr">' in mail.html


def test_text_and_html_say_the_same():
    mail = compose(watch(), RESOLVED, "resolved", "http://b")

    for line in mail.text.splitlines():
        label, _, value = line.partition(": ")
        if value and " " not in label:
            assert escape(value.strip()) in mail.html


@pytest.mark.parametrize("kind", ["opened", "resolved"])
def test_hostile_words_stay_words(kind):
    """A rule text, runbook and incident name that try to add headers, tags and links."""
    found = watch(runbook=f"javascript:alert(1){HOSTILE}")
    evil = Watch(replace(found.rule, english=HOSTILE, name=HOSTILE), found.contract, found.document)
    state = replace(RESOLVED, incident=replace(ENDED, id=HOSTILE))
    wire, message = sent(compose(evil, state, kind, f"http://b/{HOSTILE}"))
    tags = Tags()
    tags.feed(message.get_body(("html",)).get_content())

    assert b"\nBcc" not in wire
    assert message["Bcc"] is None
    assert set(tags.tags) <= {
        "html", "head", "meta", "title", "body", "h2", "p", "table", "tr", "th", "td", "a", "small",
    }  # fmt: skip
    assert all(link.startswith("http://b/") for link in tags.links)


@given(st.text(max_size=200))
def test_no_text_breaks_a_header_or_the_html(text):
    evil = watch(runbook=text)
    evil = Watch(replace(evil.rule, english=text), evil.contract, evil.document)
    wire, message = sent(compose(evil, FIRING, "opened"))
    tags = Tags()
    tags.feed(message.get_body(("html",)).get_content())

    assert set(message.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version",
        "Content-Type",
    }  # fmt: skip
    assert "script" not in tags.tags
    assert max(map(len, wire.split(b"\r\n"))) <= 998


def test_a_header_with_a_line_break_is_refused():
    mail = replace(compose(watch(), FIRING, "opened"), subject="a\r\nBcc: b@example.org")

    with pytest.raises(ValueError, match="linefeed"):
        sent(mail)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x",
        "a@b\r\nBcc: c@d",
        "a@b, c@d",
        "A <a@b>",
        "a b@c",
        "é@b.org",
        "a@",
        "a@-b.é",
        "a@b\x00",
    ],
)
def test_what_is_no_address_is_left_out_and_named(address):
    found = watch(to=(address, "ok@example.org"))

    assert "write it as name@example.org" in address_problem(address)
    assert compose(found, FIRING, "opened").to == ("ok@example.org",)


def test_message_ids_are_short_and_always_the_same():
    assert message_id("R:m:1", "opened") == message_id("R:m:1", "opened")
    assert len(message_id("R" * 64 + ":" + "m" * 80 + ":1", "resolved")) < 70


@pytest.mark.parametrize(
    ("value", "unit", "language", "text"),
    [
        (0.031, "ratio", "fr", "3,1 %"),
        (0.5, "ratio", "en", "50 %"),
        (1.0, "ratio", "en", "100 %"),
        (812.4, "ms", "en", "812 ms"),
        (12345.0, "ms", "en", "12345 ms"),
        (0.31, "score", "fr", "0,31"),
        (0.0, "ratio", "en", "0 %"),
        (None, "ms", "en", "?"),
    ],
)
def test_figures(value, unit, language, text):
    assert figure(value, unit, language) == text


def test_a_value_beside_its_limit_never_looks_equal_to_it():
    assert figure(800.02, "ms", "en", beside=800) == "800.02 ms"
    assert figure(0.02, "ratio", "en", beside=0.02) == "2 %"


@given(st.text())
def test_plain_is_one_line_without_control_characters(text):
    assert plain(text).isprintable()
    assert plain(plain(text)) == plain(text)
