"""The demo's models, traffic, labels and clock: what every figure of the demo rests on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import ks_2samp

from analyzers.drift.psi import psi
from analyzers.windows import DAY, MINUTE, Window
from collectors.contract import load
from scripts.demo.labels import LabelQueue
from scripts.demo.models import DIGITS, MODELS, RISK, Spec, train
from scripts.demo.timeline import COARSE, Fault, Step, Timeline
from scripts.demo.traffic import DRIFT_SHIFT, Call, Instance, World, calls

NOW = datetime(2026, 11, 21, 9, 17, 30, tzinfo=UTC)
TIMELINE = Timeline.ending(NOW)
BY_NAME = {spec.name: spec for spec in MODELS}


@pytest.fixture(scope="module")
def worlds() -> dict[str, World]:
    return {spec.name: World(spec, train(spec)[1]) for spec in MODELS}


@pytest.mark.parametrize("spec", MODELS, ids=lambda spec: spec.name)
def test_a_model_meets_its_contract_on_rows_it_never_saw(spec: Spec) -> None:
    contract = load(spec.contract)
    _, held_out, f1 = train(spec)
    minimum = contract.performance["f1"].min
    assert minimum is not None and f1 > minimum + 0.03
    assert {*held_out.names} <= {*contract.features}
    assert {*held_out.truth} <= {*contract.output_labels}
    assert [*contract.identifiers] == [spec.identifier]


def test_every_row_lies_inside_its_range_also_when_it_drifts(worlds: dict[str, World]) -> None:
    for name, world in worlds.items():
        features = load(world.spec.contract).features
        lowest, highest = world.data.rows.min(axis=0), world.data.rows.max(axis=0)
        for feature, low, high in zip(world.data.names, lowest, highest, strict=True):
            limits = features[feature].range
            shift = DRIFT_SHIFT.get(feature, 0.0) if name == RISK else 0.0
            assert limits is not None
            assert limits[0] <= low and high + shift <= limits[1]


def test_steps_cover_the_fortnight_without_gap_or_overlap() -> None:
    steps = list(TIMELINE.steps(TIMELINE.start, NOW))
    assert steps[0].window.start == datetime(2026, 11, 7, tzinfo=UTC)
    assert all(a.window.end == b.window.start for a, b in pairwise(steps))
    assert steps[-1].window.end == datetime(2026, 11, 21, 9, 17, tzinfo=UTC)


def test_steps_are_minutes_around_every_onset_and_end() -> None:
    steps = list(TIMELINE.steps(TIMELINE.start, NOW))
    for fault in TIMELINE.faults:
        for moment in (fault.window.start, fault.window.end):
            near = Window(moment - 5 * MINUTE, moment + 20 * MINUTE)
            if moment == fault.window.end and fault.kind == "drift":
                near = Window(moment, moment + 20 * MINUTE)
            touched = [s for s in steps if near.start <= s.window.start < near.end]
            assert touched and all(s.dense for s in touched)


def test_faults_end_and_leave_the_reference_alone() -> None:
    kinds = {fault.kind for fault in TIMELINE.faults}
    assert kinds == {"drift", "errors", "latency"}
    for fault in TIMELINE.faults:
        assert TIMELINE.reference.end < fault.window.start < fault.window.end < NOW - DAY


def test_drift_lasts_whole_days() -> None:
    (drift,) = (fault for fault in TIMELINE.faults if fault.kind == "drift")
    assert (drift.window.length, drift.window.start.hour) == (4 * DAY, 0)


def test_a_step_sends_the_same_in_every_run(worlds: dict[str, World]) -> None:
    step = Step(Window(TIMELINE.start, TIMELINE.start + COARSE))
    first, second = (calls(worlds[RISK], step, (), TIMELINE.start) for _ in range(2))
    assert first == second
    times = [i.at for call in first for i in call.instances]
    assert times == sorted(times) and step.window.start <= times[0] <= times[-1] < step.window.end


def drawn(world: World, day: int, faults: tuple[Fault, ...] = ()) -> dict[str, list[float]]:
    start = TIMELINE.start + day * DAY
    steps = [
        Step(Window(start + i * COARSE, start + (i + 1) * COARSE)) for i in range(DAY // COARSE)
    ]
    instances = [
        instance
        for step in steps
        for call in calls(world, step, faults, TIMELINE.start)
        for instance in call.instances
    ]
    return {n: [i.features[n] for i in instances] for n in world.data.names}


def test_days_without_a_fault_are_exchangeable(worlds: dict[str, World]) -> None:
    for world in worlds.values():
        one, other = drawn(world, 1), drawn(world, 11)
        values = [ks_2samp(one[n], other[n]).pvalue for n in world.data.names]
        assert min(values) > 0.01 / len(values)


def test_drift_moves_two_features_far_and_no_other(worlds: dict[str, World]) -> None:
    world = worlds[RISK]
    before, after = drawn(world, 1), drawn(world, 7, TIMELINE.faults)
    found = {n: decile_psi(before[n], after[n]) for n in world.data.names}
    moved = {n: v for n, v in found.items() if v > 0.2}
    assert {*moved} == {"bmi", "bp"}
    assert sum(moved.values()) / len(load(world.spec.contract).numeric) > 0.4


def decile_psi(reference: list[float], current: list[float]) -> float:
    edges = np.quantile(reference, np.arange(1, 10) / 10)
    counts = [np.bincount(np.searchsorted(edges, x), minlength=10) for x in (reference, current)]
    return psi(*counts)


@pytest.mark.parametrize(("kind", "trouble"), [("errors", "error"), ("latency", "sleep_s")])
def test_a_burst_breaks_about_its_share_of_calls(
    worlds: dict[str, World], kind: str, trouble: str
) -> None:
    (fault,) = (f for f in TIMELINE.faults if f.kind == kind)
    sent = [call for step in minutes(fault.window) for call in of(worlds, fault, step)]
    broken = [call for call in sent if trouble in call.instances[0].extra.get("trouble", {})]
    assert all(len(call.instances) == 1 for call in sent)
    assert 0.06 < len(broken) / len(sent) < 0.18
    assert [call.slow for call in broken] == [kind == "latency"] * len(broken)


def minutes(window: Window) -> list[Step]:
    count = window.length // MINUTE
    starts = [window.start + i * MINUTE for i in range(count)]
    return [Step(Window(start, start + MINUTE)) for start in starts]


def of(worlds: dict[str, World], fault: Fault, step: Step) -> list[Call]:
    return calls(worlds[fault.model], step, TIMELINE.faults, TIMELINE.start)


def test_labels_come_one_to_three_days_late_and_each_once() -> None:
    queue = LabelQueue(np.random.default_rng(1))
    sent = [Instance(TIMELINE.start + i * MINUTE, {}, "low") for i in range(0, 1440, 5)]
    for model in (RISK, DIGITS):
        queue.expect(model, [(x, f"{model}-{i}") for i, x in enumerate(sent)])
    assert not list(queue.due(TIMELINE.start + DAY))
    arrived = list(queue.due(TIMELINE.start + 10 * DAY))
    assert arrived == sorted(arrived) and not list(queue.due(TIMELINE.start + 10 * DAY))
    assert 0.8 < len(arrived) / (2 * len(sent)) < 0.97
    for label in arrived:
        delay = label.at - sent[int(label.prediction.rpartition("-")[2])].at
        assert timedelta(days=1) < delay < timedelta(days=3)
