"""What a sampler proposes and a trainer trains."""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from nas_fpga.errors import InputError

_TEXT = re.compile(r"^(\d+(?:[-x]\d+)*)(?: w(\d+)a(\d+)| (learned))?$")


@dataclass(frozen=True, order=True)
class BitWidths:
    """Uniform bit widths of a network: weights (sign included) and activations (unsigned, after ReLU)."""

    weights: int
    activations: int

    def __str__(self) -> str:
        """`w6a6`."""
        return f"w{self.weights}a{self.activations}"


@functools.total_ordering
@dataclass(frozen=True)
class LearnedBits:
    """Bit widths that training finds for every weight and activation (HGQ, arXiv:2405.00645). Sorts after `BitWidths`.

    How hard they are pressed is a training setting: :attr:`TrainingSettings.pressure`.
    """

    def __lt__(self, other: BitWidths | LearnedBits) -> bool:
        """There is nothing after it."""
        return False

    def __str__(self) -> str:
        """`learned`."""
        return "learned"


@dataclass(frozen=True, order=True)
class TrainingSettings:
    """How a candidate is trained; the same for all candidates unless they are searched too.

    The optimiser is Adam (Kingma and Ba, 2017, arXiv:1412.6980), with decoupled weight decay where there is one
    (AdamW: Loshchilov and Hutter, 2019, arXiv:1711.05101). The learning rate follows half a cosine over the epochs.

    Attributes:
        learning_rate: At the start.
        learning_rate_decay: Share of the first learning rate that is left at the end; 1 keeps it constant.
        batch_size: Largest batch.
        epochs: Most epochs.
        patience: Epochs without a better validation loss after which a training stops.
        beta_1: Decay of Adam's mean of gradients, a step.
        beta_2: Decay of Adam's mean of squared gradients, a step.
        epsilon: Added to the root of the mean of squared gradients.
        weight_decay: Share of a weight, times the learning rate, that is taken from it in a step.
        dropout: Share of the hidden activations that is dropped in training.
        pressure: Of learned bits, at the end: loss for each effective bit operation, beside the cross entropy:
            at 1e-5, 10,000 of them add 0.1.
        bits_learning_rate: Of learned bits, in bits: under Adam a bit width moves about so far a step.
    """

    learning_rate: float = 5e-3
    learning_rate_decay: float = 0.02
    batch_size: int = 1024
    epochs: int = 50
    patience: int = 10
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    weight_decay: float = 0.0
    dropout: float = 0.0
    pressure: float = 5e-5
    bits_learning_rate: float = 1e-2

    def __post_init__(self) -> None:
        """Refuse settings that cannot train, by the names and with the values of the command line."""
        for name, (ok, rule) in SETTING_RULES.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and ok(value)):
                raise InputError(f"--{name.replace('_', '-')} {value} must be {rule}")


SETTING_RULES: dict[str, tuple[Callable[[float], bool], str]] = {
    "learning_rate": (lambda value: value > 0, "a finite number above 0, such as 0.005"),
    "learning_rate_decay": (lambda value: 0 <= value <= 1, "between 0 and 1 (constant), such as 0.02"),
    "batch_size": (lambda value: value >= 1, "at least 1, such as 1024"),
    "epochs": (lambda value: value >= 1, "at least 1, such as 50"),
    "patience": (lambda value: value >= 1, "at least 1, such as 10"),
    "beta_1": (lambda value: 0 <= value < 1, "at least 0 and below 1, such as 0.9"),
    "beta_2": (lambda value: 0 <= value < 1, "at least 0 and below 1, such as 0.999"),
    "epsilon": (lambda value: value > 0, "a finite number above 0, such as 1e-7"),
    "weight_decay": (lambda value: value >= 0, "a finite number of at least 0, such as 0.01"),
    "dropout": (lambda value: 0 <= value < 1, "at least 0 and below 1, such as 0.1"),
    "pressure": (lambda value: value > 0, "a finite number above 0, such as 5e-5"),
    "bits_learning_rate": (lambda value: value > 0, "a finite number above 0, such as 0.01"),
}


@dataclass(frozen=True, order=True)
class Candidate:
    """A topology with its bit widths and training settings. Prints as `64-32-32 w6a6` or `64-32-32 learned`.

    Attributes:
        topology: Widths of the hidden layers, input side first; at least one layer, each at least 1 neuron.
        bits: Bit widths of weights and activations, or how they are learned.
        settings: How it is trained.
    """

    topology: tuple[int, ...]
    bits: BitWidths | LearnedBits
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

    @property
    def uniform_bits(self) -> BitWidths:
        """Its bit widths where they are fixed before training.

        Raises:
            InputError: They are learned: each weight and activation of the trained network has its own.
        """
        if isinstance(self.bits, LearnedBits):
            raise InputError(f"{self} has no bit widths before training; give some, such as w6a6")
        return self.bits

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
        """`64-32-32 w6a6` or `64-32-32 learned`."""
        return f"{format_topology(self.topology)} {self.bits}"


def format_topology(topology: tuple[int, ...]) -> str:
    """Return `64-32-32`."""
    return "-".join(map(str, topology))


def format_network(candidate: Candidate, topology: tuple[int, ...], *, polished: bool = False) -> str:
    """Return the candidate, and what training left of its layers if that is less: `64-32 to 41-17 learned`.

    Args:
        candidate: What was trained.
        topology: Of the network.
        polished: Whether the candidate was trained on with learned bits.
    """
    left = "" if topology == candidate.topology else f" to {format_topology(topology)}"
    return f"{format_topology(candidate.topology)}{left} {'polished' if polished else candidate.bits}"


def parse_candidate(
    text: str, default_bits: BitWidths | LearnedBits, settings: TrainingSettings | None = None
) -> Candidate:
    """Read `64-32-32`, `64-32-32 w6a6` or `64-32-32 learned` (also `64x32x32`).

    Raises:
        InputError: The text is not of that form.
    """
    match = _TEXT.match(text.strip())
    if match is None:
        raise InputError(f"topology '{text}' is not of the form 64-32-32, '64-32-32 w6a6' or '64-32-32 learned'")
    widths = tuple(int(w) for w in re.split("[-x]", match[1]))
    bits = default_bits
    if match[2]:
        bits = BitWidths(int(match[2]), int(match[3]))
    elif match[4]:
        bits = LearnedBits()
    return Candidate(widths, bits, settings or TrainingSettings())
