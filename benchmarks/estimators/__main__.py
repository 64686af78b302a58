"""All tables of the estimators from data in the tree, one after the other: ``python -m benchmarks.estimators``.

Laws against Vivado HLS reports, distributed arithmetic against Yosys, period and LUTs against placed designs,
calibrations, and peers beside them. Half an hour of a core, da4ml's mostly. What runs synthesis or searches has a
command of its own (``networks``, ``front``), and so has asking rule4ml anew (``peers --rule4ml PYTHON``).
"""

from benchmarks.estimators import adder_graphs, calibration, hls_reports, peers, period

if __name__ == "__main__":
    for table in (hls_reports, adder_graphs, period, calibration, peers):
        print(f"-- {table.__name__}", flush=True)
        table.main([])
