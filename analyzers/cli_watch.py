"""`vigie watch` and `vigie incident`."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from analyzers.cli import Failure, contracts_option, engine_client, read_contracts
from analyzers.store import Store
from analyzers.watches import MailServer, Runner, Watch, incidents, load, watches
from analyzers.watches.mail import address_problem
from analyzers.watches.rules import RULES_FILE
from collectors.contract import duration

__all__ = ["incident", "watch"]

_rules = click.option(
    "--rules", default=RULES_FILE, type=click.Path(path_type=Path),
    help="File of rules; default: the one shipped.",
)  # fmt: skip


@click.group()
def watch() -> None:
    """Rules that read figures and decide when to tell."""


@watch.command()
@contracts_option
@_rules
def lint(paths: tuple[Path, ...], rules: Path) -> None:
    """Check rules and contracts together, and list the watches that come from them.

    \b
    Example:
        vigie watch lint --contracts contracts/
    """
    found = watches(load(rules), read_contracts(paths))
    for one in found:
        told = ", ".join(one.contract.alerts.to) or "nobody is told: alerts.to is empty"
        click.echo(f"{one.id}  {one.rule.severity}  {told}")
    if problems := _addresses(found):
        raise Failure("; ".join(problems))
    click.echo(f"{len(found)} watches, no fault found")


@watch.command()
@contracts_option
@_rules
@click.option("--every", metavar="DURATION", help="Repeat until Ctrl-C, as 60s; default: once.")
@click.option("--board-url", envvar="VIGIE_BOARD_URL", help="Board's address, for links in mails.")
def run(paths: tuple[Path, ...], rules: Path, every: str | None, board_url: str | None) -> None:
    """Run all watches and send what the outbox holds. `vigie run` does this, too.

    \b
    Example:
        vigie watch run --every 60s
    """
    pause_s = _seconds(every)
    runner = Runner(
        Store(engine_client()), read_contracts(paths),
        rules=load(rules), sender=MailServer.from_environment(), board_url=board_url,
    )  # fmt: skip
    if pause_s is None:
        raise SystemExit(0 if _once(runner) else 2)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        _once(runner)
        stop.wait(pause_s - datetime.now(UTC).timestamp() % pause_s)


@watch.command()
@contracts_option
@_rules
@click.option(
    "--format", "kind", type=click.Choice(["watcher"]), default="watcher", show_default=True,
    help="Documents of Elasticsearch's own Watcher.",
)  # fmt: skip
@click.option("--model", help="Only the watches of this model.")
@click.option(
    "--output", "-o", type=click.Path(file_okay=False, path_type=Path),
    help="Folder for one file per watch; default: all as one JSON object on standard output.",
)  # fmt: skip
def export(
    paths: tuple[Path, ...], rules: Path, kind: str, model: str | None, output: Path | None
) -> None:
    """Write the watches as documents that others can run.

    \b
    Example:
        vigie watch export --format watcher --model credit-scoring
    """
    found = {
        w.id: w.document
        for w in watches(load(rules), read_contracts(paths))
        if model in (None, w.contract.model)
    }
    if not found:
        raise Failure(f"no {kind} document for model {model!r}; `vigie watch lint` lists watches")
    if output is None:
        click.echo(_pretty(found))
        return
    output.mkdir(parents=True, exist_ok=True)
    for name, document in found.items():
        file = output / f"{name.replace(':', '.')}.json"
        file.write_text(_pretty(document) + "\n", "utf-8")
        click.echo(file)


@click.group()
def incident() -> None:
    """What went wrong, from when to when."""


@incident.command("list")
@click.option("--model", "models", multiple=True, help="Only this model; may be repeated.")
@click.option("--open", "only_open", is_flag=True, help="Only those that have not ended.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
def list_incidents(models: Sequence[str], only_open: bool, limit: int) -> None:
    """List incidents, newest first.

    \b
    Example:
        vigie incident list --open
    """
    store = Store(engine_client())
    found = incidents.listed(store, models=models, only_open=only_open, size=limit)
    for source in found:
        click.echo(_line(source))
    if not found:
        click.echo("no incident")


@incident.command()
@click.argument("identity", metavar="ID")
def show(identity: str) -> None:
    """Show one incident and the mails about it.

    \b
    Example:
        vigie incident show HighErrorRate:credit-scoring:1763715060
    """
    store = Store(engine_client())
    found = incidents.one(store, identity)
    if found is None:
        raise Failure(f"no incident {identity!r}; `vigie incident list` lists them")
    click.echo(_line(found.source))
    click.echo(found.source["alert"]["message"])
    for mail in found.mails:
        note = mail.get("error", "")
        click.echo(
            f"mail {mail['event']}: {mail['status']}, to {', '.join(mail['to'])} {note}".rstrip()
        )


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else duration(text).total_seconds()
    except ValueError as error:
        raise Failure(f"--every {error}") from error


def _addresses(found: Iterable[Watch]) -> list[str]:
    problems = [
        f"{w.contract.model}: alerts.to: {problem}"
        for w in found
        for problem in filter(None, map(address_problem, w.contract.alerts.to))
    ]
    return list(dict.fromkeys(problems))


def _once(runner: Runner) -> bool:
    """One tick and one delivery, told in one line; whether all went well."""
    now = datetime.now(UTC)
    tick = runner.tick(now)
    sent = runner.deliver(now) if tick.ran else None
    for problem in filter(None, (*tick.errors, sent.problem if sent else "")):
        click.echo(f"vigie: {problem}", err=True)
    if sent:
        click.echo(
            f"{tick.at:%H:%M} UTC: {tick.watches} watches, {len(tick.opened)} opened, "
            f"{len(tick.resolved)} resolved; mails: {sent.sent} sent, {sent.waiting} waiting, "
            f"{sent.dead} given up"
        )
    return not tick.errors


def _line(source: dict[str, Any]) -> str:
    about, alert = source["incident"], source["alert"]
    until = about.get("resolved", "open")
    peak = f"peak {about['peak']:.4g}, limit {alert['threshold']:.4g}"
    return f"{about['id']}  {alert['severity']}  {about['onset']} - {until}  {peak}"


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
