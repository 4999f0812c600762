"""Looks for planted personal data in bytes of any kind, in literal and in compact spelling.

Text is searched in lower case without spaces, dots, dashes, slashes and brackets, so that a number
is found however it was re-spelled. The few marks that canaries share are looked for first, which
makes a scan of some hundred megabytes a matter of seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import urllib3

from scripts.demo.canaries import Canary

__all__ = ["Finder", "documents", "file_parts", "indices"]

PAGE = 4000
PART = 8 * 2**20
_SEPARATORS = b" .-()/"
_SCROLL = re.compile(rb'"_scroll_id":"([^"]+)"')
_ESCAPES = ((b"%40", b"@"), (b"%20", b" "), (b"%2b", b"+"), (b"\xc2\xa0", b" "))


def compact(text: bytes) -> bytes:
    """Lower case without separators."""
    small = text.lower()
    for escaped, plain in _ESCAPES:
        small = small.replace(escaped, plain)
    return small.translate(None, _SEPARATORS)


@dataclass(frozen=True)
class _Needle:
    canary: Canary
    spelling: bytes
    offset: int

    def at(self, small: bytes, mark: int, text: bytes) -> bool:
        """Whether the needle lies around the mark; digits that run on must match literally."""
        start, end = mark - self.offset, mark - self.offset + len(self.spelling)
        if start < 0 or small[start:end] != self.spelling:
            return False
        runs_on = small[start - 1 : start].isdigit() or small[end : end + 1].isdigit()
        alone = not (runs_on and self.spelling.isdigit())
        return alone or self.canary.secret.encode() in text


class Finder:
    """Canaries that are searched for, grouped by mark."""

    def __init__(self, canaries: Iterable[Canary]) -> None:
        self._needles: dict[bytes, list[_Needle]] = {}
        for canary in canaries:
            mark = canary.mark.encode()
            group = self._needles.setdefault(mark, [])
            group += (_Needle(canary, s, s.index(mark)) for s in _spellings(canary))

    def found(self, text: bytes) -> set[Canary]:
        """Canaries that occur in the text."""
        small = compact(text)
        return {
            needle.canary
            for mark, needles in self._needles.items()
            for place in _places(small, mark)
            for needle in needles
            if needle.at(small, place, text)
        }


def _places(text: bytes, mark: bytes) -> Iterator[int]:
    place = text.find(mark)
    while place >= 0:
        yield place
        place = text.find(mark, place + 1)


def _spellings(canary: Canary) -> Sequence[bytes]:
    plain = compact(canary.secret.encode())
    if canary.kind == "phone_fr":
        return (b"0" + plain[-9:], b"33" + plain[-9:])
    return (plain.removeprefix(b"+"),)


def file_parts(path: Path) -> Iterator[bytes]:
    """Whole lines of a file, some megabytes at a time."""
    with path.open("rb") as file:
        while part := file.read(PART):
            yield part + file.readline()


def indices(url: str) -> list[str]:
    """Every index of the engine."""
    answer = urllib3.request("GET", f"{url}/_cat/indices?h=index&expand_wildcards=all")
    return sorted(answer.data.decode().split())


def documents(url: str, index: str) -> Iterator[bytes]:
    """Raw pages of all documents of an index, as the engine spells them."""
    body = {"size": PAGE, "sort": ["_doc"], "query": {"match_all": {}}}
    page = _post(f"{url}/{index}/_search?scroll=1m", body)
    while b'"hits":[]' not in page[-64:]:
        yield page
        page = _post(f"{url}/_search/scroll", {"scroll": "1m", "scroll_id": _scroll_id(page)})
    urllib3.request("DELETE", f"{url}/_search/scroll", json={"scroll_id": [_scroll_id(page)]})


def _scroll_id(page: bytes) -> str:
    match = _SCROLL.search(page[:4096])
    if match is None:
        raise RuntimeError(f"no scroll id in {page[:200]!r}")
    return match[1].decode()


def _post(url: str, body: dict[str, object]) -> bytes:
    answer = urllib3.request("POST", url, json=body, timeout=60.0)
    if answer.status != 200:
        raise RuntimeError(f"{url} answered {answer.status}: {answer.data[:300]!r}")
    return answer.data
