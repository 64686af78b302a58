"""The out-of-context Vivado script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nas_fpga.hardware import Language

CONSTRAINTS = "clock.xdc"


def clock_constraint(clock_ns: float) -> str:
    """Return the constraint that the script reads before synthesis, so that it, too, works for the clock."""
    return f"create_clock -name clk -period {clock_ns:.3f} [get_ports clk]\n"


def ooc_script(top: str, language: Language, files: Sequence[Path], part: str, clock_ns: float) -> str:
    """Return a script that implements the IP alone and writes utilization, timing and the worst slack.

    Out of context the ports have no pins, so a false path at them would hide nothing: all paths inside start and end
    at registers, and the clock constrains them all.
    """
    read = "read_verilog" if language == "verilog" else "read_vhdl -vhdl2008"
    sources = " \\\n  ".join(f"[file join $here {file.as_posix()}]" for file in files)
    return f"""# Out-of-context implementation of {top}.
#   vivado -mode batch -source vivado_ooc.tcl -tclargs [REGION]
# REGION keeps the IP within an SLR ("SLR0") or any range of a pblock ("CLOCKREGION_X0Y0:CLOCKREGION_X3Y3").
set here [file dirname [file normalize [info script]]]
set out [file join $here vivado]
set region [expr {{[llength $argv] > 0 ? [lindex $argv 0] : ""}}]
file mkdir $out

create_project -in_memory -part {part}
{read} [list \\
  {sources}]
# The clock of synthesis, place and route; of this run only, so that a design around the IP has its own.
read_xdc -mode out_of_context [file join $here {CONSTRAINTS}]
synth_design -top {top} -part {part} -mode out_of_context -flatten_hierarchy rebuilt
report_utilization -file [file join $out utilization_synth.rpt]

if {{$region ne ""}} {{
  create_pblock ip
  add_cells_to_pblock ip -top
  resize_pblock ip -add $region
  set_property IS_SOFT false [get_pblocks ip]
}}

opt_design
place_design
phys_opt_design
route_design

report_utilization -file [file join $out utilization.rpt]
report_timing_summary -file [file join $out timing.rpt]
set slack [get_property SLACK [get_timing_paths -setup -max_paths 1]]
set file [open [file join $out slack_ns.txt] w]
puts $file $slack
close $file
write_checkpoint -force [file join $out {top}.dcp]
puts "{top}: worst slack $slack ns at {clock_ns:g} ns"
"""
