"""One visit of one page: its language, its clock, and how it is rendered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from analyzers.board.format import Formatter, visible
from analyzers.board.words import LANGUAGES, Language, negotiate, say
from analyzers.store import Store
from analyzers.windows import MINUTE, iso
from collectors.contract import Contract

__all__ = ["Site", "Visit"]

HERE = Path(__file__).parent
ENVIRONMENT = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.filters["visible"] = visible


@dataclass(frozen=True)
class Site:
    """What all pages share."""

    store: Store
    contracts: Mapping[str, Contract]
    mails: Path | None
    token: str | None
    now: Callable[[], datetime]

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the watched models, in the order of the contracts."""
        return tuple(self.contracts)


@dataclass(frozen=True)
class Visit:
    """A request with everything that a page needs to answer it."""

    site: Site
    request: Request
    now: datetime

    @classmethod
    def of(cls, request: Request) -> Visit:
        """The visit that a request makes."""
        site: Site = request.app.state.site
        return cls(site, request, site.now())

    @cached_property
    def lang(self) -> Language:
        """Language of the page."""
        header = self.request.headers.get("accept-language", "")
        return negotiate(self.request.query_params.get("lang"), header)

    @cached_property
    def form(self) -> Formatter:
        """Formatter of the page."""
        return Formatter(self.lang)

    def say(self, key: str, **values: object) -> str:
        """A sentence in the language of the page."""
        return say(key, self.lang, values)

    def href(self, path: str, **query: object) -> str:
        """An address inside the board that keeps the chosen language."""
        chosen = self.request.query_params.get("lang")
        if chosen in LANGUAGES and "lang" not in query:
            query["lang"] = chosen
        given = {k.removesuffix("_"): str(v) for k, v in query.items() if v not in (None, "")}
        return path + ("?" + urlencode(given) if given else "")

    def incident_lines(self, model: str, period: tuple[datetime, datetime] | None) -> str:
        """Address of the lines of a model during an incident and ten minutes around it."""
        if period is None:
            return self.href("/logs", model=model)
        start, end = period[0] - 10 * MINUTE, min(period[1] + 10 * MINUTE, self.now + MINUTE)
        return self.href("/logs", model=model, from_=iso(start), to=iso(end))

    def other_language(self) -> list[tuple[Language, str]]:
        """Each language with the address of this page in it."""
        query = dict(self.request.query_params)
        path = self.request.url.path
        return [(x, f"{path}?{urlencode({**query, 'lang': x})}") for x in LANGUAGES]

    def page(self, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
        """Render a template."""
        html = ENVIRONMENT.get_template(template).render(
            visit=self, t=self.say, f=self.form, href=self.href, **values
        )
        return HTMLResponse(html, status_code=status)
