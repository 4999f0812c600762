"""`vigie board`: the local web page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collectors.contract import Contract

__all__ = ["board"]


@click.command()
@click.option("--url", envvar="VIGIE_URL", help="Address of the engine.")
@click.option(
    "--contracts",
    envvar="VIGIE_CONTRACTS",
    default="contracts",
    show_default=True,
    help="Folder of contracts, or files joined by the path separator.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option("--port", default=8600, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--mails",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of caught mails (.eml) to show.",
)
@click.option("--allow-host", multiple=True, help="Name that a Host header may carry; repeatable.")
def board(
    url: str | None,
    contracts: str,
    host: str,
    port: int,
    mails: Path | None,
    allow_host: tuple[str, ...],
) -> None:
    """Serve the local web page: health, figures, incidents, logs and mails."""
    try:
        from analyzers.board import BoardError, create_app, serve  # noqa: PLC0415 - the extra
    except ImportError as error:
        missing = f"{error.name} is missing; install the extra: pip install 'vigie[analyzers]'"
        raise click.ClickException(missing) from error
    from analyzers.store import Store  # noqa: PLC0415
    from collectors.connection import EngineError, Settings  # noqa: PLC0415
    from collectors.contract import ContractError  # noqa: PLC0415

    env = {**os.environ, **({"VIGIE_URL": url} if url else {})}
    try:
        store = Store(Settings.from_environment(env).connect())
        token = os.environ.get("VIGIE_BOARD_TOKEN")
        watched = read_contracts(contracts)
        app = create_app(store, watched, mails=mails, token=token, hosts=allow_host)
        serve(app, host=host, port=port, ready=lambda: click.echo(f"http://{host}:{port}/"))
    except (BoardError, EngineError, ContractError) as error:
        raise click.ClickException(str(error)) from error


def read_contracts(setting: str) -> Sequence[Contract]:
    """Contracts of a folder, or of files joined by the path separator, by model."""
    from collectors.contract import ContractError, load  # noqa: PLC0415

    paths = [p for part in setting.split(os.pathsep) if part for p in _files(Path(part))]
    found = [load(path) for path in paths]
    if not found:
        cure = "name a folder or files in VIGIE_CONTRACTS; `vigie init DATA.csv` drafts one"
        raise ContractError(f"{setting}: no contract (*.yaml) here; {cure}")
    return sorted(found, key=lambda c: c.model)


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.y*ml")) if path.is_dir() else [path]
