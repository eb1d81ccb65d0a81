"""Damaged files, thrown at everything that reads one: nothing but a sentence may come out.

`pytest -n0 -m fuzz tests/fuzz` tries 100,000 and prints a table; `GATED_FUZZ` sets another number. The default
run tries a few of each kind.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .shares import MEMORY_MIB, SEED, SHARES

HERE = Path(__file__).parent
REPO = HERE.parent.parent


def tried(name: str, count: int, folder: Path, bound_s: float) -> dict[str, Any]:
    """What came out of `count` damaged files of a kind; a process that dies counts as one problem, and the next begins
    behind the file that killed it."""
    folder.mkdir()
    environ = os.environ | {"PYTHONPATH": str(REPO), "PYTHONWARNINGS": "error::RuntimeWarning", "OMP_NUM_THREADS": "1"}
    found: dict[str, Any] = {"outcomes": {}, "problems": [], "slowest_s": 0.0, "grown_mib": 0.0}
    first = 0
    while first < count:
        words = [sys.executable, str(HERE / "child.py"), name, str(count), str(SEED), str(folder), str(first)]
        done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=bound_s, errors="replace")
        if done.returncode == 0:
            part = json.loads(done.stdout.splitlines()[-1])
            for outcome, number in part["outcomes"].items():
                found["outcomes"][outcome] = found["outcomes"].get(outcome, 0) + number
            found["problems"] += part["problems"]
            found["slowest_s"] = max(found["slowest_s"], part["slowest_s"])
            found["grown_mib"] = max(found["grown_mib"], part["grown_mib"])
            break
        assert (folder / "number").exists(), done.stderr[-2000:]
        died = int((folder / "number").read_text())
        found["problems"].append({"input": died, "outcome": f"died with {done.returncode}: {done.stderr[-500:]}"})
        found["outcomes"]["problem"] = found["outcomes"].get("problem", 0) + 1
        first = died + 1
    return found


def check(name: str, count: int, folder: Path, bound_s: float, record_property) -> None:
    found = tried(name, count, folder, bound_s)
    outcomes = found["outcomes"]
    record_property(
        "fuzzed",
        [
            name,
            count,
            outcomes.get("read", 0),
            outcomes.get("refused", 0),
            len(found["problems"]),
            found["slowest_s"],
            found["grown_mib"],
        ],
    )
    assert not found["problems"], json.dumps(found["problems"][:5], indent=1)
    assert outcomes.get("read", 0) + outcomes.get("refused", 0) == count
    assert found["grown_mib"] < MEMORY_MIB


@pytest.mark.parametrize(
    "name", ["MIDI", "MATLAB", "model", "run state's header", "run.toml", "events.jsonl", "typed words", "MusicXML"]
)
def test_a_few_hundred_damaged_files_of_a_kind_are_read_or_refused(name: str, tmp_path: Path, record_property):
    check(name, 50 if name == "MusicXML" else 200, tmp_path / "scratch", 100, record_property)


@pytest.mark.fuzz
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", SHARES)
def test_damaged_files_are_read_or_refused(name: str, tmp_path: Path, record_property):
    count = int(os.environ.get("GATED_FUZZ", "100000")) * SHARES[name] // 1000
    check(name, count, tmp_path / "scratch", 3600, record_property)
