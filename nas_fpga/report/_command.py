"""The command lines that repeat a search and a report."""

from __future__ import annotations

import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

from nas_fpga.hardware import Calibration
from nas_fpga.study import DATASET_FILE, DataSource, HardwareTarget, SearchDefinition, written

_APART = {"data", "hardware", "weight_bits", "activation_bits", "learned_bits", "include", "after", "search_training"}


def search_command(definition: SearchDefinition, n_trials: int) -> str | None:
    """Return the command that repeats a search: trials, and every option that is not its default.

    None where the command line cannot say it: from Python rows may lie in memory, and weights have other bits than
    activations.
    """
    if definition.data.name == DATASET_FILE or definition.weight_bits != definition.activation_bits:
        return None
    words = ["nas-fpga", "search"]
    if definition.data.name != DataSource().name:
        words += ["--data", definition.data.name]
    words += _options(definition.data, DataSource(), {"name", "fingerprint"})
    words += _options(definition, SearchDefinition(), _APART)
    if definition.learned_bits:
        words += ["--bits", "learned"]
    elif definition.weight_bits != SearchDefinition().weight_bits:
        low, high = definition.weight_bits
        words += ["--bits", str(low) if low == high else f"{low}:{high}"]
    if definition.include:
        words += ["--include", ",".join(definition.include)]
    if definition.after:
        words += ["--after", ",".join(definition.after)]
    if searched := written(definition.search_training):
        words += ["--search-training", searched]
    words += _options(definition.hardware, HardwareTarget(), set())
    return shlex.join([*words, "--trials", str(n_trials)])


def report_command(
    folder: Path, hardware: HardwareTarget, stored: HardwareTarget, storage_url: str | None = None
) -> str | None:
    """Return the command that makes a report under other limits than its study's; None where they are the study's.

    A limit that the study has and the report has not is left out: only where nothing is refused it can be taken away on
    the command line. Pages are passed on: a password in the storage's URL is not in it.
    """
    if hardware == stored:
        return None
    words = ["nas-fpga", "report", "--study", folder.name]
    if folder.parent != Path("runs"):
        words += ["--runs", str(folder.parent)]
    if storage_url is not None:
        import sqlalchemy

        words += ["--storage", sqlalchemy.make_url(storage_url).render_as_string()]
    return shlex.join([*words, *_options(hardware, stored, set()), "--to", "FILE"])


def _options(value: Any, default: Any, apart: set[str]) -> list[str]:
    words: list[str] = []
    for field in fields(value):
        given = getattr(value, field.name)
        if field.name not in apart and given is not None and given != getattr(default, field.name):
            if isinstance(given, Calibration):
                text = "FILE"  # a study keeps what was in it, not where it lay
            else:
                text = repr(given).removesuffix(".0") if isinstance(given, float) else str(given)
            words += [f"--{field.name.replace('_', '-')}", text]
    return words
