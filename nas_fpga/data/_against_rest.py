"""One class of several against all others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nas_fpga.data._dataset import Dataset
from nas_fpga.errors import InputError

BACKGROUND = "background"
"""Name of the class that all others become."""
REST = "rest"
"""The same where the signal itself is called :data:`BACKGROUND`."""


def against_rest(dataset: Dataset, signal: str) -> Dataset:
    """Return a data set of two classes: one as the signal, all others as the background.

    The classes of the background weigh the same: the weights of each are scaled so that its rows sum up to the mean of
    these classes. What each lets pass is told apart by ``bins``.

    Args:
        dataset: Of several classes.
        signal: Name of one of them.

    Raises:
        InputError: There is no such class.
    """
    if signal not in dataset.class_names:
        raise InputError(
            f"signal '{signal}' is not a class of {dataset.name}; its classes are {', '.join(dataset.class_names)}"
        )
    label = dataset.class_names.index(signal)
    totals = np.bincount(dataset.labels, weights=dataset.weights, minlength=dataset.n_classes)
    others = [k for k in range(dataset.n_classes) if k != label]
    factors = np.ones(dataset.n_classes)
    factors[others] = totals[others].mean() / totals[others]
    return replace(
        dataset,
        labels=(dataset.labels == label).astype(np.int64),
        class_names=(REST if signal == BACKGROUND else BACKGROUND, signal),
        weights=dataset.weights * factors[dataset.labels],
        bins={**dataset.bins, **{dataset.class_names[k]: dataset.labels == k for k in others}},
        provenance={
            **dataset.provenance,
            "signal": signal,
            "background": f"{', '.join(dataset.class_names[k] for k in others)}, all of the same weight",
        },
    )
