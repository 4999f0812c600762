"""Templates and mappings onto an engine; idempotent, and open indices follow a changed contract."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch

from collectors.contract import Contract
from collectors.schema import STREAMS, Stream, model_mappings, properties

__all__ = ["assets", "component_template", "index_template", "model_template", "provision"]

PRIORITY = 500
MODEL_PRIORITY = 510


def assets() -> Path:
    """Folder of the JSON assets: inside the wheel, or the checkout's own."""
    packaged = Path(str(resources.files("analyzers"))) / "_assets" / "elasticsearch"
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "elasticsearch"


def component_template(stream: Stream) -> dict[str, Any]:
    """Mappings of one stream; what they do not name is stored and not indexed."""
    return {
        "_meta": {"generated_by": "collectors/schema.py", "owner": "vigie"},
        "template": {"mappings": {"dynamic": False, "properties": properties(stream.fields)}},
    }


def index_template(name: str) -> dict[str, Any]:
    """The hand-written index template of that name."""
    found: dict[str, Any] = json.loads((assets() / "index_templates" / f"{name}.json").read_text())
    return found


def model_template(contract: Contract) -> dict[str, Any]:
    """Mappings that a contract adds to its model's predictions and outcomes."""
    features = contract.features.items()
    mappings = model_mappings(
        contract.numeric,
        contract.categorical,
        [n for n, action in contract.identifiers.items() if action == "hash"],
        list(contract.protected),
        [n for n, f in features if f.keep == "masked"],
    )
    return {
        "_meta": {"generated_by": contract.model, "contract": contract.version},
        "template": {"mappings": {"properties": mappings}},
    }


def provision(client: Elasticsearch, contracts: Sequence[Contract]) -> list[str]:
    """Install everything; returns one line for each thing that was done or left out."""
    done = [_stream(client, stream) for stream in STREAMS]
    for contract in contracts:
        done += _model(client, contract)
    return done


def _stream(client: Elasticsearch, stream: Stream) -> str:
    name = f"vigie-{stream.name}"
    client.cluster.put_component_template(name=name, **component_template(stream))
    client.indices.put_index_template(name=name, **index_template(name))
    updated = _update_open(client, stream.pattern, properties(stream.fields))
    return f"{name}: templates{_followed(updated)}"


def _model(client: Elasticsearch, contract: Contract) -> Iterable[str]:
    """One index family per model: its own template, above the general one."""
    own = f"vigie-model-{contract.model}"
    body = model_template(contract)
    client.cluster.put_component_template(name=own, **body)
    for family in ("inference", "outcomes"):
        general = index_template(f"vigie-{family}")
        pattern = f"vigie-{family}-{contract.model}-20*"
        general |= {
            "index_patterns": [pattern],
            "composed_of": [*general["composed_of"], own],
            "priority": MODEL_PRIORITY,
        }
        client.indices.put_index_template(name=f"vigie-{family}-{contract.model}", **general)
        updated = _update_open(client, pattern, body["template"]["mappings"]["properties"])
        yield f"vigie-{family}-{contract.model}: contract {contract.version}{_followed(updated)}"


def _update_open(client: Elasticsearch, pattern: str, mapping: dict[str, Any]) -> int:
    """Put the mappings on indices that exist already."""
    found = client.indices.get(
        index=pattern, allow_no_indices=True, ignore_unavailable=True, expand_wildcards="open"
    )
    names = sorted(found)
    if names and mapping:
        client.indices.put_mapping(index=",".join(names), properties=mapping)
    return len(names)


def _followed(count: int) -> str:
    return f", {count} open indices updated" if count else ""
