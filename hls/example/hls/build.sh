#!/usr/bin/env bash
# Synthesises the project with Vitis HLS.
# Usage: ./build.sh [csynth] [csim] [cosim] [vsynth] [impl]
set -euo pipefail
cd "$(dirname "$0")"
need() {
    command -v "$1" >/dev/null && return
    echo "error: $1 is not on PATH; $2" >&2
    exit 1
}

# Steps: csynth (default) writes network_prj/solution1/syn/report; csim runs tb_data first; cosim simulates the RTL;
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

printf 'array set opt {\n  reset 1 csim %s synth 1 cosim %s validation %s export 0 vsynth %s fifo_opt 0\n}\n' \
    "$csim" "$cosim" "$((csim * cosim))" "$vsynth" >build_opt.tcl
if command -v vitis-run >/dev/null; then
    vitis-run --mode hls --tcl build_prj.tcl
else
    need vitis_hls "source the settings64.sh of Vitis (2020.2 or later)"
    vitis_hls -f build_prj.tcl
fi
if [ "$impl" = 1 ]; then vivado -mode batch -source implement.tcl; fi
