"""`vigie run`, `vigie analyze` and `vigie profile`."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from analyzers import profiles
from analyzers.cli import Failure, contracts_option, engine_client, moment, read_contracts
from analyzers.drift.distribution import NumericProfile
from analyzers.jobs import JOBS, job
from analyzers.scheduler import run_job
from analyzers.store import Store
from analyzers.windows import Window, closed, iso
from collectors.contract import Contract

__all__ = ["analyze", "profile", "run"]


@click.command()
@contracts_option
@click.option("--delay", default=10.0, show_default=True, help="Seconds that ingest may take.")
@click.option("--board-url", default="http://127.0.0.1:8600", show_default=True)
def run(paths: tuple[Path, ...], delay: float, board_url: str) -> None:
    """Run the scheduler: jobs, watches and mail, each minute until Ctrl-C.

    \b
    Example:
        VIGIE_SMTP_URL=smtp://127.0.0.1:1025 vigie run --contracts contracts/
    """
    from analyzers.service import Service  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("elastic_transport").setLevel(logging.ERROR)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    contracts = read_contracts(paths)
    service = Service(
        Store(engine_client()), contracts, smtp_url=os.environ.get("VIGIE_SMTP_URL"),
        board_url=board_url, delay=timedelta(seconds=delay),
    )  # fmt: skip
    click.echo(f"watching {', '.join(c.model for c in contracts)}; Ctrl-C ends")
    service.run()
    click.echo("stopped")


@click.command()
@click.argument("job_name", metavar="JOB", type=click.Choice([j.name for j in JOBS]))
@click.option("--model", help="Only this model.")
@click.option("--from", "start", help="Start, included; default: a day ago.")
@click.option("--to", "end", help="End, excluded; default: now.")
@contracts_option
def analyze(
    job_name: str, model: str | None, start: str | None, end: str | None, paths: tuple[Path, ...]
) -> None:
    """Run one job over a period: back-fill, retrospective.

    \b
    Example:
        vigie analyze drift --model credit-scoring --from 2026-11-01 --to 2026-11-08
    """
    now, chosen = datetime.now(UTC), job(job_name)
    until = moment(end, now)
    since = moment(start, until - timedelta(days=1))
    if not since < until:
        raise Failure(f"--from {iso(since)} is not before --to {iso(until)}; exchange them")
    contracts, store = _chosen(paths, model), Store(engine_client())
    for contract in contracts:
        windows = _windows(chosen.kind, chosen.lengths, since, until)
        label = f"{chosen.name} of {contract.model}"
        with click.progressbar(windows, label=label) as steps:
            written = sum(run_job(store, contract, chosen, [w], now) for w in steps)
        click.echo(f"{label}: {len(windows)} windows, {written} figures written")


def _windows(
    kind: str, lengths: tuple[timedelta, ...], since: datetime, until: datetime
) -> list[Window]:
    if kind == "tile":
        return [w for size in lengths for w in closed(size, since, until) if w.start >= since]
    minutes = closed(timedelta(minutes=1), since, until)
    return [Window(m.end - size, m.end) for m in minutes for size in lengths]


def _chosen(paths: tuple[Path, ...], model: str | None) -> list[Contract]:
    contracts = read_contracts(paths)
    names = [c.model for c in contracts]
    if model is not None and model not in names:
        raise Failure(f"unknown model {model!r}; known: {', '.join(names)}")
    return [c for c in contracts if model in (None, c.model)]


@click.group()
def profile() -> None:
    """Reference profiles: what windows are compared with."""


@profile.command()
@click.argument("model")
@contracts_option
def build(model: str, paths: tuple[Path, ...]) -> None:
    """Build the profile of the contract's reference period; a built one is frozen.

    \b
    Example:
        vigie profile build credit-scoring
    """
    (contract,) = _chosen(paths, model)
    found = profiles.build(Store(engine_client()), contract, datetime.now(UTC))
    names = ", ".join(p.feature for p in found.features)
    click.echo(f"{model}: profile {found.id} of {names}")


@profile.command("show")
@click.argument("model")
@contracts_option
def show(model: str, paths: tuple[Path, ...]) -> None:
    """Show the profile of a model, one line per feature."""
    (contract,) = _chosen(paths, model)
    found = profiles.load(Store(engine_client()), contract)
    if not found.features:
        raise Failure(f"{model}: no profile; `vigie profile build {model}` makes one")
    click.echo(f"{model}: profile {found.id}")
    for p in (*found.features, *found.outputs):
        click.echo(f"  {p.feature:28} n {p.n:>9,}  missing {p.missing:>7,}  {_summary(p)}")


def _summary(p: object) -> str:
    if isinstance(p, NumericProfile):
        known = p.mean is not None and p.std is not None
        return (
            f"mean {p.mean:.4g}, sd {p.std:.4g}, {p.minimum:.4g} to {p.maximum:.4g}"
            if known
            else ""
        )
    counts = getattr(p, "counts", {})
    return ", ".join(f"{k} {v:,}" for k, v in sorted(counts.items(), key=lambda i: -i[1])[:5])
