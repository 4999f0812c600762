"""Caught mails: a folder of .eml files, shown without trusting a byte of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from analyzers.board.visit import Visit

__all__ = ["MAIL_POLICY", "Mail", "html", "index", "mail", "read_mail"]

MAIL_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
_SHOWN = 500
_LARGEST = 5_000_000


@dataclass(frozen=True)
class Mail:
    """What a page shows of one mail; `html` is None where it has no such part."""

    name: str
    sender: str
    receiver: str
    subject: str
    date: datetime
    headers: tuple[tuple[str, str], ...]
    text: str | None
    html: str | None

    @property
    def address(self) -> str:
        """Path of its page."""
        return f"/mails/{quote(self.name, safe='')}"


def index(request: Request) -> Response:
    """List the mails, newest first."""
    visit = Visit.of(request)
    mails = [read_mail(path, whole=False) for path in _files(visit.site.mails)]
    mails.sort(key=lambda m: (m.date, m.name), reverse=True)
    return visit.page("mails.html", mails=mails, watched=visit.site.mails is not None)


def mail(request: Request) -> Response:
    """Show one mail."""
    visit = Visit.of(request)
    return visit.page("mail.html", mail=_named(visit))


def html(request: Request) -> Response:
    """The HTML part alone, in a policy that lets it do nothing."""
    visit = Visit.of(request)
    part = _named(visit).html
    if part is None:
        raise HTTPException(404, visit.say("no_html"))
    return HTMLResponse(part, headers={"content-security-policy": MAIL_POLICY})


def _named(visit: Visit) -> Mail:
    name = visit.request.path_params["name"]
    path = next((p for p in _files(visit.site.mails) if p.name == name), None)
    if path is None:
        raise HTTPException(404, visit.say("no_such_mail", name=name))
    return read_mail(path)


def _files(folder: Path | None) -> list[Path]:
    """The newest mails of the folder; a name is only ever compared with these, never opened."""
    if folder is None or not folder.is_dir():
        return []
    found = [p for p in folder.glob("*.eml") if p.is_file() and not p.is_symlink()]
    return sorted(found, key=_written, reverse=True)[:_SHOWN]


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def read_mail(path: Path, *, whole: bool = True) -> Mail:
    """Read a mail; a broken one is shown as far as it can be read."""
    with path.open("rb") as file:
        parsed = BytesParser(policy=default).parsebytes(file.read(_LARGEST), headersonly=not whole)
    return Mail(
        name=path.name,
        sender=_header(parsed, "from"),
        receiver=_header(parsed, "to"),
        subject=_header(parsed, "subject"),
        date=_date(parsed, path),
        headers=tuple(_headers(parsed)),
        text=_part(parsed, "plain") if whole else None,
        html=_part(parsed, "html") if whole else None,
    )


def _header(parsed: EmailMessage, name: str) -> str:
    try:
        return str(parsed.get(name, ""))
    except (ValueError, IndexError, AttributeError):  # what the parser raises on broken headers
        return ""


def _headers(parsed: EmailMessage) -> Iterator[tuple[str, str]]:
    for name, value in list(parsed.raw_items()):
        yield name, " ".join(str(value).split())


def _date(parsed: EmailMessage, path: Path) -> datetime:
    try:
        date = parsedate_to_datetime(_header(parsed, "date"))
    except ValueError:
        return datetime.fromtimestamp(_written(path), UTC)
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)


def _part(parsed: EmailMessage, kind: str) -> str | None:
    part = parsed.get_body((kind,))
    if part is None:
        return None
    try:
        return str(part.get_content()).replace("\r\n", "\n")
    except (LookupError, ValueError, KeyError):  # an unknown charset
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
