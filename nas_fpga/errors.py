"""The errors that users and callers meet; everything else that escapes is a defect."""

from __future__ import annotations


class NasFpgaError(Exception):
    """Base of all errors raised on purpose. Its text is one line that names the value and the cure."""

    exit_code = 1


class InputError(NasFpgaError, ValueError):
    """Something given from outside (an option, a file, a folder) cannot be used. The command line exits with 2."""

    exit_code = 2


class MissingExtraError(InputError):
    """An optional package is needed; the text names the extra to install."""


class StudyError(InputError):
    """A study cannot be opened, continued or written as asked."""


class SearchFailedError(NasFpgaError):
    """A search ended without one usable point."""
