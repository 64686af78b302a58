"""What of a candidate may matter, as numbers that are as independent of each other as they can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.space import SETTING_SCALES, BitWidths, Candidate, TrainingSpace

Array = NDArray[np.float64]

SHAPE = "shape"


@dataclass(frozen=True)
class Descriptor:
    """One number of a candidate.

    Attributes:
        name: In words.
        group: What it is a part of; descriptors of a group are shuffled together.
        label: Of an axis.
        logarithmic: Whether ratios count rather than differences; then all values are above 0.
        whole: Whether values are integers.
    """

    name: str
    group: str
    label: str
    logarithmic: bool = False
    whole: bool = False

    def scaled(self, values: Array) -> Array:
        """Return values as a model sees them."""
        return np.log(values) if self.logarithmic else values


_TOPOLOGY = (
    Descriptor("depth", "depth", "hidden layers", whole=True),
    Descriptor("total neurons", "total neurons", "hidden neurons", logarithmic=True, whole=True),
    Descriptor("unevenness", SHAPE, "unevenness: factor between widths", logarithmic=True),
    Descriptor("place of the widest", SHAPE, "widest layer: 0 first, 1 last"),
    Descriptor("taper", SHAPE, "taper: last over first width", logarithmic=True),
)
_BITS = (
    Descriptor("weight bits", "weight bits", "bits of a weight", whole=True),
    Descriptor("activation bits", "activation bits", "bits of an activation", whole=True),
)


def describe(candidates: Sequence[Candidate], searched: TrainingSpace) -> tuple[tuple[Descriptor, ...], Array]:
    """Return descriptors and their values `(n, k)`.

    The shape is free of scale: total and depth say nothing of it. *Unevenness* is the geometric standard deviation of
    the widths, 1 for equal layers; *taper* is the width of the last layer over that of the first. One layer alone has
    no shape: it gets the median unevenness of the others, its widest layer in the middle and no taper.

    Args:
        candidates: At least one.
        searched: Training settings that differ between them; values beyond a range count as its end.
    """
    topologies = [np.array(candidate.topology, np.float64) for candidate in candidates]
    descriptors, columns = list(_TOPOLOGY), [*_shapes(topologies)]
    bits = [candidate.bits for candidate in candidates if isinstance(candidate.bits, BitWidths)]
    if len(bits) == len(candidates):
        descriptors += _BITS
        columns += [np.array([of.weights for of in bits]), np.array([of.activations for of in bits])]
    levels = searched.levels([candidate.settings for candidate in candidates])
    for name, values, places in zip(searched.names, searched.values, levels.T, strict=True):
        descriptors.append(_of_setting(name))
        found = np.array(values, np.float64)[places]
        columns.append(1 - found if SETTING_SCALES[name] == "distance to 1" else found)
    return tuple(descriptors), np.column_stack(columns).astype(np.float64)


def _shapes(topologies: Sequence[Array]) -> tuple[Array, ...]:
    depths = np.array([len(widths) for widths in topologies], np.float64)
    uneven = np.array([np.exp(np.log(widths).std(ddof=1)) if len(widths) > 1 else np.nan for widths in topologies])
    uneven[np.isnan(uneven)] = 1.0 if np.isnan(uneven).all() else np.nanmedian(uneven)
    places = [np.flatnonzero(widths == widths.max()).mean() for widths in topologies]
    widest = np.where(depths > 1, np.array(places) / np.maximum(depths - 1, 1), 0.5)
    return (
        depths,
        np.array([widths.sum() for widths in topologies]),
        uneven,
        widest,
        np.array([widths[-1] / widths[0] for widths in topologies]),
    )


def _of_setting(name: str) -> Descriptor:
    scale, words = SETTING_SCALES[name], name.replace("_", " ")
    if scale == "distance to 1":
        return Descriptor(words, words, f"1 - {words}", logarithmic=True)
    whole = scale in ("integers", "powers of two")
    return Descriptor(words, words, words, logarithmic=scale in ("log", "powers of two"), whole=whole)
