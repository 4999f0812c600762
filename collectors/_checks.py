"""What types alone cannot say of a contract."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from collectors._reading import Reader, suggest
from collectors._yaml import Document
from collectors.rules import RuleError, compile_rule
from collectors.sections import Feature, Mask, duration, label_text

if TYPE_CHECKING:
    from collectors.contract import Contract

__all__ = ["Checker"]

TEXT_DESCRIPTORS = ("chars", "words", "digit_share")
MODEL_NAME = re.compile(r"[a-z][a-z0-9_]*(-[a-z][a-z0-9_]*)*")
FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


class Checker:
    """What types alone cannot say."""

    def __init__(self, name: str, document: Document, contract: Contract) -> None:
        self.contract = contract
        self.error = Reader(name, document).error

    def check(self) -> None:
        self._names()
        for name, feature in self.contract.features.items():
            self._feature(name, feature)
        self._protected()
        self._output()
        self._durations()
        self._reference()
        self._rules()

    def _names(self) -> None:
        c = self.contract
        if not MODEL_NAME.fullmatch(c.model) or len(c.model) > 80:
            cure = (
                "use lower-case words joined by `-`, each starting with a letter, as credit-scoring"
            )
            raise self.error(("model",), f"{c.model!r} is not a model name; {cure}")
        for section in ("features", "identifiers", "protected", "rules"):
            for name in getattr(c, section):
                if not FIELD_NAME.fullmatch(name):
                    cure = "use letters, digits and _, starting with a letter"
                    raise self.error((section, name), f"{name!r} is not a field name; {cure}")
        clash = set(c.features) & set(c.identifiers)
        if clash:
            name = min(clash)
            raise self.error(("identifiers", name), "is also a feature; keep one of the two")

    def _feature(self, name: str, f: Feature) -> None:
        path = ("features", name)
        if f.range is not None and f.type != "numeric":
            raise self.error((*path, "range"), f"only numeric features have a range, not {f.type}")
        if f.range is not None and not f.range[0] <= f.range[1]:
            raise self.error((*path, "range"), f"{list(f.range)}: the lower end comes first")
        if f.values is not None and f.type != "categorical":
            raise self.error(
                (*path, "values"), f"only categorical features list values, not {f.type}"
            )
        if f.values == ():
            raise self.error((*path, "values"), "is empty; list the values or leave the key out")
        if f.keep is not None and f.type != "text":
            raise self.error((*path, "keep"), f"only text features are kept masked, not {f.type}")
        if isinstance(f.mask, Mask):
            self._mask(path, f, f.mask)
        if f.mask in ("hash", "text") and f.type == "numeric":
            cure = "use keep, drop or {bucket: ...}"
            raise self.error((*path, "mask"), f"a number cannot be masked by {f.mask!r}; {cure}")
        derived = [f"{name}_{d}" for d in TEXT_DESCRIPTORS] if f.type == "text" else []
        for other in derived:
            if other in self.contract.features:
                raise self.error(
                    ("features", other), f"is the name of a descriptor of {name!r}; rename it"
                )

    def _mask(self, path: tuple[str, ...], f: Feature, mask: Mask) -> None:
        if (mask.bucket is None) == (mask.truncate is None):
            raise self.error((*path, "mask"), "give exactly one of bucket and truncate")
        if mask.bucket is not None and (f.type != "numeric" or mask.bucket <= 0):
            raise self.error(
                (*path, "mask", "bucket"),
                f"{mask.bucket}: needs a numeric feature and a width above 0",
            )
        if mask.truncate is not None and (f.type == "numeric" or mask.truncate < 1):
            raise self.error(
                (*path, "mask", "truncate"),
                f"{mask.truncate}: needs a categorical or text feature and at least 1",
            )

    def _protected(self) -> None:
        known = tuple(self.contract.features)
        for name, group in self.contract.protected.items():
            feature = self.contract.features.get(group.feature)
            path = ("protected", name, "feature")
            if feature is None:
                raise self.error(
                    path,
                    f"{group.feature!r} is not a feature; {suggest(group.feature, known)}",
                )
            if (feature.type == "numeric") != bool(group.cuts):
                cure = "give `cuts: [...]`" if feature.type == "numeric" else "leave out `cuts`"
                raise self.error(path, f"{group.feature!r} is {feature.type}; {cure}")
            if list(group.cuts) != sorted(set(group.cuts)):
                raise self.error(("protected", name, "cuts"), f"{list(group.cuts)}: must rise")

    def _output(self) -> None:
        output = self.contract.output
        labels = self.contract.output_labels
        if len(set(labels)) != len(labels):
            raise self.error(("output", "labels"), f"{list(labels)}: a label stands twice")
        for key in ("positive", "critical"):
            value = getattr(output, key)
            if value is not None and label_text(value) not in labels:
                raise self.error(
                    ("output", key),
                    f"{value!r} is not one of output.labels; {suggest(str(value), labels)}",
                )
        if self.contract.task == "binary_classification":
            if len(labels) != 2:
                raise self.error(
                    ("output", "labels"), "a binary classification needs exactly two labels"
                )
            if output.positive is None:
                raise self.error(
                    ("output",), f"`positive` is missing; name one of {', '.join(labels)}"
                )
        if self.contract.task in ("multiclass", "text_classification") and len(labels) < 2:
            raise self.error(("output", "labels"), "a classification needs at least two labels")

    def _durations(self) -> None:
        c = self.contract
        texts: dict[tuple[str, ...], str] = {
            ("labels", "horizon"): c.labels.horizon,
            ("slo", "period"): c.slo.period,
            ("retention", "events"): c.retention.events,
            ("retention", "results"): c.retention.results,
        }
        if c.fallback is not None:
            texts |= {("fallback", "when", k, "over"): v.over for k, v in c.fallback.when.items()}
        for path, text in texts.items():
            try:
                duration(text)
            except ValueError as error:
                raise self.error(path, str(error)) from error

    def _reference(self) -> None:
        if self.contract.reference is None:
            return
        try:
            period = self.contract.reference_period
        except ValueError as error:
            raise self.error(("reference",), str(error)) from error
        if period is not None and not period[0] < period[1]:
            raise self.error(
                ("reference", "to"), f"{self.contract.reference.end!r}: must lie after `from`"
            )

    def _rules(self) -> None:
        known = (*self.contract.features, "label", "score")
        for name, text in self.contract.rules.items():
            try:
                compile_rule(text, known)
            except RuleError as error:
                raise self.error(("rules", name), f"{text!r}: {error}") from error
