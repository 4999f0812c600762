"""Detectors of personal data in free text, each proved by its checksum where one exists.

    redact("écrire à jean@example.org") -> ("écrire à [email]", ("email",))

Cheap tests decide first whether a detector runs at all: plain prose costs a few microseconds.
The order matters: an IBAN holds what looks like a card, a French NIR passes as a card, and a card
holds what looks like a telephone number.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterator

__all__ = ["DETECTORS", "SECRET_NAME", "iban_valid", "luhn_valid", "nir_valid", "redact"]

Span = tuple[int, int]
Finder = Callable[[str], Iterator[Span]]

_SEPARATORS = " .-/_\t\n\r\u2010\u2011\u2012\u2013\u2014"
_GAP = rf"[{re.escape(_SEPARATORS)}]"

EMAIL = re.compile(
    r"[\w.!#$%&'*+/=?^`{|}~-]{1,254}(?:@|%(?:25)?40|\\u0040)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
)
IBAN_HEAD = re.compile(r"[A-Za-z]{2}\d{2}(?=[^A-Za-z0-9]{0,3}[A-Za-z0-9])")
DIGIT_RUN = re.compile(rf"(?<!\d)\d(?:{_GAP}{{0,3}}\d){{11,}}(?!\d)")
NIR = re.compile(
    rf"(?<!\d)[1-478]{_GAP}{{0,3}}\d{{2}}{_GAP}{{0,3}}\d{{2}}{_GAP}{{0,3}}(?:\d{{2}}|2[ABab]){_GAP}{{0,3}}"
    rf"\d{{3}}{_GAP}{{0,3}}\d{{3}}{_GAP}{{0,3}}\d{{2}}(?!\d)"
)
PHONE = re.compile(
    r"(?:(?<![\w.])|(?<=\\[nrtbfv])|(?<=_)|(?<=[^\d.]\.)|(?<=^\.)|(?<=(?i:tel))|(?<=(?i:phone)))(?<!\d\d:)(?:"
    rf"(?:(?:\+|%2[Bb]){_GAP}?|00 ?)[1-9]\d{{0,2}}{_GAP}{{0,3}}(?:\(0\){_GAP}?)?"
    rf"(?:\(?\d{{1,4}}\)?{_GAP}{{0,3}}){{2,6}}\d{{1,4}}"
    rf"|\(?0[1-9]\)?(?:{_GAP}{{0,3}}\d{{2}}){{4}}"
    rf"|\(\d{{3}}\) ?\d{{3}}{_GAP}\d{{4}}"
    r"|\d{3}[.-]\d{3}[.-]\d{4}"
    r")(?!\d)"
)
IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)")
IPV6 = re.compile(r"(?<![\w:])[0-9A-Fa-f:.]{7,45}(?!\w)")
KEYED = (
    r"[\w-]{0,40}(?:pass(?:word|wd|phrase)?|pwd|mdp|mot ?de ?passe|secret|token"
    r"|(?:api|access|secret|private)[ _-]?key)"
)
TOKEN = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]+)?"
    r"|A[KS]IA[0-9A-Z]{16}|gh[pousr]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|npm_\w{30,}"
    r"|sk-[\w-]{20,}|[rs]k_(?:live|test)_\w{16,}|whsec_\w{16,}|xox[abeprs]-[\w-]{10,}"
    r"|AIza[\w-]{35}|hf_\w{30,}|pypi-[\w-]{30,}|SG\.[\w-]{16,}\.[\w-]{16,}|ya29\.[\w-]{20,}"
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
    r"|(?i:authorization)[\"']?\s*[=:]\s*(?:\w+\s+)?\S+"
    r"|(?i:bearer)(?:\s|%20|:)+[\w.=+/~-]{16,}"
    rf"|(?i:{KEYED})[\\\"']{{0,2}}\s*(?:[=:]|%3[Dd])\s*[\\\"']{{0,2}}[^\s\"',;\\]{{4,}}"
    r"|(?<=://)[^\s/:@]{0,64}:[^\s/]{1,128}(?=@)"
)
TOKEN_HINT = re.compile(
    r"eyJ|A[KS]IA|gh[pousr]_|github_pat_|glpat-|npm_|[rs]k[-_]|whsec_|xox[abeprs]-|AIza|hf_|pypi-"
    r"|SG\.|ya29|-----BEGIN|://|(?i:bearer|authorization|pass|pwd|mdp|secret|token|api[ _-]?key)"
)
UUID = re.compile(
    r"(?<![0-9A-Za-z])(?=[0-9-]*[a-f])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![0-9A-Za-z])"
)
SECRET_NAME = re.compile(rf"(?i:{KEYED}|auth\w*|cookie)s?")
NUMBERISH = re.compile(rf"\d(?:[()]?{_GAP}{{0,3}}[()]?{_GAP}?\d){{6}}")

IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30,
    "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23,
    "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
"""Length of an IBAN by country (SWIFT IBAN registry)."""


def luhn_valid(digits: str) -> bool:
    """ISO/IEC 7812-1 check digit.

    >>> luhn_valid("4111111111111111"), luhn_valid("4111111111111112")
    (True, False)
    """
    values = [int(d) for d in reversed(digits)]
    doubled = (2 * v - 9 if v > 4 else 2 * v for v in values[1::2])
    return (sum(values[::2]) + sum(doubled)) % 10 == 0


def iban_valid(compact: str) -> bool:
    """ISO 13616 check digits (mod 97) and the country's length.

    >>> iban_valid("FR7630006000011234567890189")
    True
    """
    compact = compact.upper()
    if IBAN_LENGTHS.get(compact[:2]) != len(compact):
        return False
    turned = compact[4:] + compact[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def nir_valid(compact: str) -> bool:
    """Key of a French social security number: 97 minus the number modulo 97.

    >>> nir_valid("255081416802538"), nir_valid("255081416802539")
    (True, False)
    """
    number = compact[:13].upper()
    shift = {"A": ("0", 1_000_000), "B": ("0", 2_000_000)}.get(number[6], (number[6], 0))
    value = int(number[:6] + shift[0] + number[7:]) - shift[1]
    return 97 - value % 97 == int(compact[13:])


def _email(text: str) -> Iterator[Span]:
    return (m.span() for m in EMAIL.finditer(text))


def _token(text: str) -> Iterator[Span]:
    return (m.span() for m in TOKEN.finditer(text))


def _phone(text: str) -> Iterator[Span]:
    return (m.span() for m in PHONE.finditer(text) if _dialled(m[0]))


def _dialled(text: str) -> bool:
    """As many digits as a number has; `00` also begins the thousands of an amount."""
    digits = sum(map(str.isdigit, text))
    return (11 if text.startswith("00") else 8) <= digits <= 16


def _nir(text: str) -> Iterator[Span]:
    for m in NIR.finditer(text):
        compact = "".join(filter(str.isalnum, m[0]))
        if nir_valid(compact):
            yield m.span()


def _iban(text: str) -> Iterator[Span]:
    for m in IBAN_HEAD.finditer(text):
        end = _iban_end(text, m.start())
        if end is not None:
            yield m.start(), end


def _iban_end(text: str, start: int) -> int | None:
    """End of the IBAN that begins at `start`; single separators between its characters."""
    wanted = IBAN_LENGTHS.get(text[start : start + 2].upper(), 0)
    compact, position = "", start
    while len(compact) < wanted and position < len(text):
        char = text[position]
        if char.isascii() and char.isalnum():
            compact += char
        elif char not in _SEPARATORS or text[position - 3 : position].strip(_SEPARATORS) == "":
            return None
        position += 1
    follows = text[position : position + 1]
    if len(compact) != wanted or (follows.isascii() and follows.isalnum()):
        return None
    return position if iban_valid(compact) else None


def _card(text: str) -> Iterator[Span]:
    for m in DIGIT_RUN.finditer(text):
        for start, end in _cards_in(text, m.start(), m.end()):
            if not _in_hexadecimal(text, start, end):
                yield start, end


def _in_hexadecimal(text: str, start: int, end: int) -> bool:
    """Between two hexadecimal letters it is part of an id or a digest."""
    around = text[start - 1 : start] if start else ""
    return bool(around) and around in "abcdef" and text[end : end + 1] in tuple("abcdef")


def _cards_in(text: str, start: int, end: int) -> Iterator[Span]:
    """Cards in a run of digits and separators; one begins and ends where a group does."""
    at = [i for i in range(start, end) if text[i].isdigit()]
    first = 0
    while first <= len(at) - 12:
        length = _card_length(text, at, first) if _group_start(text, at[first], start) else None
        if length is None:
            first += 1
            continue
        yield at[first], at[first + length - 1] + 1
        first += length


def _group_start(text: str, position: int, start: int) -> bool:
    return position == start or not text[position - 1].isdigit()


def _card_length(text: str, at: list[int], first: int) -> int | None:
    if text[at[first]] not in "23456":
        return None
    for length in (16, 15, 14, 13, 19, 18, 17, 12):
        last = first + length - 1
        if last >= len(at):
            continue
        ends = last + 1 == len(at) or at[last + 1] != at[last] + 1
        if ends and luhn_valid("".join(text[i] for i in at[first : last + 1])):
            return length
    return None


def _ip(text: str) -> Iterator[Span]:
    for pattern in (IPV4, IPV6):
        for m in pattern.finditer(text):
            candidate = m[0].rstrip(".") if m[0].endswith("::") else m[0].rstrip(".:")
            if _is_address(candidate):
                yield m.start(), m.start() + len(candidate)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


DETECTORS: tuple[tuple[str, Finder], ...] = (
    ("token", _token),
    ("email", _email),
    ("iban", _iban),
    ("nir", _nir),
    ("card", _card),
    ("phone", _phone),
    ("ip", _ip),
)
_NUMBERS = frozenset({"iban", "nir", "card", "phone"})


def redact(text: str) -> tuple[str, tuple[str, ...]]:
    """Text with every finding replaced by its kind in brackets, and the kinds found.

    >>> redact("0612345678, FR76 3000 6000 0112 3456 7890 189")
    ('[phone], [iban]', ('iban', 'phone'))
    """
    plain = text if text.isascii() else _plain(text)
    clean, found = _redact(plain)
    return (clean, found) if found else (text, ())


def _plain(text: str) -> str:
    """One spelling of look-alikes: full-width and other digits, spaces, invisible characters."""
    visible = (c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in visible)


def _redact(text: str) -> tuple[str, tuple[str, ...]]:
    found: list[str] = []
    for kind, finder in DETECTORS:
        if _may_hold(kind, text):
            spans = [s for s in finder(text) if kind not in _NUMBERS or not _in_uuid(text, s)]
            if spans:
                text = _cut(text, spans, f"[{kind}]")
                found.append(kind)
    return text, tuple(found)


def _in_uuid(text: str, span: Span) -> bool:
    """Part of a UUID, which must have a letter to be told from digits in groups."""
    around = UUID.finditer(text, max(0, span[0] - 36), span[1] + 36)
    return any(m.start() <= span[0] and span[1] <= m.end() for m in around)


def _may_hold(kind: str, text: str) -> bool:
    if kind in _NUMBERS:
        return NUMBERISH.search(text) is not None
    if kind == "email":
        return "@" in text or "40" in text
    if kind == "token":
        return TOKEN_HINT.search(text) is not None
    return text.count(".") >= 3 or text.count(":") >= 2


def _cut(text: str, spans: list[Span], label: str) -> str:
    parts, position = [], 0
    for start, end in sorted(spans):
        if start >= position:
            parts += [text[position:start], label]
            position = end
    return "".join(parts) + text[position:]
