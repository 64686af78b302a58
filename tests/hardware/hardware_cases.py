"""Networks and reports for the tests of hardware cost."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nas_fpga.data import InputFormat
from nas_fpga.hardware._expected import TOP_SHARE, TOP_SIGMAS
from nas_fpga.space import BitWidths, Candidate
from nas_fpga.training import QuantizedLayer, QuantizedNetwork

DATA = Path(__file__).parent / "data"


def read_table(name: str) -> dict[str, np.ndarray]:
    """Columns of a CSV file under ``data/``: numbers as float64, the rest as text."""
    rows = np.genfromtxt(DATA / name, delimiter=",", names=True, dtype=None, encoding="utf-8")
    return {key: rows[key] if rows[key].dtype.kind == "U" else rows[key].astype(float) for key in rows.dtype.names}


def build_network(
    topology: Sequence[int],
    weight_bits: int,
    activation_bits: int,
    n_inputs: int = 13,
    n_outputs: int = 1,
    seed: int = 0,
) -> QuantizedNetwork:
    """A network whose weights have the distribution that is expected before training."""
    rng = np.random.default_rng(seed)
    end = 2 ** (weight_bits - 1)
    layers = []
    shapes = list(itertools.pairwise((n_inputs, *topology, n_outputs)))
    for number, shape in enumerate(shapes):
        values = rng.normal(size=shape) * TOP_SHARE * end / TOP_SIGMAS
        last = number == len(shapes) - 1
        layers.append(
            QuantizedLayer(
                weights=np.clip(np.floor(values + 0.5), -end, end - 1).astype(np.int32),
                weight_fraction_bits=weight_bits - 1,
                bias=rng.integers(-end, end, shape[1]),
                bias_fraction_bits=weight_bits - 1,
                activation_bits=None if last else np.full(shape[1], activation_bits),
                activation_fraction_bits=None if last else np.full(shape[1], activation_bits - 1),
            )
        )
    flat = np.zeros(n_inputs, np.int64)
    return QuantizedNetwork(
        Candidate(tuple(topology), BitWidths(weight_bits, activation_bits)),
        InputFormat(flat + 10, np.zeros(n_inputs, bool), flat, flat),
        tuple(layers),
    )
