"""How far estimates of distributed arithmetic are from Yosys: ``python -m benchmarks.estimators.adder_graphs``.

The networks are those of ``networks.csv``, trained and synthesised by :mod:`benchmarks.estimators.networks`. LUTs by
shapes and nominal bits, by the trained weights, and by da4ml's adder graph, each brought to logic synthesis; flip-flops
of the graph's registers; latency against the register stages of the Verilog that is written. What has constants is
fitted on the seen half only and judged on the unseen one. LUTs for each bit are fitted to a front of the main job too,
``front_networks.csv`` as ``nas-fpga front --prove`` synthesised it, since few of those drawn are below 1,000 LUT.
Intervals are judged over 200 splits of the networks in two halves, each fitted anew. Writes ``adder_graphs.csv``, a row
a network, and ``adder_graphs.json`` with errors, bars, the fitted constants and candidates a second of the static law:
some minutes of two cores, da4ml's mostly.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import multiprocessing
import re
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.stats import t as student

from benchmarks._provenance import provenance
from benchmarks.estimators.networks import CLOCK_NS, Drawn, read_drawn
from benchmarks.training._machine import cpu_name, write_json
from nas_fpga.hardware import (
    SPARE_BITS,
    Mapping,
    PreTrainingCost,
    adder_graph,
    adder_levels_per_cycle,
    build_netlist,
    cost_by_law,
    cost_of_topology,
    make_target,
)
from nas_fpga.hardware._graph_operations import LUTS_PER_BIT, operation_bits
from nas_fpga.hardware._stages import ADDER_GRAPH_LUT_RATIO, NETLIST_FF_RATIO, SYNTHESIS_LUT_RATIO
from nas_fpga.space import BitWidths
from nas_fpga.training import QuantizedNetwork

HERE = Path(__file__).parent
FLOOR = 100.0  # LUTs and flip-flops, below which errors are of this
N_SPLITS = 200
LEVEL = 0.9
RARE = 0.05  # half-width for what a dozen networks cannot say of rarer ones: small, of few bits, of bits of their own
WIDE, SPARSE = 128, 0.7
CANDIDATES = 20_000
INPUT_BITS = 10
KINDS = tuple(LUTS_PER_BIT)

Array = NDArray[np.float64]


def measure_front(name: str) -> dict[str, float]:
    """Return the adder graph's bits of a network of the main job's front."""
    graph = adder_graph(QuantizedNetwork.load(HERE / "networks" / "front" / f"{name}.npz"))
    return {"graph_lut": graph.luts} | {
        f"{kind}_bits": bits for kind, bits in asdict(operation_bits(graph._comb)).items()
    }


def measure(one: Drawn) -> dict[str, Any]:
    """Return what the estimates say of a network, before any ratio is fitted."""
    network = QuantizedNetwork.load(HERE / "networks" / f"{one.name}.npz")
    target = make_target(clock_ns=CLOCK_NS)
    mapping = Mapping("distributed_arithmetic", (1,) * len(network.layers))
    trained = cost_by_law(network, mapping, target).figures.lut
    nominal = None
    if isinstance(one.candidate.bits, BitWidths):
        widths = (network.layers[0].n_in, *one.candidate.topology, network.layers[-1].n_out)
        of_all = Mapping("distributed_arithmetic", (1,) * (len(widths) - 1))
        nominal = cost_of_topology(widths, one.candidate.bits, INPUT_BITS, of_all, target).figures.lut.value
    started = time.perf_counter()
    graph = adder_graph(network)
    graph_s = time.perf_counter() - started
    netlist = build_netlist(graph, CLOCK_NS)
    return {
        "name": one.name,
        "unseen": int(one.unseen),
        "widest": max(network.topology, default=0),
        "nominal_lut": nominal,
        "trained_lut": trained.value,
        "trained_low": trained.low,
        "trained_high": trained.high,
        "law_levels": adder_levels_per_cycle(trained.value, CLOCK_NS),
        "word_bits": int(np.count_nonzero(network.input_format.used))
        * (int(network.input_format.bits.max()) + SPARE_BITS),
        "graph_lut": graph.luts,
        "graph_parts": " ".join(f"{part:.6g}" for part in graph.parts),
        "graph_cost": graph.cost,
        "graph_s": graph_s,
        "levels": netlist.levels,
        **{f"{name}_bits": bits for name, bits in asdict(operation_bits(graph._comb)).items()},
        "graph_ff": netlist.flip_flops,
        "latency_cycles": netlist.latency_cycles,
        "rtl_stages": register_stages(netlist),
    }


def read_front() -> list[dict[str, Any]]:
    """Return the networks of the main job's front as Yosys counted them."""
    with (HERE / "front_networks.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def register_stages(netlist: Any) -> int:
    """Count the registers between input and output of the Verilog that a netlist becomes."""
    with tempfile.TemporaryDirectory() as folder:
        files = netlist.write(Path(folder), "net", "verilog")
        top = next(path for path in files if path.name == "net.v").read_text()
    return len(set(re.findall(r"^\s*(\w+)\s*<=", top, re.MULTILINE)))


def relative(figures: Array, counted: Array) -> Array:
    """Return |errors| `(n,)` relative to what was counted, or to the floor where that is less."""
    return np.abs(figures - counted) / np.maximum(counted, FLOOR)


def fit_bits(bits: Array, counted: Array) -> Array:
    """Return LUTs per bit `(4,)` of least squared relative errors.

    Args:
        bits: `(n, 4)` of the kinds of operation.
        counted: `(n,)` LUTs.
    """
    weight = 1 / np.maximum(counted, FLOOR)
    return np.asarray(nnls(bits * weight[:, None], counted * weight)[0])


def fit_ratio(figures: Array, counted: Array) -> float:
    """Return the geometric mean of what was counted over figures, where there are any."""
    some = (figures > 0) & (counted > 0)
    return float(np.exp(np.log(counted[some] / figures[some]).mean()))


def fit_static_ff(rows: Sequence[dict[str, Any]], counted: Array) -> list[float]:
    """Return flip-flops for each LUT by law over the levels a cycle, and for each bit of the input words."""
    terms = np.array([[row["trained_lut"] / row["law_levels"], row["word_bits"]] for row in rows])
    weight = 1 / np.maximum(counted, FLOOR)
    return [round(x, 3) for x in nnls(terms * weight[:, None], counted * weight)[0].tolist()]


def leave_one_out(bits: Array, counted: Array) -> Array:
    """Return logarithms `(n,)` of what was counted over LUTs per bit that are fitted to all other networks."""
    every = np.arange(len(counted))
    fits = np.array([fit_bits(bits[every != k], counted[every != k]) for k in every])
    return np.asarray(np.log(counted / (bits * fits).sum(axis=1)))


def half_width(residuals: Array) -> float:
    """Return the half-width of the logarithm's 90 % prediction interval: Student, networks as units, and rare ones.

    Args:
        residuals: `(n,)` logarithms of networks that the figures were not fitted to.
    """
    n = len(residuals)
    deviation = np.sqrt((residuals**2).mean() * (1 + 1 / n))
    return float(np.hypot(deviation * student.ppf((1 + LEVEL) / 2, n - 1), RARE))


def interval_coverage(predictors: Array, counted: Array) -> dict[str, float]:
    """Return how much of networks left out intervals hold: the mean over splits, the least, and their ratio.

    Args:
        predictors: `(n, k)` whose non-negative combination is the figure.
        counted: `(n,)`.
    """
    rng, held, ratios = np.random.default_rng(0), [], []
    for _ in range(N_SPLITS):
        order = rng.permutation(len(counted))
        fitted, tested = order[: len(order) // 2], order[len(order) // 2 :]
        constants = fit_bits(predictors[fitted], counted[fitted])
        width = half_width(leave_one_out(predictors[fitted], counted[fitted]))
        distance = np.abs(np.log(counted[tested] / (predictors[tested] @ constants)))
        held.append((distance <= width).mean())
        ratios.append(np.exp(2 * width))
    return {"coverage": float(np.mean(held)), "least_coverage": float(min(held)), "ratio": float(np.mean(ratios))}


def errors_of(figures: Array, counted: Array, rows: NDArray[np.bool_]) -> dict[str, float]:
    """Return how many networks there are, and median, 90th percentile and worst |error|."""
    error = relative(figures, counted)[rows]
    found = {"n": float(rows.sum())}
    if rows.any():
        found |= {"median": float(np.median(error)), "p90": float(np.quantile(error, 0.9)), "worst": float(error.max())}
    return found


def candidates_per_s() -> float:
    """Return how many candidates a CPU second the static law takes before training, of a budget of 2,000 neurons."""
    rng = np.random.default_rng(0)
    rows = np.zeros((CANDIDATES, 17), np.int64)
    for row, depth in zip(rows, rng.integers(1, 16, CANDIDATES).tolist(), strict=True):
        row[:depth] = rng.integers(1, 2000 // depth + 1, depth)
    rows[:, -2:] = rng.integers(2, 9, (CANDIDATES, 2))
    cost = PreTrainingCost(13, 1, INPUT_BITS, make_target())
    cost(rows[:100])
    started = time.process_time()
    cost(rows)
    return CANDIDATES / (time.process_time() - started)


def judge(
    rows: Sequence[dict[str, Any]], counted: Sequence[dict[str, str]], front: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Return errors, bars and constants.

    Args:
        rows: Of :func:`measure`, one a network.
        counted: The same networks as Yosys counted them.
        front: Of :func:`measure_front`, one a network, with Yosys' LUTs.
    """
    lut, ff = (np.array([float(row[name]) for row in counted]) for name in ("yosys_lut", "yosys_ff"))
    bits = np.array([[row[f"{kind}_bits"] for kind in KINDS] for row in rows], np.float64)
    unseen = np.array([row["unseen"] == 1 for row in rows])
    uniform = np.array([row["nominal_lut"] is not None for row in rows])
    wide = np.array([row["widest"] >= WIDE for row in rows])
    sparse = np.array([float(row["sparsity"]) > SPARSE for row in counted])
    graph_ff = np.array([row["graph_ff"] for row in rows], np.float64)
    front_lut, front_graph = (np.array([float(row[name]) for row in front]) for name in ("yosys_lut", "graph_lut"))
    front_bits = np.array([[row[f"{kind}_bits"] for kind in KINDS] for row in front], np.float64)
    per_bit = fit_bits(np.vstack([bits[~unseen], front_bits]), np.concatenate([lut[~unseen], front_lut]))
    ff_ratio = fit_ratio(graph_ff[~unseen], ff[~unseen])
    graph, cost = (np.array([row[name] for row in rows], np.float64) for name in ("graph_lut", "graph_cost"))
    yosys_over_cost = fit_ratio(cost[~unseen], lut[~unseen])
    figures = {
        "nominal": np.array([row["nominal_lut"] or 0.0 for row in rows]) / SYNTHESIS_LUT_RATIO,
        "trained": np.array([row["trained_lut"] for row in rows]) / SYNTHESIS_LUT_RATIO,
        "graph": graph * ADDER_GRAPH_LUT_RATIO / SYNTHESIS_LUT_RATIO,
        "graph fitted": bits @ per_bit,
        "da4ml's cost": cost * yosys_over_cost,
    }
    regimes = {"all": lut > -1, "uniform": uniform, "learned": ~uniform, "wide or sparse": wide | sparse}
    halves = {"unseen": unseen, "seen": ~unseen}
    errors = [
        {"law": law, "half": half, "regime": regime}
        | errors_of(values, lut, in_half & of & (uniform | (law != "nominal")))
        for law, values in figures.items()
        for (half, in_half), (regime, of) in itertools.product(halves.items(), regimes.items())
    ]
    flip_flops = {half: errors_of(NETLIST_FF_RATIO * graph_ff, ff, of) for half, of in halves.items()}
    some = lut > 0
    fitted = some & ~unseen
    ends = [np.array([row[end] for row in rows]) for end in ("trained_low", "trained_high")]
    placed = SYNTHESIS_LUT_RATIO * lut
    cycles = sum(row["latency_cycles"] != row["rtl_stages"] for row in rows)
    return {
        "networks": len(rows),
        "luts_per_bit": dict(zip(KINDS, (per_bit / yosys_over_cost).round(3).tolist(), strict=True)),
        "graph_half_width": half_width(
            leave_one_out(np.vstack([bits[fitted], front_bits]), np.concatenate([lut[fitted], front_lut]))
        ),
        "yosys_over_cost": yosys_over_cost,
        "trained_law_over_yosys": 1 / fit_ratio(figures["trained"][~unseen], lut[~unseen]),
        "trained_law_half_width": half_width(np.log(lut[fitted] / figures["trained"][fitted])),
        "ff_ratio": ff_ratio,
        "ff_half_width": half_width(np.log(ff[fitted] / (ff_ratio * graph_ff[fitted]))),
        "static_ff": fit_static_ff([row for row, of in zip(rows, fitted, strict=True) if of], ff[fitted]),
        "errors": errors,
        "front_errors": errors_of(front_graph * ADDER_GRAPH_LUT_RATIO / SYNTHESIS_LUT_RATIO, front_lut, front_lut > 0),
        "ff_errors": flip_flops,
        "latency_wrong": cycles,
        "graph_intervals": interval_coverage(bits[some], lut[some]),
        "trained_coverage": float(np.mean((ends[0] <= placed) & (placed <= ends[1]))),
        "candidates_per_cpu_s": candidates_per_s(),
    }


def bars(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what was asked for, and whether it was reached."""
    of = {(row["law"], row["half"], row["regime"]): row for row in found["errors"]}
    asked = [
        ("candidates a second, static", 10_000.0, None, found["candidates_per_cpu_s"]),
        ("median |LUT error|, shapes and nominal bits", None, 0.20, of["nominal", "unseen", "all"]["median"]),
        ("median |LUT error|, trained weights known", None, 0.10, of["trained", "unseen", "all"]["median"]),
        ("median |LUT error|, adder graph", None, 0.05, of["graph", "unseen", "all"]["median"]),
        ("90 % of |LUT errors|, adder graph", None, 0.15, of["graph", "unseen", "all"]["p90"]),
        ("median |FF error|, adder graph", None, 0.06, found["ff_errors"]["unseen"]["median"]),
        ("latencies that differ from the RTL's", None, 0.0, found["latency_wrong"]),
        ("coverage of adder-graph intervals", 0.85, 0.97, found["graph_intervals"]["coverage"]),
        ("least coverage of a split", 0.75, None, found["graph_intervals"]["least_coverage"]),
        ("upper over lower end of adder-graph intervals", None, 1.25, found["graph_intervals"]["ratio"]),
    ]
    return [
        {"bar": bar, "least": least, "most": most, "reached": reached, "met": _within(reached, least, most)}
        for bar, least, most, reached in asked
    ]


def _within(value: float, least: float | None, most: float | None) -> bool:
    return bool((least is None or value >= least) and (most is None or value <= most))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2, help="processes that count graphs; default: %(default)s")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results; default: beside this file")
    options = parser.parse_args(arguments)
    with (HERE / "networks.csv").open(encoding="utf-8", newline="") as file:
        counted = {row["name"]: row for row in csv.DictReader(file)}
    drawn = [one for one in read_drawn() if one.name in counted]
    with ProcessPoolExecutor(options.workers, multiprocessing.get_context("spawn")) as pool:
        rows = list(pool.map(measure, drawn))
        front = read_front()
        front = [
            row | found for row, found in zip(front, pool.map(measure_front, [r["name"] for r in front]), strict=True)
        ]
    found = judge(rows, [counted[one.name] for one in drawn], front)
    found["bars"] = bars(found)
    with (options.out / "adder_graphs.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "yosys_lut", "yosys_ff"], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            yosys = {name: counted[row["name"]][name] for name in ("yosys_lut", "yosys_ff")}
            writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in (row | yosys).items()})
    write_json(options.out / "adder_graphs.json", provenance() | {"cpu": cpu_name()} | found)
    for row in found["errors"]:
        if row["n"]:
            about = f"{row['law']}, {row['half']}, {row['regime']}: {row['n']:g} networks"
            print(f"{about}, median {row['median']:.1%}, 90 % {row['p90']:.1%}, worst {row['worst']:.1%}")
    for bar in found["bars"]:
        print(f"{'met' if bar['met'] else 'MISSED'}: {bar['bar']} {bar['reached']:.4g}")


if __name__ == "__main__":
    main()
