"""Which points logic synthesis puts in another order."""

from __future__ import annotations

from nas_fpga.export import reversals
from nas_fpga.export._prove import PointProof
from nas_fpga.hardware import Figure


def proof(name: str, estimated: float, synthesised: float | None) -> PointProof:
    def figure(value: float) -> Figure:
        return Figure(value, "LUT", "place-and-route", value, value)

    return PointProof(
        point=name,
        network="4 w3a3",
        mapping="da",
        error=0.1,
        estimated=figure(estimated),
        synthesised=None if synthesised is None else figure(synthesised),
        cells=None,
        events=0,
        outputs=0,
        differing=None,
        wall_time_s=0.0,
        cause="" if synthesised is not None else "too large",
    )


def test_pairs_in_another_order_are_named_cheaper_by_estimate_first():
    proofs = [proof("a", 100, 120), proof("b", 110, 115), proof("c", 200, 118), proof("d", 300, None)]
    assert reversals(proofs) == (("a", "b"), ("a", "c"))
    assert reversals(proofs[::-1]) == (("a", "b"), ("a", "c"))


def test_equal_costs_are_in_no_order():
    assert reversals([proof("a", 100, 120), proof("b", 100, 110), proof("c", 130, 120)]) == ()
    assert reversals([]) == ()
