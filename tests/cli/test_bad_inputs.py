"""What a tired physicist types: every wrong input ends with exit code 2 and one line that says what and how to mend."""

from __future__ import annotations

import fcntl
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.study import StudyDirection

from nas_fpga.study import DataSource, SearchDefinition, StudyStorage, load_data
from tests.cli.conftest import Ended, command, environment, write_table

Run = Callable[[Sequence[str]], Ended]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good and bad files."""
    folder = tmp_path_factory.mktemp("inputs")
    table = write_table(folder / "data.csv")
    rows = table.read_text().splitlines()
    (folder / "few.csv").write_text("\n".join(rows[:20]))
    (folder / "empty.csv").write_text("")
    (folder / "semicolons.csv").write_text(table.read_text().replace(",", ";"))
    (folder / "text.csv").write_text("a,b,label\n" + "".join(f"{i},blue,{i % 2}\n" for i in range(100)))
    (folder / "one.csv").write_text("a,label\n" + "".join(f"{i},1\n" for i in range(100)))
    (folder / "nothing_varies.csv").write_text("a,label\n" + "".join(f"3,{i % 2}\n" for i in range(100)))
    (folder / "data.txt").write_text(table.read_text())
    (folder / "folder.csv").mkdir()
    np.savez(folder / "whole.npz", a=np.arange(100.0), label=np.arange(100) % 2)
    whole = (folder / "whole.npz").read_bytes()
    (folder / "cut.npz").write_bytes(whole[: len(whole) // 2])
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"a": np.arange(100.0), "label": np.arange(100) % 2}), folder / "cut.parquet")
    whole = (folder / "cut.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(whole[: len(whole) - 20])
    (folder / "random.root").write_bytes(np.random.default_rng(0).bytes(3000))
    (folder / "random.h5").write_bytes(np.random.default_rng(1).bytes(3000))
    return folder


@pytest.fixture
def here(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh working folder with these files."""
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def one_line(ended: Ended, *words: str) -> None:
    """Assert exit code 2 and a single line that holds the words."""
    assert ended.code == 2, ended.err
    assert ended.out == ""
    assert ended.err.startswith("error: ")
    assert ended.err.endswith("\n")
    assert ended.err.count("\n") == 1, ended.err
    assert "Traceback" not in ended.err
    for word in words:
        assert word in ended.err, (word, ended.err)


FILE = "search --data data.csv --target label"

