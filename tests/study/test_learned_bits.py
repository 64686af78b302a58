"""A study of networks whose bits were learned: tables name what training left of them."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.report._gather import gather
from nas_fpga.report._tables import layers_table
from nas_fpga.space import Candidate, LearnedBits
from nas_fpga.study import StudyOutcome, StudyStorage, TrialRecord
from nas_fpga.study._outcome import summarise
from nas_fpga.study._records import Outcome, Point
from nas_fpga.training import LearningCurve
from tests.export.networks import learned_network
from tests.study.conftest import make_setup


@pytest.fixture
def outcome(folder: Path) -> StudyOutcome:
    """One trial that has ended with one network, pruned from 8-5 neurons and three features."""
    setup = make_setup()
    candidate = Candidate((8, 5), LearnedBits())
    network = replace(learned_network(0, 3, (8, 5)), candidate=candidate)
    logits = network.logits(setup.dataset.features[setup.split.validation])
    merits = setup.evaluate(logits, "validation")
    points = tuple(
        Point(0, i, 0, mapped, merits, network.topology)
        for i, mapped in enumerate(setup.estimator.points(network, setup.target))
    )
    record = TrialRecord(0, candidate, 0, 0, "random start")
    with StudyStorage(folder) as storage:
        storage.create(setup.definition)
        storage.set_n_trials(1)
        storage.add([record])
        storage.save_networks(0, [network], [logits])
        ended = replace(record, state="complete", outcome=Outcome(points, LearningCurve((0.7,), (0.6,), 1), 1.0))
        storage.end(ended, setup.target)
        assert storage.trials() == [ended]
        return summarise(setup, storage, [ended])


def test_tables_name_what_is_left(outcome: StudyOutcome) -> None:
    best = outcome.best
    assert best.trial.name_of(best.point) == "8-5 to 6-2 learned"
    (row,) = csv.DictReader(io.StringIO(outcome.csv()))
    assert (row["topology"], row["neurons"]) == ("6-2", "8")
    assert (row["weight_bits"], row["activation_bits"]) == ("", "")
    assert outcome.knee.neurons == 8


def test_the_front_has_the_period_where_the_study_knows_it(outcome: StudyOutcome) -> None:
    best = outcome.best
    figures = best.point.mapped.figures
    period, latency = figures.period_ns, figures.achievable_latency_ns
    assert period is not None
    assert latency is not None
    names = [name + end for name in ("period_ns", "achievable_latency_ns") for end in ("", "_low", "_high")]
    record = outcome.record(best)
    ends = (period.value, period.low, period.high, latency.value, latency.low, latency.high)
    assert tuple(record[name] for name in names) == ends
    before = replace(best.point.mapped, figures=replace(figures, period_ns=None))
    older = outcome.record(replace(best, point=replace(best.point, mapped=before)))
    assert [older[name] for name in names] == [None] * 6
    assert {name for name in record if record[name] != older[name]} == set(names)


def test_the_report_has_the_bits_of_each_layer(outcome: StudyOutcome) -> None:
    layers = gather(outcome).layers
    assert [layer.shape for layer in layers] == ["3", "3 to 6", "6 to 2", "2 to 1"]
    network = learned_network(0, 3, (8, 5))
    for shown, layer in zip(layers[1:-1], network.layers, strict=False):
        assert layer.activation_bits is not None
        assert shown.output_bits == (layer.activation_bits.min(), layer.activation_bits.max())
        assert shown.kept == np.count_nonzero(layer.weights)
    assert layers[-1].output_bits is None
    assert "2 to 5" in layers_table(layers)
