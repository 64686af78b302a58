"""The machine: its name, its speed, and processes with one thread on a core of their own."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "XLA_FLAGS")
_THREADS_OF_TENSORFLOW = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
_CACHES = (
    "JAX_COMPILATION_CACHE_DIR",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES",
)
_POLL_S = 0.05

_PRODUCT = """
import time, numpy as np
a, b = (np.random.default_rng(0).standard_normal(shape).astype(np.float32) for shape in ((1024, 512), (512, 512)))
best, until = 1e9, time.perf_counter() + 3
while time.perf_counter() < until:
    start = time.perf_counter()
    for _ in range(20):
        a @ b
    best = min(best, (time.perf_counter() - start) / 20)
print(2 * 1024 * 512 * 512 / best)
"""


def cpu_name() -> str:
    """Return what the processor calls itself."""
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return names[0].partition(":")[2].strip() if names else platform.processor()


def n_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def matrix_product_rate() -> float:
    """Return the floating-point operations a second of a 1024x512x512 product in float32, on all cores."""
    command = [sys.executable, "-c", _PRODUCT]
    return float(subprocess.run(command, env=environment(), capture_output=True, text=True, check=True).stdout)


def environment(*, one_thread: bool = False, **further: str) -> dict[str, str]:
    """Return the environment of a measured process: as many threads as its libraries like, or one; no JAX cache."""
    left_out = (*_THREADS, *_THREADS_OF_TENSORFLOW, *_CACHES)
    env = {name: value for name, value in os.environ.items() if name not in left_out}
    if one_thread:
        env |= dict.fromkeys(_THREADS[:-1] + _THREADS_OF_TENSORFLOW, "1")
        env["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    root = str(Path(__file__).parents[2])  # children may run in another folder
    path = os.pathsep.join(filter(None, [root, env.get("PYTHONPATH")]))
    return env | {"TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONPATH": path} | further


def start_module(module: str, specification: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Call ``run(SPECIFICATION)`` of a module in a fresh process; as an import, so that workers can import it too."""
    call = f"import sys; from {module} import run; run(sys.argv[1])"
    return subprocess.Popen([sys.executable, "-c", call, str(specification)], env=dict(env))


def run_modules(module: str, specifications: list[Path], env: Mapping[str, str]) -> None:
    """Run a module with several specifications side by side.

    Raises:
        subprocess.CalledProcessError: One failed.
    """
    processes = [start_module(module, specification, env) for specification in specifications]
    try:
        codes = [process.wait() for process in processes]
    finally:
        for process in processes:
            process.kill()  # those left when one of them, or the user, ended this
    for code, process in zip(codes, processes, strict=True):
        if code:
            raise subprocess.CalledProcessError(code, process.args)


def meet(folder: Path, who: str, n: int) -> float:
    """Wait until ``n`` processes have come here; return when the last one did, by :func:`time.monotonic`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / f"{who}.json", time.monotonic())
    while len(there := list(folder.glob("*.json"))) < n:
        time.sleep(_POLL_S)
    return max(json.loads(path.read_text()) for path in there)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file in one step: it is whole or absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".tmp{os.getpid()}")
    temporary.write_text(json.dumps(value, indent=2) + "\n")
    temporary.replace(path)


def read_json(path: Path) -> Any:
    """Return what a JSON file holds."""
    return json.loads(path.read_text())


def keep_agreed(folder: Path, plan: Any) -> None:
    """Note what a folder's measurements are made with.

    Raises:
        SystemExit: It holds those of another plan.
    """
    path, plan = folder / "plan.json", json.loads(json.dumps(plan))
    if path.exists() and read_json(path) != plan:
        raise SystemExit(f"{folder} holds measurements with other settings ({path}); give another folder or delete it")
    write_json(path, plan)


def commits_of(paths: Iterable[Path]) -> list[str]:
    """Return the commits that result files were measured at."""
    return sorted({read_json(path)["provenance"]["commit"] for path in paths})
