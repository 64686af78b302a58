"""Files that are whole or as they were before."""

from __future__ import annotations

from pathlib import Path

import pytest

from nas_fpga._files import in_one_step, write_whole


def test_a_file_takes_the_place_of_another(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    for text in ("before", "na\N{LATIN SMALL LETTER I WITH DIAERESIS}ve\n"):
        write_whole(path, text)
        assert path.read_bytes() == text.encode()
    assert list(tmp_path.iterdir()) == [path]


def test_where_it_fails_the_file_stays_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    def fill(file: Path) -> None:
        file.write_text("half")
        raise OSError(28, "No space left on device")

    path = tmp_path / "table.csv"
    path.write_text("before")
    with pytest.raises(OSError, match="No space"):
        in_one_step(path, fill)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
