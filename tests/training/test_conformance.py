"""Every trainer keeps the contract, in every slot, with both kinds of bits."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nas_fpga.data import fit_input_format, split
from nas_fpga.space import LearnedBits
from nas_fpga.testing import TrainerConformance, integers_of
from nas_fpga.training import TrainingJob
from nas_fpga.training._jax_trainer import JaxTrainer
from nas_fpga.training._population_trainer import PopulationTrainer
from nas_fpga.training.learned_bits import LearnedBitsTrainer
from tests.training.learned_bits.blobs import SETTINGS, job, make_dataset


class TestPopulationTrainer(TrainerConformance):
    @pytest.fixture(scope="class")
    def make_trainer(self):
        return PopulationTrainer


class TestPopulationTrainerOfThreeSlots(TrainerConformance):
    @pytest.fixture(scope="class")
    def make_trainer(self):
        return lambda *data: PopulationTrainer(*data, slots=3)


class TestLearnedBitsTrainer(TrainerConformance):
    bits = LearnedBits()

    @pytest.fixture(scope="class")
    def make_trainer(self):
        return lambda *data: LearnedBitsTrainer(*data, slots=2)


TENSORFLOW = """
import sys
import pytest
from nas_fpga.testing import TrainerConformance
from nas_fpga.training._keras_trainer import KerasTrainer

class TestKerasTrainer(TrainerConformance):
    @pytest.fixture(scope="class")
    def make_trainer(self):
        return KerasTrainer
"""


def test_the_trainer_of_tensorflow(tmp_path):
    (tmp_path / "test_keras_trainer.py").write_text(TENSORFLOW)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(tmp_path)]
    done = subprocess.run(
        command,
        env=os.environ | {"KERAS_BACKEND": "tensorflow", "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "6 passed" in done.stdout


def test_jobs_go_to_the_trainer_of_their_bits():
    dataset = make_dataset(n=800)
    parts = split(dataset, 0)
    data = dataset, parts, fit_input_format(dataset.features[parts.train])
    short = replace(SETTINGS, epochs=2)
    learned = [job(0, (8,), settings=short), job(2, (6, 5), settings=short)]
    fixed = [
        TrainingJob(one.number + 1, replace(one.candidate, bits=TestPopulationTrainer.bits), one.seed)
        for one in learned
    ]
    mixed = [learned[0], fixed[0], learned[1], fixed[1]]
    found = {result.job.number: result for result in JaxTrainer(*data).train(mixed)}
    for trainer, jobs in ((LearnedBitsTrainer(*data), learned), (PopulationTrainer(*data), fixed)):
        for result in trainer.train(jobs):
            assert [integers_of(n) for n in result.networks] == [
                integers_of(n) for n in found[result.job.number].networks
            ]
            assert result.curve == found[result.job.number].curve
    assert sorted(found) == [0, 1, 2, 3]
