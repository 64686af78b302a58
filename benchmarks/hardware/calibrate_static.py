"""Measure what da4ml's adder graphs cost for random quantized dense layers, and fit the law of the static estimator.

``python benchmarks/hardware/calibrate_static.py measure layers.csv`` draws layers (shape, bits, distribution of the
weights, share kept), builds each with da4ml as hls4ml's distributed arithmetic strategy does (delay constraint 2,
adders counted in bits) and writes one row for each: what the weights look like, and cost and depth of the matrix
product alone and of the whole layer (bias, ReLU, rounding, saturation). ``... fit layers.csv`` prints the constants
that ``nas_fpga/hardware/_adder_law.py`` holds, fitted to these layers and to those of the seen half of the networks in
``benchmarks/estimators``, with their errors; how well they do on the unseen half is said there. The committed
``static_layers.csv`` is of da4ml 0.6.0, 450 layers, seed 1; it takes some minutes of one core.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import time
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from da4ml.cmvm import solve
from da4ml.trace import FixedVariableArray, HWConfig, comb_trace
from da4ml.trace.ops import relu
from numpy.typing import NDArray
from scipy.optimize import least_squares

from nas_fpga.hardware import measured_traits
from nas_fpga.hardware._graph_operations import operation_bits
from nas_fpga.hardware._weights import weight_statistics
from nas_fpga.training import QuantizedNetwork, effective_bits

Array = NDArray[np.float64]
WIDTHS = (1, 2, 4, 6, 8, 13, 16, 24, 32, 48, 64, 96, 128, 200)
NETWORKS = Path(__file__).parent.parent / "estimators" / "networks"
LARGEST = 4096 * 5  # weights kept times their bits: what the solver does in seconds


def draw_weights(
    rng: np.random.Generator, n_in: int, n_out: int, bits: int, kind: str, kept: float
) -> NDArray[np.int64]:
    """Draw integers of `bits` bits whose largest magnitude is in the upper half of the range, as after training."""
    shape = (n_in, n_out)
    if kind == "gaussian":
        values = rng.normal(size=shape)
    elif kind == "laplace":
        values = rng.laplace(size=shape)
    else:
        values = rng.uniform(-1, 1, size=shape)
    values *= rng.random(shape) < kept
    top = max(float(np.abs(values).max()), 1e-9)
    largest = 2.0 ** (bits - 1) * rng.uniform(0.5, 1.0)
    steps = np.floor(values / top * largest + 0.5)
    return np.clip(steps, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1).astype(np.int64)


def measure(a_bits: int, weights: NDArray[np.int64], rng: np.random.Generator) -> dict[str, float]:
    """Return cost and depth of one layer with unsigned inputs of `a_bits` bits and outputs of the same format."""
    n_in, n_out = weights.shape
    options = {"hard_dc": 2}
    kernel = weights.astype(np.float32)
    start = time.perf_counter()
    product = solve(kernel, qintervals=[(0.0, 2.0**a_bits - 1, 1.0)] * n_in, adder_size=1, carry_size=-1, **options)
    seconds = time.perf_counter() - start
    inputs = FixedVariableArray.from_kif(
        np.zeros(n_in, bool), np.full(n_in, a_bits), np.zeros(n_in, int), HWConfig(1, -1, -1), solver_options=options
    )
    spread = np.sqrt((weights**2).sum(axis=0).max() + 1) * 2.0**a_bits / 3
    integer_bits = int(np.ceil(np.log2(spread)))
    bias = np.rint(rng.normal(size=n_out) * spread / 4)
    outputs = relu(inputs @ kernel + bias)
    outputs = outputs.quantize(
        np.zeros(n_out, bool),
        np.full(n_out, integer_bits),
        np.full(n_out, a_bits - integer_bits),
        overflow_mode="SAT",
        round_mode="RND",
    )
    layer = comb_trace(inputs, outputs)
    return {
        "product_cost": product.cost,
        "product_depth": product.latency[1],
        "layer_cost": layer.cost,
        "layer_luts": operation_bits(layer).luts,
        "layer_depth": layer.latency[1],
        "seconds": round(seconds, 3),
    }


def measure_all(path: Path, n_layers: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    with path.open("w", newline="") as file:
        writer = None
        for _ in itertools.count():
            n_in, n_out = (int(rng.choice(WIDTHS)) for _ in range(2))
            w_bits, a_bits = int(rng.integers(2, 9)), int(rng.integers(2, 11))
            kept = float(rng.choice([1.0, 1.0, 0.5, 0.2]))
            if n_in * n_out * w_bits * kept > LARGEST:
                continue
            kind = str(rng.choice(["gaussian", "gaussian", "laplace", "uniform"]))
            weights = draw_weights(rng, n_in, n_out, w_bits, kind, kept)
            if not weights.any():
                continue
            statistics = weight_statistics(weights)
            row = {
                "n_in": n_in,
                "n_out": n_out,
                "weight_bits": w_bits,
                "activation_bits": a_bits,
                "kind": kind,
                "kept": kept,
                "nonzero": statistics.nonzero,
                "enclosed_bits": int(effective_bits(weights).sum()),
                "csd_digits": statistics.csd_digits,
                "busy_inputs": statistics.busy_inputs,
                "busy_outputs": statistics.busy_outputs,
                **measure(a_bits, weights, rng),
            }
            if writer is None:
                writer = csv.DictWriter(file, row)
                writer.writeheader()
            writer.writerow(row)
            file.flush()
            n_layers -= 1
            if not n_layers:
                break


def fit(path: Path) -> None:
    """Print the constants of the adder law, and its errors on random layers and on those of trained networks."""
    rows = np.genfromtxt(path, delimiter=",", names=True, dtype=None, encoding="utf-8")
    rows = rows[rows["layer_luts"] > 0]
    columns = {name: rows[name].astype(float) for name in rows.dtype.names if name != "kind"}
    drawn = Layers(
        csd_digits=columns["csd_digits"],
        nonzero=columns["nonzero"],
        busy_inputs=columns["busy_inputs"],
        busy_outputs=columns["busy_outputs"],
        input_bits=columns["activation_bits"],
        weight_bits=columns["weight_bits"],
        has_activation=np.ones(len(rows)),
        luts=columns["layer_luts"],
    )
    trained = _trained_layers()
    both = Layers(*(np.concatenate(pair) for pair in zip(astuple(drawn), astuple(trained), strict=True)))
    # relative errors; those of few LUTs count less, and a random layer half as much as a trained one
    weight = np.sqrt(np.minimum(1, both.luts / 300)) * np.repeat([0.5, 1.0], [len(drawn.luts), len(trained.luts)])

    def residuals(constants: Array) -> Array:
        return np.log(np.maximum(_law(constants, both), 1) / both.luts) * weight

    found = least_squares(residuals, _START, loss="soft_l1", f_scale=0.1).x
    print(
        "product: constant, adders, width, digits, inputs, outputs, density; width of a weight bit:", found[:8].round(4)
    )
    print("each output with an activation: constant, input bits, log2 terms:", found[8:].round(4))
    for name, layers in (("random", drawn), ("trained", trained)):
        large = layers.luts > 300
        error = np.log(np.maximum(_law(found, layers), 1) / layers.luts)[large]
        print(f"{name}, {large.sum()} layers above 300 LUT: median |error| {np.median(np.abs(error)):.3f}, ", end="")
        print(f"90 % below {np.quantile(np.abs(error), 0.9):.3f}, mean {error.mean():.3f}")

    n_in, n_out, csd = drawn.busy_inputs, drawn.busy_outputs, drawn.csd_digits
    folds = np.random.default_rng(0).integers(0, 8, len(rows))
    terms = [np.ones(len(rows)), np.log2(n_in), np.log2(csd / n_out)]
    solution, error = _cross_validated(np.column_stack(terms), columns["product_depth"], np.ones(len(rows)), folds)
    print("levels: constant, log2 inputs, log2 terms:", solution.round(3), f"sd {error.std():.2f}")
    print("levels after the product:", (columns["layer_depth"] - columns["product_depth"]).mean().round(2))


_START = (0.0, 1.2, 1.1, -0.3, -0.3, -0.3, -0.4, 0.25, -5.0, 1.4, 2.7)


@dataclass(frozen=True, eq=False)
class Layers:
    """What the law of a layer's LUTs needs, and those of its graph with bias and quantizer; all `(n,)`."""

    csd_digits: Array
    nonzero: Array
    busy_inputs: Array
    busy_outputs: Array
    input_bits: Array
    weight_bits: Array
    has_activation: Array
    luts: Array


