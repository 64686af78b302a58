"""Where the parameters of a network lie in the flat vectors that are trained, padding included."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Parameters = list[tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Kernel `(n_in, n_out)` and bias `(n_out,)` of every layer."""


@dataclass(frozen=True)
class Layout:
    """A fully connected network of these widths as two vectors, one of all kernels and one of all biases.

    One vector makes one fused loop of the optimiser and of the quantizer whatever the depth: a program compiles several
    times faster than with two arrays a layer. Where kernels and biases are treated alike both lie in one vector, the
    kernels first.

    Attributes:
        widths: Inputs, hidden layers, outputs.
    """

    widths: tuple[int, ...]

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """`(n_in, n_out)` of every layer."""
        return tuple(itertools.pairwise(self.widths))

    @cached_property
    def kernels(self) -> tuple[slice, ...]:
        """Where each kernel lies, in C order."""
        return _slices([n_in * n_out for n_in, n_out in self.shapes])

    @cached_property
    def biases(self) -> tuple[slice, ...]:
        """Where each bias lies; hidden activations lie in the same places."""
        return _slices([n_out for _, n_out in self.shapes])

    @cached_property
    def units(self) -> tuple[slice, ...]:
        """Where the values that each layer reads lie in a vector of all units: the inputs, then hidden neurons."""
        return _slices(self.widths[:-1])

    @property
    def n_weights(self) -> int:
        """Length of the vector of kernels."""
        return int(self.kernels[-1].stop)

    @property
    def n_biases(self) -> int:
        """Length of the vector of biases."""
        return int(self.biases[-1].stop)

    @property
    def n_hidden(self) -> int:
        """Hidden activations."""
        return self.n_biases - self.widths[-1]

    @property
    def n_units(self) -> int:
        """Inputs and hidden neurons."""
        return int(self.units[-1].stop)

    def pack(self, parameters: Parameters) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the two vectors of a network that is at most as wide; the rest is zero."""
        kernels, biases = np.zeros(self.n_weights, np.float32), np.zeros(self.n_biases, np.float32)
        for (kernel, bias), shape, at_k, at_b in zip(parameters, self.shapes, self.kernels, self.biases, strict=True):
            kernels[at_k].reshape(shape)[: kernel.shape[0], : kernel.shape[1]] = kernel
            biases[at_b][: len(bias)] = bias
        return kernels, biases

    def unpack(
        self, kernels: NDArray[np.float32], biases: NDArray[np.float32], shapes: Sequence[tuple[int, int]]
    ) -> Parameters:
        """Return the parameters of the network of these shapes that :meth:`pack` laid here, as views."""
        return [
            (kernels[at_k].reshape(padded)[:n_in, :n_out], biases[at_b][:n_out])
            for (n_in, n_out), padded, at_k, at_b in zip(shapes, self.shapes, self.kernels, self.biases, strict=True)
        ]

    def pack_together(self, parameters: Parameters) -> NDArray[np.float32]:
        """Return the two vectors as one."""
        return np.concatenate(self.pack(parameters))

    def unpack_together(self, vector: NDArray[np.float32], shapes: Sequence[tuple[int, int]]) -> Parameters:
        """Return what :meth:`pack_together` laid into one vector, as views."""
        return self.unpack(vector[: self.n_weights], vector[self.n_weights :], shapes)

    def pack_units(self, units: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return values of what each layer reads as one vector; the rest is zero."""
        vector = np.zeros(self.n_units, np.float32)
        for values, at in zip(units, self.units, strict=True):
            vector[at][: len(values)] = values
        return vector

    def unpack_units(self, vector: NDArray[np.float32], shapes: Sequence[tuple[int, int]]) -> list[NDArray[np.float32]]:
        """Return the values that :meth:`pack_units` laid here for the network of these shapes, as views."""
        return [vector[at][:n_in] for (n_in, _), at in zip(shapes, self.units, strict=True)]


def _slices(sizes: Sequence[int]) -> tuple[slice, ...]:
    ends = list(itertools.accumulate(sizes))
    return tuple(slice(start, end) for start, end in itertools.pairwise([0, *ends]))
