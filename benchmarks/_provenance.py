"""Where a result comes from: what every JSON file of the benchmarks begins with."""

from __future__ import annotations

import importlib.metadata
import subprocess
from pathlib import Path

from nas_fpga.study import versions


def provenance() -> dict[str, object]:
    """Return the commit and the versions of what results depend on."""
    return {
        "commit": commit(),
        "versions": versions() | {"scikit-learn": importlib.metadata.version("scikit-learn")},
    }


def commit() -> str:
    """Return the commit (``-dirty`` where code differs from it)."""
    root = Path(__file__).parents[1]
    describe = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(describe, cwd=root, capture_output=True, text=True, check=True).stdout.strip()
    code = ["nas_fpga", "*.py"]  # results that were just written are none
    differs = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", *code], cwd=root, check=False).returncode != 0
    return done + "-dirty" * differs
