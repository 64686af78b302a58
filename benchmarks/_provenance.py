"""Where a result comes from: what every JSON file of the benchmarks begins with."""

from __future__ import annotations

import importlib.metadata
import subprocess
from pathlib import Path

from nas_fpga.study import versions


def provenance() -> dict[str, object]:
    """Return the commit (``-dirty`` where files differ from it) and the versions of what results depend on."""
    describe = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    commit = subprocess.run(describe, cwd=Path(__file__).parent, capture_output=True, text=True, check=True).stdout
    return {
        "commit": commit.strip(),
        "versions": versions() | {"scikit-learn": importlib.metadata.version("scikit-learn")},
    }
