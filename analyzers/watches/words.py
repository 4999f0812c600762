"""What mails and messages say, in English and French: numbers, times and fixed words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from analyzers.watches.rules import Language, Severity

__all__ = ["WORDS", "Words", "figure", "moment", "plain", "span"]


@dataclass(frozen=True, kw_only=True)
class Words:
    """The fixed words of one language; braces are filled in."""

    colon: str
    severity: dict[Severity, str]
    resolved: str
    above: str
    below: str
    lasting: str
    model: str
    rule: str
    value: str
    limit: str
    events: str
    since: str
    opened: str
    ended: str
    peak: str
    duration: str
    page: str
    runbook: str
    incident: str
    is_over: str
    too_few: str
    failed: str
    footer: str


WORDS: dict[Language, Words] = {
    "en": Words(
        colon=":",
        severity={"critical": "Critical", "warning": "Warning"},
        resolved="Resolved",
        above="above {}",
        below="below {}",
        lasting="for {}",
        model="Model",
        rule="Rule",
        value="Value",
        limit="Limit",
        events="events",
        since="Since",
        opened="Told at",
        ended="Ended at",
        peak="Worst value",
        duration="Duration",
        page="Board",
        runbook="Runbook",
        incident="Incident",
        is_over="The incident is over: the figure has stayed within its recovery limit ({}).",
        too_few="{} of {} looks in the last {}, {} are needed",
        failed="the watch could not be evaluated: {}",
        footer="Sent once when an incident opens and once when it ends.",
    ),
    "fr": Words(
        colon=" :",
        severity={"critical": "Critique", "warning": "Avertissement"},
        resolved="Résolu",
        above="au-dessus de {}",
        below="en dessous de {}",
        lasting="pendant {}",
        model="Modèle",
        rule="Règle",
        value="Valeur",
        limit="Seuil",
        events="événements",
        since="Depuis",
        opened="Signalé à",
        ended="Terminé à",
        peak="Pire valeur",
        duration="Durée",
        page="Tableau de bord",
        runbook="Procédure",
        incident="Incident",
        is_over="L'incident est terminé : la valeur est restée dans la limite de retour ({}).",
        too_few="{} mesures sur {} dans les dernières {}, il en faut {}",
        failed="la règle n'a pas pu être évaluée : {}",
        footer="Envoyé une fois à l'ouverture d'un incident et une fois à sa fin.",
    ),
}


def figure(
    value: float | None, unit: str, language: Language, *, beside: float | None = None
) -> str:
    """A value with its unit, with as many digits as tell it from the one `beside` it.

    >>> figure(0.031, "ratio", "fr"), figure(0.020004, "ratio", "en", beside=0.02)
    ('3,1 %', '2.0004 %')
    """
    if value is None:
        return "?"
    digits = 3
    while (
        beside not in (None, value)
        and digits < 9
        and _digits(value, unit, digits) == _digits(beside, unit, digits)
    ):
        digits += 1
    text = _digits(value, unit, digits)
    suffix = {"ratio": " %", "ms": " ms", "per_s": " /s"}.get(unit, "")
    return (text.replace(".", ",") if language == "fr" else text) + suffix


def _digits(value: float | None, unit: str, digits: int) -> str:
    number = (value or 0.0) * (100 if unit == "ratio" else 1)
    text = f"{number:.{digits}g}"
    return f"{number:.0f}" if "e+" in text else text


def moment(at: datetime) -> str:
    """A time, to the minute, in UTC.

    >>> moment(datetime(2026, 11, 21, 8, 51, tzinfo=UTC))
    '2026-11-21 08:51 UTC'
    """
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def span(length: timedelta, language: Language) -> str:
    """A duration, to the minute.

    >>> span(timedelta(minutes=83), "en"), span(timedelta(days=2, hours=3), "fr")
    ('1 h 23 min', '2 j 3 h')
    """
    minutes = round(length.total_seconds() / 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [
        f"{n} {u}"
        for n, u in ((days, "j" if language == "fr" else "d"), (hours, "h"), (minutes, "min"))
        if n
    ]
    return " ".join(parts[:2]) or "0 min"


def plain(text: str) -> str:
    r"""One line without control characters, safe in a header.

    >>> plain("a\r\nBcc: b\x00c")
    'a Bcc: b c'
    """
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
