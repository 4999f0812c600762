"""The board as a child of the demo: port 8600, or the next one that is free."""

from __future__ import annotations

from pathlib import Path

import click

from analyzers.board import BoardError, create_app, serve
from analyzers.store import Store
from collectors.connection import connect
from collectors.contract import load

__all__ = ["FIRST_PORT"]

FIRST_PORT, PORTS = 8600, 50


@click.command(epilog="Example: python -m scripts.demo.board --url http://127.0.0.1:9250 ...")
@click.option("--url", required=True, help="Address of the engine.")
@click.option("--mails", required=True, type=click.Path(path_type=Path), help="Caught mails.")
@click.option("--port-file", required=True, type=click.Path(path_type=Path), help="Gets the port.")
@click.argument("contracts", nargs=-1, required=True, type=click.Path(path_type=Path))
def main(url: str, mails: Path, port_file: Path, contracts: tuple[Path, ...]) -> None:
    """Serve the board of the contracts until SIGTERM."""
    app = create_app(Store(connect(url)), [load(path) for path in contracts], mails=mails)
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        try:
            serve(app, port=port, ready=lambda port=port: _tell(port_file, port))  # type: ignore[misc]
            return
        except BoardError:
            continue
    raise click.ClickException(f"no free port from {FIRST_PORT} to {FIRST_PORT + PORTS - 1}")


def _tell(file: Path, port: int) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(str(port))
    fresh.replace(file)


if __name__ == "__main__":
    main()
