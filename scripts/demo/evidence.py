"""What can be seen from outside: spool lines, documents, mails and pages, read once each."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import urllib3

from scripts.demo.canaries import Canary
from scripts.demo.scan import Finder, documents, file_parts, indices

__all__ = ["EngineView", "Page", "SpoolView", "mails", "pages", "read_engine", "read_spool"]

EVENT_FAMILIES = ("vigie-inference-", "vigie-feedback-", "vigie-service-")
MAX_PAGES, MAX_VARIANTS = 150, 6  # in all, and of one path with different queries
_DOCUMENT_ID = re.compile(rb'"_id":"([^"]+)"')
_LINK = re.compile(rb'(?:href|src)="(/[^"]*)"')


@dataclass
class SpoolView:
    """Lines that the services wrote, and those that the shipper could not deliver."""

    lines: int = 0
    dead_letters: int = 0
    found: set[Canary] = field(default_factory=set)


@dataclass
class EngineView:
    """Documents of the engine: how many of each kind, and which canaries they hold."""

    documents: int = 0
    events: int = 0
    distinct: int = 0
    unparsed: int = 0
    found: set[Canary] = field(default_factory=set)


@dataclass(frozen=True)
class Page:
    """One fetched page of the board."""

    path: str
    status: int
    body: bytes


def read_spool(spool: Path, finder: Finder) -> SpoolView:
    """Every file below the spool, dead letters and offsets included."""
    view = SpoolView()
    for path in sorted(p for p in spool.rglob("*") if p.is_file()):
        hidden = path.relative_to(spool).parts[0].startswith(".")
        for part in file_parts(path):
            view.found |= finder.found(part)
            view.lines += 0 if hidden else part.count(b"\n")
            view.dead_letters += part.count(b"\n") if path.parent.name == ".dead" else 0
    return view


def read_engine(url: str, finder: Finder) -> EngineView:
    """Every document of every index."""
    view, ids = EngineView(), set[bytes]()
    with ThreadPoolExecutor(2) as pool:  # the next index is fetched while one is searched
        for name, parts in _fetched(pool, url, indices(url)):
            for part in parts:
                view.found |= finder.found(part)
                here = _DOCUMENT_ID.findall(part)
                view.documents += len(here)
                if name.startswith(EVENT_FAMILIES):
                    view.events += len(here)
                    ids.update(here)
                view.unparsed += len(here) if name.startswith("vigie-unparsed") else 0
    view.distinct = len(ids)
    return view


def _fetched(
    pool: ThreadPoolExecutor, url: str, names: Sequence[str]
) -> Iterator[tuple[str, list[bytes]]]:
    """Indices with their documents, two of them read ahead."""

    def fetch(name: str) -> tuple[str, list[bytes]]:
        return name, list(documents(url, name))

    ahead = [pool.submit(fetch, name) for name in names[:2]]
    for number in range(len(names)):
        done = ahead.pop(0).result()
        ahead += [pool.submit(fetch, name) for name in names[number + 2 : number + 3]]
        yield done


def mails(directory: Path) -> list[EmailMessage]:
    """Caught mails in the order of arrival."""
    return [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in sorted(directory.glob("*.eml"))
    ]


def mail_text(mail: EmailMessage) -> bytes:
    """All headers and all text of a mail, decoded."""
    headers = [f"{name}: {value}" for name, value in mail.items()]
    bodies = [str(p.get_content()) for p in mail.walk() if p.get_content_maintype() == "text"]
    return html.unescape("\n".join((*headers, *bodies))).encode()


def pages(board: str, starts: Sequence[str]) -> list[Page]:
    """The pages that can be reached from the given ones by links, each once."""
    waiting, found = list(starts), dict[str, Page]()
    with urllib3.PoolManager(timeout=60.0, retries=2) as http:
        while waiting and len(found) < MAX_PAGES:
            path = waiting.pop(0)
            if path in found or _variants(path, found) >= MAX_VARIANTS:
                continue
            status, body = _fetch(http, board + path)
            text = html.unescape(body.decode("utf-8", "replace"))
            found[path] = Page(path, status, text.encode())
            waiting += (_absolute(path, link) for link in _LINK.findall(body))
    return list(found.values())


def _variants(path: str, found: Iterable[str]) -> int:
    """Pages fetched already that differ from this one in the query only."""
    return sum(x.partition("?")[0] == path.partition("?")[0] for x in found)


def _fetch(http: urllib3.PoolManager, url: str) -> tuple[int, bytes]:
    """Status and body; status 0 where nothing answers."""
    try:
        answer = http.request("GET", url)
    except urllib3.exceptions.HTTPError:
        return 0, b""
    return answer.status, answer.data


def _absolute(path: str, link: bytes) -> str:
    return urldefrag(urljoin(path, html.unescape(link.decode()))).url
