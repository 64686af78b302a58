"""`python -m nas_fpga`."""

from nas_fpga.cli import main

main()
