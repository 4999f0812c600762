"""Builds the stage: data folder, models, engine, services, mail catcher and board."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import numpy as np

from analyzers.provision import provision
from analyzers.scheduler import Scheduler
from analyzers.store import Store
from analyzers.watches.runner import Runner
from analyzers.watches.smtp import MailServer
from analyzers.windows import iso
from collectors.connection import connect
from collectors.contract import Contract, load
from collectors.shipping import Shipper
from scripts.demo import models
from scripts.demo.canaries import plant
from scripts.demo.catcher import Catcher
from scripts.demo.chain import Chain
from scripts.demo.client import Clients
from scripts.demo.models import MODELS, Spec
from scripts.demo.places import Places
from scripts.demo.play import Stage
from scripts.demo.processes import Child, children
from scripts.demo.progress import Progress
from scripts.demo.summary import Scene
from scripts.demo.timeline import Timeline
from scripts.demo.traffic import SEED, World
from scripts.engine import EmbeddedEngine

__all__ = ["set_up"]

BOARD = "board"


@contextmanager
def set_up(places: Places, timeline: Timeline, progress: Progress) -> Iterator[tuple[Stage, Scene]]:
    """Everything up and connected; all of it is gone when the block ends."""
    with ExitStack() as stack:
        engine = EmbeddedEngine(places.engine)
        stack.callback(engine.stop)
        with progress.phase("engine"):
            engine.start(progress.say)
        with progress.phase("train", "training two models"):
            worlds = tuple(_trained(spec, places, progress) for spec in MODELS)
        contracts = _contracts(places, timeline)
        store = Store(connect(engine.url, timeout_s=60))
        with progress.phase("provision", "provisioning"):
            provision(store.client, contracts)
        catcher = stack.enter_context(Catcher(places.mails))
        with progress.phase("services", "starting the services and the board"):
            urls = stack.enter_context(
                children(_wanted(places, engine.url), places.processes, _environment(places))
            )
        clients = stack.enter_context(Clients({spec.name: urls[spec.name] for spec in MODELS}))
        sender = MailServer.from_url(f"{catcher.url}/?from=vigie@example.org")
        runner = Runner(store, contracts, sender=sender, board_url=urls[BOARD])
        chain = Chain(
            Shipper(store.client, places.spool), Scheduler(store, contracts), runner, progress
        )
        canaries = plant(np.random.default_rng((SEED, 11)))
        names = tuple(spec.name for spec in MODELS)
        scene = Scene(store, engine.url, urls[BOARD], places.spool, places.mails, names, timeline)
        yield Stage(worlds, clients, chain, progress, canaries), scene


def _trained(spec: Spec, places: Places, progress: Progress) -> World:
    classifier, held_out, f1 = models.train(spec)
    models.save(classifier, places.model(spec))
    progress.say(f"  {spec.name} {spec.version}: F1 {f1:.3f} on {len(held_out.truth)} unseen rows")
    return World(spec, held_out)


def _contracts(places: Places, timeline: Timeline) -> list[Contract]:
    """Each contract with the reference period of this run."""
    period = timeline.reference
    line = f'reference: {{from: "{iso(period.start)}", to: "{iso(period.end)}"}}\n'
    for spec in MODELS:
        places.contract(spec).write_text(spec.contract.read_text("utf-8") + "\n" + line, "utf-8")
    return [load(places.contract(spec)) for spec in MODELS]


def _wanted(places: Places, engine_url: str) -> list[Child]:
    return [*(_service(spec, places) for spec in MODELS), _board(places, engine_url)]


def _environment(places: Places) -> Mapping[str, str]:
    """A key of this run's own, which every service shares."""
    key = places.directory / "hash.key"
    key.touch(0o600)
    key.write_text(secrets.token_hex(32))
    return {"VIGIE_HASH_KEY_FILE": str(key.resolve())}


def _service(spec: Spec, places: Places) -> Child:
    arguments = {
        "--model": spec.name,
        "--file": places.model(spec).resolve(),
        "--contract": places.contract(spec).resolve(),
        "--spool": places.spool.resolve(),
    }
    flat = tuple(str(word) for pair in arguments.items() for word in pair)
    return Child(spec.name, "scripts.demo.service", flat, "/health")


def _board(places: Places, engine_url: str) -> Child:
    contracts = (str(places.contract(spec).resolve()) for spec in MODELS)
    options = ("--url", engine_url, "--mails", str(places.mails.resolve()))
    return Child(BOARD, "scripts.demo.board", (*options, *contracts), "/healthz")
