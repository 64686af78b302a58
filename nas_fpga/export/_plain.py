"""Designs of models that no study holds: HGQ2 models, float Keras models, and checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import Dataset, InputFormat, Split, fit_input_format, split
from nas_fpga.errors import InputError
from nas_fpga.export._design import Design
from nas_fpga.export._project import keras_outputs
from nas_fpga.export._select import check_mapping, real_events, rebuilt
from nas_fpga.hardware import Mapping, StaticEstimator, Target, buildable_reuse_factors, estimate
from nas_fpga.models import float_parameters, load_keras
from nas_fpga.space import BitWidths, Candidate
from nas_fpga.training import Merits, QuantizedNetwork, calibrate, evaluate, freeze

_CALIBRATION_ROWS = 100_000
_MOST_BITS = 16
_DEFAULT_INPUT_BITS = 10

Parameters = list[tuple[NDArray[np.float32], NDArray[np.float32]]]


@dataclass(frozen=True, eq=False)
class _Data:
    """A data set with its split, and the figures of merit of outputs on it."""

    dataset: Dataset
    parts: Split

    def merits(self, logits_of: Callable[[NDArray[np.float32]], NDArray[np.float64]]) -> tuple[Merits, Merits]:
        """Return merits on validation, and on test at its working point."""
        features, parts = self.dataset.features, self.parts
        validation = evaluate(self.dataset, parts.validation, logits_of(features[parts.validation]))
        frozen = validation if self.dataset.n_classes == 2 else None
        return validation, evaluate(self.dataset, parts.test, logits_of(features[parts.test]), validation=frozen)


def design_of_model(
    source: Path,
    dataset: Dataset,
    target: Target,
    *,
    mapping: Callable[[list[tuple[int, int]]], Mapping] | None,
    bits: int | None,
    input_bits: int | None,
    message: Callable[[str], None],
) -> Design:
    """See :func:`nas_fpga.export.design_of_model`."""
    data = _Data(dataset, split(dataset, 0))
    network: QuantizedNetwork | None = None
    if source.suffix == ".npz":
        _refuse_bits(bits, input_bits, f"{source} is quantized")
        network = QuantizedNetwork.load(source)
        model = rebuilt(network)
    elif source.suffix == ".keras":
        model = load_keras(source)
        if _is_quantized(model):
            _refuse_bits(bits, input_bits, f"{source} has quantizers of its own")
            _check_quantized(model, source)
        else:
            network = _quantized(model, source, data, bits, input_bits, message)
            model = rebuilt(network)
    else:
        raise InputError(
            f"{source} is neither a .keras model nor a .npz checkpoint; give one of these, or --study NAME"
        )
    _check_shape(model.input_shape[1:], model.output_shape[1:], dataset, source)
    shapes = [tuple(layer.kernel.shape) for layer in model.layers if hasattr(layer, "kernel")]
    if mapping is not None:
        chosen = mapping(shapes)
    elif network is not None:
        chosen = StaticEstimator().points(network, target)[0].mapping
    else:
        unrolled = all(buildable_reuse_factors("latency", n_in, n_out) for n_in, n_out in shapes)
        chosen = Mapping("latency" if unrolled else "distributed_arithmetic", (1,) * len(shapes))
    if network is not None:
        check_mapping(chosen, network)
    logits_of = network.logits if network is not None else lambda x: keras_outputs(model, x)
    validation, test = data.merits(logits_of)
    return Design(
        title=source.name,
        model=model,
        network=network,
        mapping=chosen,
        target=target,
        figures=estimate(network, chosen, target) if network is not None else None,
        merits=_record(validation, test),
        threshold=validation.threshold,
        feature_names=dataset.feature_names,
        feature_units=dataset.feature_units,
        class_names=dataset.class_names,
        events=real_events(dataset.features, data.parts.test),
    )


def _is_quantized(model: Any) -> bool:
    return any(type(layer).__module__.startswith("hgq.") for layer in model.layers)


def _refuse_bits(bits: int | None, input_bits: int | None, reason: str) -> None:
    """Refuse bits that are asked of a model that has its own.

    Raises:
        InputError: There are some.
    """
    for option, given in (("--bits", bits), ("--input-bits", input_bits)):
        if given is not None:
            raise InputError(f"{option} {given} is for float models; {reason}, leave it out")


def _check_quantized(model: Any, source: Path) -> None:
    """Refuse an HGQ2 model with a layer that computes in float.

    Raises:
        InputError: There is one.
    """
    for layer in model.layers:
        ours = type(layer).__module__.startswith("hgq.")
        if not ours and type(layer).__name__ not in ("InputLayer", "Dropout"):
            raise InputError(
                f"layer {layer.name} ({type(layer).__name__}) of {source} computes in float beside HGQ2 layers; "
                "give it as its HGQ2 counterpart"
            )
        if ours and hasattr(layer, "enable_iq") and not layer.enable_iq:
            raise InputError(f"layer {layer.name} of {source} has no input quantizer; build it with enable_iq=True")


def _quantized(
    model: Any, source: Path, data: _Data, bits: int | None, input_bits: int | None, message: Callable[[str], None]
) -> QuantizedNetwork:
    """Return a float model quantized after training, and say what that costs in merit.

    Raises:
        InputError: No bits are given, or the model is no chain of dense layers.
    """
    if bits is None:
        raise InputError(
            f"{source} is a float model, which no fixed-point design computes exactly; give --bits 8 to quantize it, "
            "or train it with HGQ2 quantizers"
        )
    if not 2 <= bits <= _MOST_BITS:
        raise InputError(f"--bits {bits} must be from 2 to {_MOST_BITS}")
    parameters = _parameters(model, source, binary=data.dataset.n_classes == 2)
    _check_shape(parameters[0][0].shape[:1], parameters[-1][0].shape[1:], data.dataset, source)
    features = data.dataset.features[data.parts.train]
    of_inputs = _DEFAULT_INPUT_BITS if input_bits is None else input_bits
    form = fit_input_format(features, of_inputs)
    topology = tuple(kernel.shape[1] for kernel, _ in parameters[:-1])
    candidate = Candidate(topology, BitWidths(bits, bits))
    network = _post_training(candidate, form, parameters, features[:_CALIBRATION_ROWS])

    def logits_of(x: NDArray[np.float32]) -> NDArray[np.float64]:
        return _float_logits(parameters, x)

    (_, before), (_, after) = data.merits(logits_of), data.merits(network.logits)
    name = "background efficiency" if before.background_efficiency is not None else "error rate"
    message(
        f"quantized to {candidate.bits} with {of_inputs}-bit inputs: test {name} {before.error:.4f} in float, "
        f"{after.error:.4f} quantized; AUC {before.roc_auc:.4f}, {after.roc_auc:.4f}"
    )
    return network


def _post_training(
    candidate: Candidate, form: InputFormat, parameters: Parameters, features: NDArray[np.float32]
) -> QuantizedNetwork:
    """Return the network that float parameters on raw features become, with calibrated steps.

    The network sees features divided by their power-of-two scales, so these multiply the rows of the first kernel.
    """
    (kernel, bias), *others = parameters
    scaled = (kernel * np.exp2(form.scale_log2.astype(np.float64))[:, None]).astype(np.float32)
    on_scaled = [(scaled, bias), *others]
    steps = calibrate(candidate, form, on_scaled, form.apply(features), None)
    return freeze(candidate, form, on_scaled, steps)


def _float_logits(parameters: Parameters, features: NDArray[np.float32]) -> NDArray[np.float64]:
    values = features.astype(np.float64)
    for kernel, bias in parameters[:-1]:
        values = np.maximum(values @ kernel + bias, 0)
    kernel, bias = parameters[-1]
    logits: NDArray[np.float64] = values @ kernel + bias
    return logits


def _parameters(model: Any, source: Path, *, binary: bool) -> Parameters:
    """Return kernel and bias of every dense layer, the last one's to raw outputs."""
    found = float_parameters(model, source)
    kernel, bias = found[-1]
    if binary and kernel.shape[1] == 2:  # softmax over two classes: the signal's log odds are the difference
        found[-1] = kernel[:, 1:] - kernel[:, :1], bias[1:] - bias[:1]
    return found


def _check_shape(inputs: Any, outputs: Any, dataset: Dataset, source: Path) -> None:
    d = dataset.features.shape[1]
    if tuple(inputs) != (d,):
        raise InputError(f"{source} takes inputs of shape {tuple(inputs)}; {dataset.name} has {d} features")
    if tuple(outputs) != (dataset.n_outputs,):
        raise InputError(
            f"{source} gives outputs of shape {tuple(outputs)}; {dataset.name} needs {dataset.n_outputs} for "
            f"{dataset.n_classes} classes"
        )


def _record(validation: Merits, test: Merits) -> dict[str, Any]:
    name = "background_efficiency" if validation.background_efficiency is not None else "error_rate"
    record: dict[str, Any] = {f"validation_{name}": validation.error, f"test_{name}": test.error}
    record |= {"test_precision": test.precision, "test_accuracy": test.accuracy, "test_roc_auc": test.roc_auc}
    if test.threshold is not None:
        record |= {"threshold": test.threshold, "test_signal_efficiency": test.signal_efficiency}
    return record
