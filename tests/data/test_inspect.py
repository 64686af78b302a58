"""What is said of a file before anything is searched on it."""

from __future__ import annotations

import shlex
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from nas_fpga.data import inspect_file, read_dataset
from nas_fpga.data._association import gives_away
from nas_fpga.errors import InputError
from tests.data.tables import WRITERS, write
from tests.data.variants.files import (
    cernbox_columns,
    openml_columns,
    shower_arrays,
    write_cernbox,
    write_openml,
    write_showers,
)


def columns(n: int = 300, **more: object) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    label = np.arange(n) % 3 % 2
    table = {
        "x": rng.normal(size=n) + label,
        "flag": np.ones(n, dtype=np.int64),
        "n": rng.integers(-5, 6, n),
        "label": label,
        "event": np.arange(n) // 3,
        "weight": rng.uniform(0.5, 2, n),
    }
    return table | {name: np.asarray(column) for name, column in more.items()}


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format(tmp_path: Path, suffix: str) -> None:
    table = columns(kind=np.where(np.arange(300) % 4 == 0, "a", "b"))
    table["x"][[3, 5]], table["x"][8] = np.nan, np.inf
    path = write(tmp_path / f"t.{suffix}", table)
    found = inspect_file(path)
    by_name = {column.name: column for column in found.columns}
    assert list(by_name) == list(table)
    assert found.n_rows == 300
    x, n = by_name["x"], by_name["n"]
    finite = table["x"][np.isfinite(table["x"])]
    assert (x.minimum, x.maximum) == pytest.approx((finite.min(), finite.max()))
    assert (x.n_missing, x.n_infinite, x.n_distinct, x.role) == (2, 1, 297, "feature")
    assert (n.minimum, n.maximum, n.n_distinct, n.dtype) == (-5, 5, 11, "int64")
    assert (by_name["kind"].dtype, by_name["kind"].n_distinct, by_name["kind"].role) == ("text", 2, "text")
    assert by_name["flag"].role == "constant"
    assert (found.target, found.group, found.weight) == ("label", "event", "weight")
    assert found.classes == {"0": 200, "1": 100}
    assert found.command == f"nas-fpga search --data {path} --target label --group event --weight weight"
    assert found.warnings == (
        "Encode as numbers or leave out of the file: kind",
        "Rows with NaN or infinities are dropped: in x",
    )
    assert found.variant is None


def test_the_command_is_one_that_reads_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "my table.csv", columns())
    words = shlex.split(inspect_file(path).command)
    given = dict(zip(words[2::2], words[3::2], strict=True))
    data = read_dataset(given["--data"], given["--target"], group=given["--group"], weight=given["--weight"])
    assert data.features.shape == (300, 2)


@pytest.mark.parametrize(
    ("more", "target"),
    [
        ({"label": np.arange(300) / 7}, None),
        ({"label": np.arange(300) / 7, "jet_type": np.arange(300) % 5}, "jet_type"),
        ({"label": np.arange(300) / 7, "isSignal": np.arange(300) % 2 == 0}, "isSignal"),
        ({"label": np.arange(300) / 7, "particle": np.array(["e", "p"] * 150)}, "particle"),
        ({"truth": np.arange(300) % 2}, "label"),
        ({"Class": np.arange(300) % 2, "label": np.arange(300) / 7}, "Class"),
        ({"label": np.arange(300) % 2 * 1.0}, "label"),
        ({"label": np.where(np.arange(300) % 9, np.arange(300) % 2, np.nan)}, None),
        ({"label": np.arange(300)}, None),
    ],
)
def test_suggested_target(tmp_path: Path, more: dict, target: str | None) -> None:
    table = columns() | more
    table["n"] = table["n"] * 0.3
    found = inspect_file(write(tmp_path / "t.npz", table))
    assert found.target == target
    assert f"--target {target or 'COLUMN'} " in found.command


