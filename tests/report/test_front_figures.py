"""What stands beside the points of the front."""

import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from nas_fpga.report._front_data import gather_front
from nas_fpga.report._front_figures import label_of
from nas_fpga.report._png import save_png
from tests.report.conftest import scripted


@pytest.mark.parametrize(
    ("network", "label"),
    [
        ("64-32-32 w6a4", "64-32-32 w6a4"),
        ("64-32-16-8-4 w6a4", "64-32-..-4 w6a4"),
        ("64-32 to 41-17 polished", "41-17 polished"),
        ("1-12-11-1-6 to 1-1-2-1-1 learned", "1-1-..-1 learned"),
        ("7 learned", "7 learned"),
    ],
)
def test_a_label_names_the_network_as_it_is(network: str, label: str) -> None:
    assert label_of(network) == label


@pytest.mark.parametrize("neurons", [1, 10, 29])
@pytest.mark.parametrize("share", [0.0, 1e-3, 0.0022, 1.0])
def test_a_single_network_is_drawn_without_a_warning(tmp_path: Path, neurons: int, share: float) -> None:
    data = gather_front(scripted(tmp_path / "one", 1))
    (point,) = data.front
    network = replace(point.network, neurons=neurons, share=share)
    alone = replace(data, front=(replace(point, network=network),), trained=(network,))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_png(alone, tmp_path / "front.png")
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")
