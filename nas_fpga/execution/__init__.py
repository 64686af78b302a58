"""Execution: where training runs. Today: worker processes on this machine."""

from nas_fpga.execution._local import LocalWorkers, TrainerFactory

__all__ = ["LocalWorkers", "TrainerFactory"]
