"""The README of a project, made from its record."""

from __future__ import annotations

from typing import Any

_KINDS = {
    "distributed_arithmetic": "Weights are constants in the logic: an adder graph (da4ml). Other weights are another "
    "design: export and build again.",
    "latency": "Weights are constants in the logic, a multiplier or shift for each. Other weights are another design: "
    "export and build again.",
    "resource": "Weights lie in read-only memories or registers that the bitstream fills; there is no port to reload "
    "them. Other weights of the same network keep its shape and timing: export and build again.",
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
    text = (
        f"# {record['title']}\n\n{network}, mapping `{record['mapping']['name']}`, {what}, for {record['part']} at "
        f"{record['clock_ns']:g} ns.\n\n{_KINDS[record['mapping']['strategy']]}"
    )
    if (record["copies"] or 1) > 1:
        text += (
            f"\n\nOne copy is here; {record['copies']} copies side by side sustain {record['rate_mhz']:g} inferences "
            "per microsecond."
        )
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
        rows.append(("rtl/", "Verilog or VHDL with its own test bench and Vivado script"))
    return "\n".join(["| | |", "|---|---|", *(f"| `{name}` | {what} |" for name, what in rows)])


def _figures(record: dict[str, Any]) -> str:
    lines = ["## Figures", ""]
    if record["figures"]:
        lines += [
            "Predicted, of one copy, with 90 % intervals; no vendor tool has run.",
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
    else:
        lines.append("No estimator knows this model: its cost is what synthesis says.")
    if record["merits"]:
        lines += ["", "| figure of merit | |", "|---|---|"]
        lines += [f"| {name} | {_number(value)} |" for name, value in record["merits"].items() if value is not None]
    if record["threshold"] is not None:
        lines += ["", f"Working point: the output is at least {record['threshold']!r}."]
    return "\n".join(lines)


def _ports(record: dict[str, Any]) -> str:
    lines = ["## Ports", ""]
    hls = record["hls"]
    if hls is not None:
        lines += [
            f"`hls/`: one array of {len(record['features'])} elements `{hls['input_type']}` takes raw features; one of "
            f"`{hls['output_type']}` gives raw outputs (logits). `fixed<W,I>` has W bits, I of them before the binary "
            "point, a sign included unless it is `ufixed`. Values that do not fit saturate; finer ones are cut.",
            "",
        ]
    if record["rtl"] is not None:
        lines += ["`rtl/ports.md` has the packing of the RTL's ports.", ""]
    known = "input_format" in record
    lines += [
        "| feature | unit |" + (" format inside the design |" if known else ""),
        "|---|---|" + ("---|" if known else ""),
    ]
    for feature in record["features"]:
        row = f"| {feature['name']} | {feature['unit']} |"
        if known:
            sign = "signed" if feature["signed"] else "unsigned"
            row += f" {record['input_format']['bits']} bits, {sign}, step 2^{-feature['fraction_bits']} |"
        lines.append(row)
    return "\n".join(lines)


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
        lines += ["", f"Clock uncertainty: {hls['clock_uncertainty']} (hls4ml's default)."]
    return "\n".join(lines)


def _build(record: dict[str, Any]) -> str:
    lines = ["## Build", ""]
    if record["hls"] is not None:
        lines.append("`hls/build.sh` runs C synthesis; its first lines say what else it can run and what it needs.")
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
            f"({found['real_events']:,} real), {found['outputs']:,} outputs, {found['differing']:,} differing, largest "
            f"difference {found['largest_difference']:g}, {found['wall_time_s']:.0f} s."
        )
        if found["latency_cycles"] is not None:
            lines.append(f"Latency {found['latency_cycles']} cycles, stated {found['stated_latency_cycles']}.")
        if found["integers_differing"] is not None:
            lines.append(f"Against the integers of `network.npz`: {found['integers_differing']:,} differing.")
        if found["float32_rounds"]:
            lines.append("Sums need more than 24 bits, where Keras rounds in float32: the integers decide.")
        lines.append(f"Files as verified: SHA-256 `{found['files_sha256']}`.")
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


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
