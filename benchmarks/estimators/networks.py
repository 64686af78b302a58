"""The networks that estimators are judged on: ``python -m benchmarks.estimators.networks``.

``networks/drawn.csv`` names 48 candidates (reference task, jets, digits; uniform and learned bits; depth 1 to 6; eight
of a kind, of bands of LUTs from 100 to 60,000 by the static law of then, two with a layer of 128 to 256), how each is
trained, and which half is never used to fit anything. All of it was drawn by seed 20261129 before anything was
synthesised, with the law of commit 7c55163, whose version of this file has the rule. This trains each candidate and
counts what Yosys makes of the pipelined netlist for UltraScale+. Trained networks are
written to ``networks/``, their figures to ``networks.csv``; what is there is neither trained nor synthesised again.
About two hours of a core.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import multiprocessing
import os
import resource
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._provenance import provenance
from benchmarks.training._machine import cpu_name, write_json
from benchmarks.training._resource_sides import DATA
from nas_fpga.hardware import Mapping, adder_graph, build_netlist, estimate, make_target
from nas_fpga.hardware._logic_synthesis import synthesise
from nas_fpga.space import BitWidths, Candidate, LearnedBits, TrainingSettings
from nas_fpga.study import SearchDefinition, Setup
from nas_fpga.training import QuantizedNetwork, TrainingJob, TrainingResult

HERE = Path(__file__).parent
DRAWN = HERE / "networks" / "drawn.csv"
SEED = 20_261_129  # of the split of the data
LARGEST = 120_000  # by law; learned bits may leave a network above its band, and what is larger is not synthesised
CLOCK_NS = 5.0
FAMILY = "xcup"


@dataclass(frozen=True)
class Drawn:
    """One network to be.

    Attributes:
        name: Of its file.
        data: Name of the data set.
        candidate: What is trained.
        seed: Of its training.
        band: LUTs by the static estimate that it should have; the network of a training that is nearest is taken.
        unseen: Whether it is kept from every fit.
    """

    name: str
    data: str
    candidate: Candidate
    seed: int
    band: tuple[float, float]
    unseen: bool


def read_drawn() -> list[Drawn]:
    """Return all networks, in order."""
    with DRAWN.open(encoding="utf-8", newline="") as file:
        return [_drawn(row) for row in csv.DictReader(file)]


def _drawn(row: dict[str, str]) -> Drawn:
    epochs = int(row["epochs"])
    settings = TrainingSettings(epochs=epochs, patience=epochs, pressure=float(row["pressure"]))
    fixed = row["weight_bits"] != ""
    bits = BitWidths(int(row["weight_bits"]), int(row["activation_bits"])) if fixed else LearnedBits()
    topology = tuple(int(width) for width in row["topology"].split("-"))
    band = float(row["least_lut"]), float(row["most_lut"])
    candidate = Candidate(topology, bits, settings)
    return Drawn(row["name"], row["data"], candidate, int(row["seed"]), band, row["unseen"] == "1")


def train(drawn: Sequence[Drawn], setups: dict[str, Setup], folder: Path) -> None:
    """Train what is not there yet."""
    from nas_fpga.training._population_trainer import PopulationTrainer
    from nas_fpga.training.learned_bits import LearnedBitsTrainer

    for (data, learned), group in itertools.groupby(drawn, lambda one: (one.data, _learned(one))):
        missing = {k: one for k, one in enumerate(group) if not (folder / f"{one.name}.npz").exists()}
        if not missing:
            continue
        setup = setups[data]
        trainer = (LearnedBitsTrainer if learned else PopulationTrainer)(setup.dataset, setup.split, setup.input_format)
        jobs = [TrainingJob(k, one.candidate, one.seed) for k, one in missing.items()]
        for result in trainer.train(jobs):
            one = missing[result.job.number]
            if not isinstance(result, TrainingResult):
                raise SystemExit(f"{one.name} {one.candidate} could not be trained: {result.cause}")
            middle = np.log(one.band).mean()
            network = min(result.networks, key=lambda network: abs(np.log(static_luts(network)) - middle))
            network.save(folder / f"{one.name}.npz")
            print(f"{one.name}: {one.candidate}, {static_luts(network):,.0f} LUT by the law", flush=True)


def _learned(one: Drawn) -> bool:
    return isinstance(one.candidate.bits, LearnedBits)


def static_luts(network: QuantizedNetwork) -> float:
    """Return the LUTs of the static law for distributed arithmetic."""
    mapping = Mapping("distributed_arithmetic", (1,) * len(network.layers))
    return estimate(network, mapping, make_target(clock_ns=CLOCK_NS)).lut.value


def measure(path: Path) -> dict[str, Any]:
    """Return what Yosys makes of the netlist of a network."""
    network = QuantizedNetwork.load(path)
    netlist = build_netlist(adder_graph(network), CLOCK_NS)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        files = netlist.write(Path(folder), "net", "verilog")
        counts = synthesise(files, "net", FAMILY, most_cpu_s=7200, cache=Path(folder) / "cache", message=_silent)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    weights = sum(layer.weights.size for layer in network.layers)
    return {
        "topology": "-".join(map(str, network.topology)),
        "weights": weights,
        "sparsity": 1 - sum(int(np.count_nonzero(layer.weights)) for layer in network.layers) / weights,
        "yosys_lut": counts.lut,
        "yosys_ff": counts.ff,
        "yosys_carry": counts.carry,
        "yosys_cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    }


def _silent(_text: str) -> None:
    return


def _written(table: Path) -> dict[str, dict[str, str]]:
    if not table.exists():
        return {}
    with table.open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def _write(table: Path, rows: dict[str, dict[str, Any]], order: Sequence[str]) -> None:
    there = [rows[name] for name in order if name in rows]
    partial = table.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(there[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(there)
    partial.replace(table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=1, help="processes that synthesise; default: %(default)s")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results; default: beside this file")
    options = parser.parse_args(arguments)
    os.environ.setdefault("KERAS_BACKEND", "jax")
    folder, table = options.out / "networks", options.out / "networks.csv"
    folder.mkdir(parents=True, exist_ok=True)
    setups = {name: Setup(SearchDefinition(seed=SEED), load()) for name, load in DATA.items()}
    drawn = read_drawn()
    train(drawn, setups, folder)
    rows: dict[str, dict[str, Any]] = dict(_written(table))
    sizes = {one.name: static_luts(QuantizedNetwork.load(folder / f"{one.name}.npz")) for one in drawn}
    left_out = [name for name, size in sizes.items() if size > LARGEST]
    missing = [one for one in drawn if one.name not in rows and one.name not in left_out]
    origin = provenance()
    with ProcessPoolExecutor(options.workers, multiprocessing.get_context("spawn")) as pool:
        by_size = sorted(missing, key=lambda one: sizes[one.name])
        waiting = {pool.submit(measure, folder / f"{one.name}.npz"): one for one in by_size}
        for future in as_completed(waiting):
            one = waiting[future]
            numbers = {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in future.result().items()}
            rows[one.name] = {
                "name": one.name,
                "unseen": int(one.unseen),
                "candidate": str(one.candidate),
                **numbers,
                "commit": origin["commit"],
            }
            _write(table, rows, [one.name for one in drawn])
            print(", ".join(f"{name} {value}" for name, value in rows[one.name].items()), flush=True)
    about = {"cpu": cpu_name(), "seed": SEED, "networks": len(rows), "left_out": left_out}
    write_json(options.out / "networks.json", origin | about)


if __name__ == "__main__":
    main()
