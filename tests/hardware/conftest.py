from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hardware_cases import build_network, read_table

from nas_fpga.training import QuantizedNetwork


@pytest.fixture
def make_network() -> Callable[..., QuantizedNetwork]:
    return build_network


@pytest.fixture
def table() -> Callable[[str], dict[str, np.ndarray]]:
    return read_table
