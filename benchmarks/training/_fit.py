"""HGQ2 models as a user writes and fits them: the peers. Importing this loads Keras."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from hgq.config import QuantizerConfig
from hgq.layers import QDense
from numpy.typing import NDArray

from nas_fpga.data import InputFormat
from nas_fpga.space import Candidate
from nas_fpga.training import calibrate
from nas_fpga.training._bucket import batch_size
from nas_fpga.training._rows import Rows
from nas_fpga.training._schedule import learning_rate

Matrix = NDArray[np.float32]

_CALIBRATION_ROWS = 2048
_BIAS_INTEGER_BITS = 20  # never saturates


def fixed_bits_model(candidate: Candidate, form: InputFormat, n_outputs: int) -> keras.Model:
    """Return an untrained HGQ2 model with the arithmetic of the exported one; bits are set by :class:`Calibration`."""
    widths = (*candidate.topology, n_outputs)
    inputs = values = keras.Input((len(form.bits),))
    for i, width in enumerate(widths):
        values = QDense(
            width,
            activation="relu" if i < len(candidate.topology) else None,
            kernel_initializer="he_normal",
            iq_conf=_frozen("datalane", (1,) if i == 0 else ()),
            kq_conf=_frozen("weight", ()),
            bq_conf=_frozen("bias", ()),
            enable_ebops=False,
        )(values)
    model = keras.Model(inputs, values)
    signed = (form.signed & form.used).astype(int)
    _set_bits(model.layers[1].iq, signed, form.bits - signed - form.grid_bits, form.grid_bits)
    return model


def float_model(candidate: Candidate, n_inputs: int, n_outputs: int) -> keras.Model:
    """Return an untrained model without quantizers."""
    hidden = [
        keras.layers.Dense(width, activation="relu", kernel_initializer="he_normal") for width in candidate.topology
    ]
    output = keras.layers.Dense(n_outputs, kernel_initializer="he_normal")
    return keras.Sequential([keras.Input((n_inputs,)), *hidden, output])


def learned_bits_model(topology: Sequence[int], n_inputs: int, n_outputs: int) -> keras.Model:
    """Return an untrained HGQ2 model whose bits are trained, with HGQ2's own defaults for all quantizers."""
    inputs = values = keras.Input((n_inputs,))
    for width in topology:
        values = QDense(width, activation="relu", kernel_initializer="he_normal")(values)
    return keras.Model(inputs, QDense(n_outputs, kernel_initializer="he_normal")(values))


def _frozen(place: str, axis: tuple[int, ...]) -> QuantizerConfig:
    """Return a saturating quantizer that is not trained, with bits of their own along some axes."""
    modes = {"round_mode": "RND", "overflow_mode": "SAT", "trainable": False, "homogeneous_axis": None}
    free = dict.fromkeys(("ic", "fc", "ir", "fr"))
    return QuantizerConfig("kif", place, k0=1, i0=2, f0=6, heterogeneous_axis=axis, **modes, **free)


def _set_bits(quantizer: Any, signed: Any, integer_bits: Any, fraction_bits: Any) -> None:
    inner = quantizer.quantizer
    for variable, value in ((inner._k, signed), (inner._i, integer_bits), (inner._f, fraction_bits)):
        variable.assign(np.broadcast_to(np.asarray(value, np.float32), variable.shape).astype(variable.dtype))


class Calibration(keras.callbacks.Callback):
    """Moves the binary points of a model with fixed bits before every epoch, as the search does.

    Args:
        candidate: Has the bits.
        form: Input format.
        sample: `(n, d)` training rows after it.
    """

    def __init__(self, candidate: Candidate, form: InputFormat, sample: Matrix) -> None:
        """See the class."""
        super().__init__()
        self.candidate, self.form, self.sample = candidate, form, sample[:_CALIBRATION_ROWS]
        self.steps: Any = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set the bits of all quantizers."""
        layers = [layer for layer in self.model.layers if isinstance(layer, QDense)]
        parameters = [tuple(np.asarray(value) for value in (layer.kernel, layer.bias)) for layer in layers]
        self.steps = calibrate(self.candidate, self.form, parameters, self.sample, self.steps)
        bits = self.candidate.uniform_bits
        for layer, after, step in zip(layers, [*layers[1:], None], self.steps, strict=True):
            weight, bias = -math.log2(step.weight), -math.log2(step.bias)
            _set_bits(layer.kq, 1, bits.weights - 1 - weight, weight)
            _set_bits(layer.bq, 1, _BIAS_INTEGER_BITS, bias)
            if after is not None:
                activation = -math.log2(step.activation)
                _set_bits(after.iq, 0, bits.activations - activation, activation)


def start_at_means(model: keras.Model, inputs: Matrix) -> None:
    """Move the means of the inputs to zero by the first bias, as the search does: raw features keep them."""
    first = next(layer for layer in model.layers if getattr(layer, "kernel", None) is not None)
    first.bias.assign(-inputs.mean(axis=0) @ np.asarray(first.kernel))


def loss_of(n_outputs: int) -> keras.losses.Loss:
    """Return the cross entropy of raw logits."""
    binary, several = keras.losses.BinaryCrossentropy, keras.losses.SparseCategoricalCrossentropy
    return (binary if n_outputs == 1 else several)(from_logits=True)


def labels_of(rows: Rows, n_outputs: int) -> NDArray[Any]:
    """Return labels in the shape that :func:`loss_of` takes."""
    return rows.labels.astype(np.float32)[:, None] if n_outputs == 1 else rows.labels


def fit(
    model: keras.Model,
    candidate: Candidate,
    training: Rows,
    validation: Rows,
    callbacks: Sequence[keras.callbacks.Callback],
    *,
    best_idiom: bool = False,
) -> dict[str, list[float]]:
    """Compile and fit; return the history.

    Args:
        model: Untrained.
        candidate: Has the settings.
        training: Rows.
        validation: Rows.
        callbacks: After that of the learning rate.
        best_idiom: Compile with XLA, a whole epoch in one call, and no batch of another size, which would be
            compiled too. Else what Keras does by itself.
    """
    settings, n_outputs = candidate.settings, model.output_shape[-1]
    size = batch_size(settings.batch_size, len(training))
    n_used = len(training) // size * size if best_idiom else len(training)
    best = {"jit_compile": True, "steps_per_execution": n_used // size} if best_idiom else {}
    optimizer = keras.optimizers.Adam(
        settings.learning_rate, beta_1=settings.beta_1, beta_2=settings.beta_2, epsilon=settings.epsilon
    )
    model.compile(optimizer, loss_of(n_outputs), **best)
    history = model.fit(
        training.inputs[:n_used],
        labels_of(training, n_outputs)[:n_used],
        sample_weight=training.weights[:n_used],
        batch_size=size,
        epochs=settings.epochs,
        validation_data=(validation.inputs, labels_of(validation, n_outputs), validation.weights),
        validation_batch_size=len(validation) if best_idiom else None,
        callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch: learning_rate(settings, epoch)), *callbacks],
        verbose=0,
    )
    result: dict[str, list[float]] = history.history
    return result


def early_stopping(patience: int) -> keras.callbacks.Callback:
    """Return what stops on the loss of the quantized network on validation rows, and keeps the best weights."""
    return keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True)


def predict(model: keras.Model, inputs: Matrix) -> Matrix:
    """Return logits `(n, n_outputs)`, in one batch: one more size would be one more program."""
    logits: Matrix = model.predict(inputs, batch_size=len(inputs), verbose=0)
    return logits
