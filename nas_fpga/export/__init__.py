"""Export: the models and projects that a trained network becomes. Importing this needs no Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

    from nas_fpga.training import QuantizedNetwork


def hgq_model(network: QuantizedNetwork) -> keras.Model:
    """Return the HGQ2 model that computes what the network computes, bit for bit, on raw features.

    hls4ml and da4ml take it as it is: the input format is the input quantizer of the first layer, and the power-of-two
    scale of the features is folded into the rows of the first kernel.

    Args:
        network: Any trained network.

    Returns:
        A Keras model `(n, d)` float32 to `(n, n_outputs)` raw logits.
    """
    from nas_fpga.export._hgq import build

    return build(network)


__all__ = ["hgq_model"]
