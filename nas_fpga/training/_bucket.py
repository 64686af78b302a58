"""Which candidates share a compiled program."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nas_fpga.space import Candidate
from nas_fpga.training._expected_time import work_of_row
from nas_fpga.training._layout import Layout

# Networks of narrow layers share programs, at the price of work on zeros. Padding wider ones would cost more than it
# saves: by epochs and compilations timed on a core, summed over the main job's candidates and over random ones of 100
# and 400 neurons, when compiling cost .5 to 1.3 s and the epoch of a small network 2 to 10 ms. Summed anew for learned
# bits on a slower core (an epoch 8 ms, 2.8 a layer and .26 a neuron; 2.2 s to compile and .6 a layer), a dozen coarser
# rules: at best 8 % less for 128 candidates of 100 neurons, 1 % for 32 of them, 8 % more for 128 of 400 neurons.
_SHARED_WIDTHS = (8, 16, 32)
_VECTOR_WIDTH = 8  # float32 lanes that all of today's cores have; wider layers are padded to whole vectors
_STEPS_PER_EPOCH = 40  # small data sets get smaller batches, so that an epoch has at least about so many steps


@dataclass(frozen=True, order=True)
class Bucket:
    """The shapes of a program: everything else about a candidate is data to it.

    A bucket depends on its candidate alone, so that a result does not depend on what else is trained.

    Attributes:
        widths: Inputs, padded hidden layers, outputs.
        batch_size: Rows of a step.
        dropout: Whether activations may be dropped.
    """

    widths: tuple[int, ...]
    batch_size: int
    dropout: bool

    @property
    def layout(self) -> Layout:
        """Where parameters lie."""
        return Layout(self.widths)

    @property
    def cost(self) -> float:
        """Work of a row: by this, dear ones are trained first."""
        return float(work_of_row(self.layout.n_weights, self.layout.n_hidden, len(self.layout.shapes)))

    def __str__(self) -> str:
        """`32-32`: the hidden layers."""
        return "-".join(map(str, self.widths[1:-1]))


def bucket_of(candidate: Candidate, n_inputs: int, n_outputs: int, n_rows: int) -> Bucket:
    """Return the bucket of a candidate for a data set with so many features, outputs and training rows."""
    widest = max(candidate.topology)
    if widest <= _SHARED_WIDTHS[-1]:
        hidden = [next(width for width in _SHARED_WIDTHS if width >= widest)] * candidate.n_layers
    else:
        hidden = [-(-width // _VECTOR_WIDTH) * _VECTOR_WIDTH for width in candidate.topology]
    return Bucket(
        (n_inputs, *hidden, n_outputs),
        batch_size(candidate.settings.batch_size, n_rows),
        candidate.settings.dropout > 0,
    )


def batch_size(largest: int, n_rows: int) -> int:
    """Return the rows of a step: the largest asked for, fewer where an epoch would have too few steps."""
    for_steps = max(16, 2 ** int(np.log2(max(n_rows / _STEPS_PER_EPOCH, 1))))
    return int(min(largest, for_steps, n_rows))
