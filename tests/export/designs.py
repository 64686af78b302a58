"""Designs of small random networks."""

from dataclasses import replace

import numpy as np

from nas_fpga.data import InputFormat
from nas_fpga.export import Design
from nas_fpga.export._select import rebuilt
from nas_fpga.hardware import estimate, make_target
from tests.export.networks import raw_features


def silent(text):
    """Take a message."""


def make_design(network, mapping, n=1000):
    """A design whose real events lie around the range of its input format."""
    target = make_target(clock_ns=4.0)
    d = len(network.input_format.signed)
    return Design(
        title="a test",
        model=rebuilt(network),
        network=network,
        mapping=mapping,
        target=target,
        figures=estimate(network, mapping, target),
        merits={"test_error_rate": 0.25},
        threshold=None,
        feature_names=tuple(f"x{i}" for i in range(d)),
        feature_units=("MeV",) * d,
        class_names=("a", "b", "c")[: max(2, network.layers[-1].n_out)],
        events=raw_features(network, 3, n)[3:],
    )


def uniform(network):
    """The same network with features that arrive alike but have scales of their own: hls4ml would fuse their format."""
    d = len(network.input_format.signed)
    scale = np.arange(d) % 4
    return replace(network, input_format=InputFormat(np.full(d, 10), np.zeros(d, bool), 8 - scale, scale))


def equal(network, signed):
    """The same network with one format for all features, which hls4ml would make the port's."""
    d = len(network.input_format.signed)
    return replace(network, input_format=InputFormat(np.full(d, 10), np.full(d, signed), np.full(d, 5), np.full(d, 3)))
