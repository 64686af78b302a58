"""The versions of what results depend on."""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Mapping

from nas_fpga import __version__

_PACKAGES = ("keras", "jax", "tensorflow", "numpy", "scipy", "scikit-learn", "optuna", "bayesian-optimization")


@functools.cache
def versions() -> dict[str, str]:
    """Return the version of every package that a figure depends on, by its name."""
    return {"nas-fpga": __version__} | {name: importlib.metadata.version(name) for name in _PACKAGES}


def differences(before: Mapping[str, str]) -> list[str]:
    """Return `numpy 2.3.0, now 2.4.6` for every package whose version is not what it was."""
    return [f"{name} {before.get(name)}, now {now}" for name, now in versions().items() if before.get(name) != now]
