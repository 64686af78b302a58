"""What one process at a time may write to."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from nas_fpga.errors import StudyError


def take_lock(path: Path, of: str, option: str) -> IO[str]:
    """Lock a file against other processes until it is closed, and return it.

    Args:
        path: Of the file, which is made if it is not there.
        of: What is locked, in words, such as `study 'mine'`.
        option: By which the user gives another name, such as `--study NAME`.

    Raises:
        StudyError: Another process has it, or the folder cannot be written.
    """
    try:
        lock = path.open("a+")
    except OSError as error:
        raise StudyError(f"folder {path.parent} cannot be written ({error.strerror}); give another --runs") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        lock.close()
        raise StudyError(f"{of} is running in {holder}; wait for it or give another {option}") from None
    lock.truncate(0)
    lock.write(f"process {os.getpid()}")
    lock.flush()
    return lock
