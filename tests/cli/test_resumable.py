"""Ctrl-C wherever a comparison or sweep is, without training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from nas_fpga.cli._resumable import resumable
from nas_fpga.study import SearchInterruptedError
from tests.cli.conftest import Ended


def stop(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("error", "said"),
    [(KeyboardInterrupt(), "stopped"), (SearchInterruptedError("stopped in b; 3 of 8 trials are saved"),) * 2],
)
def test_stopped_says_how_to_go_on(error: BaseException, said: object) -> None:
    with pytest.raises(SearchInterruptedError) as stopped, resumable("sweep", Path("elsewhere/my sweep")):
        raise error
    assert str(stopped.value) == (f"{said}. Continue with: nas-fpga sweep --name 'my sweep' --resume --runs elsewhere")


@pytest.mark.parametrize("command", ["compare", "sweep"])
@pytest.mark.parametrize("during", ["studies", "report"])
def test_between_studies_and_while_the_page_is_made(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    nas_fpga: Callable[[Sequence[str]], Ended],
    command: str,
    during: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    execute = stop if during == "studies" else lambda *_: None
    run, write = {"compare": ("ComparisonRun", "write_comparison"), "sweep": ("SweepRun", "write_sweep")}[command]
    prepared = SimpleNamespace(prepare=lambda *_, **__: SimpleNamespace(execute=execute))
    monkeypatch.setattr(f"nas_fpga.comparison.{run}", prepared)
    monkeypatch.setattr(f"nas_fpga.report.{write}", stop)
    ended = nas_fpga([command, "--name", "a"])
    assert (ended.code, ended.out) == (130, "")
    assert ended.err == f"stopped. Continue with: nas-fpga {command} --name a --resume\n"
