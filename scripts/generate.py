"""`python -m scripts.generate`: everything that is derived from a declaration, written to files.

`--check` writes nothing and fails when a file differs, so that no copy can go its own way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from analyzers.provision import component_template
from collectors.schema import STREAMS

__all__ = ["files", "main"]

ROOT = Path(__file__).parents[1]


def files() -> Iterator[tuple[Path, str]]:
    """Every generated file with its text."""
    folder = ROOT / "elasticsearch" / "component_templates"
    for stream in STREAMS:
        text = json.dumps(component_template(stream), indent=2) + "\n"
        yield folder / f"vigie-{stream.name}.json", text
    yield ROOT / "docs" / "fields.md", _fields()


def _fields() -> str:
    lines = [
        "# Fields",
        "",
        "Generated from `collectors/schema.py` by `python -m scripts.generate`.",
        "",
    ]
    for stream in STREAMS:
        lines += [f"## {stream.name}", "", f"`{stream.pattern}`", ""]
        lines += ["| field | type | what it says | example |", "|---|---|---|---|"]
        for field in stream.fields:
            unit = f" ({field.unit})" if field.unit else ""
            example = json.dumps(field.example, ensure_ascii=False)
            lines.append(
                f"| `{field.name}` | {field.type} | {field.description}{unit} | `{example}` |"
            )
        lines.append("")
    return "\n".join(lines)


@click.command()
@click.option("--check", is_flag=True, help="Fail when a file is not what would be generated.")
def main(check: bool) -> None:
    r"""Write the generated files.

    \b
    Example:
        python -m scripts.generate --check
    """
    stale = [path for path, text in files() if not path.exists() or path.read_text() != text]
    if check and stale:
        names = ", ".join(str(p.relative_to(ROOT)) for p in stale)
        raise click.ClickException(f"stale: {names}; run `python -m scripts.generate`")
    for path, text in files():
        if path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            click.echo(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
