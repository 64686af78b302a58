"""Writes the files of a comparison."""

from pathlib import Path

from nas_fpga.comparison import Comparison, write_whole


def write(comparison: Comparison, path: Path) -> None:
    write_whole(path.with_name("comparison.csv"), comparison.csv())
