"""The trainer of the TensorFlow backend, against that of the JAX backend."""

import dataclasses
import json
import os
import subprocess
import sys

import pytest

from tests.training.test_population_trainer import SETTINGS, job, make_dataset, make_trainer

_TENSORFLOW = """
import json, numpy as np
from nas_fpga.data import fit_input_format, split
from nas_fpga.training._keras_trainer import KerasTrainer
from tests.training.test_population_trainer import SETTINGS, job, make_dataset
import dataclasses, keras
dataset = make_dataset()
divided = split(dataset, 0)
trainer = KerasTrainer(dataset, divided, fit_input_format(dataset.features[divided.train]))
hot = dataclasses.replace(SETTINGS, learning_rate=1e38)
other = dataclasses.replace(SETTINGS, epochs=2, weight_decay=0.5, beta_1=0.5, beta_2=0.9, epsilon=1e-2)
dropped = dataclasses.replace(SETTINGS, epochs=2, dropout=0.3)
result, failed, changed, dropping = trainer.train([
    job(0, (8,), (6, 6)), job(1, (8,), (6, 6), settings=hot), job(2, (8,), (6, 6), settings=other),
    job(3, (8,), (6, 6), settings=dropped)])
logits = result.networks[0].logits(dataset.features[divided.test])[:, 0]
print(json.dumps([keras.backend.backend(), float(np.mean((logits >= 0) == dataset.labels[divided.test])),
                  list(result.curve.train_loss), failed.cause, list(changed.curve.train_loss),
                  list(dropping.curve.train_loss)]))
"""


def test_tensorflow_trains_the_same_way():
    """Same initial weights and row orders: early epochs agree to rounding, the end in quality."""
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", _TENSORFLOW], env=environment, capture_output=True, text=True, check=True, timeout=300
    )
    backend, accuracy, losses, cause, changed, dropping = json.loads(done.stdout.splitlines()[-1])
    assert backend == "tensorflow"
    assert accuracy > 0.95
    assert "DivergedError" in cause
    trainer, _ = make_trainer(make_dataset())
    settings = {"epochs": 2, "weight_decay": 0.5, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2}
    ours = trainer.train(
        [job(0, (8,), (6, 6)), job(2, (8,), (6, 6), settings=dataclasses.replace(SETTINGS, **settings))]
    )
    plain, other = (result.curve.train_loss for result in ours)
    assert losses[0] == pytest.approx(plain[0], rel=0.02)
    assert changed == pytest.approx(other, rel=0.02)
    assert changed[0] != pytest.approx(plain[0], rel=0.02)
    assert dropping[0] > losses[0]  # a network that loses activations fits worse
