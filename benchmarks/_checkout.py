"""The package as it was at a commit, for comparisons of before and after."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def checked_out(commit: str, tree: Path) -> Path:
    """Return the folder with the package of a commit, written if it is not there."""
    if not tree.exists():
        partial = tree.with_name(f"{tree.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        archive = subprocess.run(["git", "archive", commit, "nas_fpga"], cwd=ROOT, capture_output=True, check=True)
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
            files.extractall(partial, filter="data")
        partial.rename(tree)
    return tree.resolve()
