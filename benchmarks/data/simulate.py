"""What ``nas-fpga data simulate`` does with real tables: ``python -m benchmarks.data.simulate --data-dir TABLES``.

Runs the command as a user does, in an empty folder: without tables; 40 showers with one and with two processes; the
same killed without warning and started again; and a larger run, whose physics checks go to ``simulate_checks.csv`` and
whose showers become a table. The rest goes to ``simulate.json``.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks._provenance import provenance
from nas_fpga.data import load_hgcal
from nas_fpga.data.hgcal import Showers, read_showers, sample_checks

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SHIPPED = ROOT / "datasets" / "hgcal_showers.npz"
LIBRARY = ROOT / "datasets" / "hgcal_pileup_library.npz"


class User:
    """Somebody in a folder who types commands."""

    def __init__(self, folder: Path, data_dir: Path) -> None:
        """Start with an environment that names no tables."""
        self.folder, self.data_dir = folder, data_dir
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("G4", "GEANT4"))}
        self.environment = kept | {"PYTHONPATH": str(ROOT), "HOME": str(folder)}

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `nas-fpga data` with these words."""
        command = [sys.executable, "-m", "nas_fpga", "data", *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )

    def simulate(self, name: str, showers: int, workers: int) -> subprocess.Popen[str]:
        """Start to simulate showers."""
        words = ("--showers", showers, "--seed", 11, "--workers", workers, "--to", name)
        return self.start("simulate", *map(str, words), "--data-dir", str(self.data_dir), "--reference", str(SHIPPED))

    def end(self, process: subprocess.Popen[str]) -> dict[str, float]:
        """Wait for a command that has to succeed; return what it cost."""
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        out, err = process.communicate()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if process.returncode:
            raise SystemExit(err)
        sys.stdout.write(out)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"wall_s": round(time.perf_counter() - began, 1), "cpu_s": round(cpu_s, 1)}

    def digest(self, name: str) -> str:
        """Return the SHA-256 of a file."""
        return hashlib.sha256((self.folder / name).read_bytes()).hexdigest()


def without_tables(user: User) -> dict[str, object]:
    process = user.start("simulate", "--showers", "40")
    out, err = process.communicate()
    return {"exit_code": process.returncode, "standard_output": out, "standard_error": err.strip()}


def killed_and_resumed(user: User, showers: int) -> int:
    """Kill a run as soon as a chunk is kept, run it to its end, and return how many showers were kept."""
    process = user.simulate("killed.npz", showers, 1)
    chunks = user.folder / "killed.npz.chunks"
    while not (kept := list(chunks.glob("*.npz"))):
        if process.poll() is not None:
            raise SystemExit(process.communicate()[1])
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    user.end(user.simulate("killed.npz", showers, 2))
    return 20 * len(kept)


def write_checks(showers: Showers, path: Path) -> dict[str, int]:
    checks = sample_checks(showers, read_showers(SHIPPED))
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("check", "value", "expected", "passes_from", "to", "passed"))
        for c in checks:
            writer.writerow((c.name, *(f"{v:.4g}" for v in (c.value, c.expected, c.low, c.high)), c.passed))
    return {"passed": sum(check.passed for check in checks), "all": len(checks)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of Geant4's physics tables")
    parser.add_argument("--tables-are", default="official", help="what the result says of the tables")
    parser.add_argument("--showers", type=int, default=400, help="of the larger run, whose physics is checked")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        user = User(Path(folder), options.data_dir.absolute())
        result: dict[str, object] = provenance() | {"tables": options.tables_are, "cores": os.cpu_count()}
        result["without_tables"] = without_tables(user)
        small = {}
        for workers in (1, 2):
            cost = user.end(user.simulate(f"small_{workers}.npz", 40, workers))
            small[f"{workers}_workers"] = cost | {"showers_per_cpu_s": round(40 / cost["cpu_s"], 2)}
        small["killed_after_showers"] = killed_and_resumed(user, 40)
        small["bytes"] = (user.folder / "small_1.npz").stat().st_size
        digests = {name: user.digest(name) for name in ("small_1.npz", "small_2.npz", "killed.npz")}
        small["sha256"] = digests["small_1.npz"]
        small["identical_bytes"] = len(set(digests.values())) == 1
        result["40_showers"] = small
        cost = user.end(user.simulate("large.npz", options.showers, os.cpu_count() or 1))
        large: dict[str, object] = {"showers": options.showers} | cost
        large["showers_per_cpu_s"] = round(options.showers / cost["cpu_s"], 2)
        large["bytes"] = (user.folder / "large.npz").stat().st_size
        large["checks"] = write_checks(read_showers(user.folder / "large.npz"), HERE / "simulate_checks.csv")
        user.end(user.start("hgcal", "--showers", "large.npz", "--library", str(LIBRARY), "--to", "tables"))
        table = load_hgcal(200, tables=user.folder / "tables")
        large["rows_of_hgcal_pu200"] = len(table.labels)
        large["candidates_of_hgcal_pu200"] = int(table.counted.sum())
        result["larger_run"] = large
    (HERE / "simulate.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
