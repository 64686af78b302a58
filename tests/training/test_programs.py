"""Compiler options where XLA has them."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import pytest

from nas_fpga.training import _programs
from nas_fpga.training._programs import quick_to_compile


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    quick_to_compile.cache_clear()
    yield
    quick_to_compile.cache_clear()


def test_the_versions_we_install_have_the_option() -> None:
    assert quick_to_compile() == {"xla_cpu_use_fusion_emitters": False}


def test_an_option_that_is_gone_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_programs, "_QUICK_TO_COMPILE", {"xla_cpu_that_never_was": False})
    assert quick_to_compile() is None


def test_other_devices_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert quick_to_compile() is None
