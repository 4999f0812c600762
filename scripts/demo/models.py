"""Two models trained on data that scikit-learn carries, and the rows that traffic is drawn from.

Each data set is split in two halves: the model learns one, the other plays the world. What the
demo later reports as F1 is therefore an honest figure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "DIGITS",
    "MODELS",
    "RISK",
    "Classifier",
    "Dataset",
    "Floats",
    "Spec",
    "load",
    "save",
    "train",
]

Floats = npt.NDArray[np.float64]
RISK, DIGITS = "diabetes-risk", "digit-reader"
SPLIT_SEED = 20_241
PROGRESSION_CUT = 140.0  # of the disease score one year later; half of the patients lie above
RISK_THRESHOLD = 0.4  # a missed patient costs more than a false alarm
CONTRACTS = Path(__file__).parent / "contracts"
_CLINICAL = ("age", "bmi", "bp", "tc", "ldl", "hdl", "tch", "ltg", "glucose")
_INK = (
    *(f"row_{i}" for i in range(8)),
    *(f"column_{i}" for i in range(1, 7)),
    "asymmetry",
    "centre",
)


@dataclass(frozen=True)
class Dataset:
    """Numeric rows with their names, one categorical column where there is any, and the truth."""

    names: tuple[str, ...]
    rows: Floats
    truth: tuple[str, ...]
    sex: tuple[str, ...] = ()

    def part(self, chosen: npt.NDArray[np.int64]) -> Dataset:
        """The chosen rows."""
        sex = tuple(self.sex[i] for i in chosen) if self.sex else ()
        return Dataset(self.names, self.rows[chosen], tuple(self.truth[i] for i in chosen), sex)

    def matrix(self) -> Floats:
        """What the model reads: the numbers, and 1 for male where sex is known."""
        if not self.sex:
            return self.rows
        male = np.array([[value == "male"] for value in self.sex], dtype=np.float64)
        return np.hstack([self.rows, male])


@dataclass(frozen=True)
class Classifier:
    """A fitted estimator behind one method, as the service calls it."""

    version: str
    names: tuple[str, ...]
    has_sex: bool
    estimator: Any
    threshold: float | None = None

    def predict(self, features: dict[str, Any]) -> tuple[str, float]:
        """Label and score of one instance; anything unusable raises."""
        row = [float(features[name]) for name in self.names]
        if self.has_sex:
            row.append(float(features["sex"] == "male"))
        return self._decide(np.array([row]))

    def _decide(self, rows: Floats) -> tuple[str, float]:
        scores = self.estimator.predict_proba(rows)[0]
        if self.threshold is not None:
            return ("high" if scores[1] >= self.threshold else "low"), float(scores[1])
        best = int(np.argmax(scores))
        return str(self.estimator.classes_[best]), float(scores[best])


@dataclass(frozen=True)
class Spec:
    """One model of the demo."""

    name: str
    version: str
    identifier: str
    source: str
    read: Callable[[], Dataset]
    fit: Callable[[Dataset], Any]
    threshold: float | None = None

    @property
    def contract(self) -> Path:
        """Its contract, without the reference period."""
        return CONTRACTS / f"{self.name}.yaml"


def train(spec: Spec) -> tuple[Classifier, Dataset, float]:
    """The classifier, the half it never saw, and its macro or positive-class F1 on that half."""
    data = spec.read()
    order = np.random.default_rng(SPLIT_SEED).permutation(len(data.truth))
    half = len(order) // 2
    estimator = spec.fit(data.part(order[:half]))
    held_out = data.part(order[half:])
    model = Classifier(spec.version, data.names, bool(data.sex), estimator, spec.threshold)
    return model, held_out, _f1(model, held_out)


def save(model: Classifier, path: Path) -> None:
    """Write a classifier for its service."""
    import joblib  # type: ignore[import-untyped]  # noqa: PLC0415 - comes with scikit-learn

    joblib.dump(model, path)


def load(path: Path) -> Classifier:
    """Read a classifier that this demo wrote."""
    import joblib  # noqa: PLC0415

    model = joblib.load(path)
    if not isinstance(model, Classifier):
        raise TypeError(f"{path} holds {type(model).__name__}, not a classifier of the demo")
    return model


def _f1(model: Classifier, data: Dataset) -> float:
    from sklearn.metrics import f1_score  # noqa: PLC0415

    answers = [model._decide(row[None, :])[0] for row in data.matrix()]  # noqa: SLF001
    if model.threshold is not None:
        return float(f1_score(data.truth, answers, pos_label="high"))
    return float(f1_score(data.truth, answers, average="macro"))


def _patients() -> Dataset:
    from sklearn.datasets import load_diabetes  # noqa: PLC0415 - takes a second to import

    rows, progression = load_diabetes(return_X_y=True, scaled=False)
    sex = tuple("male" if value == 2 else "female" for value in rows[:, 1])
    truth = tuple("high" if score > PROGRESSION_CUT else "low" for score in progression)
    return Dataset(_CLINICAL, np.delete(rows, 1, axis=1), truth, sex)


def _images() -> Dataset:
    from sklearn.datasets import load_digits  # noqa: PLC0415

    digits = load_digits()
    return Dataset(_INK, describe(digits.images), tuple(str(t) for t in digits.target))


def describe(images: Floats) -> Floats:
    """Sixteen descriptors of each 8 x 8 image: ink by row and column, asymmetry, centre."""
    rows, columns = images.sum(axis=2), images.sum(axis=1)[:, 1:7]
    asymmetry = np.abs(images - images[:, :, ::-1]).sum(axis=(1, 2))
    centre = images[:, 3:5, 3:5].sum(axis=(1, 2))
    return np.column_stack([rows, columns, asymmetry, centre])


def _logistic(data: Dataset) -> Any:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    high = [label == "high" for label in data.truth]
    return LogisticRegression(solver="newton-cholesky").fit(data.matrix(), high)


def _quadratic(data: Dataset) -> Any:
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis  # noqa: PLC0415

    return QuadraticDiscriminantAnalysis(reg_param=0.05).fit(data.matrix(), data.truth)


MODELS: tuple[Spec, ...] = (
    Spec(RISK, "3.2.0", "patient_id", "clinic", _patients, _logistic, RISK_THRESHOLD),
    Spec(DIGITS, "1.4.1", "envelope_id", "sorting-desk", _images, _quadratic),
)
