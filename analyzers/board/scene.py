"""What the panels of one model's page draw from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analyzers.board.figures import Figures
from analyzers.board.incidents import Incident
from analyzers.board.panels import Band
from analyzers.board.spans import Span
from analyzers.board.visit import Visit
from analyzers.metrics import metric
from collectors.contract import Contract

__all__ = ["Scene"]


@dataclass(frozen=True)
class Scene:
    """Everything that the panels of one model's page draw from."""

    visit: Visit
    contract: Contract
    span: Span
    figures: Figures
    daily: Figures
    incidents: Sequence[Incident]

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.contract.model

    @property
    def bands(self) -> list[Band]:
        """Periods of the incidents that touch the span."""
        found = [i.period(self.span.end) for i in self.incidents]
        return [p for p in found if p and p[0] < self.span.end and p[1] > self.span.start]

    def title(self, name: str) -> str:
        """Title of a metric in the language of the visit."""
        try:
            found = metric(name)
        except KeyError:
            return name
        return found.french if self.visit.lang == "fr" else found.english
