"""Every figure that jobs publish, declared once: name, unit, title and where it comes from.

Names ending in a length (`_5m`, `_1h`) are sliding looks for rules; all others are tiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["METRICS", "Metric", "metric"]

Unit = Literal["ratio", "ms", "per_s", "count", "score", "none"]


@dataclass(frozen=True)
class Metric:
    """One figure; titles are what pages and mails show."""

    name: str
    unit: Unit
    job: str
    english: str
    french: str


METRICS: tuple[Metric, ...] = (
    Metric("error_rate_5m", "ratio", "looks", "Error rate, 5 min", "Taux d'erreur, 5 min"),
    Metric("latency_p99_5m", "ms", "looks", "p99 latency, 5 min", "Latence p99, 5 min"),
    Metric("psi_mean_1h", "score", "stability", "Mean PSI, 1 h", "PSI moyen, 1 h"),
    Metric("requests", "count", "operations", "Predictions", "Prédictions"),
    Metric(
        "throughput", "per_s", "operations", "Predictions per second", "Prédictions par seconde"
    ),
    Metric("error_rate", "ratio", "operations", "Error rate", "Taux d'erreur"),
    Metric("availability", "ratio", "operations", "Availability", "Disponibilité"),
    Metric(
        "uptime",
        "ratio",
        "operations",
        "Share of time with a heartbeat",
        "Part du temps avec un battement de cœur",
    ),
    Metric("latency_p50", "ms", "operations", "Median latency", "Latence médiane"),
    Metric("latency_p95", "ms", "operations", "p95 latency", "Latence p95"),
    Metric("latency_p99", "ms", "operations", "p99 latency", "Latence p99"),
    Metric("missing_rate", "ratio", "quality", "Missing values", "Valeurs manquantes"),
    Metric("out_of_range_rate", "ratio", "quality", "Values out of range", "Valeurs hors limites"),
    Metric("unseen_rate", "ratio", "quality", "Unseen categories", "Catégories inconnues"),
    Metric(
        "mistyped_rate", "ratio", "quality", "Values of the wrong type", "Valeurs de mauvais type"
    ),
    Metric("violation_rate", "ratio", "quality", "Business rule broken", "Règle métier enfreinte"),
    Metric("psi", "score", "drift", "Population stability index", "Indice de stabilité (PSI)"),
    Metric("ks", "score", "drift", "Kolmogorov-Smirnov distance", "Distance de Kolmogorov-Smirnov"),
    Metric("chi_square", "score", "drift", "Chi-square statistic", "Statistique du khi-deux"),
    Metric("psi_mean", "score", "drift", "Mean PSI of the features", "PSI moyen des variables"),
    Metric("drifted_features", "count", "drift", "Features that drifted", "Variables en dérive"),
    Metric(
        "label_coverage",
        "ratio",
        "performance",
        "Predictions with a label",
        "Prédictions étiquetées",
    ),
    Metric("accuracy", "ratio", "performance", "Accuracy", "Exactitude"),
    Metric("precision", "ratio", "performance", "Precision", "Précision"),
    Metric("recall", "ratio", "performance", "Recall", "Rappel"),
    Metric("f1", "ratio", "performance", "F1 score", "Score F1"),
)


def metric(name: str) -> Metric:
    """The metric of that name."""
    found = next((m for m in METRICS if m.name == name), None)
    if found is None:
        raise KeyError(f"unknown metric {name!r}; known: {', '.join(m.name for m in METRICS)}")
    return found
