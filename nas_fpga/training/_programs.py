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

# An XLA option for each kind of program, by what was measured on one core. Fixed bits: the older code generator for
# loops; they compile in half the time (.4 s in place of .8 s for one hidden layer, .9 s in place of 1.6 s for nine) and
# run as fast; learned bits would compile in 60 % of their time and run 1.3 to 1.8 times longer. Learned bits: less
# effort for machine code; they compile in 88 % of the time (8-8-8, 128, 64-64-64-64) and run as fast; wide programs of
# fixed bits would run 4 % longer.
FIXED_BITS = ("xla_cpu_use_fusion_emitters", False)
LEARNED_BITS = ("xla_backend_optimization_level", 1)

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
def quick_to_compile(name: str, value: bool | int) -> dict[str, bool | int] | None:
    """Return an option with which programs compile sooner, for `jax.jit`; None where XLA has none such."""
    if jax.default_backend() != "cpu":
        return None
    options = {name: value}
    try:
        jax.jit(lambda: 0, compiler_options=options)()
    except (jax.errors.JaxRuntimeError, ValueError):  # of another version
        return None
    return options


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
