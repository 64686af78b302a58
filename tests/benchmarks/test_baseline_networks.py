"""The float networks of the data sheet, and their table and plot."""

import dataclasses
import re

import numpy as np
import pytest

from benchmarks.data import baseline_networks
from benchmarks.data._size_figures import (
    METHODS,
    Reference,
    figures_of,
    is_accuracy,
    noise_lines,
    plot_sizes,
    read_references,
    reference_lines,
    size_lines,
)
from benchmarks.data._tasks import TASKS, Judge, Task, balanced, load_digits
from benchmarks.data.baseline_networks import (
    NEURONS,
    SEEDS,
    Part,
    Row,
    append_row,
    complete_rows,
    cross_entropy,
    measure,
    name_of,
    plan,
    read_rows,
    run,
    standardised,
    topologies,
    train,
)
from benchmarks.data.baselines import OUT, measure_accuracy
from nas_fpga.data import load_hgcal, read_dataset, split
from nas_fpga.errors import InputError


def blobs(n_classes, n=600):
    """Well separated classes in two features of unequal scale."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % n_classes
    angles = 2 * np.pi * labels / n_classes
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1) + rng.normal(0, 0.05, (n, 2))
    return read_dataset({"x": features * (1, 100), "kind": labels}, target="kind")


def row(task, topology, seed, test):
    figures = {"validation": 0.5, "test": test, "low": 0.1, "high": 0.9}
    return Row(task.name, task.features, name_of(topology), sum(topology), seed, 10, 5, **figures, seconds=1.5)


def full_table():
    """One row for each network; figures fall with size and differ by .001 from seed to seed."""
    return [row(task, topology, seed, 0.2 / sum(topology) + seed / 1000) for task, topology in plan() for seed in SEEDS]


def references():
    return {(task, method): Reference(0.1, 0.05, 0.2) for task in TASKS for method in METHODS}


def test_topologies():
    assert topologies(2) == ((2,),)
    assert topologies(4) == ((4,), (2, 2))
    assert topologies(512) == ((512,), (256, 256))
    assert NEURONS == (2, 4, 8, 16, 32, 64, 128, 256, 512)
    planned = list(plan())
    assert len(planned) == len(set(planned)) == 6 * (9 + 8)
    assert {sum(topology) for _, topology in planned} == set(NEURONS)


def test_inputs_have_mean_0_and_spread_1_in_training():
    data = load_hgcal(pileup=0)
    rows = split(data, 1)
    inputs = standardised(data, rows)
    training = inputs[rows.train].astype(np.float64)  # rounded to float32 on the way
    np.testing.assert_allclose(training.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(training.std(axis=0), 1, atol=1e-6)
    logarithms = np.log(1 + data.features[:, 0] / 10)  # linear in them, validation and test included
    np.testing.assert_allclose(np.corrcoef(inputs[:, 0], logarithms)[0, 1], 1, atol=1e-6)


def test_a_feature_that_is_constant_in_training_stays_finite():
    data = blobs(2)
    rows = split(data, 1)
    features = data.features.copy()
    features[rows.train, 1] = 7
    inputs = standardised(dataclasses.replace(data, features=features), rows)
    assert np.isfinite(inputs).all()
    assert (inputs[rows.train, 1] == 0).all()


def test_classes_are_balanced_in_the_rows_that_are_named():
    data = load_hgcal(pileup=0)
    rows = split(data, 1).validation
    weights = balanced(data, rows)[rows]
    assert weights.mean() == pytest.approx(1)
    assert weights[data.labels[rows] == 1].sum() == pytest.approx(weights[data.labels[rows] == 0].sum())


def test_cross_entropy():
    labels, weights = np.array([0, 1]), np.array([0.5, 1.5], np.float32)
    one = Part(np.zeros((2, 1), np.float32), labels, weights)
    logits = np.array([[1.0], [2.0]], np.float32)
    expected = (0.5 * np.log(1 + np.e) + 1.5 * np.log(1 + np.exp(-2))) / 2
    assert cross_entropy(logits, one) == pytest.approx(expected)
    assert cross_entropy(np.hstack([logits * 0, logits]), one) == pytest.approx(expected)


@pytest.mark.parametrize(("n_classes", "topology", "n_weights"), [(2, (8,), 33), (3, (8, 8), 24 + 72 + 27)])
def test_separable_classes_are_told_apart(n_classes, topology, n_weights, monkeypatch):
    monkeypatch.setattr(baseline_networks, "EPOCHS", 20)
    data = blobs(n_classes)
    judge = Judge.of(data)
    (_, trained), (_, other), (_, second) = train(data, judge.rows, topology, (2, 1, 2))
    assert trained.weights == n_weights
    assert trained.logits.shape == (600, data.n_outputs)
    figures = measure(judge, trained.logits)
    assert {key: figures[key] for key in ("test", "low", "high")} == (
        {"test": 0, "low": 0, "high": 0} if n_classes == 2 else {"test": 1, "low": 1, "high": 1}
    )
    # Nothing of the seed before is left, neither in the weights nor in the optimiser.
    np.testing.assert_array_equal(trained.logits, second.logits)
    assert not np.array_equal(trained.logits, other.logits)


def test_early_stopping_keeps_the_best_weights(monkeypatch):
    monkeypatch.setattr(baseline_networks, "EPOCHS", 40)
    monkeypatch.setattr(baseline_networks, "PATIENCE", 4)
    losses = []

    def noted(logits, part):
        losses.append(cross_entropy(logits, part))
        return losses[-1]

    monkeypatch.setattr(baseline_networks, "cross_entropy", noted)
    noise = np.random.default_rng(1)  # nothing to learn: the validation loss soon grows
    data = read_dataset({"x": noise.normal(size=(400, 3)), "kind": noise.integers(0, 2, 400)}, target="kind")
    rows = split(data, 1)
    ((_, trained),) = train(data, rows, (32,), (1,), learning_rate=0.05)
    validation = baseline_networks.part(data, standardised(data, rows), rows.validation)
    assert trained.epochs == len(losses) == int(np.argmin(losses)) + 1 + 4 < 40
    assert cross_entropy(trained.logits[rows.validation], validation) == pytest.approx(min(losses), abs=1e-6)


def test_an_interrupted_run_continues(monkeypatch, tmp_path):
    task = Task("blobs", "two", lambda: blobs(2))
    monkeypatch.setattr(baseline_networks, "plan", lambda: iter([(task, (2,)), (task, (4, 4))]))
    monkeypatch.setattr(baseline_networks, "EPOCHS", 2)
    path = tmp_path / "rows.csv"
    kept = [row(task, (2,), seed, 0.25) for seed in SEEDS[:2]]
    for one in kept:
        append_row(one, path)
    with pytest.raises(InputError, match=re.escape("no blobs (two), 2, seed 3; run python -m")):
        complete_rows(path)
    run(path)
    rows = complete_rows(path)
    assert rows[:2] == kept
    assert [(r.topology, r.seed, r.neurons, r.layers) for r in rows[2:]] == [
        ("2", 3, 2, 1),
        *(("4-4", seed, 8, 2) for seed in SEEDS),
    ]
    run(path)
    assert read_rows(path) == rows


def test_table_has_median_and_range():
    header, lines = size_lines(full_table())
    table = [dict(zip(header, line, strict=True)) for line in lines]
    assert [(line["neurons"], line["topology"]) for line in table[:3]] == [("2", "2"), ("4", "4"), ("4", "2-2")]
    assert len(table) == 17
    assert table[0]["hgcal, pile-up 0, ce-e"] == "0.102 (0.101-0.103)"
    assert table[-1]["jets, 16 high-level"] == "0.0024 (0.0014-0.0034)"


def test_noise_of_seeds_and_of_one_network():
    header, lines = noise_lines(full_table())
    assert header == ("data", "standard deviation over seeds", "standard error of one network")
    table = list(lines)
    assert len(table) == 6
    assert table[4] == ("jets, 16 high-level", "0.0010", "0.2041")  # seeds .001 apart, intervals of .1 to .9


def test_missing_seed_is_refused():
    rows = full_table()
    del rows[1]
    with pytest.raises(InputError, match=re.escape("hgcal, pile-up 200 (ce-e), 2 has seeds 1, 3, not 1, 2, 3")):
        figures_of(rows, TASKS[0], (2,))


def test_plot_is_drawn_and_needs_every_network(tmp_path):
    plot_sizes(full_table(), references(), tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="has seeds none"):
        plot_sizes([r for r in full_table() if r.topology != "4"], references(), tmp_path / "other.png")
    assert not (tmp_path / "other.png").exists()


def test_references_are_those_of_the_tables(tmp_path):
    path = tmp_path / "classes.csv"
    names = [task for task in TASKS if is_accuracy(task)]
    lines = [f"{t.name},{t.features},{method},0.{k},0.1,0.9" for t in names for k, method in enumerate(METHODS, 5)]
    path.write_text("\n".join(["data,features,method,accuracy,low,high", *lines]))
    found = read_references(OUT, path)
    assert len(found) == 12
    header, table = reference_lines(found, "digits")
    assert [dict(zip(header, line, strict=True))["accuracy"] for line in table] == ["0.500", "0.600"]
    assert found[TASKS[0], "boosted trees"].test == pytest.approx(0.101, abs=5e-4)
    path.write_text("\n".join(["data,features,method,accuracy,low,high", *lines[:-1]]))
    with pytest.raises(InputError, match=re.escape("no logistic regression of digits (61 pixels); run python -m")):
        read_references(OUT, path)


def test_digits():
    data = load_digits()
    assert data.features.shape == (1797, 61)
    assert data.class_names == tuple("0123456789")
    assert list(data.labels[:3]) == [0, 1, 2]
    right = np.eye(10)[data.labels]
    rows = split(data, 1)
    right[rows.test[:36]] *= -1  # a tenth of test, of any class, becomes another one
    figures = measure_accuracy(data, right)
    assert figures["validation"] == 1
    assert figures["rows"] == figures["groups"] == len(rows.test)
    assert figures["accuracy"] == pytest.approx(1 - 36 / len(rows.test))
    assert figures["low"] < figures["accuracy"] < figures["high"]