OPTIONS = [
    # what is typed, and what the line must hold: the value, and a word of the cure
    (f"{FILE} --bugdet 20", "--bugdet", "--budget"),
    (f"{FILE} --budget", "--budget", "requires an argument", "search --help"),
    (f"{FILE} --budget many", "'--budget'", "'many'", "integer", "search --help"),
    (f"{FILE} --budget=many", "'--budget'", "'many'", "integer"),
    (f"{FILE} --budget 2e3", "'2e3'", "integer"),
    (f"{FILE} --budget 0", "budget 0", "at least 1"),
    (f"{FILE} --budget -1", "budget -1", "at least 1"),
    (f"{FILE} --budget 5 --max-layers 9", "budget 5", "9 layers", "at most 5 layers"),
    (f"{FILE} --max-layers 0", "max layers 0", "at least 1"),
    (f"{FILE} --max-width 0", "max width 0", "at least 1"),
    (f"{FILE} --bits 1:8", "1:8", "2:8"),
    (f"{FILE} --bits 2:12", "2:12", "2:8"),
    (f"{FILE} --bits 8:2", "8:2", "LOW:HIGH"),
    (f"{FILE} --bits six", "--bits six", "such as 6"),
    (f"{FILE} --bits ²", "--bits ²", "such as 6"),
    (f"{FILE} --bits 2-8", "--bits 2-8", "such as 2:8"),
    (f"{FILE} --min-params -1", "--min-params -1", "at least 1"),
    (f"{FILE} --min-params 100 --max-params 5", "100", "5", "swap"),
    (f"{FILE} --min-params 1000000000", "1000000000", "relax"),
    (f"{FILE} --part virtex", "'virtex'", "did you mean", "xc7vx690t"),
    (f"{FILE} --part xcvu13", "'xcvu13'", "did you mean xcvu13p"),
    (f"{FILE} --region 10", "'10'", "5%"),
    (f"{FILE} --region 150%", "'150%'", "5%"),
    (f"{FILE} --clock-ns 0", "clock", "0", "above 0"),
    (f"{FILE} --rate-mhz nan", "rate", "nan", "above 0"),
    (f"{FILE} --max-luts -1", "LUT", "-1", "above 0"),
    (f"{FILE} --max-luts nan", "LUT", "nan", "above 0"),
    (f"{FILE} --max-luts 1e9", "1,000,000,000 LUT", "1,728,000"),
    (f"{FILE} --max-luts 1", "2000 neurons", "relax"),
    (f"{FILE} --max-latency-ns 0.001", "relax"),
    (f"{FILE} --objective luts", "'luts'", "'lut'"),
    (f"{FILE} --learning-rate 0", "--learning-rate 0", "above 0, such as 0.005"),
    (f"{FILE} --learning-rate-decay 2", "--learning-rate-decay 2", "between 0 and 1"),
    (f"{FILE} --beta-1 1", "--beta-1 1", "below 1, such as 0.9"),
    (f"{FILE} --dropout 1", "--dropout 1", "below 1, such as 0.1"),
    (f"{FILE} --search-training orka", "orka", "default, orca", "learning-rate=1e-4:1e-1"),
    (f"{FILE} --search-training dropout=0.5:0", "dropout=0.5:0", "must rise", "--dropout 0.5"),
    (f"{FILE} --search-training batch-size=100:200", "batch-size=100:200", "256:1024"),
    (f"{FILE} --search-training epochs=2:4 --epochs 3", "--epochs", "--search-training", "leave one"),
    (f"{FILE} --search-training orca --sampler grid", "the grid", "leave --search-training out"),
    (f"{FILE} --sampler gpp", "gpp", "bayesian-optimization"),
    (f"{FILE} --sampler grid --grid 8,x", "'8,x'", "8,16,32x8,16"),
    (f"{FILE} --sampler grid --grid 9999", "2000", "another --grid"),
    (f"{FILE} --grid 8,16x8", "--grid 8,16x8", "--sampler grid"),
    (f"{FILE} --sampler bayesian-optimization --acquisition pi", "--acquisition pi", "ucb, ei, poi"),
    (f"{FILE} --sampler tpe --acquisition ei", "--acquisition ei", "leave it out"),
    (f"{FILE} --goal both", "'both'", "'precision'"),
    (f"{FILE} --include 64,wide", "'wide'", "64-32-32"),
    (f"{FILE} --include 0-4", "(0, 4)", "one neuron"),
    (f"{FILE} --include 5000", "5000", "--budget 2000"),
    (f"{FILE} --include 16,8,16", "16 w6a6", "twice"),
    (f"{FILE} --after one,two,one", "--after one", "twice"),
    (f"{FILE} --bits 4 --include 16-w9a9", "'16-w9a9'", "w6a6"),
    (f"{FILE} --generation 0", "--generation 0", "at least 1"),
    (f"{FILE} --seed -1", "--seed -1", "negative"),
    (f"{FILE} --workers 0", "--workers 0", "at least 1"),
    (f"{FILE} --trials 0", "--trials 0", "at least 1"),
    (f"{FILE} --trials 3.5", "'3.5'", "integer"),
    (f"{FILE} --epochs 0", "--epochs 0", "at least 1"),
    (f"{FILE} --patience 0", "--patience 0", "at least 1"),
    (f"{FILE} --batch-size 0", "--batch-size 0", "at least 1"),
    (f"{FILE} --learning-rate -1", "--learning-rate -1", "above 0"),
    (f"{FILE} --learning-rate inf", "--learning-rate inf", "finite"),
    (f"{FILE} --input-bits 99", "99", "2 to 16"),
    (f"{FILE} --signal-efficiency 1.5", "--signal-efficiency 1.5", "between 0 and 1"),
    (f"{FILE} --signal-efficiency 95", "--signal-efficiency 95", "0.95"),
    (f"{FILE} --backend torch", "'torch'", "'jax', 'tensorflow'"),
    (f"{FILE} --study a/b", "'a/b'", "--runs"),
    (f"{FILE} --study ..", "'..'", "plain name"),
    (f"{FILE} --study nope --resume", "'nope'", "--study NAME"),
    (f"{FILE} --resume", "no study in runs", "search first"),
    (f"{FILE} --runs data.csv", "data.csv", "give another --runs"),
    (f"{FILE} --runs /proc/nas-fpga", "/proc/nas-fpga", "give another --runs"),
    (f"{FILE} --storage runs.db", "runs.db", "URL", "give another"),
    (f"{FILE} --storage foo://x", "foo://x", "give another"),
    (f"{FILE} --storage sqlite:////no/such/folder/study.db", "/no/such/folder/study.db", "give another"),
    (f"{FILE} --storage mysql+nodriver://u@h/x", "mysql+nodriver", "give another"),
    (f"{FILE} extra", "extra", "search --help"),
    (f"{FILE} --signal 7", "'7'", "0, 1"),
    (f"{FILE} --weight w", "weight 'w'", "columns: a, b, c, label"),
    (f"{FILE} --group lable", "group 'lable'", "did you mean 'label'"),
    (f"{FILE} --group label", "must be different columns"),
    (f"{FILE} --pileup 0", "--pileup 0", "hgcal", "leave it out"),
    # data
    ("search --data nofile.csv --target label", "nofile.csv", "give the path"),
    ("search --data HGCAL", "'HGCAL'", "give hgcal, jets or the path"),
    ("search --data jets --signal b", "'b'", "gluon, quark, W, Z, top"),
    ("search --data jets --target class", "--target", "jets has its own"),
    ("search --data jets --pileup 0", "--pileup 0", "hgcal", "leave it out"),
    ("search --data openml-jets", "JETS.arff.gz", "fetch_openml(data_id=42468"),
    ("search --data openml-jets:gone.arff", "gone.arff does not exist", "fetch_openml(data_id=42468"),
    ("search --data openml-jets:folder.csv", "folder.csv is a directory", "one file"),
    ("search --data openml-jets:data.csv", "data.csv is not the OpenML jets", "lacks zlogz", "fetch_openml"),
    ("search --data cernbox-jets:gone.z", "gone.z does not exist", "wget https://cernbox.cern.ch/s/"),
    ("search --data cernbox-jets:cut.npz", "cut.npz", "truncated"),
    ("search --data cernbox-jets:gone.z --target j_t", "--target", "cernbox-jets has its own"),
    ("search --data cernbox-jets:gone.z --pileup 0", "--pileup 0", "cernbox-jets has its own columns"),
    ("search --data hgcal-beam-test:a.h5", "2 files", "ELECTRONS.h5,PIONS.h5", "zenodo.org/api/records/7504164"),
    ("search --data hgcal-beam-test:random.h5,random.h5", "random.h5", "cannot be read", "7864471"),
    ("search --data hgcal-beam-test:data.csv,random.h5", "data.csv", "cannot be read", "7864471"),
    ("search --data hgcal-beam-test:a,b --signal pion", "--signal", "hgcal-beam-test has its own"),
    ("search --data folder.csv --target label", "folder.csv", "directory", "one file"),
    ("search --data data.txt --target label", "'.txt'", ".csv"),
    ("search --data data.csv", "data.csv", "--target COLUMN", "nas-fpga data inspect"),
    ("search --data random.h5:rows", "random.h5:rows", "--target COLUMN", "nas-fpga data inspect"),
    ("search --data gone.h5:rows", "gone.h5:rows", "none of hgcal, jets and no file"),
    ("data inspect", "'FILE'", "data inspect --help"),
    ("data inspect gone.csv", "gone.csv does not exist", "give the path"),
    ("data inspect data.txt", "'.txt'", ".csv"),
    ("data inspect empty.csv", "empty.csv", "write it again"),
    ("data inspect cut.npz", "cut.npz", "truncated"),
    ("data inspect cut.parquet", "cut.parquet", "damaged"),
    ("data inspect random.h5", "random.h5", "damaged"),
    ("data inspect data.csv --target lable", "'lable'", "did you mean 'label'"),
    ("data inspect data.csv --target a", "target 'a'", "classes"),
    ("search --data data.csv --target lable", "'lable'", "did you mean 'label'"),
    ("search --data data.csv --target a", "target 'a'", "classes"),
    ("search --data few.csv --target label", "few.csv", "19 usable rows", "at least 50"),
    ("search --data empty.csv --target label", "empty.csv", "write it again"),
    ("search --data semicolons.csv --target label", "';'", "commas"),
    ("search --data text.csv --target label", "b ('blue')", "encode them"),
    ("search --data one.csv --target label", "only the class '1'", "two are needed"),
    ("search --data nothing_varies.csv --target label", "no feature varies (a)", "columns"),
    ("search --data cut.npz --target label", "cut.npz", "truncated"),
    ("search --data cut.parquet --target label", "cut.parquet", "damaged"),
    ("search --data random.root --target label", "random.root", "damaged"),
    ("search --data random.h5 --target label", "random.h5", "damaged"),
    ("search --target label", "--target", "--data FILE"),
    ("search --pileup 140", "140", "nas-fpga data hgcal --pileup 140"),
    ("search --pileup 100", "100", "0, 140, 200"),
    ("search --features ce-h", "'ce-h'", "ce-e+ce-h"),
    # front, data hgcal, and the commands themselves
    ("front", "no study in runs", "search first"),
    ("front --study nope", "'nope'", "--study NAME"),
    ("front --runs nowhere", "nowhere", "--runs"),
    ("front --budget 3", "--budget", "front --help"),
    ("data hgcal --pileup 100", "100", "0, 140, 200"),
    ("data hgcal --pileup few", "'few'", "integer", "data hgcal --help"),
    ("data hgcal --showers nowhere.npz", "nowhere.npz", "give the path"),
    ("data hgcal --showers cut.npz", "cut.npz", "copy the packed showers again"),
    ("data hgcal --showers whole.npz", "whole.npz", "lacks", "another file"),
    ("data hgcal --to data.csv", "data.csv", "another place"),
    ("data hgcal --to /proc/nas-fpga", "/proc/nas-fpga", "another place"),
    ("data jets --events 0", "0 jets", "--events"),
    ("data jets --events 10 --seed -1", "seed -1", "--seed"),
    ("data jets --events 10 --to jets.csv", "jets.csv", ".npz", "--to"),
    ("data jets --events 10 --to cut.npz", "cut.npz", "exists", "--to"),
    ("data jets --events 10 --workers 0", "0 workers", "at least 1"),
    ("data jets --events 10 --to /proc/nas-fpga/jets.npz", "/proc/nas-fpga", "another place"),
    ("search --resume --workers none", "'none'", "integer"),
    ("search --data data.csv --target label --sampler grid --grid 0x4", "'0x4'", "at least 1"),
    ("search --data data.csv --target label --bits", "--bits", "requires an argument", "search --help"),
    ("search -budget 20", "-b", "search --help"),
    ("search --data data.csv --target label --clock-ns 0.3", "0.3 ns", "at least 1"),
    ("search --data data.csv --target label --max-layers 3001", "3001", "at most 64"),
    ("search --data data.csv --target label --budget 20 --max-layers 30", "20", "30", "allow at most"),
    ("serach", "'serach'", "Did you mean 'search'"),
    ("data hgcl", "'hgcl'", "'hgcal'"),
    ("--budget 20", "--budget", "--help"),
]


