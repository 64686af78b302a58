"""Runs of the generator: what is to be made, and what is refused before anything is."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.data import read_dataset
from nas_fpga.data.jets import CLASS_NAMES, FEATURES, Plan, generate_jets, load_jets, parts_folder
from nas_fpga.data.jets._run import MAX_SEED, PART_JETS, STREAMS_OF_SEED
from nas_fpga.data.jets._sample import Jets, write_arrays
from nas_fpga.errors import InputError, MissingExtraError


def keys(plan):
    return [(part.stream, part.label, part.n) for part in plan.parts(Path("x"))]


def test_parts_cover_the_jets_class_by_class():
    plan = Plan(12_346, seed=3)
    assert plan.n_jets == 12_350
    parts = keys(plan)
    first = 3 * STREAMS_OF_SEED + 1
    assert parts[:5] == [(first, label, 1000) for label in range(5)]
    assert parts[10:] == [(first + 2, label, 470) for label in range(5)]
    assert sum(n for *_, n in parts) == plan.n_jets


def test_whole_parts_are_those_of_a_longer_run():
    assert keys(Plan(10_000, 1)) == keys(Plan(15_000, 1))[:10]
    assert not set(keys(Plan(15_000, 1))) & set(keys(Plan(15_000, 2)))


def test_the_table_is_seed_zero():
    streams = {stream for stream, _, _ in keys(Plan(135_000, 0))}
    assert streams == set(np.unique(load_jets().groups // 100_000).tolist())


def test_seeds_stay_within_those_of_pythia():
    last = keys(Plan(PART_JETS * (STREAMS_OF_SEED - 1) * 5, MAX_SEED))[-1]
    assert 10 * last[0] + last[1] < 900_000_000


@pytest.mark.parametrize(
    ("jets", "seed", "line"),
    [(0, 1, "0 jets cannot be made"), (10**9, 1, "give 1 to 49,995,000"), (5, -1, "seed -1 "), (5, 9000, "0 to 8,999")],
)
def test_impossible_plans(jets, seed, line):
    with pytest.raises(InputError, match=line):
        Plan(jets, seed)


def test_missing_packages_are_named_with_their_extra(tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pythia8mc" else found(name))
    with pytest.raises(MissingExtraError, match=r"needs pythia8mc \(GPL\); .* pip install '.\[jets\]'"):
        generate_jets(Plan(5), tmp_path / "j.npz")


def test_what_is_refused(tmp_path):
    (tmp_path / "there.npz").write_bytes(b"")
    other = parts_folder(tmp_path / "other.npz")
    other.mkdir()
    (other / "versions.txt").write_text("definitions 0, pythia8mc 8.1")
    for name, workers, line in [
        ("there.npz", 1, "exists already; give another name with --to"),
        ("jets.csv", 1, r"must be a file that ends in .npz"),
        ("j.npz", 0, "0 workers"),
        ("other.npz", 1, "made with definitions 0, pythia8mc 8.1, here are definitions 1"),
    ]:
        with pytest.raises(InputError, match=line):
            generate_jets(Plan(5), tmp_path / name, workers)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.npz.parts", "there.npz"]


def test_columns_are_read_as_a_data_set(tmp_path):
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(5, dtype=np.uint8), 20)
    jets = Jets(
        rng.normal(size=(100, 16)).astype(np.float32), labels, np.full(100, 900, np.float32), np.arange(100) // 2
    )
    write_arrays(tmp_path / "j.npz", jets.columns())
    data = read_dataset(tmp_path / "j.npz", "class", group="event")
    assert data.feature_names == tuple(feature.name for feature in FEATURES)
    assert sorted(data.class_names) == sorted(CLASS_NAMES)
    np.testing.assert_array_equal(data.features, jets.features)
    assert [data.class_names[label] for label in data.labels] == [CLASS_NAMES[label] for label in labels]
    np.testing.assert_array_equal(data.groups, jets.events)
