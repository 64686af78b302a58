"""Trials as a study has them: waiting, complete and failed."""

from __future__ import annotations

from dataclasses import replace

from nas_fpga.space import BitWidths, Candidate
from nas_fpga.study import Outcome, Point, Setup, TrialRecord
from nas_fpga.training import LearningCurve, TrainingJob
from tests.study.conftest import network_of

CANDIDATE = Candidate((7, 3), BitWidths(4, 6))


def waiting(number: int = 0) -> TrialRecord:
    return TrialRecord(number, replace(CANDIDATE, topology=(7, number + 1)), 2**32 - 1, number // 4, "included")


def complete(record: TrialRecord, setup: Setup) -> TrialRecord:
    network = network_of(setup, TrainingJob(record.number, record.candidate, record.seed))
    merits = setup.evaluate(network.logits(setup.dataset.features[setup.split.validation]), "validation")
    mapped = setup.estimator.points(network, setup.target)
    assert len(mapped) > 1
    outcome = Outcome(
        tuple(Point(record.number, i, 0, m, merits, network.topology) for i, m in enumerate(mapped)),
        LearningCurve((0.7, 0.5), (0.6, 0.55), 1),
        duration_s=1.25,
    )
    return replace(record, state="complete", outcome=outcome)


def failed(record: TrialRecord) -> TrialRecord:
    return replace(record, state="failed", outcome=Outcome(duration_s=0.5, cause="the loss became nan"))
