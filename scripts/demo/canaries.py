"""Personal data that is planted on purpose, in fields of every kind, and must be found nowhere.

Every string is well formed (checksums included) and belongs to nobody: numbers that the French,
British and American regulators keep for fiction, documentation networks, test card prefixes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import numpy as np

from collectors.pii import iban_valid, luhn_valid, nir_valid
from scripts.demo.traffic import Call, Instance

__all__ = ["KINDS", "PLACES", "Canary", "call", "plant"]

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NAMES = ("camille.durand", "noah-lefevre", "ines_martin", "louis.petit", "zoe.moreau")


@dataclass(frozen=True)
class Canary:
    """One planted string; `mark` is a part of its compact spelling that its kind shares."""

    kind: str
    text: str
    mark: str
    place: str = ""

    @property
    def secret(self) -> str:
        """What must not be found: the string, without the word that announces a token."""
        return self.text.removeprefix("Bearer ")


Maker = Callable[[int, np.random.Generator], Canary]


def _digits(rng: np.random.Generator, length: int) -> str:
    return "".join(map(str, rng.integers(10, size=length)))


def _word(rng: np.random.Generator, length: int) -> str:
    return "".join(_LETTERS[i] for i in rng.integers(len(_LETTERS), size=length))


def _email(i: int, _rng: np.random.Generator) -> Canary:
    return Canary("email", f"{_NAMES[i % 5]}{i:03d}@oiseau-demo.fr", "@oiseaudemo")


def _french_phone(i: int, rng: np.random.Generator) -> Canary:
    pairs = f"{i % 100:02d}", _digits(rng, 2)
    joint = ("", " ", ".", "-")[i % 4]
    if i % 3 == 0:
        return Canary("phone_fr", " ".join(("+33 6", "39", "98", *pairs)), "63998")
    return Canary("phone_fr", joint.join(("06", "39", "98", *pairs)), "63998")


def _foreign_phone(i: int, rng: np.random.Generator) -> Canary:
    last = f"{i % 100:02d}"
    if i % 2:
        return Canary("phone_foreign", f"+44 7700 900{_digits(rng, 1)}{last}", "447700900")
    return Canary("phone_foreign", f"+1 202 555 01{last}", "120255501")


def _iban(i: int, rng: np.random.Generator) -> Canary:
    country, bank, length = ("FR", "3000600001", 27) if i % 2 else ("DE", "37040044", 22)
    account = bank + _digits(rng, length - 4 - len(bank))
    number = int("".join(str(int(c, 36)) for c in f"{account}{country}00"))
    text = f"{country}{98 - number % 97:02d}{account}"
    assert iban_valid(text)  # noqa: S101 - a canary must be well formed
    spaced = " ".join(text[j : j + 4] for j in range(0, len(text), 4))
    return Canary("iban", spaced if i % 3 else text, bank)


def _card(i: int, rng: np.random.Generator) -> Canary:
    body = "497010" + _digits(rng, 9)
    text = next(body + str(d) for d in range(10) if luhn_valid(body + str(d)))
    groups = [text[j : j + 4] for j in range(0, 16, 4)]
    return Canary("card", (" ", "-", "")[i % 3].join(groups), "497010")


def _nir(i: int, _rng: np.random.Generator) -> Canary:
    body = f"28507780{i:05d}"  # born in July 1985 in Yvelines
    text = f"{body}{97 - int(body) % 97:02d}"
    assert nir_valid(text)  # noqa: S101
    spaced = " ".join(
        (text[0], text[1:3], text[3:5], text[5:7], text[7:10], text[10:13], text[13:])
    )
    return Canary("nir", spaced if i % 2 else text, "28507780")


def _address(i: int, rng: np.random.Generator) -> Canary:
    if i % 4 == 0:
        tail = _digits(rng, 4)
        return Canary("ip", f"2001:db8:85a3::{i % 10000:04d}:{tail}", "2001:db8:85a3")
    network = ("198.51.100", "203.0.113")[i % 2]
    return Canary("ip", f"{network}.{100 + i % 150}", network.replace(".", ""))


def _jwt(_i: int, rng: np.random.Generator) -> Canary:
    head = "eyJhbGciOiJIUzI1NiJ9"
    return Canary("jwt", f"{head}.eyJ{_word(rng, 30)}.{_word(rng, 43)}", head.lower())


def _api_key(i: int, rng: np.random.Generator) -> Canary:
    mark = ("sk_live_", "ghp_", "AKIA")[i % 3]
    tail = _word(rng, 36) if mark != "AKIA" else _word(rng, 16).upper()
    return Canary("api_key", mark + tail, mark.lower())


def _bearer(_i: int, rng: np.random.Generator) -> Canary:
    return Canary("bearer", f"Bearer canari{_word(rng, 26)}", "canari")


KINDS: tuple[Maker, ...] = (
    _email, _french_phone, _foreign_phone, _iban, _card, _nir, _address, _jwt, _api_key, _bearer,
)  # fmt: skip


def plant(rng: np.random.Generator) -> tuple[Canary, ...]:
    """One canary of every kind for every place, in a mixed order."""
    found = [
        replace(kind(i * len(PLACES) + j, rng), place=place)
        for i, kind in enumerate(KINDS)
        for j, place in enumerate(PLACES)
    ]
    return tuple(found[i] for i in rng.permutation(len(found)).tolist())


Planter = Callable[[Instance, str], Instance]


def _feature(name: str) -> Planter:
    def put(instance: Instance, text: str) -> Instance:
        return replace(instance, features={**instance.features, name: text})

    return put


def _extra(key: str, build: Callable[[str], Any]) -> Planter:
    def put(instance: Instance, text: str) -> Instance:
        return replace(instance, extra={**instance.extra, key: build(text)})

    return put


def _unknown_name(instance: Instance, text: str) -> Instance:
    return replace(instance, features={**instance.features, text: 1})


_IN_PREDICTION: dict[str, Planter] = {
    "declared_category": _feature("sex"),
    "free_category": _feature("referral"),
    "mistyped_number": _feature("glucose"),
    "text": lambda instance, text: _feature("note")(instance, f"joindre {text} avant midi"),
    "unknown_feature": _feature("contact"),
    "unknown_feature_name": _unknown_name,
    "identifier": _extra("identifiers", lambda text: {"patient_id": text}),
    "unknown_identifier": _extra("identifiers", lambda text: {"contact": text}),
    "parameter": _extra("parameters", lambda text: {"caller": f"portal of {text}"}),
    "parameter_name": _extra("parameters", lambda text: {text: "1"}),
    "session": _extra("session", str),
    "tenant": _extra("tenant", str),
    "version": _extra("version", str),
    "trace": _extra("trace_id", str),
    "context": _extra("context", lambda text: {"campaign": f"autumn {text}"}),
    "error_message": _extra("trouble", lambda text: {"error": f"no record of {text} in the store"}),
    "error_cause": _extra("trouble", lambda text: {"cause": f"cannot parse '{text}'"}),
}
_IN_LOG: dict[str, Callable[[str], dict[str, Any]]] = {
    "log_message": lambda text: {"message": f"callback to {text} failed"},
    "log_argument": lambda text: {"message": "callback to %s failed", "arguments": [text]},
    "log_extra": lambda text: {"message": "callback failed", "extra": {"contact": text}},
    "log_exception": lambda text: {"message": "callback failed", "error": f"refused by {text}"},
}
_IN_FEEDBACK: dict[str, Callable[[str], dict[str, Any]]] = {
    "comment": lambda text: {"rating": 2, "comment": f"mauvaise réponse, me joindre : {text}."},
    "source": lambda text: {"rating": 4, "source": text},
    "label": lambda text: {"label": text},
}
PLACES: tuple[str, ...] = (*_IN_PREDICTION, "path", *_IN_LOG, *_IN_FEEDBACK)


def call(canary: Canary, model: str, instance: Instance) -> Call:
    """A request that carries the canary, built on an otherwise ordinary instance."""
    place, text = canary.place, canary.text
    if place in _IN_PREDICTION:
        return Call(model, (_IN_PREDICTION[place](instance, text),))
    if place == "path":
        return Call(model, (instance,), path=f"/predict/{quote(text, safe='@:')}")
    section = ("log", _IN_LOG[place]) if place in _IN_LOG else ("feedback", _IN_FEEDBACK[place])
    after = {section[0]: section[1](text)}
    return Call(model, (replace(instance, extra={**instance.extra, **after}),))
