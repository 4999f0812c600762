"""The timetable: every job, in the order in which they run."""

from __future__ import annotations

from analyzers.drift.jobs import DRIFT, STABILITY
from analyzers.job import Job
from analyzers.operations.looks import LOOKS
from analyzers.operations.service import OPERATIONS
from analyzers.performance.jobs import PERFORMANCE
from analyzers.quality.inputs import QUALITY

__all__ = ["JOBS", "job"]

JOBS: tuple[Job, ...] = (LOOKS, STABILITY, OPERATIONS, QUALITY, DRIFT, PERFORMANCE)


def job(name: str) -> Job:
    """The job of that name."""
    found = next((j for j in JOBS if j.name == name), None)
    if found is None:
        raise KeyError(f"unknown job {name!r}; known: {', '.join(j.name for j in JOBS)}")
    return found
