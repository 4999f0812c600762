"""Watches: rules read figures and decide when to tell.

    rules.yaml ── rules ──┐
    contracts ────────────┴── documents ── evaluate ── lifecycle ── states ── incidents
                              Watcher JSON   looks       pure         └── mail ── outbox ── smtp

`Runner.tick(now)` runs every watch once; `Runner.deliver(now)` sends what the outbox holds.
"""

from __future__ import annotations

from analyzers.watches.documents import Watch, watches
from analyzers.watches.outbox import DeliveryReport, Sender
from analyzers.watches.rules import Rule, RuleError, load
from analyzers.watches.runner import Runner, TickReport
from analyzers.watches.smtp import MailServer

__all__ = [
    "DeliveryReport",
    "MailServer",
    "Rule",
    "RuleError",
    "Runner",
    "Sender",
    "TickReport",
    "Watch",
    "load",
    "watches",
]
