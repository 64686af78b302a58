"""What may be proposed: candidates, and spaces that construct them under the budget."""

from nas_fpga.space._candidate import BitWidths, Candidate, TrainingSettings, format_topology, parse_candidate

__all__ = ["BitWidths", "Candidate", "TrainingSettings", "format_topology", "parse_candidate"]