@pytest.mark.parametrize(("typed", "words"), [(typed, words) for typed, *words in OPTIONS], ids=[c[0] for c in OPTIONS])
def test_says_what_is_wrong_and_how_to_mend_it(here: Path, nas_fpga: Run, typed: str, words: list[str]) -> None:
    one_line(nas_fpga(typed.split()), *words)
    assert not (here / "runs").exists()


def test_unknown_keras_backend_in_the_environment(here: Path, nas_fpga: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    one_line(nas_fpga(FILE.split()), "'torch'", "jax, tensorflow", "--backend")


def test_debug_shows_the_traceback(here: Path) -> None:
    ended = subprocess.run(
        command(*FILE.split(), "--budget", "0", "--debug"), capture_output=True, text=True, env=environment()
    )
    assert ended.returncode == 1
    assert "Traceback" in ended.stderr
    assert "budget 0" in ended.stderr


# -- studies -----------------------------------------------------------------------------------------------------------

DATA = DataSource(name="data.csv", target="label")


@pytest.fixture
def study(here: Path) -> Path:
    """A study without trials, as a search that was stopped at once leaves it."""
    folder = here / "runs" / "mine"
    data = DataSource(name="data.csv", target="label", fingerprint=load_data(DATA).fingerprint())
    with StudyStorage(folder) as storage:
        storage.create(SearchDefinition(data=data, budget=40))
        storage.set_n_trials(6)
    return folder


def test_existing_study_without_resume(study: Path, nas_fpga: Run) -> None:
    one_line(nas_fpga([*FILE.split(), "--study", "mine"]), "'mine'", "--resume", "--study NAME")


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--budget 50", ["budget 40", "now 50"]),
        ("--seed 3", ["seed 0", "now 3"]),
        ("--bits 6", ["weight_bits [2, 8]", "now [6, 6]", "activation_bits"]),
        ("--part xcku15p", ["hardware.part xcvu13p-flga2577-2-e", "now xcku15p"]),
        ("--search-training epochs=2:4", ["search_training.epochs None", "now [2, 4]"]),
        ("--include 8-8", ["include []", "now ['8-8']"]),
        ("--backend tensorflow", ["backend jax", "now tensorflow"]),
    ],
)
def test_resume_with_another_definition_names_what_differs(
    study: Path, nas_fpga: Run, option: str, words: list[str]
) -> None:
    one_line(nas_fpga(["search", "--resume", "--study", "mine", *option.split()]), "'mine'", *words, "leave that out")


