"""What is kept comes back as it was, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from nas_fpga.hardware._cache import cache_folder, keep, recall


@dataclass(frozen=True)
class Counts:
    luts: float
    parts: tuple[float, ...]
    levels: int


KEPT = Counts(0.1 + 0.2, (1.5, -2.0), 7)


def test_counts_come_back_bit_for_bit(tmp_path: Path):
    path = tmp_path / "new" / "entry.json"
    assert recall(path, Counts) is None
    keep(path, KEPT)
    assert recall(path, Counts) == KEPT
    assert [file.name for file in path.parent.iterdir()] == ["entry.json"]


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b'{"luts": 0.3, "parts": [1.5',
        b'{"luts": 0.3, "parts": [1.5]}',
        b'{"luts": 0.3, "parts": [1.5], "levels": 7, "more": 1}',
        b'{"luts": "0.3", "parts": [1.5], "levels": 7}',
        b'{"luts": 0.3, "parts": [null], "levels": 7}',
        b"[1, 2, 3]",
        b"\xff\xfe",
    ],
)
def test_what_is_damaged_is_not_there(tmp_path: Path, damaged: bytes):
    (tmp_path / "entry.json").write_bytes(damaged)
    assert recall(tmp_path / "entry.json", Counts) is None


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path: Path):
    (tmp_path / "file").write_text("")
    keep(tmp_path / "file" / "entry.json", KEPT)
    assert recall(tmp_path / "file" / "entry.json", Counts) is None


def test_it_lies_where_the_user_keeps_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert cache_folder("synthesis") == tmp_path / "caches" / "nas-fpga" / "synthesis"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder("synthesis") == tmp_path / ".cache" / "nas-fpga" / "synthesis"
