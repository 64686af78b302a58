"""How far others' estimates are from the same reports and netlists: ``python -m benchmarks.estimators.peers``.

Beside our laws, each on layer shapes that its constants have not seen, stand

- rule4ml 0.2.0: the graph networks that it loads by default; layers within the data that they were trained on (the data
  card of wa-hls4ml) are also judged apart. It takes one precision for all, that of the weights or that of the data. It
  sees no weights, beside it is also our law without, no clock (its data are of 10 ns, the reports of 5), and its data
  have no layers that stand alone;
- EBOPs: LUT + 55 DSP = EBOPs (HGQ, arXiv:2405.00645), which is meant of placed designs, and EBOPs times one constant
  that is fitted as ours are, so that the stage does not count;
- hls4ml's own count of DSPs (1.3.0, its pruning for DSPs): the weights over the reuse factor from 9 bits, else none.

Reports are those of :mod:`benchmarks.estimators.hls_reports`, placed designs the published JEDI-linear networks,
trained networks those of :mod:`benchmarks.estimators.networks` in distributed arithmetic, as many as are synthesised;
ours are carried to that stage. Writes ``peers.csv``, a row for each source and set of rows, and ``peers.json``, in
seconds. What rule4ml said is in ``data/rule4ml.csv``; to ask it again, which takes minutes::

    python3 -m venv ENV
    ENV/bin/pip install torch torch-geometric tensorflow-cpu pandas scikit-learn tqdm
    ENV/bin/pip install --no-deps rule4ml==0.2.0
    python -m benchmarks.estimators.peers --rule4ml ENV/bin/python

rule4ml is GPL-3, so it has an environment of its own. A torch for CPUs is enough; what only tuning needs is left out.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._provenance import provenance
from benchmarks.estimators import _rule4ml, hls_reports
from benchmarks.estimators.hls_reports import REPORTS, Array, Law, errors, read, relative_errors, unseen
from benchmarks.training._machine import write_json
from nas_fpga.hardware._stages import ADDER_GRAPH_LUT_RATIO, SYNTHESIS_LUT_RATIO
from nas_fpga.hardware._traits import measured_traits
from nas_fpga.training import QuantizedNetwork

HERE = Path(__file__).parent
DATA = HERE / "data"
LAYER = ("strategy", "n_in", "n_out", "bits", "reuse_factor")
DATA_BITS = 16  # of the reports
# Dense networks of the data card of wa-hls4ml, least and most.
TRAINED_ON = {"n_in": (8, 128), "n_out": (8, 128), "bits": (2, 16), "reuse_factor": (1, 4093)}
EBOPS_PER_DSP = 55  # LUTs that a DSP stands for, as said by HGQ
WITH_DSPS = f"with {EBOPS_PER_DSP} a DSP"
LEAST_BITS_ON_DSP = 9  # of weights, as said by hls4ml

Rows = dict[str, NDArray[Any]]
Layer = tuple[Any, ...]  # as in LAYER


@dataclass(frozen=True)
class Said:
    """Figures of one source for the rows of one law.

    Attributes:
        source: Who says so.
        law: What is judged, with the source's terms.
        sets: Masks `(n,)` of the rows that are also judged apart, by name.
    """

    source: str
    law: Law
    sets: dict[str, NDArray[np.bool_]]

    def table(self) -> Iterator[dict[str, Any]]:
        """Yield the errors on all rows and on each set that has any."""
        everything = np.ones(len(self.law.reported), np.bool_)
        figures = unseen(self.law, everything)
        relative = relative_errors(self.law.quantity, figures, self.law.reported)
        for name, rows in {"all": everything, **self.sets}.items():
            if rows.any():
                yield {
                    "regime": self.law.regime,
                    "quantity": self.law.quantity,
                    "note": self.law.note,
                    "source": self.source,
                    "set": name,
                    **errors(self.law, figures, rows),
                    "p90": np.quantile(relative[rows], 0.9),
                }


def fixed(law: Law, figures: Array) -> Law:
    """Return a law that says these figures of the same rows."""
    return replace(law, terms=figures[:, None], signed=False, fixed=True)


def scaled(law: Law, figures: Array) -> Law:
    """Return a law that says these figures times one constant, to be fitted."""
    return replace(law, terms=figures[:, None], signed=False, fixed=False)


def layers_of(rows: Rows, strategy: str) -> list[Layer]:
    """Return the layers that reports are of.

    Args:
        rows: Reports; without a reuse factor it is 1.
        strategy: Of those that do not say.
    """
    n = len(rows["n_in"])
    return _zipped({"strategy": np.full(n, strategy), "bits": rows["weight_bits"], "reuse_factor": np.ones(n)} | rows)


def _zipped(columns: Rows) -> list[Layer]:
    rows = zip(*(columns[name] for name in LAYER), strict=True)
    return [(str(strategy), *map(int, numbers)) for strategy, *numbers in rows]


def with_data_bits(layer: Layer) -> Layer:
    """Return the layer as its data are."""
    strategy, n_in, n_out, _, reuse_factor = layer
    return strategy, n_in, n_out, DATA_BITS, reuse_factor


def sets_of(layers: Sequence[Layer]) -> dict[str, NDArray[np.bool_]]:
    """Return what is judged apart: layers within what rule4ml was trained on, those outside, and each larger width."""
    columns = dict(zip(LAYER, zip(*layers, strict=True), strict=True))
    within = [
        (np.array(columns[name]) >= low) & (columns[name] <= np.array(high)) for name, (low, high) in TRAINED_ON.items()
    ]
    inside = np.all(within, axis=0)
    widest = np.maximum(columns["n_in"], columns["n_out"])
    apart = {f"widest {width}": widest == width for width in np.unique(widest)}
    return {"within rule4ml's data": inside, "outside rule4ml's data": ~inside} | apart


def ask_rule4ml(python: Path, layers: Sequence[Layer]) -> list[dict[str, float]]:
    """Return what rule4ml says of layers.

    Raises:
        SystemExit: The interpreter has no rule4ml, or another version.
    """
    request = json.dumps([dict(zip(LAYER, layer, strict=True)) for layer in layers])
    command = [python, _rule4ml.__file__]
    child = subprocess.run(command, input=request, capture_output=True, text=True, check=False)
    if child.returncode:
        raise SystemExit(f"{python} cannot ask rule4ml: {child.stderr.strip().splitlines()[-1]}")
    said: list[dict[str, float]] = json.loads(child.stdout)
    return said


def write_said(path: Path, layers: Sequence[Layer], said: Sequence[dict[str, float]]) -> None:
    """Write what rule4ml said of layers."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*LAYER, *_rule4ml.NAMES])
        for layer, figures in zip(layers, said, strict=True):
            writer.writerow([*layer, *(f"{figures[name]:.5g}" for name in _rule4ml.NAMES)])


