"""Numeric helpers of the benchmarks of searches."""

import numpy as np
import pytest

from benchmarks.search import live_samplers
from benchmarks.search.live_samplers import SAMPLERS, progress
from benchmarks.search.main_job import frozen_replicates
from nas_fpga.samplers import SAMPLERS as KNOWN_SAMPLERS
from nas_fpga.samplers._grid import parse_grid
from nas_fpga.training import GroupBootstrap


class TestProgress:
    def test_best_and_hypervolume_grow_with_trials_that_fit(self):
        errors = np.array([np.nan, 0.1, 0.2, 0.01])
        best, volumes = progress(errors, np.log10(errors), np.array([np.nan, -3.0, -4.0, -1.0]))
        np.testing.assert_array_equal(best, [np.nan, 0.1, 0.1, 0.01])
        # Rectangles of the unit of 6 x 3 decades: 3 x 1; 1 more decade of share, at log10(0.2); 1 x 1 more of error.
        areas = np.array([0, 3, 3 - np.log10(0.2), 4 - np.log10(0.2)])
        assert volumes == pytest.approx(areas / 18)

    def test_nothing_fits(self):
        nothing = np.full(3, np.nan)
        best, volumes = progress(nothing, nothing, nothing)
        assert np.isnan(best).all()
        np.testing.assert_array_equal(volumes, 0)


def test_four_known_samplers_and_a_grid_that_outlasts_the_trials():
    assert SAMPLERS.keys() == KNOWN_SAMPLERS.keys()
    grid = parse_grid(SAMPLERS["grid"][1])
    assert len(grid) == 125
    assert max(map(sum, grid)) <= 200


def test_searches_that_compare_samplers_polish_nothing(tmp_path, monkeypatch):
    commands = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(live_samplers.subprocess, "run", lambda command, check: commands.append(command))
    live_samplers.run(["--epochs", "5"], 2)
    assert len(commands) == 4
    for command in commands:
        options = dict(zip(command[4::2], command[5::2], strict=True))
        assert (options["--polish"], options["--epochs"], options["--trials"]) == ("0", "5", "2")


class TestFrozenReplicates:
    def make(self, seed, labels):
        groups = np.arange(len(labels))
        return GroupBootstrap(groups, labels, np.ones(len(labels)), seed=seed, n_resamples=200, signal_efficiency=0.5)

    def test_working_points_are_of_validation(self):
        labels = np.array([1] * 10 + [0] * 10)
        validation_scores = np.where(labels == 1, 1.0, 0.0)  # whatever is drawn, the threshold is 1
        test_scores = np.concatenate([np.zeros(10), np.repeat([2.0, 0.5], 5)])  # test signal would set it at 0
        replicates = frozen_replicates(self.make(1, labels), self.make(2, labels), validation_scores, test_scores)
        assert replicates.mean() == pytest.approx(0.5, abs=0.05)  # 200 resamples of ten: standard error .011

    def test_both_methods_meet_the_same_resamples(self):
        labels = np.array([1] * 40 + [0] * 40)
        scores = np.random.default_rng(0).normal(size=(2, 80)) + labels
        bootstraps = self.make(1, labels), self.make(2, labels)
        ours = frozen_replicates(*bootstraps, scores[0], scores[1])
        np.testing.assert_array_equal(ours, frozen_replicates(*bootstraps, 3 * scores[0] + 1, 3 * scores[1] + 1))
