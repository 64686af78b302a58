from __future__ import annotations

import pytest

from nas_fpga.hardware import Figure


def test_text_keeps_the_figure_before_it_was_carried():
    assert str(Figure(1234, "LUT", "place-and-route", 900, 1700)) == "1,234 LUT (900-1,700, place-and-route)"
    carried = Figure(1234, "LUT", "place-and-route", 900, 1700, "law", (2172, "csynth"))
    assert str(carried) == "1,234 LUT (900-1,700, place-and-route; 2,172 at csynth)"


def test_a_value_outside_its_interval_is_refused():
    with pytest.raises(ValueError, match=r"figure 3 LUT lies outside its interval \[4, 5\]"):
        Figure(3, "LUT", "estimate", 4, 5)
