"""What a model trained elsewhere is read as."""

from __future__ import annotations

from dataclasses import dataclass

from nas_fpga.hardware import Mapping
from nas_fpga.training import QuantizedNetwork


@dataclass(frozen=True, eq=False)
class ReadModel:
    """A network, and how it is laid on the FPGA.

    Attributes:
        network: In integers.
        mapping: Of the project it was read from; None where that says none.
    """

    network: QuantizedNetwork
    mapping: Mapping | None
