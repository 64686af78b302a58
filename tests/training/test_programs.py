"""Compiler options where XLA has them."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import pytest

from nas_fpga.training._programs import FIXED_BITS, LEARNED_BITS, quick_to_compile


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    quick_to_compile.cache_clear()
    yield
    quick_to_compile.cache_clear()


@pytest.mark.parametrize("option", [FIXED_BITS, LEARNED_BITS])
def test_the_versions_we_install_have_the_options(option: tuple[str, bool | int]) -> None:
    assert quick_to_compile(*option) == dict([option])


def test_an_option_that_is_gone_is_left_out() -> None:
    assert quick_to_compile("xla_cpu_that_never_was", False) is None


def test_other_devices_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert quick_to_compile(*FIXED_BITS) is None
