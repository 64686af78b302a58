"""Members against themselves alone, their exported models and their C++: ``python -m benchmarks.training.exact``.

Trains 30 networks of depth 1 to 15 on the reference task with fixed bits, and 30 with learned ones, in two slots. Each
is then trained alone and compared integer by integer; its outputs for 10,000 events are compared with those of the HGQ2
model that is rebuilt from it; and five of each kind are written as hls4ml projects, compiled, and compared with that
model. Writes ``exact.csv``, a line for each network, and ``exact.json``. About fifteen minutes.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._provenance import provenance
from nas_fpga.export import design_of_model, export, hgq_model, mapping_of, verify
from nas_fpga.hardware import make_target
from nas_fpga.space import BitWidths, Candidate, LearnedBits, TrainingSettings
from nas_fpga.study import DataSource, SearchDefinition, Setup, load_data
from nas_fpga.testing import integers_of
from nas_fpga.training import QuantizedNetwork, TrainingJob, TrainingResult

HERE = Path(__file__).parent
EVENTS = 10_000
DEPTHS = tuple(range(1, 16))
COMPILED = (1, 2, 3, 5, 9)  # depths whose first network is compiled


def jobs(kind: str, epochs: int, depths: Sequence[int]) -> list[TrainingJob]:
    """Return two networks of every depth, of 3 to 8 and of 9 to 16 neurons a layer."""
    rng = np.random.default_rng(5)
    found = []
    for depth in depths:
        for low, high in ((3, 9), (9, 17)):
            topology = tuple(rng.integers(low, high, depth).tolist())
            fixed = BitWidths(*rng.integers(2, 9, 2).tolist())
            bits = LearnedBits() if kind == "learned" else fixed
            settings = TrainingSettings(epochs=epochs, patience=epochs, pressure=10 ** rng.uniform(-5.5, -4))
            found.append(TrainingJob(len(found), Candidate(topology, bits, settings), seed=len(found)))
    return found


def compiled(network: QuantizedNetwork, setup: Setup) -> tuple[int, int]:
    """Return how many outputs of the network's C++ differ from its model, and of how many."""

    def silent(_text: str) -> None:
        return

    with tempfile.TemporaryDirectory() as folder:
        checkpoint, project = Path(folder) / "network_0.npz", Path(folder) / "project"
        network.save(checkpoint)
        design = design_of_model(
            checkpoint,
            setup.dataset,
            make_target(),
            mapping=lambda shapes: mapping_of(shapes, "latency", message=silent),
            message=silent,
        )
        export(design, project, message=silent)
        found = verify(project, proof="cpp", message=silent)
    return found.differing, found.outputs


def measure(kind: str, setup: Setup, epochs: int, depths: Sequence[int]) -> list[dict[str, Any]]:
    """Train the networks of a kind and compare them; a row for each."""
    from nas_fpga.training._population_trainer import PopulationTrainer
    from nas_fpga.training.learned_bits import LearnedBitsTrainer

    rooms = setup.dataset, setup.split, setup.input_format
    trainer = LearnedBitsTrainer(*rooms, slots=2) if kind == "learned" else PopulationTrainer(*rooms, slots=2)
    planned = jobs(kind, epochs, depths)
    together = {result.job.number: result for result in trainer.train(planned)}
    features = setup.dataset.features[:EVENTS]
    rows = []
    for job in planned:
        (alone,) = trainer.train([job])
        result = together[job.number]
        assert isinstance(result, TrainingResult)
        assert isinstance(alone, TrainingResult)
        network = result.networks[-1]
        outputs = np.asarray(hgq_model(network).predict(features, batch_size=EVENTS, verbose=0), np.float64)
        row: dict[str, Any] = {
            "kind": kind,
            "candidate": str(job.candidate),
            "networks": len(result.networks),
            "left": "-".join(map(str, network.topology)),
            "as_alone": list(map(integers_of, alone.networks)) == list(map(integers_of, result.networks)),
            "events": len(features),
            "differing_from_hgq2": int(np.count_nonzero(outputs != network.logits(features))),
            "accumulator_bits": max(network.accumulator_bits()),
            "differing_in_cpp": "",
            "outputs_in_cpp": "",
        }
        if job.candidate.n_layers in COMPILED and job.number % 2 == 0:
            row["differing_in_cpp"], row["outputs_in_cpp"] = compiled(network, setup)
        rows.append(row)
        print(", ".join(f"{name} {value}" for name, value in row.items() if value != ""), flush=True)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--depths", type=int, default=len(DEPTHS), help="only the first so many, to try it out")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results; default: beside this file")
    options = parser.parse_args(arguments)
    os.environ.setdefault("KERAS_BACKEND", "jax")
    origin = provenance()
    definition = SearchDefinition()
    setup = Setup(definition, load_data(DataSource()))
    rows = [
        row for kind in ("fixed", "learned") for row in measure(kind, setup, options.epochs, DEPTHS[: options.depths])
    ]
    with (options.out / "exact.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    summary = origin | {
        "command": "python -m benchmarks.training.exact",
        "networks": len(rows),
        "not_as_alone": sum(not row["as_alone"] for row in rows),
        "outputs_against_hgq2": sum(row["events"] for row in rows),
        "differing_from_hgq2": sum(row["differing_from_hgq2"] for row in rows),
        "outputs_in_cpp": sum(row["outputs_in_cpp"] or 0 for row in rows),
        "differing_in_cpp": sum(row["differing_in_cpp"] or 0 for row in rows),
        "accumulators_wider_than_24_bits": sum(row["accumulator_bits"] > 24 for row in rows),
    }
    (options.out / "exact.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(summary, indent=2))


if __name__ == "__main__":
    main()
