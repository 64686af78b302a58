"""Where the parameters of a network lie in flat vectors, and the padded shapes that networks share programs in."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Widths that programs exist for: above 16 a padded layer is at most half as wide again as its own.
_WIDTHS = tuple(sorted({8 * 2**k for k in range(12)} | {12 * 2**k for k in range(1, 11)}))


@dataclass(frozen=True)
class Layout:
    """A network's parameters in one flat vector, layer by layer the kernel by rows, then the bias.

    Units that have bits of their own (inputs, then hidden neurons by layer) lie in a second kind of vector.

    Attributes:
        n_inputs: Features.
        widths: Neurons of the hidden layers.
        n_outputs: Logits.
    """

    n_inputs: int
    widths: tuple[int, ...]
    n_outputs: int

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """`(n_in, n_out)` of every layer."""
        return tuple(itertools.pairwise((self.n_inputs, *self.widths, self.n_outputs)))

    @cached_property
    def parameter_slices(self) -> tuple[tuple[slice, slice], ...]:
        """Where the kernel and the bias of every layer lie."""
        slices, start = [], 0
        for n_in, n_out in self.shapes:
            middle, end = start + n_in * n_out, start + (n_in + 1) * n_out
            slices.append((slice(start, middle), slice(middle, end)))
            start = end
        return tuple(slices)

    @cached_property
    def unit_slices(self) -> tuple[slice, ...]:
        """Where the units that each layer reads lie: the inputs first."""
        ends = list(itertools.accumulate((self.n_inputs, *self.widths)))
        return tuple(itertools.starmap(slice, itertools.pairwise((0, *ends))))

    @cached_property
    def is_kernel(self) -> Floats:
        """1 where a kernel lies and 0 where a bias does, `(P,)`."""
        return self.pack([(np.ones(shape, np.float32), np.zeros(shape[1], np.float32)) for shape in self.shapes])

    @property
    def n_parameters(self) -> int:
        """Weights and biases."""
        return sum((n_in + 1) * n_out for n_in, n_out in self.shapes)

    @property
    def n_units(self) -> int:
        """Inputs and hidden neurons."""
        return self.n_inputs + sum(self.widths)

    def padded(self) -> Layout:
        """Return the shape whose program trains this one: the same depth, every hidden layer as wide or wider."""
        wide = [next((known for known in _WIDTHS if known >= width), width) for width in self.widths]
        return Layout(self.n_inputs, tuple(wide), self.n_outputs)

    def pack(self, layers: Sequence[tuple[Floats, Floats]]) -> Floats:
        """Return kernels `(n_in, n_out)` and biases `(n_out,)`, at most as large as the layers here, as `(P,)`.

        What a layer leaves free is zero.
        """
        flat = np.zeros(self.n_parameters, np.float32)
        for (n_in, n_out), slices, (kernel, bias) in zip(self.shapes, self.parameter_slices, layers, strict=True):
            flat[slices[0]].reshape(n_in, n_out)[: kernel.shape[0], : kernel.shape[1]] = kernel
            flat[slices[1]][: len(bias)] = bias
        return flat

    def unpack(self, flat: Floats, of: Layout) -> list[tuple[Floats, Floats]]:
        """Return kernels and biases of the smaller layout ``of`` from a vector of this one."""
        layers = []
        for (n_in, n_out), (rows, columns), slices in zip(self.shapes, of.shapes, self.parameter_slices, strict=True):
            layers.append((flat[slices[0]].reshape(n_in, n_out)[:rows, :columns], flat[slices[1]][:columns]))
        return layers

    def pack_units(self, layers: Sequence[Floats]) -> Floats:
        """Return values of the units that each layer reads as `(U,)`; what a layer leaves free is zero."""
        flat = np.zeros(self.n_units, np.float32)
        for part, values in zip(self.unit_slices, layers, strict=True):
            flat[part][: len(values)] = values
        return flat

    def unpack_units(self, flat: Floats, of: Layout) -> list[Floats]:
        """Return the values of the smaller layout ``of`` from a vector of this one."""
        return [flat[part][:n_in] for part, (n_in, _) in zip(self.unit_slices, of.shapes, strict=True)]
