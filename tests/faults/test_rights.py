"""Rights that go away while a worker runs, and what a killed preparation leaves behind.

Root may do everything whatever the modes say, so where the tests run as root the worker gives that right up.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gatedtui import paths
from gatedtui.data import prepare
from gatedtui.runs import launch
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.status import status

from .hurt import check_folder, epochs, finish, make, often, same, told, wait_for

DROP = """
import ctypes, os, sys
if os.getuid() == 0:
    for right in (1, 2):  # to write, and to read, whatever the modes say (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH)
        assert ctypes.CDLL(None).prctl(24, right, 0, 0, 0) == 0  # PR_CAPBSET_DROP: from the next exec on
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def held_to_modes(*words: str) -> list[str]:
    """A Python command for which modes count, also where the tests run as root."""
    return [sys.executable, "-c", DROP, *words]


def modes_count(place: Path) -> bool:
    (place / "probe").mkdir(mode=0o555)
    code = f"open({str(place / 'probe' / 'file')!r}, 'w')"
    done = subprocess.run(held_to_modes("-c", code), capture_output=True)
    (place / "probe").rmdir() if done.returncode else None
    return b"PermissionError" in done.stderr


def worker_of(run: RunFolder) -> list[str]:
    """A worker that saves all the time."""
    return held_to_modes(*often(run)[1:])


@pytest.fixture(autouse=True)
def where_modes_count(tmp_path: Path) -> None:
    if not modes_count(tmp_path):
        pytest.skip("modes do not count here: neither is this a plain user, nor can root give the right up")


def test_a_run_folder_that_may_no_longer_be_written_ends_the_run_with_a_sentence(runs: Path, record_property):
    began = time.monotonic()
    calm, run = make(runs, "calm", train__epochs=80), make(runs, "shut", train__epochs=80)
    assert finish(calm) == 0
    worker = launch.start(run, command=worker_of(run))
    wait_for(lambda: run.state_path.exists(), "the first state")
    run.path.chmod(0o555)
    code = worker.wait(timeout=100)
    saved = epochs(run)
    assert code == 3 and status(run).word in ("failed", "crashed")
    assert "cannot be written" in run.log_path.read_text() + run.events_path.read_text()
    assert "Traceback" not in run.log_path.read_text()
    run.path.chmod(0o755)
    check_folder(run)
    assert finish(run) == 0
    assert told(run) == told(calm) and same(run, calm) and epochs(run) >= saved
    record_property("hurt", ["rights to the run folder taken away", 1, 0, time.monotonic() - began])


def test_a_cache_that_may_not_be_read_is_told_and_nothing_is_lost(runs: Path, record_property):
    began = time.monotonic()
    calm, run = make(runs, "calm", train__epochs=80), make(runs, "shut", train__epochs=80)
    assert finish(calm) == 0
    worker = launch.start(run, command=worker_of(run))
    wait_for(lambda: run.state_path.exists(), "the first state")
    data = next((paths.cache_folder() / "data").glob("tiny*.npz"))
    data.chmod(0o000)
    worker.send_signal(signal.SIGKILL)  # a worker has its data in memory: taking it away is felt at the next start
    worker.wait()
    again = launch.start(run, command=worker_of(run))
    assert again.wait(timeout=100) == 3
    assert "may not be read" in run.events_path.read_text()
    data.chmod(0o644)
    assert finish(run) == 0
    assert same(run, calm)
    record_property("hurt", ["rights to the data cache taken away", 1, 0, time.monotonic() - began])


KILLED = """
import os, signal, sys
from pathlib import Path
from gatedtui import paths
from gatedtui.data import prepare
os.fsync = lambda number: os.kill(os.getpid(), signal.SIGKILL)
prepare.prepare("tiny", cache=paths.cache_folder())
"""


def test_what_a_killed_preparation_was_writing_is_swept_up_by_the_next(tmp_path: Path, monkeypatch, record_property):
    began = time.monotonic()
    monkeypatch.setenv("GATED_CACHE", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", KILLED])
    assert done.returncode == -signal.SIGKILL
    left = [path for path in (tmp_path / "data").iterdir() if not path.name.endswith(".lock")]
    assert left and not any(path.suffix == ".npz" for path in left)
    assert len(prepare.prepare("tiny", cache=tmp_path).splits["train"]) == 8
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"tiny-1.npz", "tiny-1.npz.lock"}
    record_property("hurt", ["SIGKILL while data is prepared", 1, 0, time.monotonic() - began])


def test_what_is_being_written_of_another_set_is_left_alone(tmp_path: Path):
    (tmp_path / "data").mkdir()
    other = tmp_path / "data" / f".bach-1.npz.{os.getpid()}.tmp"
    other.write_bytes(b"x")
    prepare.prepare("tiny", cache=tmp_path)
    assert other.exists()


def test_a_cache_that_may_not_be_written_is_a_sentence(tmp_path: Path):
    (tmp_path / "cache").mkdir(mode=0o555)
    words = ("-m", "gatedtui", "data", "fetch", "vowels")
    environ = os.environ | {"GATED_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(held_to_modes(*words), capture_output=True, text=True, env=environ)
    assert done.returncode == 3 and "cannot be written" in done.stderr and "GATED_CACHE" in done.stderr
