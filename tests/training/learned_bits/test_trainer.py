"""Real training on a small task: fronts, pruning, independence of company, polish and failures."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from nas_fpga.errors import InputError
from nas_fpga.space import BitWidths, Candidate
from nas_fpga.testing import integers_of
from nas_fpga.training import TrainingFailure, TrainingJob
from nas_fpga.training._bucket import bucket_of
from nas_fpga.training.learned_bits._program import Parameters
from tests.training.learned_bits.blobs import SETTINGS, job, make_dataset, make_trainer


def loss_of(network, dataset, rows):
    """Weighted cross entropy with balanced classes, of exact logits."""
    labels, weights, logits = dataset.labels[rows], dataset.weights[rows], network.logits(dataset.features[rows])
    weights = weights / np.bincount(labels, weights)[labels]
    if logits.shape[1] == 1:
        losses = np.logaddexp(0, logits[:, 0]) - logits[:, 0] * labels
    else:
        losses = np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(rows)), labels]
    return float(np.average(losses, weights=weights))


@pytest.fixture(scope="module")
def binary():
    dataset = make_dataset()
    trainer, divided = make_trainer(dataset)
    jobs = [job(0, (12, 8)), job(1, (10, 6), pressure=3e-3), job(2, (4, 4, 4))]
    return dataset, divided, trainer, jobs, {result.job.number: result for result in trainer.train(jobs)}


def test_networks_learn(binary):
    dataset, divided, *_, results = binary
    for number, least in ((0, 0.93), (1, 0.9), (2, 0.9)):
        logits = results[number].networks[0].logits(dataset.features[divided.test])[:, 0]
        assert np.mean((logits >= 0) == dataset.labels[divided.test]) > least


def test_a_member_gives_a_front_and_its_most_precise_network_is_of_the_best_epoch(binary):
    dataset, divided, *_, results = binary
    assert sum(len(result.networks) for result in results.values()) > 2 * len(results)
    for result in results.values():
        losses = [loss_of(network, dataset, divided.validation) for network in result.networks]
        costs = [network.ebops for network in result.networks]
        assert sorted(costs, reverse=True) == costs
        assert sorted(losses) == losses
        curve = result.curve
        assert len(curve.validation_loss) == SETTINGS.epochs
        assert losses[0] == pytest.approx(curve.validation_loss[curve.best_epoch], rel=1e-5)
        assert min(curve.validation_loss) == curve.validation_loss[curve.best_epoch]


def test_pressure_lowers_the_cost_and_prunes(binary):
    *_, results = binary
    pressed = results[1].networks[-1]
    assert pressed.ebops < results[0].networks[-1].ebops / 3
    assert sum(pressed.topology) < 16
    for before, after in zip(pressed.layers, pressed.layers[1:], strict=False):
        assert after.weights.any(axis=1).all()  # every neuron is read ...
        assert before.weights.any(axis=0).all()  # ... and reads
    assert pressed.input_format.bits.sum() < 30  # of 60


def test_topologies_of_one_shape_share_a_program(binary):
    *_, trainer, _, _ = binary
    assert [str(bucket) for bucket in trainer._programs] == ["16-16", "8-8-8"]
    assert [program._run._cache_size() for program in trainer._programs.values()] == [1, 1]


def test_an_epoch_has_rates_decays_and_corrections_of_its_own():
    trainer, divided = make_trainer(make_dataset())
    settings = replace(SETTINGS, weight_decay=0.1, bits_learning_rate=0.02)
    of = job(0, (8, 5), settings=settings)
    bucket = bucket_of(of.trained, 6, 1, len(divided.train))
    slot, layout = trainer._enter(of, bucket), bucket.layout
    first = slot.begin_epoch()
    slot.train_losses.append(0.5)
    second = slot.begin_epoch()
    rates, decays = (Parameters.of(layout, part) for part in (first.rates.parameters, first.rates.decays))
    rate = settings.learning_rate  # of the first epoch
    assert rates.weights == pytest.approx(rate)
    assert decays.weights[: layout.n_weights] == pytest.approx(rate * 0.1)
    assert not decays.weights[layout.n_weights :].any()
    assert rates.weight_fraction == pytest.approx(0.02)
    assert rates.unit_fraction == pytest.approx(0.02)
    assert not rates.unit_integer[:6].any()  # the input format keeps its ends
    assert rates.unit_integer[6:] == pytest.approx(0.02)
    assert not any(part.any() for part in decays[1:])
    assert second.rates.parameters[0] < rate
    assert second.rates.pressure > first.rates.pressure
    n_steps = len(divided.train) // bucket.batch_size
    updates = np.arange(1, 2 * n_steps + 1)  # they go on through the epochs
    expected = np.sqrt(1 - settings.beta_2**updates) / (1 - settings.beta_1**updates)
    assert np.concatenate([first.rates.corrections, second.rates.corrections]) == pytest.approx(expected, rel=1e-6)


def test_several_classes():
    dataset = make_dataset(4)
    trainer, divided = make_trainer(dataset)
    (result,) = trainer.train([job(0, (12,))])
    logits = result.networks[0].logits(dataset.features[divided.test])
    assert np.mean(logits.argmax(axis=1) == dataset.labels[divided.test]) > 0.75
    losses = [loss_of(network, dataset, divided.validation) for network in result.networks]
    assert losses[0] == pytest.approx(min(result.curve.validation_loss), rel=1e-5)


def test_a_result_depends_on_its_job_alone_and_a_failure_on_nobody_else():
    """Two slots: neighbours, slot and the moment of the refill change nothing, and neither does a loss of NaN."""
    dataset = make_dataset(n=800)
    short = replace(SETTINGS, epochs=4)
    diverging = job(7, (5, 8), settings=replace(short, learning_rate=1e30))
    jobs = [job(i, (8, 6 + i), seed=i, settings=replace(short, epochs=3 + i)) for i in range(2)]
    trainer, _ = make_trainer(dataset, slots=2)

    def outcome(company):
        return {result.job.number: result for result in trainer.train(company)}

    together = outcome([diverging, *jobs])
    failure = together[7]
    assert isinstance(failure, TrainingFailure)
    assert failure.cause.startswith("DivergedError: a weight or a bit width became no number in epoch ")
    for other in (outcome([jobs[1], job(9, (3, 3), settings=short), jobs[0]]), outcome(jobs[:1]), outcome(jobs[1:])):
        for number in {0, 1} & set(other):
            assert other[number].curve == together[number].curve
            assert [integers_of(n) for n in other[number].networks] == [
                integers_of(n) for n in together[number].networks
            ]


def test_a_program_that_does_not_fit_the_memory_fails_its_members_only(binary, monkeypatch):
    *_, trainer, jobs, results = binary
    program = next(program for bucket, program in trainer._programs.items() if str(bucket) == "16-16")

    def out_of_memory(*_):
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")

    monkeypatch.setattr(program, "_run", out_of_memory)
    outcomes = {outcome.job.number: outcome for outcome in trainer.train(jobs)}
    assert [outcomes[i].cause for i in (0, 1)] == ["JaxRuntimeError: RESOURCE_EXHAUSTED: out of memory"] * 2
    assert [integers_of(n) for n in outcomes[2].networks] == [integers_of(n) for n in results[2].networks]


def test_polish_starts_from_the_trained_network(binary):
    dataset, divided, trainer, _, results = binary
    start = results[1].networks[0]
    settings = replace(SETTINGS, epochs=3, learning_rate=1e-3)
    polish = TrainingJob(4, replace(start.candidate, settings=settings), 1, start)
    (result,) = trainer.train([polish])
    assert result.job is polish
    assert result.curve.validation_loss[0] < 1.1 * loss_of(start, dataset, divided.validation)
    assert min(network.ebops for network in result.networks) < start.ebops
    assert all(np.less_equal(network.topology, start.topology).all() for network in result.networks)


def test_fixed_bits_are_refused(binary):
    *_, trainer, _, _ = binary
    with pytest.raises(InputError, match="12 w6a6 has fixed bits"):
        next(trainer.train([TrainingJob(0, Candidate((12,), BitWidths(6, 6), SETTINGS), 0)]))


def test_constants_are_no_networks():
    """A network that lost all weights still has the bits of its output's bias."""
    trainer, _ = make_trainer(make_dataset())
    (result,) = trainer.train([job(0, (4,), pressure=1e-1)])
    networks = () if isinstance(result, TrainingFailure) else result.networks
    assert all(network.layers[-1].weights.any() for network in networks)
    if not networks:
        assert "no weight was left after any epoch; the pressure 0.1 is too high" in result.cause
