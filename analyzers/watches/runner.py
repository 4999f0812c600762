"""The runner: each minute it reads what the looks say, moves states on and tells about it.

What is written, in this order, and why a kill between any two writes loses and doubles nothing:

1. the state, only where nobody changed it, with the list of what is due for it
2. the alert, the incident, the mail: each under an id of its own, so that writing twice is once
3. the state again, with nothing due

Whoever finds a state with something due does 2 and 3 before anything else.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from elastic_transport import ApiError, TransportError

from analyzers.store import Search, Store, StoreError
from analyzers.watches import evaluate, incidents, outbox, states
from analyzers.watches.documents import Watch, watches
from analyzers.watches.lifecycle import Event, Name, Reading, State, start, step
from analyzers.watches.mail import Kind, address_problem, compose
from analyzers.watches.outbox import DeliveryReport, Sender
from analyzers.watches.rules import Rule, load
from analyzers.watches.states import Held
from analyzers.windows import MINUTE, floor
from collectors.connection import EngineError
from collectors.contract import Contract
from collectors.schema import RESULTS

__all__ = ["Runner", "TickReport"]

FAILURES = (ApiError, TransportError, EngineError, StoreError, evaluate.WatchError)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TickReport:
    """What one tick did: events by incident, watches by state, and what went wrong."""

    at: datetime
    watches: int
    opened: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    states: Mapping[str, Name] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    ran: bool = True


class Runner:
    """Runs the watches of some models.

    Args:
        store: The engine.
        contracts: One per model.
        sender: Sends mails; without one they wait in the outbox.
        rules: The rules; those of `rules.yaml` when absent.
        board_url: Address of the board, for the links in mails.
        rng: Spreads the retries of mails.

    """

    def __init__(
        self,
        store: Store,
        contracts: Iterable[Contract],
        *,
        sender: Sender | None = None,
        rules: Sequence[Rule] | None = None,
        board_url: str | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.store, self.sender, self.board_url = store, sender, board_url
        self.watches = watches(load() if rules is None else rules, contracts)
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries

    def tick(self, now: datetime) -> TickReport:
        """Run every watch once, as of the minute that `now` lies in."""
        scheduled = floor(now, MINUTE)
        try:
            self.store.refresh(RESULTS.pattern)
            known = states.read(self.store, [watch.id for watch in self.watches])
            readings = self._readings(scheduled)
        except FAILURES as error:
            _log.error("watches cannot run at %s: %s", scheduled, error)
            return TickReport(scheduled, len(self.watches), errors=(str(error),), ran=False)
        tick = _Tick(self, scheduled)
        for watch, reading in zip(self.watches, readings, strict=True):
            tick.run(watch, reading, known.get(watch.id))
        return tick.report()

    def deliver(self, now: datetime) -> DeliveryReport:
        """Send the mails that are due."""
        if self.sender is None:
            return DeliveryReport(problem="no mail server; set VIGIE_SMTP_URL")
        try:
            return outbox.deliver(self.store, self.sender, now, self._rng)
        except FAILURES as error:
            _log.error("mails cannot be sent at %s: %s", now, error)
            return DeliveryReport(problem=str(error))

    def _readings(self, scheduled: datetime) -> list[Reading]:
        """All searches in one request; when one of them fails, each on its own."""
        searches = [evaluate.search(watch.document, scheduled) for watch in self.watches]
        try:
            answers = self.store.searches(searches)
        except StoreError:
            return [self._alone(w, s) for w, s in zip(self.watches, searches, strict=True)]
        return [self._reading(w, a) for w, a in zip(self.watches, answers, strict=True)]

    def _alone(self, watch: Watch, search: Search) -> Reading:
        try:
            (answer,) = self.store.searches([search])
        except FAILURES as error:
            return evaluate.failure(watch.document, str(error))
        return self._reading(watch, answer)

    @staticmethod
    def _reading(watch: Watch, answer: Mapping[str, Any]) -> Reading:
        try:
            return evaluate.read(watch.document, answer)
        except (LookupError, TypeError, ValueError) as error:
            problem = f"the answer cannot be read: {type(error).__name__}: {error}"
            return evaluate.failure(watch.document, problem)


class _Tick:
    """One tick: each watch on its own, whatever happens to the others."""

    def __init__(self, runner: Runner, now: datetime) -> None:
        self.runner, self.store, self.now = runner, runner.store, now
        self.opened: list[str] = []
        self.resolved: list[str] = []
        self.lost: list[str] = []
        self.errors: list[str] = []
        self.states: dict[str, Name] = {}

    def report(self) -> TickReport:
        """What was done."""
        return TickReport(
            self.now, len(self.runner.watches),
            opened=tuple(self.opened), resolved=tuple(self.resolved),
            states=self.states, lost=tuple(self.lost), errors=tuple(self.errors),
        )  # fmt: skip

    def run(self, watch: Watch, reading: Reading, held: Held | None) -> None:
        """Finish what a crash left, then take the step."""
        try:
            self._run(watch, reading, held)
        except FAILURES as error:
            self.errors.append(f"{watch.id}: {error}")
            _log.error("watch %s was left where it is: %s", watch.id, error)

    def _run(self, watch: Watch, reading: Reading, held: Held | None) -> None:
        if held and held.due:
            held = self._settle(watch, held)
            if held is None:
                return
        state = held.state if held else start(watch.id, self.now)
        after, events = step(state, reading, self.now)
        self.states[watch.id] = after.name
        if held is None or events:
            after = replace(after, message=states.say(watch, after, reading))
            self._move(watch, held, after, events)

    def _move(self, watch: Watch, held: Held | None, after: State, events: Sequence[Event]) -> None:
        """Write the state first: whoever wins this write does the rest."""
        written = states.write(self.store, watch, after, events, held.stored if held else None)
        if written is None:
            self.lost.append(watch.id)
            return
        if after.name == "error" and "changed" in events:
            _log.error("watch %s cannot be evaluated: %s", watch.id, after.message)
        if events:
            self._settle(watch, written)

    def _settle(self, watch: Watch, held: Held) -> Held | None:
        """Do what is due, then say so; doing it twice is doing it once."""
        for event in held.due:
            self._carry_out(watch, held.state, event)
        settled = states.write(self.store, watch, held.state, (), held.stored)
        if settled is None:
            self.lost.append(watch.id)
        return settled

    def _carry_out(self, watch: Watch, state: State, event: Event) -> None:
        if event == "changed":
            self.store.create(*states.alert(watch, state))
            return
        incidents.save(self.store, watch, state)
        if event != "worsened":
            self._tell(watch, state, event)
            done = self.opened if event == "opened" else self.resolved
            done.append(state.incident.id if state.incident else watch.id)

    def _tell(self, watch: Watch, state: State, kind: Kind) -> None:
        mail = compose(watch, state, kind, self.runner.board_url)
        for problem in filter(None, map(address_problem, watch.contract.alerts.to)):
            _log.warning("%s: alerts.to: %s", watch.contract.model, problem)
        if mail.to:
            outbox.put(self.store, watch, state, kind, mail)
        else:
            _log.warning(
                "%s %s, and alerts.to of the contract names nobody to tell", watch.id, kind
            )
