"""What stands beside the points of the front."""

import pytest

from nas_fpga.report._front_figures import label_of


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
