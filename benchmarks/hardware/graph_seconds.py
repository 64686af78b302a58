"""Measure how long da4ml takes for the adder graph of one dense layer, and fit the law of the time allowed for it.

``python -m benchmarks.hardware.graph_seconds measure graph_seconds.csv`` draws layers (shape, bits, share of the
weights kept), traces each as ``nas-fpga estimate`` does, and writes its traits and CPU seconds; ``... fit
graph_seconds.csv`` prints the constants that ``nas_fpga/hardware/_graph_time.py`` holds, with their errors. The
committed ``graph_seconds.csv`` is of da4ml 0.6.0, one core; it takes five minutes.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from nas_fpga.data import InputFormat
from nas_fpga.hardware import measured_traits
from nas_fpga.hardware._adder_graph import adder_graph_of_stretch
from nas_fpga.space import BitWidths, Candidate
from nas_fpga.training import QuantizedLayer, QuantizedNetwork

WIDTHS = (4, 400)
LAYERS = {(200, 15_000): 54, (15_000, 30_000): 1}  # by least and most signed digits
LEAST_S = 0.3  # of a layer that the fit counts: what is quick need not be known
COLUMNS = ("n_in", "n_out", "weight_bits", "input_bits", "nonzero", "csd_digits", "luts", "cpu_s")


def draw(rng: np.random.Generator) -> QuantizedNetwork:
    """Return a network whose only layer has ReLU and a quantizer, as hidden layers have."""
    n_in, n_out = np.rint(np.exp(rng.uniform(*np.log(WIDTHS), 2))).astype(int).tolist()
    bits, input_bits = rng.integers(3, 9, 2).tolist()
    kept = rng.uniform(0.1, 1.0)
    weights = rng.normal(size=(n_in, n_out)) * (rng.random((n_in, n_out)) < kept)
    reach = 2.0 ** (bits - 1) * rng.uniform(0.5, 1.0)
    steps = np.rint(weights / max(np.abs(weights).max(), 1e-9) * reach)
    integers = np.clip(steps, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    flat = np.zeros(n_in, np.int64)
    layer = QuantizedLayer(
        weights=integers.astype(np.int32),
        weight_fraction_bits=bits - 1,
        bias=rng.integers(-(2**bits), 2**bits, n_out),
        bias_fraction_bits=bits - 1,
        activation_bits=np.full(n_out, input_bits),
        activation_fraction_bits=np.zeros(n_out, np.int64),
    )
    form = InputFormat(flat + input_bits, flat.astype(np.bool_), flat, flat)
    return QuantizedNetwork(Candidate((n_out,), BitWidths(bits, input_bits)), form, (layer,))


def measure() -> Iterator[dict[str, float]]:
    """Draw layers and trace them."""
    rng = np.random.default_rng(20_261_129)
    for (least, most), n in LAYERS.items():
        done = 0
        while done < n:
            network = draw(rng)
            traits = measured_traits(network)
            if not least <= traits.csd_digits[0] <= most:
                continue
            started = time.process_time()
            luts = adder_graph_of_stretch(network, 1, 2).luts
            seconds = time.process_time() - started
            row = {name: float(getattr(traits, name)[0]) for name in COLUMNS[:-2]}
            yield row | {"luts": luts, "cpu_s": round(seconds, 2)}
            done += 1


def fit(rows: list[dict[str, float]]) -> None:
    """Print the law's coefficients, by least squares of the relative error, and the errors of layers left out."""
    rows = [row for row in rows if row["cpu_s"] >= LEAST_S]
    digits, n_in, n_out, seconds = (
        np.array([row[name] for row in rows]) for name in ("csd_digits", "n_in", "n_out", "cpu_s")
    )
    terms = np.stack([digits**2, digits**3 / n_out**2, n_in * n_out**2], axis=1) / seconds[:, None]
    one = np.ones(len(rows))
    print(f"{len(rows)} layers above {LEAST_S} s: " + ", ".join(f"{c:.3g}" for c in nnls(terms, one)[0]))
    unseen = [1 / (terms[k] @ nnls(np.delete(terms, k, axis=0), one[1:])[0]) for k in range(len(rows))]
    ends = np.quantile(unseen, [0.05, 0.5, 0.95])
    print("measured / law of a layer left out, 5 %, median, 95 %: " + ", ".join(f"{end:.2f}" for end in ends))


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("measure", "fit"))
    parser.add_argument("table", type=Path, help="CSV file, written or read")
    options = parser.parse_args()
    if options.task == "measure":
        with options.table.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            for row in measure():
                writer.writerow({name: f"{value:g}" for name, value in row.items()})
                file.flush()
    else:
        with options.table.open(encoding="utf-8", newline="") as file:
            fit([{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)])


if __name__ == "__main__":
    main()
