"""Damaged files that coverage chooses: each that reaches a new branch is kept and damaged further.

`pytest -n0 -m fuzz tests/fuzz` tries 100,000 as well, over the readers and within the bounds of `test_fuzz.py`; it
needs atheris, which the extra `fuzz` brings where there is one. The default run tries a few.
"""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from .shares import MEMORY_MIB, SEED, SHARES

pytestmark = pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed; the extra 'fuzz' is it")
HERE = Path(__file__).parent
REPO = HERE.parent.parent
STATE = re.compile(r"^#\d+\t(\w+) +cov: (\d+) .*? corp: (\d+)", re.M)
PLANTED = """
import os, signal, sys
from pathlib import Path
import atheris, child, guided, targets

found = []

@atheris.instrument_func
def read(path):
    data = path.read_bytes()
    if data[:1] == b"k" and data[1:2] == b"\\x07":
        if found:
            os._exit(0)
        found.append(data)
        raise KeyError("planted")

targets.TARGETS["planted"] = targets.Target("planted", "a.bin", lambda _: [b"seed"], read)
signal.signal(signal.SIGALRM, child.out_of_time)
guided.main("planted", 20_000, 1, Path(sys.argv[1]).resolve())
"""


def fuzz(words: list[str], folder: Path, bound_s: float) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(REPO), str(HERE)]),
        "PYTHONWARNINGS": "error::RuntimeWarning,ignore:::atheris",
        "OMP_NUM_THREADS": "1",
    }
    folder.mkdir(exist_ok=True)
    (folder / "found.json").unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, *words, str(folder)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=bound_s,
        errors="replace",
    )
    assert (folder / "found.json").exists(), done.stderr[-2000:]
    return done


def tried(name: str, count: int, folder: Path, bound_s: float) -> dict[str, Any]:
    """What came out of `count` inputs; a process that dies counts as one problem, and the next goes on from the inputs
    that were kept."""
    found: dict[str, Any] = {"read": 0, "refused": 0, "problem": 0, "problems": [], "slowest_s": 0.0, "grown_mib": 0.0}
    states: list[tuple[str, int, int]] = []
    left = count
    while left > 0:
        done = fuzz([str(HERE / "guided.py"), name, str(left), str(SEED + left)], folder, bound_s)
        states += [(word, int(reached), int(kept)) for word, reached, kept in STATE.findall(done.stderr)]
        part = json.loads((folder / "found.json").read_text())
        for outcome, number in part["outcomes"].items():
            found[outcome] += number
            left -= number
        found["problems"] += part["problems"]
        for key in ("slowest_s", "grown_mib"):
            found[key] = max(found[key], part[key])
        if done.returncode:
            found["problems"].append({"outcome": f"died with {done.returncode}: {done.stderr[-500:]}"})
            found["problem"] += 1
            left -= 1
    found["began"] = next(reached for word, reached, _ in states if word == "INITED")
    found["reached"], found["kept"] = states[-1][1:]
    return found


def check(name: str, count: int, folder: Path, bound_s: float, record_property) -> dict[str, Any]:
    found = tried(name, count, folder, bound_s)
    order = ("read", "refused", "problem", "began", "reached", "kept", "slowest_s", "grown_mib")
    record_property("guided", [name, count, *(found[key] for key in order)])
    assert not found["problems"], json.dumps(found["problems"][:5], indent=1)
    assert (found["read"] + found["refused"], found["problem"]) == (count, 0)
    assert found["grown_mib"] < MEMORY_MIB
    return found


@pytest.mark.parametrize("name", ["MIDI", "run.toml"])
def test_a_few_hundred_guided_inputs_of_a_kind_reach_further_and_are_read_or_refused(
    name: str, tmp_path: Path, record_property
):
    found = check(name, 300, tmp_path / "scratch", 100, record_property)
    assert found["reached"] > found["began"] and found["kept"] > 2


def test_a_fault_behind_two_bytes_that_no_seed_has_is_found(tmp_path: Path):
    fuzz(["-c", PLANTED], tmp_path / "scratch", 100)
    problems = json.loads((tmp_path / "scratch/found.json").read_text())["problems"]
    assert problems and "KeyError: 'planted'" in problems[0]["outcome"]
    assert Path(problems[0]["input"]).read_bytes()[:2] == b"k\x07"


@pytest.mark.fuzz
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", SHARES)
def test_guided_inputs_are_read_or_refused(name: str, tmp_path: Path, record_property):
    count = int(os.environ.get("GATED_FUZZ", "100000")) * SHARES[name] // 1000
    check(name, count, tmp_path / "scratch", 3600, record_property)
