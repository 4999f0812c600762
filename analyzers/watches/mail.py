"""The two mails of an incident, the second in the thread of the first; text and HTML are one.

Everything that is not a fixed word is escaped in HTML and made one plain line elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from analyzers.watches.documents import Watch, headline
from analyzers.watches.lifecycle import Incident, State
from analyzers.watches.words import WORDS, Words, figure, moment, plain, span

__all__ = ["Kind", "Mail", "address_problem", "build", "compose", "message_id"]

Kind = Literal["opened", "resolved"]
DOMAIN = "vigie"
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail before it has a sender."""

    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    message_id: str
    reply_to: str | None = None


@dataclass(frozen=True)
class _Row:
    label: str
    value: str
    link: str = ""


def compose(watch: Watch, state: State, kind: Kind, board_url: str | None = None) -> Mail:
    """The opening or closing mail of the incident that the state holds."""
    incident = state.incident
    if incident is None:
        raise ValueError(f"{watch.id} is {state.name} and has no incident to tell")
    title, advice = _title(watch, state, kind), _advice(watch, kind)
    rows = [*_rows(watch, state, incident, kind), *_links(watch, board_url)]
    footer = _words(watch).footer
    return Mail(
        to=tuple(a for a in watch.contract.alerts.to if not address_problem(a)),
        subject=plain(f"[vigie] {title}"),
        text=_text(title, advice, rows, footer, _words(watch)),
        html=_html(title, advice, rows, footer, watch.contract.alerts.language),
        message_id=message_id(incident.id, kind),
        reply_to=message_id(incident.id, "opened") if kind == "resolved" else None,
    )


def build(source: Mapping[str, Any], sender: str, now: datetime) -> EmailMessage:
    """A mail of the outbox as it goes over the wire.

    Raises:
        ValueError: A header holds a line break; nothing can be injected.

    """
    outbox = source["outbox"]
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = sender
    message["To"] = ", ".join(outbox["to"])
    message["Subject"] = outbox["subject"]
    message["Date"] = format_datetime(now)
    message["Message-ID"] = outbox["message_id"]
    message["Auto-Submitted"] = "auto-generated"
    if "reply_to" in outbox:
        message["In-Reply-To"] = outbox["reply_to"]
        message["References"] = outbox["reply_to"]
    message.set_content(outbox["text"], cte="quoted-printable")
    message.add_alternative(outbox["html"], subtype="html", cte="quoted-printable")
    return message


def message_id(incident: str, kind: Kind) -> str:
    """The same for the same mail, however often it is sent; short, so that it is never folded."""
    digest = hashlib.sha256(incident.encode()).hexdigest()[:24]
    return f"<{digest}.{kind}@{DOMAIN}>"


def address_problem(address: str) -> str:
    """Why nothing can be sent to an address; empty when it can."""
    if _ADDRESS.fullmatch(address):
        return ""
    return f"{plain(address)!r} is not a plain address; write it as name@example.org"


def _words(watch: Watch) -> Words:
    return WORDS[watch.contract.alerts.language]


def _title(watch: Watch, state: State, kind: Kind) -> str:
    words = _words(watch)
    first = words.resolved if kind == "resolved" else words.severity[watch.rule.severity]
    limit = state.threshold if state.threshold is not None else 0.0
    return f"{first}{words.colon} {headline(watch.rule, watch.contract, limit)}"


def _advice(watch: Watch, kind: Kind) -> str:
    rule, language = watch.rule, watch.contract.alerts.language
    if kind == "opened":
        return rule.text(language)
    recovery = rule.recovery(rule.fire(watch.contract) or 0.0)
    return _words(watch).is_over.format(figure(recovery, rule.metric.unit, language))


def _rows(watch: Watch, state: State, incident: Incident, kind: Kind) -> list[_Row]:
    rule, words, language = watch.rule, _words(watch), watch.contract.alerts.language

    def shown(value: float | None) -> str:
        return figure(value, rule.metric.unit, language, beside=state.threshold)

    direction = (words.above if rule.above else words.below).format(shown(state.threshold))
    rows = [
        _Row(words.model, watch.contract.model),
        _Row(words.rule, f"{rule.name} ({words.severity[rule.severity].lower()})"),
        _Row(words.value, f"{shown(state.value)} (n = {state.n} {words.events})"),
        _Row(words.limit, f"{direction} {words.lasting.format(span(rule.lasting, language))}"),
        _Row(words.since, moment(incident.onset)),
        _Row(words.opened, moment(incident.opened)),
    ]
    if kind == "resolved" and incident.resolved:
        rows += [
            _Row(words.ended, moment(incident.resolved)),
            _Row(words.duration, span(incident.resolved - incident.onset, language)),
        ]
    return [*rows, _Row(words.peak, shown(incident.peak)), _Row(words.incident, incident.id)]


def _links(watch: Watch, board_url: str | None) -> list[_Row]:
    words, rows = _words(watch), []
    if board_url:
        page = f"{board_url.rstrip('/')}/models/{quote(watch.contract.model)}"
        rows.append(_Row(words.page, page, _safe(page)))
    if runbook := plain(watch.contract.alerts.runbook):
        rows.append(_Row(words.runbook, runbook, _safe(runbook)))
    return rows


def _safe(url: str) -> str:
    """The address when it may be a link: web pages only, never `javascript:`."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def _text(title: str, advice: str, rows: Sequence[_Row], footer: str, words: Words) -> str:
    width = max(len(row.label + words.colon) for row in rows)
    lines = [f"{row.label + words.colon:<{width}} {plain(row.value)}" for row in rows]
    return "\n".join([plain(title), "", plain(advice), "", *lines, "", "-- ", footer, ""])


def _html(title: str, advice: str, rows: Sequence[_Row], footer: str, language: str) -> str:
    """Plain tables without style: what survives every mail reader's clean-up."""
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f"<title>{_escaped(title)}</title></head><body>"
        f"<h2>{_escaped(title)}</h2><p>{_escaped(advice)}</p>"
        f'<table border="1" cellpadding="6" cellspacing="0">{"".join(map(_cells, rows))}</table>'
        f"<p><small>{_escaped(footer)}</small></p></body></html>\n"
    )


def _cells(row: _Row) -> str:
    value = _escaped(row.value)
    if row.link:
        value = f'<a href="{_escaped(row.link)}">{value}</a>'
    return f'<tr><th align="left">{_escaped(row.label)}</th><td>{value}</td></tr>'


def _escaped(text: str) -> str:
    return escape(plain(text), quote=True)
