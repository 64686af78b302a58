"""nas-fpga searches neural networks for FPGAs."""

__version__ = "0.1.0"
