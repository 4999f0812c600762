"""YAML with line numbers, and without YAML 1.1's surprises.

`no`, `off` and dates stay text, so that `labels: [yes, no]` means what it says; a key that
stands twice is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

__all__ = ["Document", "YamlError", "parse"]

Path = tuple[str, ...]


class YamlError(ValueError):
    """The text is no YAML that we accept; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Document:
    """Parsed data, and the line of every key."""

    data: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """Line of the key at `path`, or of its nearest parent that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """SafeLoader whose only implicit types are null, true / false, int and float."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|false|True|False", "tfTF"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(\d+\.\d*|\.\d+|\d+)([eE][-+]?\d+)?|[-+]?\.inf|\.nan", "-+0123456789."),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
    )


def parse(text: str) -> Document:
    """Parse one YAML document.

    >>> parse("labels: [yes, no]").data
    {'labels': ['yes', 'no']}
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        lines: dict[Path, int] = {}
        if node is not None:
            _walk(node, (), lines)
        return Document(None if node is None else loader.construct_document(node), lines)
    except YamlError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(mark.line + 1 if mark else 1, str(error.problem)) from error
    except yaml.YAMLError as error:
        raise YamlError(1, str(error).splitlines()[0]) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise YamlError(1, f"cannot be read: {error}") from error
    finally:
        loader.dispose()


def _walk(node: yaml.Node, path: Path, lines: dict[Path, int]) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        _walk_mapping(node, path, lines)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _walk(item, (*path, str(number)), lines)


def _walk_mapping(node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> None:
    for key, value in node.value:
        step = (*path, str(key.value))
        if step in lines:
            raise YamlError(key.start_mark.line + 1, f"{'.'.join(step)}: the key stands twice")
        lines[step] = key.start_mark.line + 1
        _walk(value, step, lines)
