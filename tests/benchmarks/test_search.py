"""Numeric helpers of the benchmarks of searches."""

import numpy as np
import pytest

from benchmarks.search.main_job import frozen_replicates
from nas_fpga.training import GroupBootstrap


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
