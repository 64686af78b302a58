"""Hardware cost: parts, limits, mappings, and estimators that give figures with unit, stage and interval."""

from nas_fpga.hardware._adder_graph import (
    SUFFIX,
    AdderGraph,
    Language,
    Netlist,
    NetWord,
    adder_graph,
    adder_graph_of_model,
    build_netlist,
    da4ml_version,
)
from nas_fpga.hardware._adder_law import SPARE_BITS, input_format_luts, placed_luts
from nas_fpga.hardware._base import Estimator
from nas_fpga.hardware._before_training import PreTrainingCost
from nas_fpga.hardware._beside import room_beside
from nas_fpga.hardware._calibration import (
    Calibration,
    as_calibration,
    read_calibration,
    refuse_other_file,
    write_calibration,
)
from nas_fpga.hardware._csynth_report import CSynthReport
from nas_fpga.hardware._design_cost import (
    AROUND,
    DesignCost,
    LayerCost,
    Rung,
    cost_by_law,
    cost_of_topology,
    no_fewer_than_adders,
    rung_of,
    topology_traits,
)
from nas_fpga.hardware._estimate import StaticEstimator, estimate
from nas_fpga.hardware._figures import RESOURCES, STAGES, Figure, Resource, Stage, Unit
from nas_fpga.hardware._graph_cost import cost_by_adder_graph, slow_layers
from nas_fpga.hardware._graph_counts import MOST_GRAPH_LUTS, expected_graph_s
from nas_fpga.hardware._graph_time import MOST_GRAPH_S, layer_graph_s
from nas_fpga.hardware._learned_ratios import Learned, StageCounts, learn
from nas_fpga.hardware._limits import (
    OBJECTIVES,
    RANK_STAGES,
    UNLIMITED,
    Limits,
    Objective,
    Target,
    as_told,
    log10_share,
    make_target,
    parse_region,
)
from nas_fpga.hardware._logic_synthesis import CellCounts, synthesise, yosys_family
from nas_fpga.hardware._mappings import (
    MOST_MAPPINGS,
    UNROLL_LIMIT,
    Mapping,
    allowed_reuse_factors,
    buildable_reuse_factors,
    enumerate_mappings,
    ladder_of_mappings,
    nearest_reuse_factor,
)
from nas_fpga.hardware._parts import DEFAULT_PART, Part, find_part, known_boards, known_parts
from nas_fpga.hardware._period import adder_levels_per_cycle
from nas_fpga.hardware._points import HardwareFigures, MappedPoint
from nas_fpga.hardware._preflight import preflight
from nas_fpga.hardware._report_text import ReportedResources
from nas_fpga.hardware._reports import Report, counts_resources, read_report
from nas_fpga.hardware._reuse import ReuseOption, reuse_options
from nas_fpga.hardware._stages import SHIPPED, StageRatio, shipped_ratio
from nas_fpga.hardware._strategies import STRATEGIES, Strategy
from nas_fpga.hardware._synthesis_cost import MOST_SYNTHESIS_LUTS, carried_from_synthesis, cost_by_synthesis
from nas_fpga.hardware._traits import LayerTraits, measured_traits
from nas_fpga.hardware._vendor import VENDOR_STAGES, VendorStage, project_clock_ns, vendor_clock_ns
from nas_fpga.hardware._vendor_cost import cost_by_vendor
from nas_fpga.hardware._vivado_report import TimingReport, UtilizationReport

__all__ = [
    "AROUND",
    "DEFAULT_PART",
    "MOST_GRAPH_LUTS",
    "MOST_GRAPH_S",
    "MOST_MAPPINGS",
    "MOST_SYNTHESIS_LUTS",
    "OBJECTIVES",
    "RANK_STAGES",
    "RESOURCES",
    "SHIPPED",
    "SPARE_BITS",
    "STAGES",
    "STRATEGIES",
    "SUFFIX",
    "UNLIMITED",
    "UNROLL_LIMIT",
    "VENDOR_STAGES",
    "AdderGraph",
    "CSynthReport",
    "Calibration",
    "CellCounts",
    "DesignCost",
    "Estimator",
    "Figure",
    "HardwareFigures",
    "Language",
    "LayerCost",
    "LayerTraits",
    "Learned",
    "Limits",
    "MappedPoint",
    "Mapping",
    "NetWord",
    "Netlist",
    "Objective",
    "Part",
    "PreTrainingCost",
    "Report",
    "ReportedResources",
    "Resource",
    "ReuseOption",
    "Rung",
    "Stage",
    "StageCounts",
    "StageRatio",
    "StaticEstimator",
    "Strategy",
    "Target",
    "TimingReport",
    "Unit",
    "UtilizationReport",
    "VendorStage",
    "adder_graph",
    "adder_graph_of_model",
    "adder_levels_per_cycle",
    "allowed_reuse_factors",
    "as_calibration",
    "as_told",
    "build_netlist",
    "buildable_reuse_factors",
    "carried_from_synthesis",
    "cost_by_adder_graph",
    "cost_by_law",
    "cost_by_synthesis",
    "cost_by_vendor",
    "cost_of_topology",
    "counts_resources",
    "da4ml_version",
    "enumerate_mappings",
    "estimate",
    "expected_graph_s",
    "find_part",
    "input_format_luts",
    "known_boards",
    "known_parts",
    "ladder_of_mappings",
    "layer_graph_s",
    "learn",
    "log10_share",
    "make_target",
    "measured_traits",
    "nearest_reuse_factor",
    "no_fewer_than_adders",
    "parse_region",
    "placed_luts",
    "preflight",
    "project_clock_ns",
    "read_calibration",
    "read_report",
    "refuse_other_file",
    "reuse_options",
    "room_beside",
    "rung_of",
    "shipped_ratio",
    "slow_layers",
    "synthesise",
    "topology_traits",
    "vendor_clock_ns",
    "write_calibration",
    "yosys_family",
]
