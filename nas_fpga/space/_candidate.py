"""What a sampler proposes and a trainer trains."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

from nas_fpga.errors import InputError

_TEXT = re.compile(r"^(\d+(?:[-x]\d+)*)(?: w(\d+)a(\d+))?$")


@dataclass(frozen=True, order=True)
class BitWidths:
    """Uniform bit widths of a network: weights (sign included) and activations (unsigned, after ReLU)."""

    weights: int
    activations: int

    def __str__(self) -> str:
        """`w6a6`."""
        return f"w{self.weights}a{self.activations}"


@dataclass(frozen=True, order=True)
class TrainingSettings:
    """How a candidate is trained; the same for all candidates unless they are searched too."""

    learning_rate: float = 5e-3
    batch_size: int = 1024
    epochs: int = 50
    patience: int = 10

    def __post_init__(self) -> None:
        """Refuse settings that cannot train."""
        if not self.learning_rate > 0:
            raise InputError(f"learning rate {self.learning_rate} must be above 0")
        for name in ("batch_size", "epochs", "patience"):
            if getattr(self, name) < 1:
                raise InputError(f"{name.replace('_', ' ')} {getattr(self, name)} must be at least 1")


@dataclass(frozen=True, order=True)
class Candidate:
    """A topology with its bit widths and training settings. Prints as `64-32-32 w6a6`.

    Attributes:
        topology: Widths of the hidden layers, input side first; at least one layer, each at least 1 neuron.
        bits: Bit widths of weights and activations.
        settings: How it is trained.
    """

    topology: tuple[int, ...]
    bits: BitWidths
    settings: TrainingSettings = field(default=TrainingSettings())

    def __post_init__(self) -> None:
        """Refuse an empty topology and layers without neurons."""
        if not self.topology or min(self.topology) < 1:
            raise InputError(f"topology {self.topology} needs at least one layer and one neuron a layer")

    @property
    def n_layers(self) -> int:
        """Number of hidden layers."""
        return len(self.topology)

    @property
    def n_neurons(self) -> int:
        """Hidden neurons over all layers: what the budget counts."""
        return sum(self.topology)

    def layer_shapes(self, n_inputs: int, n_outputs: int) -> tuple[tuple[int, int], ...]:
        """Return `(n_in, n_out)` of every dense layer, the output layer included."""
        widths = (n_inputs, *self.topology, n_outputs)
        return tuple(itertools.pairwise(widths))

    def n_macs(self, n_inputs: int, n_outputs: int) -> int:
        """Return multiplications of one inference: the weights without biases."""
        return sum(a * b for a, b in self.layer_shapes(n_inputs, n_outputs))

    def n_params(self, n_inputs: int, n_outputs: int) -> int:
        """Return trainable parameters: weights and biases."""
        return sum((a + 1) * b for a, b in self.layer_shapes(n_inputs, n_outputs))

    def __str__(self) -> str:
        """`64-32-32 w6a6`."""
        return f"{format_topology(self.topology)} {self.bits}"


def format_topology(topology: tuple[int, ...]) -> str:
    """Return `64-32-32`."""
    return "-".join(map(str, topology))


def parse_candidate(text: str, default_bits: BitWidths, settings: TrainingSettings | None = None) -> Candidate:
    """Read `64-32-32` or `64-32-32 w6a6` (also `64x32x32`).

    Raises:
        InputError: The text is not of that form.
    """
    match = _TEXT.match(text.strip())
    if match is None:
        raise InputError(f"topology '{text}' is not of the form 64-32-32 or '64-32-32 w6a6'")
    widths = tuple(int(w) for w in re.split("[-x]", match[1]))
    bits = BitWidths(int(match[2]), int(match[3])) if match[2] else default_bits
    return Candidate(widths, bits, settings or TrainingSettings())
