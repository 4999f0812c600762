"""Every field of every stored document, declared once.

Mappings, the field reference, masking tests and the contract tests of pages and watches are
derived from these literal tuples. A name that ECS has is spelled as ECS spells it; the rest lives
under roots of our own. Types are the core that Elasticsearch 9 and OpenSearch 3 share.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

__all__ = [
    "STREAMS",
    "Field",
    "Stream",
    "model_mappings",
    "properties",
    "stream",
]

Type = Literal[
    "keyword",
    "text",
    "long",
    "integer",
    "byte",
    "double",
    "float",
    "boolean",
    "date",
    "ip",
    "object",
]


@dataclass(frozen=True)
class Field:
    """One stored field; `example` is a value as it stands in a document."""

    name: str
    type: Type
    description: str
    example: Any
    unit: str | None = None


@dataclass(frozen=True)
class Stream:
    """One family of indices; `pattern` is what a search asks for."""

    name: str
    pattern: str
    fields: tuple[Field, ...]


ID = "01a1fd4d-3d9b-7c3e-8a51-2f6b1d0c9e77"
AT = "2026-11-21T08:51:00.123456Z"

TIME = Field("@timestamp", "date", "When it happened, UTC", AT)

_BASE = (
    TIME,
    Field("ecs.version", "keyword", "ECS version whose names are used", "9.0.0"),
    Field("vigie.index", "keyword", "Index that the line belongs into", "vigie-service-2026.11.21"),
)

_EVENT = (
    *_BASE,
    Field("event.id", "keyword", "Identity of the event, also its document id", ID),
    Field(
        "event.action", "keyword", "What happened: prediction, label, heartbeat ...", "prediction"
    ),
    Field("event.created", "date", "When the line was written, UTC", AT),
    Field("event.sequence", "long", "Running number of the writing process, from 1", 42),
    Field("event.reason", "keyword", "Why the event was put aside", "time_out_of_range"),
    Field("service.name", "keyword", "Service that wrote the event", "scoring-api"),
    Field("service.version", "keyword", "Version of the service", "1.8.0"),
    Field("service.environment", "keyword", "Deployment stage", "production"),
    Field(
        "service.node.name",
        "keyword",
        "Host, process and start of the writer",
        "web-1-4242-1763715060",
    ),
    Field(
        "trace.id", "keyword", "Trace that the event belongs to", "0af7651916cd43dd8448eb211c80319c"
    ),
    Field("span.id", "keyword", "Span that the event belongs to", "b7ad6b7169203331"),
    Field("session.id", "keyword", "Keyed hash of the user's session", "h1:0f3a9c0d5e6b7a81"),
    Field("organization.id", "keyword", "Tenant", "bank-7"),
    Field("inference.context", "keyword", "Context fields, name=value", "campaign=autumn"),
    Field("masking.masked", "integer", "Values that masking changed", 1),
    Field("masking.dropped", "integer", "Values that masking refused", 0),
    Field("masking.detected", "keyword", "Kinds of personal data found and masked", "email"),
)

_MODEL = (
    Field("model.name", "keyword", "Model, as its contract calls it", "credit-scoring"),
    Field("model.version", "keyword", "Version that answered", "3.2.0"),
    Field("contract.version", "keyword", "Contract in force", "626b2153308e"),
)

_ERROR = (
    Field("error.type", "keyword", "Class of the failure", "TimeoutError"),
    Field("error.code", "keyword", "Kind: 5xx, timeout, oom, validation, other", "timeout"),
    Field("error.message", "text", "Masked message", "no answer from the feature store"),
)

_OUTPUT = (
    Field("inference.output.label", "keyword", "Answered label", "accepted"),
    Field("inference.output.score", "double", "Score of the positive or answered label", 0.83),
    Field("inference.output.value", "double", "Answered number (regression)", 12.5),
)

INFERENCE = Stream(
    "inference",
    "vigie-inference-*",
    (
        *_EVENT,
        *_MODEL,
        Field("event.outcome", "keyword", "success or failure", "success"),
        Field("event.duration", "long", "Time the prediction took", 1_234_567, "ns"),
        *_ERROR,
        Field("error.stack_trace", "text", "Masked traceback", "Traceback ...", None),
        Field("url.path", "keyword", "Endpoint", "/predict"),
        Field("http.response.status_code", "integer", "Answered status", 200),
        Field("model.stage", "keyword", "Registry stage", "production"),
        Field("inference.sample", "double", "Uniform in [0, 1), from the hash of the id", 0.4711),
        Field("inference.origin", "keyword", "live, shadow, replay or robustness", "live"),
        Field("inference.failed", "byte", "1 when the prediction failed", 0),
        Field("inference.critical", "byte", "1 when the critical label was answered", 0),
        Field("inference.invalid", "byte", "1 when an input broke the contract", 0),
        Field("inference.missing", "keyword", "Features without a value", "income"),
        Field("inference.mistyped", "keyword", "Features of the wrong type, dropped", "age"),
        Field("inference.out_of_range", "keyword", "Features outside their range", "age"),
        Field("inference.unseen", "keyword", "Features with an undeclared category", "purpose"),
        Field("inference.violations", "keyword", "Business rules that were broken", "no_minor"),
        *_OUTPUT,
        Field("inference.parameters", "keyword", "Free parameters, name=value", "threshold=0.5"),
        Field("inference.retries", "integer", "Attempts after the first", 0),
        Field("inference.fallback", "byte", "1 when a fallback answered", 0),
        Field("inference.cache_hit", "byte", "1 when a cache answered", 0),
        Field("inference.cost.amount", "double", "Price of the call", 0.0004),
        Field("inference.cost.currency", "keyword", "Its currency", "EUR"),
        Field("gen_ai.usage.input_tokens", "long", "Tokens read", 812),
        Field("gen_ai.usage.output_tokens", "long", "Tokens written", 96),
    ),
)

FEEDBACK = Stream(
    "feedback",
    "vigie-feedback-*",
    (
        *_EVENT,
        *_MODEL,
        Field("feedback.kind", "keyword", "label, rating, correction, decision or review", "label"),
        Field("feedback.prediction_id", "keyword", "Prediction that it is about", ID),
        Field("feedback.prediction_at", "date", "When that prediction was made", AT),
        Field(
            "feedback.source", "keyword", "Who said it, as the contract calls them", "core-banking"
        ),
        Field("feedback.label", "keyword", "True, corrected or decided label", "refused"),
        Field("feedback.value", "double", "True number (regression)", 12.5),
        Field("feedback.rating", "double", "Rating given by a user", 4.0),
        Field("feedback.comment", "text", "Masked comment", "not what I asked"),
        Field("feedback.delay_s", "double", "Time since the prediction", 86_400.0, "s"),
    ),
)

SERVICE = Stream(
    "service",
    "vigie-service-*",
    (
        *_EVENT,
        *_ERROR,
        Field("error.stack_trace", "text", "Masked traceback", "Traceback ..."),
        Field("model.name", "keyword", "Model that a heartbeat speaks for", "credit-scoring"),
        Field("inference.parameters", "keyword", "Extra of a log record, name=value", "shard=3"),
        Field("log.level", "keyword", "Level of a log record", "warning"),
        Field("log.logger", "keyword", "Logger of a log record", "uvicorn.error"),
        Field("message", "text", "Masked message of a log record", "cache is cold"),
        Field("heartbeat.interval_s", "double", "Next heartbeat is due after", 60.0, "s"),
        Field("heartbeat.emitted", "long", "Events written since the process started", 1000),
        Field("heartbeat.dropped", "long", "Events lost since the process started", 0),
        Field("heartbeat.masked", "long", "Values masked since the process started", 17),
    ),
)

OUTCOMES = Stream(
    "outcomes",
    "vigie-outcomes-*",
    (
        TIME,
        Field("event.id", "keyword", "Prediction that it is the outcome of", ID),
        *_MODEL,
        Field("inference.origin", "keyword", "live, shadow, replay or robustness", "live"),
        *_OUTPUT,
        Field("outcome.label", "keyword", "True label, of the winning source", "refused"),
        Field("outcome.value", "double", "True number, of the winning source", 12.5),
        Field("outcome.source", "keyword", "Source that won", "core-banking"),
        Field("outcome.at", "date", "When that label was given", AT),
        Field("outcome.labels", "integer", "Labels seen for the prediction", 1),
        Field("outcome.labelled", "byte", "1 once a label is known", 1),
        Field("outcome.correct", "byte", "1 when output and label agree", 0),
        Field("outcome.tp", "byte", "1 for a true positive", 0),
        Field("outcome.fp", "byte", "1 for a false positive", 1),
        Field("outcome.fn", "byte", "1 for a false negative", 0),
        Field("outcome.tn", "byte", "1 for a true negative", 0),
        Field("outcome.critical_fp", "byte", "1 when the critical label was answered wrongly", 0),
        Field("outcome.critical_fn", "byte", "1 when the critical label was missed", 0),
        Field("outcome.squared_error", "double", "Squared difference (regression)", 0.25),
    ),
)

PROFILES = Stream(
    "profiles",
    "vigie-profiles",
    (
        TIME,
        *_MODEL,
        Field("profile.id", "keyword", "Version of the profile", "2026-10-01..2026-10-31"),
        Field("profile.feature", "keyword", "Feature, or output.score / output.label", "age"),
        Field("profile.type", "keyword", "numeric or categorical", "numeric"),
        Field("profile.n", "long", "Values counted", 41_220),
        Field("profile.missing", "long", "Values missing", 12),
        Field("profile.edges", "double", "Inner bin edges; an edge belongs to the bin above", 31.0),
        Field("profile.counts", "long", "Values per bin, one more than edges", 824),
        Field("profile.labels", "keyword", "Categories, in the order of counts", "car"),
        Field("profile.mean", "double", "Mean", 41.2),
        Field("profile.std", "double", "Standard deviation", 12.9),
        Field("profile.min", "double", "Smallest value", 18.0),
        Field("profile.max", "double", "Largest value", 97.0),
        Field("window.start", "date", "Start of the reference period", AT),
        Field("window.end", "date", "End of the reference period", AT),
    ),
)

RESULTS = Stream(
    "results",
    "vigie-results-*",
    (
        TIME,
        *_MODEL,
        Field("metric.name", "keyword", "Figure, as `analyzers.metrics` lists it", "error_rate_5m"),
        Field("metric.value", "double", "Its value; absent when unknown", 0.013),
        Field("metric.unit", "keyword", "Unit of value, low, high and threshold", "ratio"),
        Field("metric.low", "double", "Lower end of the 95 % interval", 0.009),
        Field("metric.high", "double", "Upper end of the 95 % interval", 0.019),
        Field("metric.p_value", "double", "p-value of the test behind it", 0.003),
        Field("metric.q_value", "double", "p-value corrected over the window", 0.02),
        Field("metric.effect", "double", "Size of the effect, 0 to 1", 0.11),
        Field("metric.n_reference", "long", "Size of the reference", 41_220),
        Field("metric.first_value", "double", "Value first published", 0.012),
        Field("metric.first_at", "date", "When it was first published", AT),
        Field("metric.revision", "integer", "Times it was re-stated", 0),
        Field("metric.computed_at", "date", "When it was computed", AT),
        Field("segment.kind", "keyword", "all, feature, group, class, endpoint, output", "feature"),
        Field("segment.name", "keyword", "Which one", "age"),
        Field("window.start", "date", "Start, included", AT),
        Field("window.end", "date", "End, excluded", AT),
        Field("window.size", "keyword", "Length", "1d"),
        Field("reference.id", "keyword", "What it was compared with", "2026-10-01..2026-10-31"),
        Field("n", "long", "Events behind the figure", 1234),
        Field("threshold", "double", "Limit from the contract", 0.02),
        Field("status", "keyword", "ok, warning, critical, no_data or insufficient", "ok"),
        Field("reason", "keyword", "Why the status is what it is", "above 2 %"),
    ),
)

HEALTH = Stream(
    "health",
    "vigie-health",
    (
        TIME,
        *_MODEL,
        Field("health.status", "keyword", "ok, warning, critical, no_data", "warning"),
        Field(
            "health.reasons", "keyword", "Why, one line each", "drift of age: PSI 0.31 above 0.2"
        ),
        Field("health.n", "long", "Predictions of the day", 41_220),
        Field("health.figures", "long", "Figures looked at", 31),
        Field("window.start", "date", "Start of the day", AT),
        Field("window.end", "date", "End of the day", AT),
    ),
)

_RULE = (
    Field("rule.name", "keyword", "Rule", "HighErrorRate"),
    Field("alert.severity", "keyword", "critical or warning", "critical"),
    Field("alert.state", "keyword", "ok, pending, firing, resolved, no_data, error", "firing"),
    Field("alert.value", "double", "Figure that decided", 0.031),
    Field("alert.n", "long", "Events behind it", 412),
    Field("alert.threshold", "double", "Limit", 0.02),
    Field("alert.message", "keyword", "Why, one line", "error rate 3.1 % above 2 %"),
)

ALERTS = Stream(
    "alerts",
    "vigie-alerts-*",
    (
        TIME,
        *_MODEL,
        *_RULE,
        Field("alert.previous", "keyword", "State before", "pending"),
        Field(
            "alert.incident",
            "keyword",
            "Incident that it belongs to",
            "HighErrorRate:credit-scoring:1763715060",
        ),
    ),
)

ALERT_STATE = Stream(
    "alert-state",
    "vigie-alert-state",
    (
        TIME,
        *_MODEL,
        *_RULE,
        Field("alert.previous", "keyword", "State before", "pending"),
        Field("alert.since", "date", "When the state began", AT),
        Field("alert.due", "keyword", "Still to do: changed, opened, worsened, resolved", "opened"),
        Field(
            "alert.incident",
            "keyword",
            "Incident, open or just ended",
            "HighErrorRate:credit-scoring:1763715060",
        ),
        Field("alert.onset", "date", "Start of its first breaching window", AT),
        Field("alert.opened", "date", "When it was told", AT),
        Field("alert.resolved", "date", "When it ended", AT),
        Field("alert.peak", "double", "Worst figure of the incident", 0.31),
    ),
)

INCIDENTS = Stream(
    "incidents",
    "vigie-incidents",
    (
        TIME,
        *_MODEL,
        *_RULE,
        Field("incident.id", "keyword", "Identity", "HighErrorRate:credit-scoring:1763715060"),
        Field("incident.onset", "date", "Start of the first breaching window", AT),
        Field("incident.opened", "date", "When it was told", AT),
        Field("incident.resolved", "date", "When it ended", AT),
        Field("incident.peak", "double", "Worst figure", 0.31),
        Field("incident.updated", "date", "When it was last changed", AT),
        Field("incident.detection_s", "double", "From onset to opened", 900.0, "s"),
        Field("incident.duration_s", "double", "From onset to its end", 2700.0, "s"),
    ),
)

OUTBOX = Stream(
    "outbox",
    "vigie-outbox",
    (
        TIME,
        *_MODEL,
        Field("rule.name", "keyword", "Rule", "HighErrorRate"),
        Field("outbox.event", "keyword", "opened or resolved", "opened"),
        Field(
            "outbox.incident",
            "keyword",
            "Incident that it tells",
            "HighErrorRate:credit-scoring:1763715060",
        ),
        Field("outbox.status", "keyword", "waiting, claimed, sent or dead", "sent"),
        Field("outbox.to", "keyword", "Addresses", "risk-oncall@example.org"),
        Field("outbox.left", "keyword", "Addresses still to be reached", "risk-oncall@example.org"),
        Field("outbox.reached", "integer", "Addresses that the server took", 1),
        Field("outbox.subject", "keyword", "Subject line", "[vigie] credit-scoring: error rate"),
        Field("outbox.text", "text", "Body", "The error rate has passed 2 %."),
        Field("outbox.html", "text", "Body as HTML", "<p>The error rate has passed 2 %.</p>"),
        Field(
            "outbox.message_id", "keyword", "Message-ID of the mail", "<1763715060.opened@vigie>"
        ),
        Field(
            "outbox.reply_to", "keyword", "Message-ID that it answers", "<1763715060.opened@vigie>"
        ),
        Field("outbox.attempts", "integer", "Times it was tried", 1),
        Field("outbox.next_at", "date", "Not to be tried before", AT),
        Field("outbox.claimed_at", "date", "When a sender took it", AT),
        Field("outbox.sent_at", "date", "When the server took it", AT),
        Field("outbox.error", "keyword", "Last failure", "451 try again later"),
    ),
)

AUDIT = Stream(
    "audit",
    "vigie-audit-*",
    (
        TIME,
        *_MODEL,
        Field("event.action", "keyword", "provision, job, purge ...", "job"),
        Field("event.outcome", "keyword", "success or failure", "success"),
        Field("event.duration", "long", "How long it took", 51_000_000, "ns"),
        Field("job.name", "keyword", "Job that ran", "drift"),
        Field("window.start", "date", "Start of its window", AT),
        Field("window.end", "date", "End of its window", AT),
        Field("job.written", "long", "Documents written", 31),
        Field("error.type", "keyword", "Class of its failure", "EngineError"),
        Field("error.message", "text", "Its failure", "no answer"),
    ),
)

UNPARSED = Stream(
    "unparsed",
    "vigie-unparsed-*",
    (
        TIME,
        Field(
            "event.id", "keyword", "Segment and offset, or id of the event", "scoring-1-0.jsonl:0"
        ),
        Field("event.action", "keyword", "What it was, or dead_letter", "dead_letter"),
        Field("event.reason", "keyword", "Why it could not be filed", "not_json"),
        Field("event.original", "text", "The line itself", "{"),
        Field(
            "vigie.index",
            "keyword",
            "Index that the line belongs into",
            "vigie-unparsed-2026.11.21",
        ),
        Field("log.file.path", "keyword", "Segment", "scoring-1-0.jsonl"),
        Field("log.offset", "long", "Offset of the line in it", 0, "bytes"),
    ),
)

STREAMS: tuple[Stream, ...] = (
    INFERENCE,
    FEEDBACK,
    SERVICE,
    OUTCOMES,
    PROFILES,
    RESULTS,
    HEALTH,
    ALERTS,
    ALERT_STATE,
    INCIDENTS,
    OUTBOX,
    AUDIT,
    UNPARSED,
)


def stream(name: str) -> Stream:
    """The stream of that name."""
    return next(s for s in STREAMS if s.name == name)


def properties(fields: Iterable[Field]) -> dict[str, Any]:
    """Mapping properties of dotted fields, nested as engines want them.

    >>> properties([Field("a.b", "long", "", 1)])
    {'a': {'properties': {'b': {'type': 'long', 'ignore_malformed': True}}}}
    """
    tree: dict[str, Any] = {}
    for field in fields:
        *parents, leaf = field.name.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {"properties": {}})["properties"]
        node[leaf] = _mapping(field.type)
    return tree


def _mapping(kind: Type) -> dict[str, Any]:
    if kind == "keyword":
        return {"type": "keyword", "ignore_above": 1024}
    if kind in ("long", "integer", "byte", "double", "float", "date"):
        return {"type": kind, "ignore_malformed": True}
    return {"type": kind}


def model_mappings(
    numeric: Iterable[str],
    categorical: Iterable[str],
    identifiers: Iterable[str] = (),
    groups: Iterable[str] = (),
    texts: Iterable[str] = (),
) -> dict[str, Any]:
    """Properties that a contract adds to its model's predictions (and, for groups, outcomes)."""
    root = "inference"
    fields = [
        *(Field(f"{root}.features.numeric.{n}", "double", "", 0.0) for n in numeric),
        *(Field(f"{root}.features.categorical.{n}", "keyword", "", "") for n in categorical),
        *(Field(f"{root}.identifiers.{n}", "keyword", "", "") for n in identifiers),
        *(Field(f"{root}.groups.{n}", "keyword", "", "") for n in groups),
        *(Field(f"{root}.texts.{n}", "text", "", "") for n in texts),
    ]
    return properties(fields)