@pytest.mark.parametrize(
    ("name", "values", "group"),
    [
        ("event", np.arange(300) // 2, "event"),
        ("eventNumber", np.arange(300)[::-1] // 2, "eventNumber"),
        ("shower_id", np.arange(300) // 2, "shower_id"),
        ("evt", np.array([f"r{i // 2}" for i in range(300)]), "evt"),
        ("event", np.arange(300), None),
        ("event", np.zeros(300), None),
        ("eventful", np.arange(300) // 2, None),
    ],
)
def test_suggested_group(tmp_path: Path, name: str, values: np.ndarray, group: str | None) -> None:
    table = {key: column for key, column in columns().items() if key != "event"} | {name: values}
    assert inspect_file(write(tmp_path / "t.npz", table)).group == group


@pytest.mark.parametrize(
    ("name", "values", "weight"),
    [
        ("w", np.full(300, 2.0), "w"),
        ("mc_weight", np.arange(300.0), "mc_weight"),
        ("genWeight", np.arange(300.0), "genWeight"),
        ("weight", np.arange(300.0) - 1, None),
        ("weight", np.zeros(300), None),
        ("j_w", np.arange(300) % 2, None),
    ],
)
def test_suggested_weight(tmp_path: Path, name: str, values: np.ndarray, weight: str | None) -> None:
    table = {key: column for key, column in columns().items() if key != "weight"} | {name: values}
    assert inspect_file(write(tmp_path / "t.npz", table)).weight == weight


class TestLeaks:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 5000)

    def told(self, column: np.ndarray) -> list[str]:
        return gives_away({"c": column}, self.labels, "label")

    def test_the_target_again(self) -> None:
        said = ["Column 'c' alone tells 'label' in 100.0% of the rows: a leak?"]
        assert self.told(self.labels * 5) == said
        assert self.told(np.array(["e", "p", "k"])[self.labels]) == said

    def test_a_continuous_column_that_tells_it(self) -> None:
        assert "alone tells 'label' in 9" in self.told(self.labels + self.rng.uniform(0, 0.99, 5000))[0]

    def test_one_of_the_classes(self) -> None:
        assert self.told(self.labels == 1) == ["Column 'c' follows from 'label' in 100.0% of the rows: a leak?"]

    def test_features_are_none(self) -> None:
        mean = self.labels + self.rng.normal(size=5000)
        for column in (
            mean,
            mean.round(),
            self.rng.integers(0, 2, 5000),
            np.arange(5000),
            np.zeros(5000),
            mean * np.nan,
        ):
            assert self.told(column) == []

    def test_classes_that_take_turns(self) -> None:
        labels = np.arange(1_000_000) % 2
        assert len(gives_away({"c": labels * 3.0}, labels, "label")) == 1

    def test_rare_values_follow_from_nothing(self) -> None:
        assert self.told((np.arange(5000) % 1000 == 0) * 1) == []

    def test_some_wrong_rows_hide_it_only_when_they_are_many(self) -> None:
        nearly = np.where(np.arange(5000) % 200 == 0, 9, self.labels)
        often = np.where(np.arange(5000) % 20 == 0, 9, self.labels)
        assert len(self.told(nearly)) == 1
        assert self.told(often) == []


def test_identifiers_and_leaks_are_warned_of(tmp_path: Path) -> None:
    table = columns(row=np.arange(300), code=columns()["label"] * 4 + 1)
    found = inspect_file(write(tmp_path / "t.npz", table))
    assert {column.name: column.role for column in found.columns}["row"] == "identifier"
    assert found.warnings == (
        "Column 'code' alone tells 'label' in 100.0% of the rows: a leak?",
        "Leave out of the file, unless it is meant as a feature: row",
    )


def test_missing_values_of_a_constant_column_are_as_in_a_search(tmp_path: Path) -> None:
    flags = {"flag": np.where(np.arange(300) % 2, np.nan, 1.0), "none": np.full(300, np.nan)}
    path = write(tmp_path / "t.csv", columns(**flags))
    found = inspect_file(path)
    dropped = [column.name for column in found.columns if column.note == "never varies: dropped"]
    data = read_dataset(path, "label", group="event", weight="weight")
    assert data.repairs == (f"dropped 2 constant columns: {', '.join(dropped)}",)
    assert len(data.labels) == 300
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("more", "warning"),
    [
        (
            {"holes": np.where(np.arange(300) % 5 < 3, np.nan, 1.0 * np.arange(300))},
            "180 of 300 rows have NaN or infinite features (most in column 'holes': 180); leave that column out",
        ),
        (
            {"huge": np.linspace(-3e300, 1, 300)},
            "Column 'huge' reaches 3e+300, beyond float32 (3.40282e+38); rescale it",
        ),
        (
            {"weight": np.arange(300) % 3 % 2 * 1.0},
            "Class '0' has only 0 usable rows, 10 of weight above 0 are needed; add rows or drop the class",
        ),
        (
            {"holes": np.where((np.arange(300) % 3 == 1) & (np.arange(300) > 20), np.nan, 1.0 * np.arange(300))},
            "Class '1' has only 7 usable rows, 10 of weight above 0 are needed; add rows or drop the class",
        ),
    ],
)
def test_what_a_search_refuses_is_a_warning(tmp_path: Path, more: dict, warning: str) -> None:
    found = inspect_file(path := write(tmp_path / "t.npz", columns(**more)))
    assert warning in found.warnings
    with pytest.raises(InputError) as refused:
        read_dataset(path, "label", group="event", weight="weight")
    assert str(refused.value).lower() == f"{path}: {warning}".lower()


def test_too_few_rows(tmp_path: Path) -> None:
    found = inspect_file(write(tmp_path / "t.npz", {"x": np.arange(12.0), "label": np.arange(12) // 9}))
    assert found.warnings[:2] == (
        "Only 12 rows; a search needs 50",
        "Too few rows: class '0' has 9, class '1' has 3; a search needs 10",
    )


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("lable", r"target 'lable' is not a column of \S+t.npz; did you mean 'label'\?"),
        ("weight", r"target 'weight' has 300 different values .* it looks continuous"),
        ("flag", r"target 'flag' has only the class '1'; at least two are needed"),
    ],
)
def test_targets_that_are_none(tmp_path: Path, target: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        inspect_file(write(tmp_path / "t.npz", columns()), target)


class TestPublished:
    def test_openml(self, tmp_path: Path) -> None:
        path = write_openml(tmp_path / "jets.arff.gz", openml_columns())
        found = inspect_file(path)
        assert (found.variant, found.target, found.format) == ("openml-jets", "class", "ARFF")
        assert found.classes == dict.fromkeys("gqtwz", 80)
        assert found.command == f"nas-fpga search --data openml-jets:{path}"
        assert found.warnings == ("The published file has 830,000 rows, this one 400; openml-jets refuses it",)

    def test_cernbox(self, tmp_path: Path) -> None:
        path = write_cernbox(tmp_path / "jets.z", cernbox_columns())
        found = inspect_file(path)
        assert (found.variant, found.target, found.weight) == ("cernbox-jets", None, None)
        assert found.classes == dict.fromkeys(("j_g", "j_q", "j_w", "j_z", "j_t"), 80)
        assert [column.role for column in found.columns] == ["spectator"] * 2 + ["feature"] * 16 + ["target"] * 5
        assert found.command == f"nas-fpga search --data cernbox-jets:{path}"
        asked = inspect_file(path, "j_t")
        assert asked.command == f"nas-fpga search --data {path} --target j_t"
        assert asked.classes == {"0": 320, "1": 80}

    @pytest.mark.parametrize(("n_features", "variant"), [(1, None), (8, None), (9, "cernbox-jets")])
    def test_cernbox_has_most_of_its_features(self, tmp_path: Path, n_features: int, variant: str | None) -> None:
        few = dict(list(cernbox_columns().items())[2 : 2 + n_features])
        assert all(name.startswith("j_") for name in few)
        table = {"x": np.arange(400.0), "j_t": np.arange(400) % 5 == 0} | few | {"label": np.arange(400) % 2}
        found = inspect_file(write(tmp_path / "t.npz", table))
        assert (found.variant, found.target) == (variant, None if variant else "label")

    def test_beam_test(self, tmp_path: Path) -> None:
        path = write_showers(tmp_path / "electrons.h5", shower_arrays("electron")[0])
        found = inspect_file(path)
        assert (found.variant, found.n_rows, found.target) == ("hgcal-beam-test", 120, None)
        assert {column.name: column.role for column in found.columns} == dict.fromkeys(("nhits", "target"), "spectator")
        assert found.command == "nas-fpga search --data hgcal-beam-test:ELECTRONS.h5,PIONS.h5"
        path.write_bytes(path.read_bytes()[:-2000])
        with pytest.raises(InputError, match=r"electrons.h5 cannot be read as HDF5"):
            inspect_file(path)

    def test_own_jets_and_mixtures(self, tmp_path: Path) -> None:
        names = np.array(["gluon", "quark", "W", "Z", "top"])[np.arange(400) % 5]
        own = openml_columns() | {"class": names, "event": np.arange(400) // 2}
        found = inspect_file(write(tmp_path / "own.npz", own))
        assert (found.variant, found.target, found.group) == (None, "class", "event")
        found = inspect_file(write(tmp_path / "mixed.npz", openml_columns() | cernbox_columns()))
        assert found.variant is None
        assert found.warnings[0].startswith("Rows or columns of openml-jets and cernbox-jets are mixed")


def test_a_million_rows_take_seconds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=1_000_000).astype(np.float32)
    table = {f"x{k}": np.roll(values, k) for k in range(20)} | {"label": rng.integers(0, 2, 1_000_000)}
    parquet.write_table(pa.table(table), tmp_path / "t.parquet")
    start = time.process_time()
    assert inspect_file(tmp_path / "t.parquet").classes.keys() == {"0", "1"}
    assert time.process_time() - start < 10  # a fifth of it on a quiet core
