"""Compiles the C++ of an HLS project as it lies in its folder, and runs it on events."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas_fpga._process import run
from nas_fpga.errors import InputError

_RUNNER = Path(__file__).with_name("_run_library.py")


@dataclass(frozen=True, eq=False)
class CppRun:
    """What the C++ gave.

    Attributes:
        outputs: `(n, n_outputs)` float64, exact.
        compiler: Command and version.
        compile_s: Wall time.
        run_s: Wall time.
    """

    outputs: NDArray[np.float64]
    compiler: str
    compile_s: float
    run_s: float


def find_compiler() -> list[str]:
    """Return the C++ compiler's command: ``$CXX``, else g++, else clang++.

    Raises:
        InputError: There is none.
    """
    try:
        asked = shlex.split(os.environ.get("CXX", ""))
    except ValueError as error:
        raise InputError(
            f"CXX={os.environ['CXX']} cannot be read ({error}); unset CXX or set it to a command"
        ) from error
    if asked:
        if shutil.which(asked[0]) is None:
            raise InputError(f"CXX={os.environ['CXX']} is not a command; unset CXX or set it to a C++ compiler")
        return asked
    for name in ("g++", "clang++"):
        if shutil.which(name) is not None:
            return [name]
    raise InputError("no C++ compiler found; install g++ (Debian: apt install g++) or set CXX")


def run_cpp(project: Path, features: NDArray[np.float32], n_outputs: int, *, message: Callable[[str], None]) -> CppRun:
    """Compile the project's sources where nothing of it changes, and run them.

    Args:
        project: The hls4ml project.
        features: `(n, d)` raw features.
        n_outputs: Outputs of the network.
        message: Told what is running, now and then.

    Raises:
        InputError: No compiler.
        ToolFailedError: It does not compile, or crashes.
    """
    compiler = find_compiler()
    top = _top_function(project)
    with tempfile.TemporaryDirectory() as scratch:
        library = Path(scratch) / f"{top}.so"
        # The sources as they lie there; what hls4ml's build_lib.sh does, but for warnings, objects in the project, and
        # weights in text files, which the project has not.
        # -O1 compiles adder graphs in half the time of -O3, and 5,000 events run in a tenth of a second either way.
        flags = ["-O1", "-fPIC", "-w", "-shared", "-Ifirmware/ap_types", f"-std={_standard(compiler)}"]
        sources = [f"firmware/{top}.cpp", f"{top}_bridge.cpp"]
        command = [*compiler, *flags, *sources, "-o", str(library)]
        started = time.monotonic()
        run(command, project, f"compiling {top}.cpp with {compiler[0]} in {project}", message=message)
        compiled = time.monotonic()
        given, got = Path(scratch) / "features.npy", Path(scratch) / "outputs.npy"
        np.save(given, features.astype(np.float64))
        run(
            [sys.executable, str(_RUNNER), str(library), f"{top}_double", str(given), str(n_outputs), str(got)],
            project,
            f"running {len(features):,} events in {project}",
            message=message,
        )
        outputs: NDArray[np.float64] = np.load(got)
    version = subprocess.run([*compiler, "--version"], capture_output=True, text=True, check=False).stdout
    name = version.splitlines()[0] if version else compiler[0]
    return CppRun(outputs, name, compiled - started, time.monotonic() - compiled)


def generated_adders(project: Path) -> int:
    """Return the operations of the adder graphs that hls4ml generated; 0 for other strategies."""
    code = project / "firmware" / "nnet_utils" / "nnet_code_gen.h"
    return len(re.findall(r"> v\d+ = ", code.read_text(encoding="utf-8"))) if code.exists() else 0


def _top_function(project: Path) -> str:
    bridges = list(project.glob("*_bridge.cpp"))
    if len(bridges) != 1:
        raise InputError(f"{project} is no hls4ml project: it has no ..._bridge.cpp; export it again")
    return bridges[0].name.removesuffix("_bridge.cpp")


def _standard(compiler: list[str]) -> str:
    """Return C++23 where the compiler has it, as hls4ml's script does, else C++17."""
    probe = [*compiler, "-std=c++23", "-fsyntax-only", "-xc++", "-"]
    newest = subprocess.run(probe, input="", capture_output=True, text=True, check=False).returncode == 0
    return "c++23" if newest else "c++17"
