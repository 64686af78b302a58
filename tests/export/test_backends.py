"""Backends whose projects are written and cannot be run here."""

from dataclasses import replace

import pytest

from nas_fpga.errors import InputError
from nas_fpga.export import export, read_record, verify
from nas_fpga.hardware import Mapping
from nas_fpga.space import BitWidths
from tests.export.designs import equal, make_design, silent
from tests.export.networks import random_network


@pytest.mark.slow
def test_other_backends_are_written_and_say_so(tmp_path):
    said = []
    network = random_network(7, 4, (5,), BitWidths(4, 4))
    export(make_design(network, Mapping("latency", (1, 1))), tmp_path, backend="quartus", message=said.append)
    record = read_record(tmp_path)
    assert said[-1].endswith("written, not verified: the quartus tools are needed to run this project")
    assert "for the default device of hls4ml's backend" in (tmp_path / "README.md").read_text()
    assert not record["hls"]["verifiable"]
    assert record["rtl"] is None
    assert "Written, not verified" in (tmp_path / "README.md").read_text()
    assert (tmp_path / "hls" / "firmware" / "network.cpp").exists()
    with pytest.raises(InputError, match="is for quartus, which cannot be run here"):
        verify(tmp_path, message=silent)


def test_catapult_takes_no_formats_that_differ(tmp_path):
    network = random_network(7, 4, (5,), BitWidths(4, 4))
    with pytest.raises(InputError, match=r"formats of their own on catapult.*; give --backend vitis or vivado$") as e:
        export(make_design(network, Mapping("latency", (1, 1))), tmp_path / "x", backend="catapult", message=silent)
    assert "\n" not in str(e.value)
    assert not (tmp_path / "x").exists()
    export(make_design(equal(network, True), Mapping("latency", (1, 1))), tmp_path, backend="catapult", message=silent)
    assert read_record(tmp_path)["hls"]["backend"] == "catapult"


def test_what_hls4ml_cannot_convert_is_one_line_and_leaves_nothing(tmp_path):
    """A model trained elsewhere, whose formats differ: only hls4ml knows."""
    design = make_design(random_network(7, 4, (5,), BitWidths(4, 4)), Mapping("latency", (1, 1)))
    with pytest.raises(
        InputError,
        match=r"hls4ml cannot convert a test under latency for catapult: .*; give --backend vitis or vivado$",
    ) as e:
        export(replace(design, network=None, figures=None), tmp_path / "x", backend="catapult", message=silent)
    assert "\n" not in str(e.value)
    assert not (tmp_path / "x").exists()
