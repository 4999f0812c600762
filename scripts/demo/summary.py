"""`summary.json`: what the demo did, measured from the engine, the mails and the board."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyzers.store import Store
from analyzers.windows import iso
from collectors.connection import check
from scripts.demo import evidence, figures
from scripts.demo.canaries import Canary
from scripts.demo.progress import Progress
from scripts.demo.scan import Finder
from scripts.demo.timeline import Timeline

__all__ = ["Scene", "measure", "write"]

Json = dict[str, Any]
BOARD_PAGES = ("/", "/logs", "/alerts", "/mails")


@dataclass(frozen=True)
class Scene:
    """Where to look: the engine, the spool, the mails and the board of one run."""

    store: Store
    engine_url: str
    board_url: str
    spool: Path
    mails: Path
    models: tuple[str, ...]
    timeline: Timeline


def measure(scene: Scene, planted: Sequence[Canary], progress: Progress) -> Json:
    """Read everything once and say what is there."""
    finder = Finder(planted)
    scene.store.refresh("vigie-*")
    with progress.phase("measure_board"):
        pages = evidence.pages(scene.board_url, _starts(scene))
    with progress.phase("measure_engine"):
        engine = evidence.read_engine(scene.engine_url, finder)
    with progress.phase("measure_spool"):
        spool = evidence.read_spool(scene.spool, finder)
    mails = evidence.mails(scene.mails)
    leaks = {
        "spool": spool.found,
        "engine": engine.found,
        "mails": finder.found(b"\n".join(map(evidence.mail_text, mails))),
        "board": {canary for page in pages for canary in finder.found(page.body)},
    }
    return {
        "engine": {"version": check(scene.store.client).version},
        "events": _events(scene.store, spool, engine),
        "predictions": _predictions(scene.store),
        "canaries": _canaries(planted, leaks),
        "faults": _faults(scene.timeline),
        "drift": {m: figures.drift(scene.store, scene.timeline, m) for m in scene.models},
        "performance": {m: figures.performance(scene.store, m) for m in scene.models},
        "alerts": figures.alerts(scene.store),
        "mails": figures.mail_rows(scene.store, mails),
        "board": {"pages": [{"path": page.path, "status": page.status} for page in pages]},
    }


def write(summary: Json, path: Path) -> None:
    """Write the summary for people and programs."""
    path.write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n")


def _starts(scene: Scene) -> list[str]:
    return [*BOARD_PAGES, *(f"/models/{model}" for model in scene.models)]


def _events(store: Store, spool: evidence.SpoolView, engine: evidence.EngineView) -> Json:
    return {
        "emitted": spool.lines,
        "indexed": engine.events,
        "duplicates": engine.events - engine.distinct,
        "dropped": figures.dropped(store),
        "dead_letters": spool.dead_letters + engine.unparsed,
    }


def _predictions(store: Store) -> int:
    return store.count("vigie-inference-*", {"term": {"event.action": "prediction"}})


def _canaries(planted: Sequence[Canary], leaks: dict[str, set[Canary]]) -> Json:
    found = set().union(*leaks.values())
    return {
        "planted": len(planted),
        "found": len(found),
        "leaks": sorted(
            f"{canary.kind} in {canary.place}, found in {where}"
            for where, canaries in leaks.items()
            for canary in canaries
        ),
    }


def _faults(timeline: Timeline) -> list[Json]:
    return [
        {
            "kind": fault.kind,
            "model": fault.model,
            "from": iso(fault.window.start),
            "to": iso(fault.window.end),
        }
        for fault in timeline.faults
    ]
