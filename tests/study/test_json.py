"""Values as JSON has them."""

from __future__ import annotations

import json
import math

import numpy as np

from nas_fpga.study import finite


def test_what_is_no_number_is_none() -> None:
    value = {"a": [math.nan, 1.5, (np.float64(np.inf), 2)], "b": "nan", "c": None, "d": True}
    assert finite(value) == {"a": [None, 1.5, [None, 2]], "b": "nan", "c": None, "d": True}
    json.dumps(finite(value), allow_nan=False)


def test_digits() -> None:
    assert finite({"a": (1.23456789, 123456)}, 3) == {"a": [1.23, 123456]}
    assert finite(1.23456789) == 1.23456789
