"""The scripts that build an HLS project: each says what is missing when its tool is not there."""

from __future__ import annotations

from pathlib import Path

_HEAD = """#!/usr/bin/env bash
# {what}
# Usage: ./build.sh{steps}
set -euo pipefail
cd "$(dirname "$0")"
need() {{
    command -v "$1" >/dev/null && return
    echo "error: $1 is not on PATH; $2" >&2
    exit 1
}}
"""

_XILINX = """
# Steps: csynth (default) writes {top}_prj/solution1/syn/report; csim runs tb_data first; cosim simulates the RTL;
# vsynth runs Vivado's logic synthesis (vivado_synth.rpt); impl places and routes out of context (implement/*.rpt).
csim=0 cosim=0 vsynth=0 impl=0
for step in "$@"; do
    case "$step" in
    csynth) ;;
    csim) csim=1 ;;
    cosim) cosim=1 ;;
    vsynth) vsynth=1 ;;
    impl) impl=1 ;;
    *)
        echo "error: step '$step' is none of csynth, csim, cosim, vsynth, impl" >&2
        exit 2
        ;;
    esac
done
if [ $((vsynth + impl)) -gt 0 ]; then need vivado "source the settings64.sh of Vivado"; fi
"""

_VITIS = """
printf 'array set opt {\\n  reset 1 csim %s synth 1 cosim %s validation %s export 0 vsynth %s fifo_opt 0\\n}\\n' \\
    "$csim" "$cosim" "$((csim * cosim))" "$vsynth" >build_opt.tcl
if command -v vitis-run >/dev/null; then
    vitis-run --mode hls --tcl build_prj.tcl
else
    need vitis_hls "source the settings64.sh of Vitis (2020.2 or later)"
    vitis_hls -f build_prj.tcl
fi
"""

_VIVADO = """
need vivado_hls "source the settings64.sh of Vivado 2020.1 or earlier; for later ones export with --backend vitis"
vivado_hls -f build_prj.tcl \\
    "reset=1 csim=$csim synth=1 cosim=$cosim validation=$((csim * cosim)) export=0 vsynth=$vsynth fifo_opt=0"
"""

_IMPL = """if [ "$impl" = 1 ]; then vivado -mode batch -source implement.tcl; fi
"""

_IMPLEMENT_TCL = """# Places and routes the RTL of csynth out of context: no pins, the clock as asked.
# Reports go to implement/.
source [file join [file dirname [info script]] project.tcl]
file mkdir implement
set verilog ${project_name}_prj/solution1/syn/verilog
cd $verilog
read_verilog [glob *.v]
read_xdc -mode out_of_context ../../../../clock.xdc
synth_design -mode out_of_context -top $project_name -part $part
cd ../../../..
opt_design
place_design
phys_opt_design
route_design
report_utilization -file implement/utilization.rpt
report_timing_summary -file implement/timing.rpt
write_checkpoint -force implement/routed.dcp
"""

_OTHERS = {
    "catapult": (
        "Synthesises the project with Catapult HLS.",
        'need catapult "set PATH to the bin folder of Catapult"\ncatapult -product ultra -shell -f build_prj.tcl\n',
    ),
    "quartus": (
        "Synthesises the project with Intel's HLS compiler.",
        'need i++ "source init_hls.sh of the Intel HLS compiler"\nmake {top}-fpga\n',
    ),
    "oneapi": (
        "Synthesises the project with Intel's oneAPI compiler: an early report, no place and route.",
        'need icpx "source setvars.sh of oneAPI with the FPGA add-on"\nneed cmake "install cmake"\n'
        "mkdir -p build && cd build && cmake .. && make report\n",
    ),
}


# Read before synthesis, so that it, too, works for the clock.
_CLOCK_XDC = "create_clock -name ap_clk -period {clock_ns:.3f} [get_ports ap_clk]\n"


def write_build_scripts(project: Path, backend: str, clock_ns: float) -> None:
    """Write ``build.sh``, and for AMD's tools ``implement.tcl`` with its clock, into an hls4ml project."""
    from nas_fpga.export._hls import PROJECT

    if backend in _OTHERS:
        what, body = _OTHERS[backend]
        text = _HEAD.format(what=what, steps="") + body.replace("{top}", PROJECT)
    else:
        tool = _VITIS if backend == "vitis" else _VIVADO
        what = f"Synthesises the project with {'Vitis' if backend == 'vitis' else 'Vivado'} HLS."
        text = _HEAD.format(what=what, steps=" [csynth] [csim] [cosim] [vsynth] [impl]")
        text += _XILINX.replace("{top}", PROJECT) + tool + _IMPL
        (project / "implement.tcl").write_text(_IMPLEMENT_TCL, encoding="utf-8")
        (project / "clock.xdc").write_text(_CLOCK_XDC.format(clock_ns=clock_ns), encoding="utf-8")
    script = project / "build.sh"
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)
