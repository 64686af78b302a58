"""What every trainer has to keep, ours or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

from nas_fpga.data import Dataset, InputFormat, Split, fit_input_format, split
from nas_fpga.space import BitWidths, Candidate, LearnedBits, TrainingSettings
from nas_fpga.training import QuantizedNetwork, Trainer, TrainingFailure, TrainingJob, TrainingResult

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MakeTrainer = Callable[[Dataset, Split, InputFormat], Trainer]
"""A new trainer."""

_SETTINGS = TrainingSettings(epochs=3, patience=3, batch_size=64)
_TOPOLOGIES = ((8,), (7,), (6, 5))


def _blobs() -> Dataset:
    """Return two classes that are blobs in six features of very different scales."""
    rng, n = np.random.default_rng(3), 800
    labels = rng.integers(2, size=n)
    features = labels[:, None] * [1.5, -1.5, 1.0, -1.0, 2.0, 0.0] + rng.standard_normal((n, 6))
    return Dataset(
        name="blobs",
        features=(features * [1, 10, 100, 1, 0.01, 1] + [0, 5, 300, 0, 0, -2]).astype(np.float32),
        labels=labels.astype(np.int64),
        class_names=("class 0", "class 1"),
        feature_names=tuple("abcdef"),
        feature_units=("",) * 6,
        weights=np.ones(n),
        groups=np.arange(n),
        counted=np.ones(n, np.bool_),
    )


class TrainerConformance:
    """Tests of the contract of :class:`nas_fpga.training.Trainer`.

    A subclass gives the fixture ``make_trainer``: a function of data set, split and input format.

    Attributes:
        bits: What all candidates have.
    """

    bits: ClassVar[BitWidths | LearnedBits] = BitWidths(6, 5)

    @pytest.fixture(scope="class")
    def data(self) -> tuple[Dataset, Split, InputFormat]:
        """A small task."""
        dataset = _blobs()
        parts = split(dataset, 0)
        return dataset, parts, fit_input_format(dataset.features[parts.train])

    @pytest.fixture
    def trainer(self, make_trainer: MakeTrainer, data: tuple[Dataset, Split, InputFormat]) -> Trainer:
        """A trainer for it."""
        return make_trainer(*data)

    def _jobs(self) -> list[TrainingJob]:
        return [
            TrainingJob(10 + k, Candidate(topology, self.bits, replace(_SETTINGS, epochs=2 + k)), seed=k)
            for k, topology in enumerate(_TOPOLOGIES)
        ]

    def test_every_job_has_one_result(self, trainer: Trainer, data: tuple[Dataset, Split, InputFormat]) -> None:
        jobs = self._jobs()
        results = list(trainer.train(jobs))
        assert sorted(result.job.number for result in results) == [10, 11, 12]
        for result in results:
            assert isinstance(result, TrainingResult)
            assert result.job == jobs[result.job.number - 10]
            assert len(result.curve.train_loss) == len(result.curve.validation_loss)
            assert len(result.curve.train_loss) == result.job.candidate.settings.epochs
            assert np.isfinite([*result.curve.train_loss, *result.curve.validation_loss]).all()
            assert 0 <= result.curve.best_epoch < len(result.curve.train_loss)
            assert result.duration_s > 0
            assert result.networks
            for network in result.networks:
                assert network.logits(data[0].features).shape == (len(data[0].labels), 1)
                widths = zip(network.topology, result.job.candidate.topology, strict=True)
                assert all(left <= trained for left, trained in widths)

    def test_no_jobs_have_no_results(self, trainer: Trainer) -> None:
        assert list(trainer.train([])) == []

    def test_the_curve_is_of_the_network(self, trainer: Trainer, data: tuple[Dataset, Split, InputFormat]) -> None:
        dataset, parts, _ = data
        rows = parts.validation
        labels, share = dataset.labels[rows], np.bincount(dataset.labels[rows]) / len(rows)
        for result in _results(trainer, self._jobs()).values():
            losses = []
            for network in result.networks:
                logits = network.logits(dataset.features[rows])[:, 0]
                balanced = np.logaddexp(0, np.where(labels == 1, -logits, logits)) / (2 * share[labels])
                losses.append(balanced.mean())
            curve = result.curve
            assert min(losses) == pytest.approx(curve.validation_loss[curve.best_epoch], rel=1e-5)

    def test_a_result_depends_on_its_job_alone(
        self, make_trainer: MakeTrainer, data: tuple[Dataset, Split, InputFormat], trainer: Trainer
    ) -> None:
        jobs = self._jobs()
        together = _results(trainer, jobs)
        companies = (jobs[::-1], jobs[:1], jobs[1:])
        others = [_results(trainer, companies[0]), *(_results(make_trainer(*data), company) for company in companies)]
        for other in others:
            for number, result in other.items():
                assert result.curve == together[number].curve
                assert _essence(result) == _essence(together[number])

    def test_seeds_differ(self, trainer: Trainer) -> None:
        job = self._jobs()[0]
        results = _results(trainer, [job, replace(job, number=1, seed=7)])
        assert _essence(results[10]) != _essence(results[1])

    def test_a_candidate_that_diverges_fails_alone(self, trainer: Trainer) -> None:
        jobs = self._jobs()
        settings = replace(_SETTINGS, learning_rate=1e38)
        hot = TrainingJob(3, Candidate(_TOPOLOGIES[0], self.bits, settings), seed=1)
        healthy = _results(trainer, jobs)
        mixed = {result.job.number: result for result in trainer.train([jobs[0], hot, *jobs[1:]])}
        failed = mixed.pop(3)
        assert isinstance(failed, TrainingFailure)
        assert failed.cause
        assert "\n" not in failed.cause
        for number, result in mixed.items():
            assert isinstance(result, TrainingResult)
            assert _essence(result) == _essence(healthy[number])


def _results(trainer: Trainer, jobs: Sequence[TrainingJob]) -> dict[int, TrainingResult]:
    found = {}
    for result in trainer.train(jobs):
        assert isinstance(result, TrainingResult)
        found[result.job.number] = result
    return found


def _essence(result: TrainingResult) -> list[Any]:
    """Return all that the networks of a result are, to compare."""
    return [integers_of(network) for network in result.networks]


def integers_of(network: QuantizedNetwork) -> tuple[Any, ...]:
    """Return all that a network computes with, as plain values, to compare."""
    return _values(network.input_format), *(_values(layer) for layer in network.layers)


def _values(part: DataclassInstance) -> tuple[Any, ...]:
    values = (getattr(part, field.name) for field in fields(part))
    return tuple(None if value is None else np.asarray(value).tolist() for value in values)
