"""Files that are whole or as they were before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def in_one_step(path: Path, write: Callable[[Path], object]) -> None:
    """Let a function write a file beside another, which it then takes the place of; where it fails, none is left."""
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)  # only there if writing failed


def write_whole(path: Path, text: str) -> None:
    """Write a text file in one step."""
    in_one_step(path, lambda file: file.write_text(text, encoding="utf-8"))
