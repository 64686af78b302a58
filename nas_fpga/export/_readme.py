"""The README of a project, made from its record."""

from __future__ import annotations

import re
from typing import Any

from nas_fpga.export._text import cell, one_line

_KINDS = {
    "distributed_arithmetic": "Weights are constants in the logic: an adder graph (da4ml). Other weights are another "
    "design: export and build again.",
    "latency": "Weights are constants in the logic, a multiplier or shift for each. Other weights are another design: "
    "export and build again.",
    "resource": "Weights are fixed when it is built: constants, or read-only memories that the bitstream fills; there "
    "is no port to reload them. Other weights are another design: export and build again.",
}


def readme(record: dict[str, Any]) -> str:
    """Return the README of a project."""
    parts = [
        _head(record),
        _contents(record),
        _figures(record),
        _ports(record),
        _hls(record),
        _build(record),
        _verified(record),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(record: dict[str, Any]) -> str:
    network = f"Network `{record['candidate']}`" if record["candidate"] else "A model that was trained elsewhere"
    what = "RTL" if record["hls"] is None else f"hls4ml project for {record['hls']['backend']}"
    place = f"for {record['part']} at {record['clock_ns']:g} ns"
    if record["hls"] is not None and not record["hls"]["verifiable"]:
        place = f"for the default device of hls4ml's backend at {record['clock_ns']:g} ns"
    text = (
        f"# {one_line(record['title'])}\n\n{network}, mapping `{record['mapping']['name']}`, {what}, {place}.\n\n"
        f"{_answer(record)} {_KINDS[record['mapping']['strategy']]}"
    )
    if record["pruned"]:
        text += f"\n\n{_pruned(record)}"
    if (record["copies"] or 1) > 1:
        text += (
            f"\n\nOne copy is here; {record['copies']} copies side by side sustain {record['rate_mhz']:g} inferences "
            "per microsecond."
        )
    return text


def _pruned(record: dict[str, Any]) -> str:
    """Return what training took away."""
    pruned, sentences = record["pruned"], []
    if pruned["neurons"]:
        sentences.append(f"Training pruned {pruned['neurons']} of its {pruned['of_neurons']} neurons.")
    if pruned["features"]:
        names = ", ".join(f"`{one_line(name)}`" for name in pruned["features"])
        sentences.append(f"Features on the port that are not read: {names}.")
    return " ".join(sentences)


def _answer(record: dict[str, Any]) -> str:
    """Return what the outputs mean."""
    classes = [one_line(name) for name in record["classes"]]
    if len(classes) > 2:
        return f"One logit for each of {', '.join(classes)}: the largest is the answer."
    text = f"One logit: the larger, the likelier {classes[1]} rather than {classes[0]}."
    if record["threshold"] is not None:
        text += f" Working point: {classes[1]} where it is at least {record['threshold']!r}."
    return text


def _contents(record: dict[str, Any]) -> str:
    rows = [
        ("design.json", "every figure with unit, stage, interval and source; what hls4ml decided; the verification"),
        ("model.keras", "the model, exact in fixed point; raw features in, raw outputs out (`import hgq` to load it)"),
        ("events.npz", "the events of the verification"),
    ]
    if record["candidate"]:
        rows.insert(2, ("network.npz", "the same network in integers"))
    if record["hls"] is not None:
        rows.append(("hls/", "the hls4ml project, its test bench with real events, `build.sh`"))
    if record["rtl"] is not None:
        language = {"verilog": "Verilog", "vhdl": "VHDL"}[record["rtl"]["language"]]
        rows.append(("rtl/", f"{language} with its own test bench and an out-of-context Vivado script"))
    return "\n".join(["| | |", "|---|---|", *(f"| `{name}` | {what} |" for name, what in rows)])


def _figures(record: dict[str, Any]) -> str:
    lines = ["## Figures", ""]
    predicted = any(not name.startswith("rtl_") for name in record["figures"])
    if predicted:
        lines.append(f"Predicted, of one copy on {record['part']}, with 90 % intervals; no vendor tool has run.")
    else:
        lines.append("No estimator knows this model: its cost is what synthesis says.")
    if record["rtl"] is not None:
        lines.append(
            "`rtl_` rows are counted in `rtl/` as written; the latency is that of the IP, registers at its ports "
            "included."
        )
    if record["figures"]:
        lines += [
            "",
            "| | value | 90 % interval | stage | source |",
            "|---|---|---|---|---|",
        ]
        for name, figure in record["figures"].items():
            source = figure["source"]
            if figure["original"]:
                source += "; {:,.4g} at {}".format(*figure["original"])
            lines.append(
                f"| {name} | {figure['value']:,.4g} {figure['unit']} | {figure['low']:,.4g} to {figure['high']:,.4g} | "
                f"{figure['stage']} | {source} |"
            )
    if record["merits"]:
        lines += ["", "| figure of merit | |", "|---|---|"]
        lines += [f"| {name} | {_number(value)} |" for name, value in record["merits"].items() if value is not None]
    return "\n".join(lines)


def _ports(record: dict[str, Any]) -> str:
    lines = ["## Ports", ""]
    hls = record["hls"]
    if hls is not None:
        lines += [_hls_ports(record), ""]
    if record["rtl"] is not None:
        rtl = record["rtl"]
        lines += [
            f"`rtl/`: as written it takes an event every {_cycles(rtl['ii_cycles'])} and answers "
            f"{_cycles(rtl['latency_cycles'])} ({rtl['latency_ns']:g} ns) later; `rtl/ports.md` has the packing of its "
            "ports.",
            "",
        ]
    known = "bits" in record["features"][0]
    lines += [
        "| feature | unit |" + (" format inside the design |" if known else ""),
        "|---|---|" + ("---|" if known else ""),
    ]
    for feature in record["features"]:
        row = f"| {cell(feature['name'])} | {cell(feature['unit']) or '-'} |"
        if known:
            sign = "signed" if feature["signed"] else "unsigned"
            used = f"{feature['bits']} bits, {sign}, step 2^{-feature['fraction_bits']}"
            row += f" {used if feature['bits'] else 'not read'} |"
        lines.append(row)
    return "\n".join(lines)


def _hls_ports(record: dict[str, Any]) -> str:
    """Return what a sender puts on the ports of an HLS project, and what it gets."""
    hls, d = record["hls"], len(record["features"])
    text = (
        f"`hls/`: `features` is an array of {d} raw features `{hls['input_type']}`, the result one of logits "
        f"`{hls['output_type']}`. `fixed<W,I>` is two's complement of W bits, I of them before the binary point with "
        "the sign; `ufixed` has no sign."
    )
    kind = re.fullmatch(r"(u?)fixed<(\d+),(-?\d+),(RND|TRN),(SAT|WRAP),0>", hls["input_type"])
    if kind is None or not hls["verifiable"]:
        return text
    width, fraction = int(kind[2]), int(kind[2]) - int(kind[3])
    low, high = (0, 2**width - 1) if kind[1] else (-(2 ** (width - 1)), 2 ** (width - 1) - 1)
    sent = f"floor(x * 2^{fraction}{' + 1/2' if kind[4] == 'RND' else ''})"
    beyond = f"held between {low} and {high}" if kind[5] == "SAT" else f"of which the lowest {width} bits count"
    inside = "" if kind[4] == "RND" else " Rounding and saturation to the formats below are inside."
    return (
        f"{text}\nIn hardware they are one port of {d * width} bits, the first feature lowest. A raw value x is sent "
        f"as the integer {sent}, {beyond}: the sender does what the C++ does where it is given x itself.{inside}"
    )


def _hls(record: dict[str, Any]) -> str:
    hls = record["hls"]
    if hls is None:
        return ""
    lines = [
        "## What hls4ml builds",
        "",
        "Read back from the converted model.",
        "",
        "| layer | shape | strategy | reuse factor | weights | accumulator | result |",
        "|---|---|---|---|---|---|---|",
    ]
    for layer in hls["layers"]:
        factor = str(layer["reuse_factor"])
        if layer["reuse_factor"] != layer["asked_reuse_factor"]:
            factor += f" (asked {layer['asked_reuse_factor']})"
        types = layer["types"]
        cells = (types.get(name, "constants") for name in ("weight", "accum"))
        result = types.get("result", "")
        lines.append(
            f"| {layer['name']} | {layer['n_in']} x {layer['n_out']} | {layer['strategy']} | {factor} | "
            f"{' | '.join(cells)} | {result} |"
        )
    if hls["clock_uncertainty"]:
        lines += [
            "",
            f"Clock uncertainty: C synthesis keeps {hls['clock_uncertainty']} of the period free (hls4ml's default).",
        ]
    return "\n".join(lines)


def _build(record: dict[str, Any]) -> str:
    lines = ["## Build", ""]
    if record["hls"] is not None:
        lines.append(
            "HLS, in `hls/`: the top function is `network`. `build.sh` runs C synthesis; its first lines say what "
            "else it can run and what it needs."
        )
        if record["hls"]["verifiable"]:
            lines.append(
                "With `csim` it runs the first events of `events.npz`; `hls/tb_data/csim_results.log` then has, to six "
                "digits, what Keras gave: `tb_output_predictions.dat` beside it."
            )
    if record["rtl"] is not None:
        lines += [record["rtl"]["how_to_build"]]
    return "\n".join(lines)


def _verified(record: dict[str, Any]) -> str:
    found, hls = record["verification"], record["hls"]
    lines = ["## Verified", ""]
    if hls is not None and not hls["verifiable"]:
        lines.append(f"Written, not verified: no tool here can run a {hls['backend']} project.")
    elif found is None:
        lines.append("Not yet: run `nas-fpga verify` on this folder.")
    else:
        proof = "the C++ of `hls/`, compiled and run" if found["proof"] == "cpp" else "the RTL of `rtl/`, simulated"
        verdict = "passed" if found["passed"] else "FAILED"
        lines.append(
            f"{found['date']}, {verdict}: {proof} ({found['tool']}) against `model.keras`. {found['events']:,} events "
            f"({found['real_events']:,} real), {found['outputs']:,} outputs ({found['distinct_outputs']:,} distinct), "
            f"{found['differing']:,} differing, largest difference {found['largest_difference']:g}, "
            f"{found['wall_time_s']:.0f} s."
        )
        if found["latency_cycles"] is not None:
            lines.append(f"Latency {found['latency_cycles']} cycles, stated {found['stated_latency_cycles']}.")
        if found["integers_differing"] is not None:
            lines.append(f"Against the integers of `network.npz`: {found['integers_differing']:,} differing.")
        if found["float32_rounds"]:
            lines.append("Sums need more than 24 bits, where Keras rounds in float32: the integers decide.")
        if found["changed_since_export"]:
            lines.append(f"Not as exported: {', '.join(f'`{place}`' for place in found['changed_since_export'])}.")
        if hls is not None and found["proof"] == "rtl":
            lines.append(
                "The C++ of `hls/` was not compiled, which takes minutes for so large an adder graph: the RTL is the "
                "same network through the same adder graphs. `nas-fpga verify --proof cpp` compiles it."
            )
    lines += [
        "",
        "Not verified: what synthesis, place and route make of it, and timing. No vendor tool has run.",
    ]
    return "\n".join(lines)


def _cycles(n: int) -> str:
    return "cycle" if n == 1 else f"{n} cycles"


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
