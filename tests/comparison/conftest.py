"""Workers that train nothing, in place of those that comparisons and sweeps start."""

from __future__ import annotations

from typing import Any

import pytest

from nas_fpga.comparison import _studies as studies
from tests.study.conftest import ScriptedWorkers, make_setup


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """How many workers were started, and what they are to do."""
    seen: dict[str, Any] = {"started": 0, "failing": (), "stop_after": None}

    class Workers(ScriptedWorkers):
        def __init__(self, _: object, n: int, backend: str) -> None:
            super().__init__(make_setup(), n, lambda n: 0, seen["failing"])
            self.stop_after = seen["stop_after"]
            seen["started"] += 1

        def __enter__(self) -> Workers:
            return self

        def __exit__(self, *_: object) -> None:
            seen["ended"] = seen.get("ended", 0) + 1

    monkeypatch.setattr(studies, "LocalWorkers", Workers)
    return seen
