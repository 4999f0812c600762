"""Parsed YAML into typed sections; every failure names file, line, key, value and cure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from collectors._yaml import Document

__all__ = ["ContractError", "Reader", "suggest"]


class ContractError(ValueError):
    """A contract cannot be used: one line with file, line, key, value and the cure."""


T = TypeVar("T")


class Reader:
    """Turns parsed YAML into typed sections; every failure names its line."""

    def __init__(self, name: str, document: Document) -> None:
        self.name, self.document = name, document

    def read(self, kind: type[T], mappings: Mapping[str, Any]) -> T:
        """The document as `kind`; `mappings` says what its mappings of names hold."""
        data = self.document.data
        if not isinstance(data, dict):
            raise self.error((), "the file must hold a mapping that starts with `model:`")
        plain = {k: {} if k in mappings else v for k, v in data.items()}
        head = self._convert(plain, kind, ())
        maps = {k: self._mapping(k, data[k], mappings[k]) for k in mappings if k in data}
        return msgspec.structs.replace(head, **maps)  # type: ignore[type-var]

    def _mapping(self, key: str, value: object, kind: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.error((key,), "must be a mapping of names")
        return {str(k): self._convert(v, kind, (key, str(k))) for k, v in value.items()}

    def _convert(self, value: object, kind: type[T], path: tuple[str, ...]) -> T:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            raise self._explain(error, value, kind, path) from error

    def _explain(
        self, error: Exception, value: object, kind: object, path: tuple[str, ...]
    ) -> ContractError:
        text, _, where = str(error).partition(" - at `$")
        steps = tuple(re.findall(r"[A-Za-z_]\w*|\d+", where))
        found = self._descend(value, steps)
        unknown = re.search(r"unknown field `(.+)`", text)
        if unknown:
            known = _fields_at(kind, steps)
            cure = f"unknown key; {suggest(unknown[1], known)}"
            return self.error((*path, *steps, unknown[1]), cure)
        missing = re.search(r"missing required field `(.+)`", text)
        if missing:
            return self.error(
                (*path, *steps), f"`{missing[1]}` is missing; add `{missing[1]}: ...`"
            )
        return self.error(
            (*path, *steps), f"{found!r}: {_lower(text)}{_choices(kind, steps, found)}"
        )

    @staticmethod
    def _descend(value: Any, steps: tuple[str, ...]) -> Any:
        for step in steps:
            key: Any = int(step) if isinstance(value, list) else step
            value = value[key] if isinstance(value, list | dict) else value
        return value

    def error(self, path: tuple[str, ...], message: str) -> ContractError:
        key = ".".join(path)
        line = self.document.line(path)
        return ContractError(f"{self.name}:{line}: {key + ': ' if key else ''}{message}")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:].replace("`", "")


def _struct_at(kind: Any, steps: tuple[str, ...]) -> Any:
    for step in steps:
        for field in msgspec.structs.fields(kind):
            if field.encode_name == step:
                kind = _struct_in(field.type)
                break
        if kind is None:
            return None
    return kind


def _struct_in(kind: Any) -> Any:
    for option in (kind, *getattr(kind, "__args__", ())):
        if isinstance(option, type) and issubclass(option, msgspec.Struct):
            return option
    return None


def _fields_at(kind: object, steps: tuple[str, ...]) -> tuple[str, ...]:
    struct = _struct_at(kind, steps)
    return tuple(f.encode_name for f in msgspec.structs.fields(struct)) if struct else ()


def _choices(kind: Any, steps: tuple[str, ...], found: object) -> str:
    """Allowed words of a Literal, so that an invalid word is answered with the valid ones."""
    options = _literal_at(kind, steps)
    return f"; {suggest(str(found), options)}" if options else ""


def _literal_at(kind: Any, steps: tuple[str, ...]) -> tuple[str, ...]:
    if not steps:
        return _words(kind)
    struct = _struct_at(kind, steps[:-1])
    fields = msgspec.structs.fields(struct) if struct else ()
    return next((_words(f.type) for f in fields if f.encode_name == steps[-1]), ())


def _words(kind: Any) -> tuple[str, ...]:
    args = getattr(kind, "__args__", ())
    found = [w for a in args for w in ((a,) if isinstance(a, str) else _words(a))]
    return tuple(found)


def suggest(word: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return f"allowed: {', '.join(known)}{hint}"
