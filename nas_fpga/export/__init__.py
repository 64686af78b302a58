"""Export: the models and projects that a trained network becomes. Importing this needs no Keras."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from nas_fpga.errors import InputError
from nas_fpga.export._design import Design
from nas_fpga.export._verification import Proof, Verification

if TYPE_CHECKING:
    import keras

    from nas_fpga.data import Dataset
    from nas_fpga.export._prove import PointProof
    from nas_fpga.hardware import Mapping, Strategy, Target
    from nas_fpga.study import Point, StudyOutcome, TrialRecord
    from nas_fpga.training import QuantizedNetwork

Backend = Literal["vitis", "vivado", "catapult", "quartus", "oneapi"]
RtlLanguage = Literal["verilog", "vhdl"]
Decision = Literal["none", "constant", "register"]


def hgq_model(network: QuantizedNetwork) -> keras.Model:
    """Return the HGQ2 model that computes what the network computes, bit for bit, on raw features.

    It runs on JAX, as the search does, unless ``KERAS_BACKEND`` says otherwise. hls4ml and da4ml take it as it is: the
    input format is the input quantizer of the first layer, and the power-of-two scale of the features is folded into
    the rows of the first kernel.

    Args:
        network: Any trained network.

    Returns:
        A Keras model `(n, d)` float32 to `(n, n_outputs)` raw logits.
    """
    from nas_fpga.export._select import rebuilt

    return rebuilt(network)


def design_of_point(outcome: StudyOutcome, name: str, *, mapping: Mapping | None = None) -> Design:
    """Return the design of one point of a study.

    Args:
        outcome: A study under its limits, see :func:`nas_fpga.study.read_outcome`.
        name: A point of any complete trial, such as `17.0`, or `best`.
        mapping: In place of the point's own; what it costs is then estimated anew.

    Raises:
        StudyError: No such point, or its checkpoint is gone.
        InputError: The mapping is for other layers, or the tools would not build it as it is.
    """
    from nas_fpga.export._select import design_of_point

    return design_of_point(outcome, name, mapping=mapping)


def design_of_model(
    source: Path,
    dataset: Dataset,
    target: Target,
    *,
    mapping: Callable[[list[tuple[int, int]]], Mapping] | None = None,
    bits: int | None = None,
    input_bits: int | None = None,
    message: Callable[[str], None],
) -> Design:
    """Return the design of a model that no study holds.

    An HGQ2 model is taken as it is. A float model is quantized after training, with the calibration of the search; its
    figures of merit before and after are told. A checkpoint (``network_0.npz``) is a network of a search.

    Args:
        source: A ``.keras`` model or a ``.npz`` checkpoint.
        dataset: Gives events, figures of merit and, for a float model, ranges.
        target: Part and clock.
        mapping: Makes a mapping from `(n_in, n_out)` of the dense layers; None takes the cheapest known.
        bits: Of weights and activations of a float model.
        input_bits: Of its features; None for 10.
        message: Told what quantization did.

    Raises:
        InputError: The model does not fit the data, has a layer that is not supported, is float and has no ``bits``, or
            is quantized and is given some.
    """
    from nas_fpga.export._plain import design_of_model

    return design_of_model(
        Path(source), dataset, target, mapping=mapping, bits=bits, input_bits=input_bits, message=message
    )


def mapping_of(
    shapes: list[tuple[int, int]],
    strategy: Strategy | None,
    reuse_factor: int | None = None,
    *,
    message: Callable[[str], None],
) -> Mapping:
    """Return a mapping of dense layers with the allowed reuse factors nearest to one that is asked.

    Args:
        shapes: `(n_in, n_out)` of every dense layer.
        strategy: Of all layers; None for ``resource``, the one with a reuse factor.
        reuse_factor: For ``resource``, which needs one.
        message: Told of every layer that takes another reuse factor.

    Raises:
        InputError: A reuse factor that is missing, below 1 or for a strategy that has none; a layer that the tools do
            not unroll.
    """
    from nas_fpga.export._select import mapping_of

    return mapping_of(shapes, strategy, reuse_factor, message=message)


def export(
    design: Design,
    folder: Path,
    *,
    backend: Backend = "vitis",
    rtl: RtlLanguage | None = None,
    decision: Decision = "none",
    force: bool = False,
    message: Callable[[str], None],
) -> None:
    """Write a design as a project: HLS (`hls/`), or RTL (`rtl/`), with its model, figures, events and a README.

    Args:
        design: What is written.
        folder: Where to; made if it is not there, replaced if it holds a project of ours.
        backend: hls4ml's; those but Vitis and Vivado cannot be verified here and say so.
        rtl: Write RTL in this language in place of an HLS project.
        decision: Of RTL: a one-bit output beside the logit, with the working point as a constant or in a register.
        force: Replace what is in the folder, whatever it is.
        message: Told what is going on, one line each.

    Raises:
        InputError: An argument is none of its values, the folder holds something else, or hls4ml cannot convert the
            model for the backend.
    """
    from nas_fpga.export._project import write

    _check("--backend", backend, get_args(Backend))
    _check("--rtl", rtl, (None, *get_args(RtlLanguage)))
    _check("--decision", decision, get_args(Decision))
    write(design, Path(folder), backend=backend, rtl=rtl, decision=decision, force=force, message=message)


def prove(outcome: StudyOutcome, *, message: Callable[[str], None]) -> tuple[PointProof, ...]:
    """Simulate and synthesise the RTL of every point of a front that can be, and say which cannot.

    Each is written as an IP into ``proof/POINT`` of the study's folder, simulated on its events and compared with Keras
    bit for bit, and synthesised with Yosys for the family of the part. The results are kept in ``proof.json``: what is
    proven is not proven again.

    Args:
        outcome: Of a study, under its limits or others.
        message: Told what is going on, one line each.

    Returns:
        One for each point of the front, cheapest first. Points in mappings other than distributed arithmetic, and those
        of more than 60,000 LUTs by estimate, are unproven, and so is what a tool fails on.

    Raises:
        InputError: Yosys or a simulator is not installed.
    """
    from nas_fpga.export._prove import prove

    return prove(outcome, message=message)


def reversals(proofs: Sequence[PointProof]) -> tuple[tuple[str, str], ...]:
    """Return pairs of points that logic synthesis puts in the other order, the cheaper by estimate first."""
    from nas_fpga.export._prove import reversals

    return reversals(proofs)


def _check(option: str, given: object, known: tuple[str | None, ...]) -> None:
    if given not in known:
        raise InputError(f"{option} {given} is none of {', '.join(map(str, known))}")


def find_point(outcome: StudyOutcome, name: str) -> tuple[TrialRecord, Point]:
    """Return a point of any complete trial with its trial, by its name such as `17.0`, or `best`.

    Raises:
        StudyError: There is no such point.
    """
    from nas_fpga.export._select import find_point

    return find_point(outcome, name)


def read_record(folder: Path) -> dict[str, Any]:
    """Return what a project says of itself, ``design.json``.

    Raises:
        InputError: The folder holds no project of ours.
    """
    from nas_fpga.export._record import read_record

    return read_record(Path(folder))


def verify(folder: Path, *, proof: Proof | None = None, message: Callable[[str], None]) -> Verification:
    """Run a project as it lies in its folder and compare every output with its Keras model, bit for bit.

    The outcome is written into the project. Nothing is converted again.

    Args:
        folder: As :func:`export` wrote it.
        proof: Compile its C++, or simulate its RTL; None takes the C++ where it compiles within minutes.
        message: Told what is going on, one line each.

    Raises:
        InputError: No such proof, no project of ours, no compiler or simulator, or a project that does not compile.
    """
    from nas_fpga.export._verify import verify

    _check("--proof", proof, (None, *get_args(Proof)))
    return verify(Path(folder), proof=proof, message=message)


__all__ = [
    "Backend",
    "Decision",
    "Design",
    "Proof",
    "RtlLanguage",
    "Verification",
    "design_of_model",
    "design_of_point",
    "export",
    "find_point",
    "hgq_model",
    "mapping_of",
    "prove",
    "read_record",
    "reversals",
    "verify",
]
