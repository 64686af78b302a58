"""What a project says of itself: ``design.json``."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nas_fpga import __version__
from nas_fpga.errors import InputError
from nas_fpga.export._design import Design
from nas_fpga.export._events import VerificationEvents
from nas_fpga.hardware import Figure, Unit
from nas_fpga.space import format_network
from nas_fpga.training import QuantizedNetwork

RECORD = "design.json"
README = "README.md"
BUILD_OPTIONS = "hls/build_opt.tcl"
FORMAT = 2
_FIGURES = ("lut", "ff", "dsp", "bram18", "latency_cycles", "latency_ns", "ii_cycles", "ebops")
_PACKAGES = ("keras", "HGQ2", "hls4ml", "da4ml", "numpy")


def describe(design: Design, events: VerificationEvents) -> dict[str, Any]:
    """Return all that is known of a design as JSON values; what the tools made of it is added by them."""
    network, target, figures = design.network, design.target, design.figures
    record: dict[str, Any] = {
        "format": FORMAT,
        "title": design.title,
        "candidate": format_network(network.candidate, network.topology) if network is not None else None,
        "pruned": _pruned(design, network) if network is not None else None,
        "mapping": {
            "strategy": design.mapping.strategy,
            "reuse_factors": list(design.mapping.reuse_factors),
            "name": str(design.mapping),
        },
        "part": target.part.name,
        "clock_ns": target.clock_ns,
        "rate_mhz": target.rate_mhz,
        "copies": figures.copies if figures is not None else None,
        "figures": {name: asdict(getattr(figures, name)) for name in _FIGURES} if figures is not None else {},
        "merits": dict(design.merits),
        "threshold": design.threshold,
        "features": [
            {"name": name, "unit": unit} for name, unit in zip(design.feature_names, design.feature_units, strict=True)
        ],
        "classes": list(design.class_names),
        "accumulator_bits": list(network.accumulator_bits()) if network is not None else None,
        "events": {"real": events.n_real, "drawn": events.n_drawn, "edge_cases": events.n_edges},
        "versions": _versions(),
    }
    if network is not None:
        form = network.input_format
        columns = (form.bits, form.signed, form.fraction_bits, form.scale_log2)
        for feature, *values in zip(record["features"], *(column.tolist() for column in columns), strict=True):
            feature |= dict(zip(("bits", "signed", "fraction_bits", "scale_log2"), values, strict=True))
    return record | {"hls": None, "rtl": None, "verification": None}


def _pruned(design: Design, network: QuantizedNetwork) -> dict[str, Any] | None:
    """Return how many neurons training has taken away, and the features that are not read; None if it took nothing."""
    trained = network.candidate.n_neurons
    neurons = trained - sum(network.topology)
    unread = [name for name, used in zip(design.feature_names, network.input_format.used, strict=True) if not used]
    return {"neurons": neurons, "of_neurons": trained, "features": unread} if neurons or unread else None


def rtl_figures(rtl: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of RTL as it is written, ``rtl_lut`` and so on: counted, so their interval is one value."""
    graph = "da4ml's adder graph in rtl/"
    whole = graph + (", decision included" if rtl["decision"]["kind"] != "none" else "")
    counted: dict[str, tuple[float, Unit, str]] = {
        "rtl_lut": (rtl["lut"]["value"], "LUT", graph),
        "rtl_ff": (rtl["ff"]["value"], "FF", graph),
        "rtl_latency_cycles": (rtl["latency_cycles"], "cycles", whole),
        "rtl_latency_ns": (rtl["latency_ns"], "ns", whole),
        "rtl_ii_cycles": (rtl["ii_cycles"], "cycles", whole),
    }
    return {
        name: asdict(Figure(value, unit, "adder-graph", value, value, of))
        for name, (value, unit, of) in counted.items()
    }


@functools.cache
def _versions() -> dict[str, str]:
    return {"nas-fpga": __version__} | {name: importlib.metadata.version(name) for name in _PACKAGES}


def read_record(folder: Path) -> dict[str, Any]:
    """Return the record of a project.

    Raises:
        InputError: The folder holds no project of ours, or one of another version.
    """
    path = folder / RECORD
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] != FORMAT:
            raise InputError(f"{path} has format {record['format']}, this version reads {FORMAT}; export it again")
        _check_keys(record)
    except FileNotFoundError:
        raise InputError(
            f"{folder} is no exported project: it has no {RECORD}; give the folder of nas-fpga export"
        ) from None
    except KeyError as error:
        raise InputError(f"{path} lacks {error}; export the project again") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path} cannot be read ({error}); export the project again") from error
    return record


def _check_keys(record: dict[str, Any]) -> None:
    """Look up what is read of a record.

    Raises:
        KeyError: Something is missing.
    """
    from nas_fpga.export._readme import readme

    readme(record)  # reads nearly all of it
    for name in ("files_sha256", "threshold", "verification"):
        record[name]
    if record["hls"] is not None:
        record["hls"]["backend"]
    if record["rtl"] is not None:
        record["rtl"]["decision"]["kind"]


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write ``design.json`` and the README that is made from it."""
    from nas_fpga.export._readme import readme

    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    (folder / README).write_text(readme(record), encoding="utf-8")


def fingerprints(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a project but its README and record, by its place."""
    return {
        path.relative_to(folder).as_posix(): _sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path not in (folder / RECORD, folder / README)
    }


def changed_files(folder: Path, record: dict[str, Any]) -> list[str]:
    """Return the files of a project that are gone or not as they were exported.

    What the vendor's tools add is none of them, nor the options that ``build.sh`` writes for them.
    """
    return [
        place
        for place, digest in record["files_sha256"].items()
        if place != BUILD_OPTIONS and not ((folder / place).is_file() and _sha256(folder / place) == digest)
    ]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
