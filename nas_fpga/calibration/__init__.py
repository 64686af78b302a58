"""Calibration: reads a user's own reports and learns the ratios between their stages."""

from nas_fpga.calibration._calibrate import TABLE_COLUMNS, calibrate

__all__ = ["TABLE_COLUMNS", "calibrate"]
