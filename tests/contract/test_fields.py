"""Fields are declared once: what is emitted, mapped and generated agrees with the schema."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

import collectors
from analyzers.provision import index_template
from analyzers.store import flatten
from collectors.schema import STREAMS, Field, Stream, properties, stream
from scripts.generate import files
from tests.sample import documents, logger

ROOT = Path(__file__).parents[2]
FREE = ("inference.features.", "inference.identifiers.", "inference.groups.", "inference.texts.")


def declared(found: Stream) -> set[str]:
    return {f.name for f in found.fields}


def undeclared(document: dict[str, Any], found: Stream) -> set[str]:
    names = {n for n in flatten(document) if not n.startswith(FREE)}
    return names - declared(found)


def maximal(spool: Path) -> list[dict[str, Any]]:
    """Every kind of event with everything in it."""
    log = logger(spool)
    handler = collectors.configure_logging("s", spool=spool / "logs", hash_key=b"k" * 32)
    ids = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}
    everything = {**ids, "session": 1, "tenant": "t", "x": 2}
    try:
        with collectors.bind(**everything):
            try:
                with log.prediction(
                    version="1", features={"age": 1, "note": "n", "purpose": "?"}, endpoint="/p",
                    identifiers={"customer_id": 1}, parameters={"a": 1}, stage="production",
                ) as p:  # fmt: skip
                    p.output(label="accepted", score=0.5, value=1.0)
                    p.execution(retries=1, fallback=True, cache_hit=False, status_code=500)
                    p.cost(0.1, input_tokens=1, output_tokens=2)
                    raise TimeoutError("slow")
            except TimeoutError:
                logging.getLogger("x").exception("failed", extra={"k": 1})
            log.label(p.id, "accepted")
            log.feedback(p.id, rating=4, comment="c")
            log.heartbeat()
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    return documents(spool) + documents(spool / "logs")


def test_every_emitted_field_is_declared(tmp_path: Path) -> None:
    for document in maximal(tmp_path):
        family = document["vigie"]["index"].split("-")[1]
        assert undeclared(document, stream(family)) == set(), document["event"]["action"]


@pytest.mark.parametrize("found", STREAMS, ids=lambda s: s.name)
def test_examples_fit_their_type(found: Stream) -> None:
    kinds: dict[str, tuple[type, ...]] = {
        "keyword": (str,), "text": (str,), "date": (str,), "long": (int,), "integer": (int,),
        "byte": (int,), "double": (float, int),
    }  # fmt: skip
    for field in found.fields:
        assert isinstance(field.example, kinds[field.type]), field.name
        assert field.description, field.name


@pytest.mark.parametrize("found", STREAMS, ids=lambda s: s.name)
def test_names_are_unique_and_no_field_is_also_a_folder(found: Stream) -> None:
    names = [f.name for f in found.fields]

    assert len(set(names)) == len(names)
    assert not [n for n in names for other in names if other.startswith(n + ".")]


def test_one_name_has_one_type_everywhere() -> None:
    seen: dict[str, Field] = {}
    for field in (f for s in STREAMS for f in s.fields):
        assert seen.setdefault(field.name, field).type == field.type, field.name


def test_generated_files_are_what_would_be_generated() -> None:
    stale = [str(path) for path, text in files() if not path.exists() or path.read_text() != text]

    assert stale == [], "run `python -m scripts.generate`"


def test_no_generated_file_is_left_over() -> None:
    wanted = {path for path, _ in files()}
    folder = ROOT / "elasticsearch" / "component_templates"

    assert set(folder.iterdir()) <= wanted


@pytest.mark.parametrize("found", STREAMS, ids=lambda s: s.name)
def test_each_stream_has_an_index_template_of_its_own(found: Stream) -> None:
    template = index_template(f"vigie-{found.name}")

    assert template["index_patterns"] == [found.pattern]
    assert template["composed_of"] == [f"vigie-{found.name}"]


def test_mappings_nest() -> None:
    nested = properties(stream("results").fields)

    assert nested["metric"]["properties"]["value"]["type"] == "double"
    assert json.dumps(nested)
