"""`vigie run`: APScheduler keeps the minute, everything behind it is given `now`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from analyzers.scheduler import Scheduler
from analyzers.store import Store
from analyzers.watches import MailServer, Runner
from analyzers.windows import MINUTE, floor
from collectors.contract import Contract

__all__ = ["Service"]

log = logging.getLogger(__name__)


class Service:
    """Jobs, watches and mail of some models, each minute."""

    def __init__(
        self,
        store: Store,
        contracts: Sequence[Contract],
        *,
        smtp_url: str | None,
        board_url: str,
        delay: timedelta = timedelta(seconds=10),
    ) -> None:
        self.scheduler = Scheduler(store, contracts)
        sender = MailServer.from_url(smtp_url) if smtp_url else None
        self.watches = Runner(store, contracts, sender=sender, board_url=board_url)
        self.delay = delay
        self.last = floor(datetime.now(UTC), MINUTE) - MINUTE
        self._stop = threading.Event()

    def tick(self, now: datetime) -> None:
        """One minute: figures first, then what they mean, then mail."""
        try:
            run = self.scheduler.tick(self.last, now)
            self.watches.tick(now)
            self.watches.deliver(now)
        except Exception:
            log.exception("the tick of %s failed; the next minute tries again", now)
            return
        self.last = now
        log.info("%s: %d figures, %d outcomes", f"{now:%H:%M}", run.figures, run.outcomes)

    def run(self) -> None:
        """Tick each minute until Ctrl-C; a late minute runs once, none overlaps another."""
        timer = BackgroundScheduler(timezone=UTC)
        second = int(self.delay.total_seconds()) % 60
        timer.add_job(
            lambda: self.tick(floor(datetime.now(UTC), MINUTE)), CronTrigger(second=second),
            coalesce=True, max_instances=1, misfire_grace_time=None,
        )  # fmt: skip
        timer.start()
        try:
            self._stop.wait()
        except KeyboardInterrupt:
            log.info("stopping")
        finally:
            timer.shutdown(wait=True)

    def stop(self) -> None:
        """End `run`, from another thread."""
        self._stop.set()
