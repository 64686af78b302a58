# Places and routes the RTL of csynth out of context: no pins, the clock as asked.
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