def _law(constants: Array, layers: Layers) -> Array:
    """Return LUTs `(n,)`, as `nas_fpga.hardware._adder_law.adder_graph_cost` has them."""
    adders = np.maximum(layers.csd_digits - layers.busy_outputs, 0.0)
    width = layers.input_bits + constants[7] * layers.weight_bits + np.log2(layers.busy_inputs) / 4
    density = layers.nonzero / layers.busy_inputs / layers.busy_outputs
    features = [adders, width, layers.csd_digits / layers.nonzero, layers.busy_inputs, layers.busy_outputs, density]
    log_product = constants[0] + sum(
        power * np.log(np.maximum(x, 1e-9)) for power, x in zip(constants[1:7], features, strict=True)
    )
    terms = [1.0, layers.input_bits, np.log2(1 + layers.csd_digits / layers.busy_outputs)]
    output = np.maximum(sum(c * x for c, x in zip(constants[8:], terms, strict=True)), 0.0)
    return np.where(adders > 0, np.exp(log_product), 0.0) + layers.busy_outputs * layers.has_activation * output


def _trained_layers() -> Layers:
    """Return the layers of the seen half of the networks that estimators are judged on."""
    found = []
    with (NETWORKS.parent / "adder_graphs.csv").open(encoding="utf-8", newline="") as file:
        seen = [row for row in csv.DictReader(file) if row["unseen"] == "0"]
    for row in seen:
        traits = measured_traits(QuantizedNetwork.load(NETWORKS / f"{row['name']}.npz"))
        luts = [float(part) for part in row["graph_parts"].split()][1:]
        columns = [getattr(traits, field.name) for field in fields(Layers)[:-1]] + [np.array(luts)]
        layers = np.column_stack(columns)
        found.append(layers[(traits.nonzero > 0) & (layers[:, -1] > 0)])
    return Layers(*np.concatenate(found).T)


def _cross_validated(x: Array, y: Array, weight: Array, folds: NDArray[np.int64]) -> tuple[Array, Array]:
    """Return the weighted least squares solution, and errors where each fold was left out."""
    root = np.sqrt(weight)
    error = np.empty(len(y))
    for fold in np.unique(folds):
        out = folds == fold
        solution = np.linalg.lstsq((x * root[:, None])[~out], (y * root)[~out], rcond=None)[0]
        error[out] = x[out] @ solution - y[out]
    return np.linalg.lstsq(x * root[:, None], y * root, rcond=None)[0], error


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["measure", "fit"])
    parser.add_argument("path", type=Path)
    parser.add_argument("--layers", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.action == "measure":
        measure_all(arguments.path, arguments.layers, arguments.seed)
    else:
        fit(arguments.path)
