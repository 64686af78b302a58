"""Reading npz files that somebody else may have cut short, renamed or confused."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError

Array = NDArray[Any]


def read_arrays(path: Path, names: tuple[str, ...], what: str) -> list[Array]:
    """Return the named arrays of an npz file, in that order.

    Raises:
        InputError: No such file, a damaged one, or one without these arrays; ``what`` says what was expected.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file; give the path of the {what}, which lie in the project's datasets/")
    try:
        with zipfile.ZipFile(path) as archive:
            present = {Path(name).stem for name in archive.namelist()}
        missing = [name for name in names if name not in present]
        if not missing:
            with np.load(path, allow_pickle=False) as arrays:
                return [arrays[name] for name in names]
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: truncated or not an npz file; copy the {what} again") from error
    raise InputError(f"{path}: not {what}, it lacks {', '.join(missing)}; give another file")
