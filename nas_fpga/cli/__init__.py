"""The command line: one module for each command. Importing this loads no numerical library."""

from nas_fpga.cli._app import main

__all__ = ["main"]
