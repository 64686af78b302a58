"""The figures of the table of baselines."""

import dataclasses

import numpy as np
import pytest

from benchmarks.data.baselines import Scored, measure, shower_depth
from nas_fpga.data import load_hgcal


@pytest.fixture(scope="module")
def data():
    return load_hgcal(pileup=0)


def test_measure_counts_pions_above_the_frozen_threshold(data):
    scores, _ = shower_depth(data)
    figures = measure(data, scores, "candidates", 0.95)
    validation, test = ((data.subset == part) & data.counted for part in (1, 2))
    electrons = np.sort(scores[validation & (data.labels == 1)])[::-1]
    threshold = electrons[int(np.ceil(0.95 * len(electrons))) - 1]
    passed = scores[test & (data.labels == 0)] >= threshold
    assert figures["pion_efficiency"] == pytest.approx(passed.mean())
    assert figures["pion_rows"] == figures["pion_showers"] == len(passed)  # one overlay a shower without pile-up
    assert figures["low"] < figures["pion_efficiency"] < figures["high"]
    by_bin = [figures[f"pion_efficiency {name}"] for name in data.bins]
    sizes = [np.count_nonzero(test & (data.labels == 0) & mask) for mask in data.bins.values()]
    inside = np.any(list(data.bins.values()), axis=0)[test & (data.labels == 0)]
    assert np.dot(by_bin, sizes) == pytest.approx(np.count_nonzero(passed & inside))


def test_all_showers_have_a_threshold_of_their_own(data):
    scores, _ = shower_depth(data)
    candidates, everything = (measure(data, scores, what, 0.95) for what in ("candidates", "all showers"))
    assert everything["pion_rows"] == np.count_nonzero((data.subset == 2) & (data.labels == 0))
    assert everything["pion_efficiency"] != candidates["pion_efficiency"]


def test_scores_are_kept_for_each_data_set(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = Scored.of(data, "shower depth, H/E")
    np.testing.assert_array_equal(first.scores, shower_depth(data)[0])
    Scored(first.scores + 1, "kept", 2.0).save(Scored.path(data, "shower depth, H/E"))
    assert Scored.of(data, "shower depth, H/E").settings == "kept"
    other = dataclasses.replace(data, counted=~data.counted)
    assert Scored.of(other, "shower depth, H/E").settings == "mean layer"
