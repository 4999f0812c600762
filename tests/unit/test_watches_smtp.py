"""The mail server's address, and sending to a real SMTP server on 127.0.0.1."""

from __future__ import annotations

import socket
from email.message import EmailMessage

import pytest

from analyzers.watches.smtp import MailError, MailServer, ServerError
from tests.unit.watch_mailbox import Mailbox


@pytest.fixture
def mailbox():
    with Mailbox() as box:
        yield box


def message(subject="Hé"):
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "vigie@example.org", "a@x.org", subject
    made.set_content("é", cte="quoted-printable")
    return made


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("smtp://mail.example.org", "mail.example.org", 25, "plain"),
        ("smtp://127.0.0.1:1025/?from=v@x.org", "127.0.0.1", 1025, "plain"),
        ("smtp://mail.example.org?starttls=required", "mail.example.org", 587, "starttls"),
        ("smtp://u:p%40ss@mail.example.org", "mail.example.org", 587, "starttls"),
        ("smtps://u:p%40ss@mail.example.org", "mail.example.org", 465, "smtps"),
        ("smtp://[::1]:25", "::1", 25, "plain"),
    ],
)
def test_addresses(url, host, port, tls):
    server = MailServer.from_url(url)

    assert (server.host, server.port, server.tls) == (host, port, tls)
    assert server.password in ("", "p@ss")
    assert "p@ss" not in repr(server)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://x", "must start with smtp:// or smtps://"),
        ("smtp://", "must start with"),
        ("smtp://x:port", "its host or port cannot be read"),
        ("smtp://secretuser@x", "a user and a password go together"),
        ("smtp://x?form=a@b.org", "unknown 'form'; allowed: from, starttls, ca"),
        ("smtp://x?starttls=maybe", "starttls='maybe'; allowed: required"),
        ("smtp://x?from=nobody", "'nobody' is not a plain address"),
    ],
)
def test_wrong_addresses_are_named_with_the_cure(url, message):
    with pytest.raises(MailError, match=message.replace("?", r"\?")) as caught:
        MailServer.from_url(url)
    assert "VIGIE_SMTP_URL" in str(caught.value)


def test_the_environment_may_name_none():
    assert MailServer.from_environment({}) is None
    assert MailServer.from_environment({"VIGIE_SMTP_URL": "smtp://x"}) is not None


def test_a_mail_arrives(mailbox):
    server = MailServer.from_url(f"{mailbox.url}/?from=vigie@example.org")

    assert server.send(message(), ["a@x.org"]) == {}
    assert mailbox.mails[0].to == ["a@x.org"]
    assert mailbox.mails[0].message["Subject"] == "Hé"


@pytest.mark.parametrize(("code", "final"), [(450, False), (550, True)])
def test_refused_addresses_come_back_with_their_code(mailbox, code, final):
    mailbox.codes = {"b@x.org": code}
    refused = MailServer.from_url(mailbox.url).send(message(), ["a@x.org", "b@x.org"])
    alone = MailServer.from_url(mailbox.url).send(message(), ["b@x.org"])

    assert [(a, r.code, r.final) for a, r in refused.items()] == [("b@x.org", code, final)]
    assert alone["b@x.org"].code == code
    assert len(mailbox.mails) == 1


def test_a_refused_body_is_refused_for_every_address(mailbox):
    mailbox.data = "552 too large"
    refused = MailServer.from_url(mailbox.url).send(message(), ["a@x.org", "b@x.org"])

    assert [str(r) for r in refused.values()] == ["552 too large"] * 2


def test_a_server_that_wants_a_login_is_no_reason_to_give_the_mail_up(mailbox):
    mailbox.data = "530 5.7.0 Authentication required"

    with pytest.raises(ServerError, match=r"530 5\.7\.0 Authentication required"):
        MailServer.from_url(mailbox.url).send(message(), ["a@x.org"])


def test_nothing_listens():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(ServerError, match=f"mail server 127.0.0.1:{port}: "):
        MailServer.from_url(f"smtp://127.0.0.1:{port}").send(message(), ["a@x.org"])


@pytest.mark.parametrize("url", ["smtp://u:topsecret@{}/", "smtp://{}/?starttls=required"])
def test_without_starttls_neither_password_nor_mail_travels(mailbox, url):
    server = MailServer.from_url(url.format(f"127.0.0.1:{mailbox.port}"))

    with pytest.raises(ServerError, match="use smtps://") as caught:
        server.send(message(), ["a@x.org"])
    assert "topsecret" not in str(caught.value)
    assert mailbox.mails == []
    assert not any("AUTH" in c for c in mailbox.commands)
