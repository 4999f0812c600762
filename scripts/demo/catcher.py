"""An SMTP server on 127.0.0.1 that keeps every mail as a file and sends nothing on."""

from __future__ import annotations

import asyncio
import socket
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller

__all__ = ["Catcher"]


class _Keeper:
    """Writes each mail into a directory, numbered in the order of arrival."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.numbers = directory, count(1)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Called by aiosmtpd for each mail; a whole file appears at once."""
        path = self.directory / f"{next(self.numbers):04d}.eml"
        fresh = path.with_suffix(".new")
        fresh.write_bytes(envelope.original_content or envelope.content)
        fresh.replace(path)
        return "250 kept"


class _Controller(Controller):
    """A controller on a socket that is bound already, so that no free port is guessed."""

    def __init__(self, handler: _Keeper, listener: socket.socket) -> None:
        self.listener = listener
        host, port = listener.getsockname()
        super().__init__(handler, hostname=host, port=port, ready_timeout=10)

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self.listener)


class Catcher:
    """A mail catcher; `url` is what VIGIE_SMTP_URL wants."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self._controller = _Controller(_Keeper(directory), listener)

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"smtp://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._controller.stop()
        loop = self._controller.loop
        if not loop.is_closed():
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
