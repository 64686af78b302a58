"""Counts of an adder graph are made once for a network, and made anew for any other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hardware_cases import build_network

from nas_fpga.hardware import adder_graph, build_netlist, expected_graph_s
from nas_fpga.hardware._graph_counts import count_adder_graph
from nas_fpga.hardware._graph_operations import LUTS_PER_BIT

NETWORK = build_network((4,), 4, 4, n_inputs=3)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "nas-fpga" / "adder-graphs"


def test_counts_are_those_of_the_graph_and_its_pipeline(cache: Path):
    graph = adder_graph(NETWORK)
    netlist = build_netlist(graph, 2.0)
    for _ in range(2):  # counted, then recalled
        counts = count_adder_graph(NETWORK, 2.0)
        assert (counts.luts, counts.parts, counts.levels) == (graph.luts, graph.parts, graph.levels)
        assert counts.levels_per_cycle == netlist.levels_per_cycle
        assert (counts.flip_flops, counts.latency_cycles) == (netlist.flip_flops, netlist.latency_cycles)
    assert len(list(cache.iterdir())) == 2


def test_what_is_kept_is_taken_and_what_is_damaged_made_anew(cache: Path):
    counts = count_adder_graph(NETWORK, 5.0)
    adders, registers = sorted(cache.iterdir(), key=lambda path: len(path.name))
    adders.write_text(json.dumps({"luts": 77.0, "parts": [70.0, 7.0], "levels": 3}))
    registers.write_text(json.dumps({"flip_flops": 5, "latency_cycles": 6}))
    assert count_adder_graph(NETWORK, 5.0) == replace(
        counts, luts=77.0, parts=(70.0, 7.0), levels=3, flip_flops=5, latency_cycles=6
    )
    for path in (adders, registers):
        path.write_text(path.read_text()[:9])
    assert count_adder_graph(NETWORK, 5.0) == counts


def test_luts_of_operations_that_are_fitted_anew_are_counted_anew(cache: Path, monkeypatch: pytest.MonkeyPatch):
    luts = count_adder_graph(NETWORK, 5.0).luts
    monkeypatch.setitem(LUTS_PER_BIT, "overlap", 2 * LUTS_PER_BIT["overlap"])
    assert count_adder_graph(NETWORK, 5.0).luts == adder_graph(NETWORK).luts > luts


def test_another_clock_makes_other_registers_of_the_same_adders(cache: Path):
    slow, fast = count_adder_graph(NETWORK, 20.0), count_adder_graph(NETWORK, 2.0)
    assert (slow.luts, slow.parts) == (fast.luts, fast.parts)
    assert slow.flip_flops < fast.flip_flops
    assert slow.latency_cycles < fast.latency_cycles
    assert len(list(cache.iterdir())) == 3


def test_every_number_of_a_network_counts(cache: Path):
    first, last = NETWORK.layers
    assert first.activation_bits is not None
    changed = first.weights.copy()
    changed[0, 0] += 1
    others = [
        replace(first, weights=changed),
        replace(first, weight_fraction_bits=first.weight_fraction_bits + 1),
        replace(first, bias=first.bias + 1),
        replace(first, bias_fraction_bits=first.bias_fraction_bits + 1),
        replace(first, activation_bits=first.activation_bits + 1),
        replace(first, activation_fraction_bits=first.activation_fraction_bits + 1),
    ]
    form = NETWORK.input_format
    networks = [
        NETWORK,
        *(replace(NETWORK, layers=(layer, last)) for layer in others),
        replace(NETWORK, input_format=replace(form, bits=form.bits - 1)),
        replace(NETWORK, input_format=replace(form, signed=~form.signed)),
        replace(NETWORK, input_format=replace(form, fraction_bits=form.fraction_bits + 1)),
        replace(NETWORK, input_format=replace(form, scale_log2=form.scale_log2 + np.arange(3))),
    ]
    for network in networks:
        assert count_adder_graph(network, 5.0).luts == adder_graph(network).luts
    assert len({path.name[:32] for path in cache.iterdir()}) == len(networks)


def test_expected_seconds_are_those_of_the_networks_that_were_measured():
    measured = {2865: 0.07, 9003: 0.22, 17705: 0.58, 33791: 1.95, 67963: 4.31}  # LUT by law, CPU seconds
    for luts, seconds in measured.items():
        assert 1 / 2 < expected_graph_s(luts) / seconds < 2