def read_said(path: Path) -> dict[Layer, dict[str, float]]:
    """Return what rule4ml said of each layer."""
    rows = read(path)
    figures = ({name: float(rows[name][i]) for name in _rule4ml.NAMES} for i in range(len(rows["n_in"])))
    return dict(zip(_zipped(rows), figures, strict=True))


def hls4ml_dsps(rows: Rows) -> Array:
    """Return the DSPs `(n,)` that hls4ml counts."""
    reuse = rows.get("reuse_factor", np.ones(1))
    counted: Array = np.where(rows["weight_bits"] < LEAST_BITS_ON_DSP, 0, rows["n_in"] * rows["n_out"] // reuse)
    return counted


def of_reports(
    found: Sequence[Law], rows: Rows, layers: Sequence[Layer], said: dict[Layer, dict[str, float]]
) -> Iterator[Said]:
    """Yield our laws of reports, rule4ml and hls4ml's count of DSPs."""
    sets = sets_of(layers)
    for law in found:
        yield Said("nas-fpga", law, sets)
        if law.note:
            continue
        for which, asked in (("weights", layers), ("data", map(with_data_bits, layers))):
            predicted = np.array([said[layer][law.quantity] for layer in asked])
            yield Said(f"rule4ml, bits of {which}", fixed(law, predicted), sets)
        if law.quantity == "dsp":
            yield Said("hls4ml", fixed(law, hls4ml_dsps(rows)), sets)


def of_unrolled_ebops(found: Sequence[Law], rows: Rows, layers: Sequence[Layer]) -> Iterator[Said]:
    """Yield EBOPs and ours for LUT + 55 DSP of unrolled reports."""
    sets = sets_of(layers)
    lut, dsp = (next(law for law in found if law.quantity == name and not law.note) for name in ("lut", "dsp"))
    everything = np.ones(len(lut.reported), np.bool_)
    both = replace(lut, reported=lut.reported + EBOPS_PER_DSP * dsp.reported, note=WITH_DSPS)
    yield Said("nas-fpga", fixed(both, unseen(lut, everything) + EBOPS_PER_DSP * unseen(dsp, everything)), sets)
    counted = read(DATA / "unrolled_ebops.csv")
    shape = ("n_in", "n_out", "weight_bits")
    ebops_of = dict(zip(zip(*(counted[name] for name in shape), strict=True), counted["ebops"], strict=True))
    ebops = np.array([ebops_of[layer] for layer in zip(*(rows[name] for name in shape), strict=True)])
    yield from by_ebops(both, ebops, sets)


def by_ebops(law: Law, ebops: Array, sets: dict[str, NDArray[np.bool_]]) -> Iterator[Said]:
    """Yield EBOPs as they are, and times one constant."""
    yield Said("EBOPs", fixed(law, ebops), sets)
    yield Said("EBOPs, scaled", scaled(law, ebops), sets)


def of_designs(regime: str, luts: Array) -> Law:
    """Return what is judged of whole designs, each apart from all others in every fit."""
    number = np.arange(len(luts), dtype=np.float64)
    return Law(regime, "lut", np.column_stack([number, number]), luts, luts[:, None])


def of_placed() -> Iterator[Said]:
    """Yield EBOPs and da4ml's adder graphs for placed designs without DSPs."""
    rows = read(REPORTS / "jedi_linear.csv")
    law = of_designs("placed", rows["lut"])
    yield Said("nas-fpga, adder graphs", scaled(law, rows["da4ml_cost"]), {})
    yield from by_ebops(law, rows["ebops"], {})


def of_networks() -> Iterator[Said]:
    """Yield EBOPs and ours for the LUTs of trained networks in distributed arithmetic, as Yosys counts them."""
    with (HERE / "adder_graphs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = ("trained_lut", "graph_lut", "yosys_lut")
    static, graph, yosys = (np.array([float(row[column]) for row in rows]) for column in columns)
    networks = (QuantizedNetwork.load(HERE / "networks" / f"{row['name']}.npz") for row in rows)
    ebops = np.array([measured_traits(network).ebops for network in networks])
    law, sets = of_designs("networks", yosys), {"kept from fits": np.array([row["unseen"] == "1" for row in rows])}
    yield Said("nas-fpga, static law", fixed(law, static / SYNTHESIS_LUT_RATIO), sets)
    yield Said("nas-fpga, adder graphs", fixed(law, graph * (ADDER_GRAPH_LUT_RATIO / SYNTHESIS_LUT_RATIO)), sets)
    yield from by_ebops(law, ebops, sets)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results; default: beside this file")
    parser.add_argument("--rule4ml", type=Path, metavar="PYTHON", help="interpreter that has rule4ml: ask it anew")
    options = parser.parse_args(arguments)
    read_from = {
        "resource": (REPORTS / "resource_reports.csv", hls_reports.resource_laws),
        "unrolled": (REPORTS / "unrolled_reports.csv", hls_reports.unrolled_laws),
        "latency": (DATA / "latency_folded_reports.csv", hls_reports.latency_laws),
    }
    reports = {name: read(path) for name, (path, _) in read_from.items()}
    layers = {name: layers_of(rows, name) for name, rows in reports.items()}
    laws = {name: list(of(reports[name])) for name, (_, of) in read_from.items()}
    if options.rule4ml:
        once = {layer for each in layers.values() for layer in (*each, *map(with_data_bits, each))}
        asked = sorted(once, key=lambda layer: (layer[1:3], layer))
        write_said(DATA / "rule4ml.csv", asked, ask_rule4ml(options.rule4ml, asked))
    said = read_said(DATA / "rule4ml.csv")
    judged = [each for name in reports for each in of_reports(laws[name], reports[name], layers[name], said)]
    judged += of_unrolled_ebops(laws["unrolled"], reports["unrolled"], layers["unrolled"])
    judged += [*of_placed(), *of_networks()]
    table = [row for each in judged for row in each.table()]
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "peers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        for row in table:
            writer.writerow({key: f"{x:.4g}" if isinstance(x, float) else x for key, x in row.items()})
    apart = {name: sets_of(each)["outside rule4ml's data"] for name, each in layers.items()}
    outside = {name: {"reports": len(mask), "outside": int(mask.sum())} for name, mask in apart.items()}
    write_json(options.out / "peers.json", provenance() | {"rule4ml": {"version": _rule4ml.VERSION} | outside})
    for row in table:
        if row["set"] == "all":
            what = " ".join(filter(None, (row["regime"], row["quantity"], row["note"])))
            print(f"{what}: {row['source']} {row['smape']:.1%}, median {row['median']:.1%}, p90 {row['p90']:.1%}")


if __name__ == "__main__":
    main()
