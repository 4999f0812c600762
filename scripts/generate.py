"""`python -m scripts.generate`: everything that is derived from a declaration, written to files.

`--check` writes nothing and fails when a file differs, so that no copy can go its own way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from analyzers.cli import main as main_command
from analyzers.metrics import METRICS
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
    yield ROOT / "docs" / "figures.md", _figures()
    yield ROOT / "README.md", _between(ROOT / "README.md", "commands", _commands())


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


FIGURES = """# Figures

Generated from `analyzers/metrics.py` by `python -m scripts.generate`.

Tiles are hours and days that never overlap; a name that ends in a length is a sliding look of
that length, taken each minute for the rules. Every figure carries its size, its interval or test
where there is one, threshold and status; `no_data` and `insufficient` are statuses, never zeros.

| figure | unit | job | in words |
|---|---|---|---|
"""


def _figures() -> str:
    rows = [f"| `{m.name}` | {m.unit} | {m.job} | {m.english} |\n" for m in METRICS]
    return FIGURES + "".join(rows)


def _commands() -> str:
    context = click.Context(main_command, info_name="vigie")
    names = main_command.list_commands(context)
    rows = [f"| `vigie {n}` | {_summary(context, n)} |" for n in names]
    return "\n".join(["| command | does |", "|---|---|", *rows])


def _summary(context: click.Context, name: str) -> str:
    found = main_command.get_command(context, name)
    return "" if found is None else found.get_short_help_str(120)


def _between(path: Path, mark: str, text: str) -> str:
    """The file with everything between its two marks replaced."""
    before, _, rest = path.read_text().partition(f"<!-- {mark} -->")
    _, _, after = rest.partition(f"<!-- /{mark} -->")
    return f"{before}<!-- {mark} -->\n{text}\n<!-- /{mark} -->{after}"


@click.command()
@click.option("--check", is_flag=True, help="Fail when a file is not what would be generated.")
def main(check: bool) -> None:
    """Write the generated files.

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
