"""A small task: classes are blobs in six features of very different scales, of which the last is noise."""

from dataclasses import replace

import numpy as np

from nas_fpga.data import Dataset, fit_input_format, split
from nas_fpga.space import Candidate, LearnedBits, TrainingSettings
from nas_fpga.training import TrainingJob
from nas_fpga.training.learned_bits import LearnedBitsTrainer

SETTINGS = TrainingSettings(epochs=12, batch_size=64, learning_rate=1e-2)


def make_dataset(n_classes=2, n=2000):
    rng = np.random.default_rng(3)
    labels = rng.integers(n_classes, size=n)
    centres = rng.standard_normal((n_classes, 6)) * [1.5, 1.5, 1.5, 1.5, 1.5, 0]
    features = (centres[labels] + rng.standard_normal((n, 6))) * [1, 10, 100, 1, 0.01, 1] + [0, 5, 300, 0, 0, -2]
    return Dataset(
        name="blobs",
        features=features.astype(np.float32),
        labels=labels,
        class_names=tuple(f"class {k}" for k in range(n_classes)),
        feature_names=tuple("abcdef"),
        feature_units=("",) * 6,
        weights=rng.uniform(0.5, 1.5, n),
        groups=np.arange(n),
        counted=np.ones(n, bool),
    )


def make_trainer(dataset, slots=None):
    divided = split(dataset, 0)
    return LearnedBitsTrainer(dataset, divided, fit_input_format(dataset.features[divided.train]), slots), divided


def job(number, topology, pressure=1e-4, seed=5, settings=SETTINGS):
    return TrainingJob(number, Candidate(topology, LearnedBits(), replace(settings, pressure=pressure)), seed)
