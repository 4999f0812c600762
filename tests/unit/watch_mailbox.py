"""A real SMTP server on a free port of 127.0.0.1 that keeps what it is given."""

from __future__ import annotations

import asyncio
import email
import socket
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller


@dataclass(frozen=True)
class Caught:
    to: list[str]
    message: EmailMessage


class _Controller(Controller):
    """A controller on a socket that is bound already, so that no free port is guessed."""

    def __init__(self, handler: Any, listener: socket.socket) -> None:
        self.listener = listener
        host, port = listener.getsockname()
        super().__init__(handler, hostname=host, port=port, ready_timeout=10)

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self.listener)


class Mailbox:
    """Keeps mails; `codes` refuse addresses, `data` is the answer to a body."""

    def __init__(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self.url = f"smtp://127.0.0.1:{self.port}"
        self.mails: list[Caught] = []
        self.commands: list[str] = []
        self.codes: dict[str, int] = {}
        self.data = "250 kept"
        self._controller = _Controller(self, listener)

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        self.commands.append(f"RCPT {address}")
        if address in self.codes:
            return f"{self.codes[address]} no"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        if self.data.startswith("250"):
            message = email.message_from_bytes(envelope.content, policy=policy.default)
            self.mails.append(Caught(list(envelope.rcpt_tos), message))
        return self.data

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
        loop = self._controller.loop
        if not loop.is_closed():
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
