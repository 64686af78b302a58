"""`estimate` in Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_fpga.api._errors import said_in_python
from nas_fpga.estimation import Estimate
from nas_fpga.estimation import estimate as _estimate
from nas_fpga.hardware import MOST_GRAPH_S
from nas_fpga.training import QuantizedNetwork

if TYPE_CHECKING:
    import keras


def estimate(
    model: str | Path | QuantizedNetwork | keras.Model,
    *,
    bits: int | None = None,
    input_bits: int | None = None,
    strategy: str | None = None,
    reuse_factor: int | None = None,
    stage: str | None = None,
    graph_seconds: float = MOST_GRAPH_S,
    message: Callable[[str], None] = print,
    **hardware: Any,
) -> Estimate:
    """Return what a network costs on an FPGA, layer by layer: `nas-fpga estimate` in Python.

    The arguments are those of :func:`nas_fpga.estimation.estimate`; errors name keywords.
    """
    with said_in_python():
        return _estimate(
            model,
            bits=bits,
            input_bits=input_bits,
            strategy=strategy,
            reuse_factor=reuse_factor,
            stage=stage,
            graph_seconds=graph_seconds,
            message=message,
            **hardware,
        )
