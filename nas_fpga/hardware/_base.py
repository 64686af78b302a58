"""The contract of estimators."""

from __future__ import annotations

import abc

from nas_fpga.hardware._limits import Target
from nas_fpga.hardware._points import MappedPoint
from nas_fpga.training import QuantizedNetwork


class Estimator(abc.ABC):
    """Says what a trained network costs on the FPGA, under each mapping worth keeping.

    A mapping changes no output of the network, so an estimator enumerates mappings instead of being given one. What it
    returns depends on its arguments alone, never on earlier calls, random numbers or the machine: a search that is
    resumed, and a front that is mapped anew, find the same points. It changes neither argument.
    """

    @abc.abstractmethod
    def points(self, network: QuantizedNetwork, target: Target) -> tuple[MappedPoint, ...]:
        """Return distributed arithmetic, and the mappings of a network that no other beats.

        Compared are LUT, FF, DSP, BRAM, latency and II. Distributed arithmetic is there in any case: later rungs know
        it better, and it has RTL that can be proven.

        Enumerated are mappings that the tools accept, whether or not the limits are kept; at least one is always
        returned, as a network may have none that keeps them. All figures of all points are of the target's stage of
        ranking, so that they can be compared; EBOPs, and the period that is achieved when placed, are apart.

        Args:
            network: As trained; every layer counts as it is.
            target: Part, clock, rate and limits. Resources are compared over the copies that its rate needs.

        Returns:
            Ascending in :meth:`HardwareFigures.constrained_share`: the cheapest first, those that violate limits last.
        """
