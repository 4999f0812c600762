"""Sends mails over SMTP: strict TLS wherever a password travels, a time limit everywhere.

VIGIE_SMTP_URL = smtp://user:password@host:port/?from=vigie@example.org
                 smtps://...           TLS from the first byte (port 465)
                 ?starttls=required    without a password, too
                 ?ca=FILE              certificate authorities to trust
"""

from __future__ import annotations

import os
import smtplib
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Literal
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from analyzers.watches.mail import address_problem
from analyzers.watches.words import plain

__all__ = ["TIMEOUT_S", "MailError", "MailServer", "Refusal", "ServerError"]

TIMEOUT_S = 10.0
FORM = "write it as smtp://user:password@host:587/?from=vigie@example.org"
_WANTS_LOGIN = (530, 534, 535, 538)  # our settings are wrong, not the mail
_PORTS = {"smtps": 465, "starttls": 587, "plain": 25}


class MailError(ValueError):
    """VIGIE_SMTP_URL cannot be used; the message never holds the password."""


class ServerError(Exception):
    """The server cannot be used now, for any mail: it is tried again."""


@dataclass(frozen=True)
class Refusal:
    """What the server answered about one address."""

    code: int
    text: str

    @property
    def final(self) -> bool:
        """Whether trying again is of no use."""
        return self.code >= 500

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """Where mails go, and how."""

    host: str
    port: int
    sender: str
    tls: Literal["smtps", "starttls", "plain"] = "plain"
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str | None = None

    @classmethod
    def from_url(cls, url: str) -> MailServer:
        """Read and check an address as VIGIE_SMTP_URL holds it."""
        parts, port = _split(url)
        options = _options(parts)
        user = unquote(parts.username or "")
        if bool(user) != bool(parts.password):
            raise MailError(f"VIGIE_SMTP_URL: a user and a password go together; {FORM}")
        tls = _tls(parts.scheme, secret=bool(user), required=options.get("starttls") == "required")
        host = parts.hostname or ""
        return cls(
            host=host,
            port=port or _PORTS[tls],
            sender=options.get("from", f"vigie@{host if '.' in host else 'localhost'}"),
            tls=tls,
            user=user,
            password=unquote(parts.password or ""),
            ca=options.get("ca"),
        )

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> MailServer | None:
        """The server of VIGIE_SMTP_URL; None when it is not set."""
        url = (os.environ if env is None else env).get("VIGIE_SMTP_URL")
        return cls.from_url(url) if url else None

    def send(self, message: EmailMessage, to: Sequence[str]) -> Mapping[str, Refusal]:
        """Hand a mail to the server; returns the addresses that it refused.

        Raises:
            ServerError: The server cannot be reached, or not safely enough.

        """
        try:
            with self._session() as session:
                refused = session.send_message(message, self.sender, list(to))
        except smtplib.SMTPRecipientsRefused as error:
            refused = error.recipients
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            if error.smtp_code in _WANTS_LOGIN:
                raise ServerError(self._problem(error)) from error
            refused = dict.fromkeys(to, (error.smtp_code, _bytes(error.smtp_error)))
        except (smtplib.SMTPException, OSError) as error:
            raise ServerError(self._problem(error)) from error
        return {a: Refusal(code, _one_line(text)) for a, (code, text) in refused.items()}

    def _session(self) -> smtplib.SMTP:
        session = self._connected()
        try:
            if self.tls == "starttls":
                session.starttls(context=self._context())
            if self.user:
                session.login(self.user, self.password)
        except BaseException:
            session.close()
            raise
        return session

    def _connected(self) -> smtplib.SMTP:
        name = socket.gethostname() or "localhost"  # not getfqdn, which may wait for a name server
        if self.tls == "smtps":
            return smtplib.SMTP_SSL(
                self.host, self.port, name, timeout=TIMEOUT_S, context=self._context()
            )
        return smtplib.SMTP(self.host, self.port, name, timeout=TIMEOUT_S)

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca)

    def _problem(self, error: Exception) -> str:
        """One line: where, what, and the cure where there is one."""
        where = f"mail server {self.host}:{self.port}"
        if isinstance(error, smtplib.SMTPNotSupportedError):
            cure = "use smtps://, or a server with STARTTLS and AUTH"
            return f"{where}: {_one_line(str(error))}; {cure}"
        if isinstance(error, smtplib.SMTPResponseException):
            return f"{where}: {error.smtp_code} {_one_line(_bytes(error.smtp_error))}"
        return f"{where}: {_one_line(str(error)) or type(error).__name__}"


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise MailError(f"VIGIE_SMTP_URL: its host or port cannot be read; {FORM}") from None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise MailError(f"VIGIE_SMTP_URL: it must start with smtp:// or smtps://; {FORM}")
    return parts, port


def _options(parts: SplitResult) -> dict[str, str]:
    options = {k: v[-1] for k, v in parse_qs(parts.query).items()}
    unknown = options.keys() - {"from", "starttls", "ca"}
    if unknown:
        raise MailError(f"VIGIE_SMTP_URL: unknown {min(unknown)!r}; allowed: from, starttls, ca")
    if options.get("starttls", "required") != "required":
        raise MailError(f"VIGIE_SMTP_URL: starttls={options['starttls']!r}; allowed: required")
    if problem := address_problem(options.get("from", "vigie@localhost")):
        raise MailError(f"VIGIE_SMTP_URL: from={problem}")
    return options


def _tls(scheme: str, *, secret: bool, required: bool) -> Literal["smtps", "starttls", "plain"]:
    if scheme == "smtps":
        return "smtps"
    return "starttls" if secret or required else "plain"


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _one_line(text: bytes | str) -> str:
    return plain(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)[:300]
