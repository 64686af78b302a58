"""Compiled programs: a few in memory, all on disk for the next process."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import jax
from filelock import FileLock

from nas_fpga.training._bucket import Bucket

_PROGRAMS = 16  # compiled programs in memory, some 5 MB each and more for wide networks
_CACHE_BYTES = 2**30  # of compiled programs on disk
_LOCK_S = 10.0  # the next process may mend what this one has no time for

# XLA's older code generator for loops: programs of fixed bits compile in half the time (.4 s in place of .8 s for one
# hidden layer, .9 s in place of 1.6 s for nine, on one core) and run as fast. Those of learned bits compile in 60 % of
# theirs and run 1.3 to 1.8 times longer.
_QUICK_TO_COMPILE = {"xla_cpu_use_fusion_emitters": False}

P = TypeVar("P")


class Programs(dict[Bucket, P]):
    """Programs by bucket, made when they are first asked for; a bounded number is kept.

    Args:
        make: Makes the program of a bucket.
    """

    def __init__(self, make: Callable[[Bucket], P]) -> None:
        """See the class."""
        super().__init__()
        self._make = make
        keep_compiled_programs()

    def __missing__(self, bucket: Bucket) -> P:
        """Make a program, and keep it."""
        if len(self) == _PROGRAMS:  # JAX gives back the memory of none before it has forgotten all
            self.clear()
            gc.collect()
            jax.clear_caches()  # type: ignore[no-untyped-call]
        program = self[bucket] = self._make(bucket)
        return program


@functools.cache
def quick_to_compile() -> dict[str, bool] | None:
    """Return compiler options that halve the time to compile programs of fixed bits; None where XLA has none such."""
    if jax.default_backend() != "cpu":
        return None
    try:
        jax.jit(lambda: 0, compiler_options=_QUICK_TO_COMPILE)()
    except (jax.errors.JaxRuntimeError, ValueError):  # of another version
        return None
    return _QUICK_TO_COMPILE


def keep_compiled_programs() -> None:
    """Let JAX keep compiled programs for the next process, where the user has not chosen a place for them."""
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nas-fpga" / "programs"
    except RuntimeError:  # nobody's home: every process compiles for itself
        return
    _mend(folder)
    options = {
        "jax_compilation_cache_dir": str(folder),
        "jax_compilation_cache_max_size": _CACHE_BYTES,
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    for name, value in options.items():
        jax.config.update(name, value)  # type: ignore[no-untyped-call]


def _mend(folder: Path) -> None:
    """Remove programs that a killed process had half written: JAX writes nothing more beside one without its time."""
    with contextlib.suppress(OSError), FileLock(folder / ".lockfile", timeout=_LOCK_S):
        for program in folder.glob("*-cache"):
            if not program.with_name(program.name.removesuffix("-cache") + "-atime").exists():
                program.unlink()
