"""`vigie board`: the local web page."""

from __future__ import annotations

import os
from pathlib import Path

import click

from analyzers.board import create_app, serve
from analyzers.cli import contracts_option, read_contracts
from analyzers.store import Store
from collectors.connection import Settings

__all__ = ["board"]


@click.command(epilog="Example: vigie board --port 8600 --mails build/demo/mails")
@contracts_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option("--port", default=8600, show_default=True, type=click.IntRange(1, 65535))
@click.option("--mails", type=click.Path(file_okay=False, path_type=Path), help="Caught mails.")
@click.option("--allow-host", "hosts", multiple=True, help="Another name in Host headers.")
def board(
    *, paths: tuple[Path, ...], host: str, port: int, mails: Path | None, hosts: tuple[str, ...]
) -> None:
    """Serve the local web page: health, figures, incidents, logs, mails."""
    store = Store(Settings.from_environment().connect())
    token = os.environ.get("VIGIE_BOARD_TOKEN")
    app = create_app(store, read_contracts(paths), mails=mails, token=token, hosts=hosts)
    name = f"[{host}]" if ":" in host else host
    serve(app, host=host, port=port, ready=lambda: click.echo(f"http://{name}:{port}/"))
