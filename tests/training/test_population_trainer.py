"""Real training on a small task: exact, repeatable, independent of company, and right about failures."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest

from nas_fpga.data import Dataset, fit_input_format, split
from nas_fpga.export import hgq_model
from nas_fpga.space import BitWidths, Candidate, TrainingSettings
from nas_fpga.testing import integers_of
from nas_fpga.training import TrainingFailure, TrainingJob
from nas_fpga.training._bucket import bucket_of

SETTINGS = TrainingSettings(epochs=8, patience=8, batch_size=64)


def make_dataset(n_classes=2, n=2000, weights=None):
    rng = np.random.default_rng(3)
    labels = rng.integers(n_classes, size=n)
    centres = rng.standard_normal((n_classes, 6)) * 1.5
    features = (centres[labels] + rng.standard_normal((n, 6))) * [1, 10, 100, 1, 0.01, 1] + [0, 5, 300, 0, 0, -2]
    return Dataset(
        name="blobs",
        features=features.astype(np.float32),
        labels=labels,
        class_names=tuple(f"class {k}" for k in range(n_classes)),
        feature_names=tuple("abcdef"),
        feature_units=("",) * 6,
        weights=np.ones(n) if weights is None else weights,
        groups=np.arange(n),
        counted=np.ones(n, bool),
    )


def make_trainer(dataset, **options):
    from nas_fpga.training._population_trainer import PopulationTrainer

    divided = split(dataset, 0)
    return PopulationTrainer(dataset, divided, fit_input_format(dataset.features[divided.train]), **options), divided


def job(number, topology, bits, seed=5, settings=SETTINGS):
    return TrainingJob(number, Candidate(topology, BitWidths(*bits), settings), seed)


def integers(result):
    (network,) = result.networks
    return integers_of(network)


@pytest.fixture(scope="module")
def binary():
    dataset = make_dataset()
    trainer, divided = make_trainer(dataset)
    jobs = [job(0, (8,), (6, 6)), job(1, (6, 5), (4, 3)), job(2, (4, 4, 4), (2, 2))]
    return dataset, divided, trainer, jobs, {result.job.number: result for result in trainer.train(jobs)}


def test_networks_learn(binary):
    dataset, divided, _, _, results = binary
    for number, least in ((0, 0.95), (1, 0.93), (2, 0.85)):
        logits = results[number].networks[0].logits(dataset.features[divided.test])[:, 0]
        assert np.mean((logits >= 0) == dataset.labels[divided.test]) > least


def test_learning_rates_are_corrected_from_the_first_step_to_the_last():
    dataset = make_dataset()
    trainer, divided = make_trainer(dataset)
    of = job(0, (8,), (6, 6))
    slot = trainer._enter(of, bucket_of(of.candidate, 6, 1, len(divided.train)))
    found = []
    for epoch in range(2):
        slot.n_epochs = epoch
        given = slot.begin_epoch()
        found += list(given.learning_rates / slot.member.learning_rate)
    updates = np.arange(1, 2 * (len(divided.train) // slot.batch_size) + 1)
    expected = np.sqrt(1 - SETTINGS.beta_2**updates) / (1 - SETTINGS.beta_1**updates)
    assert found == pytest.approx(expected, rel=1e-6)


def test_weights_use_their_bits_and_no_more(binary):
    for result in binary[-1].values():
        bits = result.job.candidate.bits
        for layer in result.networks[0].layers:
            assert layer.weights.min() >= -(2 ** (bits.weights - 1))
            assert layer.weights.max() <= 2 ** (bits.weights - 1) - 1
            assert len(np.unique(layer.weights)) > 1
        assert (result.networks[0].layers[0].activation_bits == bits.activations).all()


def test_the_curve_belongs_to_the_network(binary):
    """The loss noted for the best epoch is that of the integers that were kept."""
    dataset, divided, _, _, results = binary
    for result in results.values():
        curve = result.curve
        assert curve.best_epoch == int(np.argmin(curve.validation_loss))
        logits = result.networks[0].logits(dataset.features[divided.validation])[:, 0]
        labels = dataset.labels[divided.validation]
        losses = np.logaddexp(0, logits) - logits * labels
        share = np.bincount(labels) / len(labels)
        balanced = losses / (2 * share[labels])
        assert curve.validation_loss[curve.best_epoch] == pytest.approx(balanced.mean(), rel=1e-5)


def test_alone_or_in_company_in_any_order_the_result_is_the_same(binary):
    _, _, trainer, jobs, results = binary
    for result in trainer.train(jobs[::-1]):
        assert integers(result) == integers(results[result.job.number])
        assert result.curve == results[result.job.number].curve


def test_seeds_differ(binary):
    _, _, trainer, _, results = binary
    (other,) = trainer.train([job(0, (8,), (6, 6), seed=6)])
    assert integers(other) != integers(results[0])


def test_the_hgq2_model_of_a_trained_network_is_exact(binary):
    dataset, _, _, _, results = binary
    features = np.concatenate([dataset.features, dataset.features * 20, np.zeros((1, 6), np.float32)])
    for result in results.values():
        network = result.networks[0]
        model = hgq_model(network)
        got = np.asarray(model.predict(features, batch_size=1000, verbose=0), np.float64)
        assert np.count_nonzero(got != network.logits(features)) == 0


def test_members_of_every_slot_and_refill_are_the_same(binary):
    """Three slots, seven candidates of one bucket and one of another: every result as in any other company."""
    dataset = binary[0]
    together, _ = make_trainer(dataset, slots=3)
    short = dataclasses.replace(SETTINGS, epochs=3)
    jobs = [job(k, (6 + k % 2, 5), (2 + k % 6, 3), seed=k, settings=short if k % 2 else SETTINGS) for k in range(7)]
    jobs.insert(3, job(9, (8,), (6, 6)))
    results = {result.job.number: result for result in together.train(jobs)}
    assert set(results) == {job.number for job in jobs}
    for result in together.train(jobs[::-2]):
        assert integers(result) == integers(results[result.job.number])
        assert result.curve == results[result.job.number].curve
    (alone,) = together.train([jobs[5]])
    assert integers(alone) == integers(results[jobs[5].number])


def test_a_neighbour_that_diverges_changes_no_bit(binary):
    dataset = binary[0]
    together, _ = make_trainer(dataset, slots=2)
    hot = dataclasses.replace(SETTINGS, learning_rate=1e38)
    fine, other = job(0, (8,), (6, 6)), job(1, (7,), (6, 6))
    healthy = {result.job.number: result for result in together.train([fine, other])}
    mixed = {result.job.number: result for result in together.train([fine, job(1, (7,), (6, 6), settings=hot)])}
    assert isinstance(mixed[1], TrainingFailure)
    assert integers(mixed[0]) == integers(healthy[0])
    assert mixed[0].curve == healthy[0].curve


def test_settings_act(binary):
    """Each setting of the optimiser, and dropout, makes another network; repeated, it makes the same."""
    _, _, trainer, _, _ = binary
    base = dataclasses.replace(SETTINGS, epochs=2, patience=2)
    changes = {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2, "weight_decay": 0.5, "dropout": 0.3, "batch_size": 8}
    changes |= {"learning_rate": 1e-2, "learning_rate_decay": 1.0}
    jobs = [job(0, (8, 8), (6, 6), settings=base)]
    jobs += [
        job(number, (8, 8), (6, 6), settings=dataclasses.replace(base, **{name: value}))
        for number, (name, value) in enumerate(changes.items(), start=1)
    ]
    losses = {result.job.number: result.curve.train_loss for result in trainer.train(jobs)}
    assert len(set(losses.values())) == len(jobs)
    assert {result.job.number: result.curve.train_loss for result in trainer.train(jobs)} == losses


def test_programs_are_compiled_once_for_a_bucket(binary):
    trainer, _ = make_trainer(binary[0])
    short = dataclasses.replace(SETTINGS, epochs=1)
    list(trainer.train([job(k, (6 + k,), (2 + k, 3), seed=k, settings=short) for k in range(3)]))
    (program,) = trainer._programs.values()
    assert program._run._cache_size() == 1


def test_memory_of_programs_that_are_not_used_any_more_is_given_back(binary, monkeypatch):
    import gc

    import jax

    from nas_fpga.training import _programs as module

    monkeypatch.setattr(module, "_PROGRAMS", 2)
    trainer, _ = make_trainer(binary[0])
    short = dataclasses.replace(SETTINGS, epochs=1)
    list(trainer.train([job(0, (8,), (6, 6), settings=short)]))
    gc.collect()
    before = len(jax.live_arrays())
    list(trainer.train([job(depth, (8,) * depth, (6, 6), settings=short) for depth in range(2, 6)]))
    assert len(trainer._programs) <= 2
    gc.collect()
    assert len(jax.live_arrays()) <= 2 * before


def test_too_large_a_candidate_fails_and_the_others_do_not(binary, monkeypatch):
    from nas_fpga.training import _population_trainer as module

    trainer, _ = make_trainer(binary[0])

    class Cramped(module.Program):
        def __init__(self, bucket, *args):
            if max(bucket.widths) > 100:
                raise MemoryError("no room for 4 GB")
            super().__init__(bucket, *args)

    monkeypatch.setattr(module, "Program", Cramped)
    short = dataclasses.replace(SETTINGS, epochs=1)
    large, small = trainer.train([job(0, (200,), (6, 6), settings=short), job(1, (8,), (6, 6), settings=short)])
    assert isinstance(large, TrainingFailure)
    assert large.cause == "MemoryError: no room for 4 GB"
    assert integers(small)


_CACHE = """
import os, jax
from nas_fpga.training._programs import keep_compiled_programs
keep_compiled_programs()
print(jax.config.jax_compilation_cache_dir)
"""


def cache_folder(environment):
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("JAX_COMPILATION", "XDG", "HOME"))
    }
    done = subprocess.run(
        [sys.executable, "-c", _CACHE], env=kept | environment, capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


def test_compiled_programs_are_kept_in_the_users_cache(tmp_path):
    folder = tmp_path / "nas-fpga" / "programs"
    folder.mkdir(parents=True)
    for name in ("whole-cache", "whole-atime", "half-cache"):
        (folder / name).write_bytes(b"")
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == str(folder)
    assert sorted(path.name for path in folder.glob("*-*")) == ["whole-atime", "whole-cache"]
    assert cache_folder({"HOME": str(tmp_path)}) == str(tmp_path / ".cache" / "nas-fpga" / "programs")


def test_several_classes():
    dataset = make_dataset(n_classes=4)
    trainer, divided = make_trainer(dataset)
    (result,) = trainer.train([job(0, (12,), (6, 6))])
    logits = result.networks[0].logits(dataset.features[divided.test])
    assert logits.shape == (len(divided.test), 4)
    assert np.mean(logits.argmax(axis=1) == dataset.labels[divided.test]) > 0.9


def test_rows_of_weight_zero_teach_nothing():
    dataset = make_dataset()
    wrong = np.random.default_rng(1).random(2000) < 0.6
    labels = np.where(wrong, 1 - dataset.labels, dataset.labels)
    poisoned = Dataset(**{**vars(dataset), "labels": labels, "weights": np.where(wrong, 0.0, 1.0)})
    trainer, _ = make_trainer(poisoned)
    (result,) = trainer.train([job(0, (8,), (6, 6))])
    logits = result.networks[0].logits(dataset.features)[:, 0]
    assert np.mean((logits >= 0) == dataset.labels) > 0.93


def test_a_diverging_candidate_fails_and_its_neighbours_do_not(binary):
    _, _, trainer, jobs, results = binary
    hot = TrainingSettings(learning_rate=1e38, epochs=8, patience=8, batch_size=64)
    failed, fine = trainer.train([job(7, (8,), (6, 6), settings=hot), jobs[0]])
    assert isinstance(failed, TrainingFailure)
    assert "DivergedError" in failed.cause
    assert "\n" not in failed.cause
    assert integers(fine) == integers(results[0])
