"""Watcher documents, one per rule and model, generated from rules and contracts.

A document is plain and complete: Elasticsearch's own Watcher can run it, and so does our runner,
from the JSON alone. Conditions are in Watcher's words; what Watcher has no place for (when to
recover, what is pending, how much must be known) stands under `metadata`, in the same words.
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from analyzers.results import ALL
from analyzers.watches.rules import Rule
from analyzers.watches.words import WORDS, figure, plain, span
from collectors.contract import Contract
from collectors.schema import RESULTS

__all__ = ["MINUTE_SCHEDULE", "Document", "Watch", "document", "headline", "watches"]

Document = dict[str, Any]

MINUTE_SCHEDULE = "1m"
VERSIONS = "all"
REPEAT = "4h"  # Watcher alone would mail each minute; our runner mails once per incident
NOW = "{{ctx.trigger.scheduled_time}}"
FOUND = "ctx.payload.aggregations"
NEWEST = "hits.hits.0._source"


@dataclass(frozen=True)
class Watch:
    """One rule applied to one model."""

    rule: Rule
    contract: Contract
    document: Document

    @property
    def id(self) -> str:
        """Identity of the watch and of its state."""
        return f"{self.rule.name}:{self.contract.model}"


def watches(rules: Sequence[Rule], contracts: Iterable[Contract]) -> tuple[Watch, ...]:
    """Every rule for every model whose contract sets the limit that the rule needs."""
    return tuple(
        Watch(rule, contract, document(rule, contract, fire))
        for contract in contracts
        for rule in rules
        if (fire := rule.fire(contract)) is not None
    )


def document(rule: Rule, contract: Contract, fire: float) -> Document:
    """The Watcher document of a rule for a model."""
    known = _compare("seen.value", "gte", rule.seen)
    request = {"indices": [RESULTS.pattern], "body": _search(rule, contract)}
    deciding = "lowest.value" if rule.above else "highest.value"
    action = _action(rule, contract, fire)
    body: Document = {
        "metadata": _metadata(rule, contract, fire, known),
        "trigger": {"schedule": {"interval": MINUTE_SCHEDULE}},
        "input": {"search": {"request": request}},
        "condition": _compare(deciding, _worse(rule), fire),
        "actions": {"mail": {"condition": known, "throttle_period": REPEAT, **action}},
    }
    body["metadata"]["sha"] = _sha(body)
    return body


def headline(rule: Rule, contract: Contract, fire: float) -> str:
    """What is wrong, without a value, so that all mails of an incident share it."""
    language = contract.alerts.language
    words = WORDS[language]
    limit = figure(fire, rule.metric.unit, language)
    direction = (words.above if rule.above else words.below).format(limit)
    return plain(f"{contract.model}{words.colon} {rule.title(language)} {direction}")


def _metadata(rule: Rule, contract: Contract, fire: float, known: Document) -> Document:
    recovered, direction = ("highest.value", "lt") if rule.above else ("lowest.value", "gt")
    return {
        "rule": rule.name,
        "model": contract.model,
        "contract": contract.version,
        "severity": rule.severity,
        "metric": rule.metric.name,
        "unit": rule.metric.unit,
        "clear": _compare(recovered, direction, rule.recovery(fire)),
        "pending": _newest_breaches(rule, fire),
        "known": known,
        "looks": rule.looks,
        "runbook": _literal(contract.alerts.runbook),
        "language": contract.alerts.language,
    }


def _search(rule: Rule, contract: Contract) -> Document:
    value = {"field": "metric.value"}
    terms = {
        "model.name": contract.model,
        "model.version": VERSIONS,
        "metric.name": rule.metric.name,
        "segment.kind": ALL.kind,
    }
    filters: list[Document] = [
        *({"term": {k: v}} for k, v in terms.items()),
        {"exists": value},
        {"range": {"n": {"gte": rule.min_n}}},
        {"range": {"window.end": {"gt": _before(rule.lasting + rule.every), "lte": NOW}}},
    ]
    recent = {"range": {"window.end": {"gt": _before(2 * rule.every)}}}
    return {
        "size": 0,
        "query": {"bool": {"filter": filters}},
        "aggs": {
            "lowest": {"min": value},
            "highest": {"max": value},
            "seen": {"value_count": value},
            "onset": {"min": {"field": "window.start"}},
            "newest": _newest_hit(),
            "recent": {"filter": recent, "aggs": {"newest": _newest_hit()}},
        },
    }


def _newest_hit() -> Document:
    fields = ["metric.value", "n", "window.end"]
    return {"top_hits": {"size": 1, "sort": [{"window.end": "desc"}], "_source": fields}}


def _newest_breaches(rule: Rule, fire: float) -> Document:
    """The newest look breaches; without a recent look this is false, as `some` of nothing is."""
    test = {"path": "_source.metric.value", _worse(rule): {"value": fire, "quantifier": "some"}}
    return {"array_compare": {f"{FOUND}.recent.newest.hits.hits": test}}


def _worse(rule: Rule) -> str:
    return "gt" if rule.above else "lt"


def _compare(path: str, operator: str, value: float) -> Document:
    return {"compare": {f"{FOUND}.{path}": {operator: value}}}


def _before(length: timedelta) -> str:
    return f"{NOW}||-{length // timedelta(minutes=1)}m"


def _action(rule: Rule, contract: Contract, fire: float) -> Document:
    """A mail where the contract has addresses, a log line where it has none."""
    subject = _literal(f"[vigie] {headline(rule, contract, fire)}")
    if not contract.alerts.to:
        return {"logging": {"level": "warn", "text": subject}}
    lines = _lines(rule, contract, fire)
    return {
        "email": {
            "to": [_literal(plain(address)) for address in contract.alerts.to],
            "subject": subject,
            "body": {
                "text": "\n".join(lines),
                "html": "".join(f"<p>{html.escape(line)}</p>" for line in lines),
            },
        }
    }


def _lines(rule: Rule, contract: Contract, fire: float) -> list[str]:
    """Body of Watcher's own mail: it cannot format numbers, so they stand as they are stored."""
    language = contract.alerts.language
    words = WORDS[language]
    newest = f"{FOUND}.newest.{NEWEST}"
    lasting = words.lasting.format(span(rule.lasting, language))
    lines = [
        _literal(f"{headline(rule, contract, fire)} {lasting}."),
        _literal(rule.text(language)),
        f"{words.value}{words.colon} {{{{{newest}.metric.value}}}} (n = {{{{{newest}.n}}}})",
    ]
    if contract.alerts.runbook:
        lines.append(_literal(f"{words.runbook}{words.colon} {contract.alerts.runbook}"))
    return lines


def _literal(text: str) -> str:
    """Text that Mustache leaves alone."""
    return text.replace("{{", "{ {").replace("}}", "} }")


def _sha(body: Document) -> str:
    """Changes with any word of the document, so that an unchanged one is not installed again."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:12]