def test_resume_when_the_data_have_changed(study: Path, nas_fpga: Run) -> None:
    table = Path("data.csv")
    table.write_text(table.read_text().replace("0.1", "0.2", 1))
    one_line(nas_fpga(["search", "--resume"]), "data.csv", "changed", "'mine'", "bring the old ones back")
    one_line(nas_fpga(["front"]), "data.csv", "changed", "bring the old ones back")


def test_resume_with_fewer_trials_than_there_are(study: Path, nas_fpga: Run) -> None:
    from nas_fpga.space import BitWidths, Candidate
    from nas_fpga.study import TrialRecord

    with StudyStorage(study) as storage:
        storage.open(write=True)
        storage.add([TrialRecord(i, Candidate((i + 1,), BitWidths(6, 6)), 1, 0, "random start") for i in range(3)])
    one_line(nas_fpga(["search", "--resume", "--trials", "2"]), "--trials 2", "3", "ask for more")


def test_second_process_on_a_running_study(study: Path, nas_fpga: Run) -> None:
    hold = (
        f"import fcntl, sys; lock = open({str(study / 'lock')!r}, 'r+'); fcntl.flock(lock, fcntl.LOCK_EX); "
        "print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        one_line(nas_fpga(["search", "--resume"]), "'mine' is running in process", "wait for it", "--study NAME")
    finally:
        holder.communicate()
    with (study / "lock").open() as lock:  # and nothing keeps it afterwards
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("typed", ["search --resume", "front --study mine"])
def test_corrupt_study(study: Path, nas_fpga: Run, typed: str) -> None:
    (study / "study.db").write_bytes(np.random.default_rng(0).bytes(5000))
    one_line(nas_fpga(typed.split()), "study.db", "not a database", "--study NAME")


@pytest.mark.parametrize("typed", ["search --resume", "front --study mine"])
def test_truncated_study(study: Path, nas_fpga: Run, typed: str) -> None:
    whole = (study / "study.db").read_bytes()
    (study / "study.db").write_bytes(whole[: len(whole) // 3])
    one_line(nas_fpga(typed.split()), "study.db", "--study NAME")


@pytest.mark.parametrize("typed", ["search --resume", "front --study mine"])
def test_foreign_database_is_refused_and_left_alone(study: Path, nas_fpga: Run, typed: str) -> None:
    path = study / "study.db"
    path.unlink()
    database = sqlite3.connect(path)
    database.execute("create table events (energy real)")
    database.commit()
    database.close()
    before = path.read_bytes()
    one_line(nas_fpga(typed.split()), "study.db", "no such table", "--study NAME")
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["mine", "other"])
def test_study_of_somebody_else(study: Path, nas_fpga: Run, name: str) -> None:
    (study / "study.db").unlink()
    storage = optuna.storages.RDBStorage(f"sqlite:///{study / 'study.db'}")
    storage.create_new_study([StudyDirection.MINIMIZE], name)
    storage.engine.dispose()
    words = ("'mine' was not made by nas-fpga", "--study NAME")
    one_line(nas_fpga(["search", "--resume"]), *words)
    one_line(nas_fpga(["front"]), *words)


def test_trials_of_somebody_else(study: Path, nas_fpga: Run) -> None:
    storage = optuna.storages.RDBStorage(f"sqlite:///{study / 'study.db'}")
    storage.create_new_trial(storage.get_study_id_from_name("mine"))
    storage.engine.dispose()
    one_line(nas_fpga(["search", "--resume"]), "'mine'", "did not write", "--study NAME")


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--part zx81", ["'zx81'", "did you mean"]),
        ("--region all", ["'all'", "5%"]),
        ("--max-dsps 99999", ["99,999 DSP", "12,288"]),
        ("--clock-ns fast", ["'fast'", "number", "front --help"]),
        ("--max-latency-ns -3", ["-3", "above 0"]),
        ("--rate-mhz 0", ["rate 0", "above 0"]),
        ("--objective cost", ["'cost'", "'share'"]),
    ],
)
def test_front_under_limits_that_cannot_be(study: Path, nas_fpga: Run, option: str, words: list[str]) -> None:
    one_line(nas_fpga(["front", *option.split()]), *words)


def test_front_of_a_study_without_trials_has_nothing_to_show(study: Path, nas_fpga: Run) -> None:
    ended = nas_fpga(["front"])
    assert (ended.code, ended.out) == (1, "")
    assert "none of the 0 trials of study 'mine'" in ended.err


# -- the system refuses ------------------------------------------------------------------------------------------------


def run_with_little_disk(folder: Path, n_bytes: int, *arguments: str) -> Ended:
    """Run with a limit on the size of files, past which the system refuses to write, as on a full disk."""
    ended = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes)),
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def test_no_room_for_the_study(here: Path, nas_fpga: Run) -> None:
    ended = run_with_little_disk(here, 20_000, *FILE.split(), "--study", "big")
    one_line(ended, "study storage", "runs/big/study.db", "has room")
    # nothing half made is left in the way
    one_line(nas_fpga(["search", "--resume", "--study", "big"]), "'big' is not in runs")
