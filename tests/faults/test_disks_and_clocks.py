"""Disks that fill up or go away, clocks that are set back, and two who want the same run."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gatedtui.cli.main import run as command
from gatedtui.runs import launch, lock
from gatedtui.runs.status import status

from .hurt import OFTEN, check_folder, environ, finish, gated, make, often, same, wait_for

UNSHARE = ["unshare", "--mount"]


def can_unshare() -> bool:
    words = [*UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"]
    return bool(shutil.which("unshare")) and subprocess.run(words, capture_output=True).returncode == 0


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_a_real_disk_that_fails_costs_nothing_that_was_saved(how: str, tmp_path: Path, record_property):
    """The disk is a tmpfs of 1 MiB in a mount namespace of its own."""
    if not can_unshare():
        pytest.skip("no mount namespace can be made here (needs root); RLIMIT_FSIZE stands for it in tests/train")
    began = time.monotonic()
    words = [*UNSHARE, sys.executable, str(Path(__file__).with_name("full.py")), how, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, env=environ(PYTHONPATH=str(Path(__file__).parents[2])))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["code"] == 3 and found["saved"] > 0
    assert "cannot be written" in (found["said"] or "cannot be written") and "Traceback" not in found["said"]
    assert found["word"] in ("failed", "crashed")
    if how == "full":
        assert found["free"] == 0 and "cannot be written" in found["prepare"] and not found["left"]
    assert found["resumed"] == 0 and found["same"]
    record_property("hurt", [f"disk {how} while training", 1, 0, time.monotonic() - began])


@pytest.mark.parametrize("how", ["whole", "but for the folder itself"])
def test_a_run_folder_removed_under_its_worker_ends_it_and_is_not_made_again(how: str, runs: Path):
    """Removing one takes several goes where the worker puts a file there meanwhile: after the first it must end."""
    run = make(runs, "gone", train__epochs=1_000_000)
    worker = launch.start(run, command=often(run))
    try:
        wait_for(lambda: run.state_path.exists(), "the first state")
        if how == "whole":
            while run.path.exists():
                shutil.rmtree(run.path, ignore_errors=True)
        else:
            for path in (run.config_path, *run.path.iterdir()):
                path.unlink(missing_ok=True)
        assert worker.wait(timeout=60) == 3
    finally:
        worker.kill()
        worker.wait()
    if how == "whole":
        assert not list(runs.iterdir())
    else:
        left = {path.name for path in run.path.iterdir()}
        assert left <= {run.best_path.name, run.state_path.name}, "only what was being written at that moment"


def test_events_that_were_lost_do_not_keep_a_run_from_going_on(runs: Path):
    calm, run = make(runs, "calm", train__epochs=80), make(runs, "lost", train__epochs=80)
    assert finish(calm) == 0
    worker = launch.start(run, command=often(run))
    wait_for(lambda: run.state_path.exists(), "the first state")
    assert launch.request_stop(run) and worker.wait(timeout=60) == 0
    run.events_path.unlink()
    assert finish(run) == 0
    assert status(run).word == "finished" and b"\0" not in run.events_path.read_bytes()
    assert run.events_path.stat().st_size < calm.events_path.stat().st_size


BACK = """
import time
real, hours = time.time, [0]
def back():
    hours[0] += 1
    return real() - 3600.0 * hours[0]
time.time = back
from gatedtui import events
events.now = lambda: time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(back()))
"""


def test_a_clock_that_is_set_back_again_and_again_changes_nothing(runs: Path):
    """The wall clock of the worker goes back by an hour at each look; it is patched in the child."""
    calm, run = make(runs, "calm", train__epochs=80), make(runs, "back", train__epochs=80)
    assert finish(calm) == 0
    words = [sys.executable, "-c", BACK + OFTEN.format(0.05), str(run.path)]
    worker = launch.start(run, command=words)
    wait_for(lambda: run.state_path.exists(), "the first state")
    assert launch.request_stop(run) and worker.wait(timeout=60) == 0
    assert launch.start(run, command=words).wait(timeout=100) == 0
    assert same(run, calm)
    assert status(run).word == "finished" and command(["runs", "list"]) == 0


def test_of_two_who_resume_one_run_one_is_told_that_it_is_running(runs: Path):
    run = make(runs, "one", train__epochs=1_000_000)
    worker = launch.start(run)
    wait_for(lambda: run.state_path.exists(), "the first state")
    worker.kill()
    worker.wait()
    both = [
        subprocess.Popen(
            gated("resume", "one", "--plain"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    wait_for(lambda: any(one.poll() is not None for one in both), "the loser's end")
    loser, winner = sorted(both, key=lambda one: one.poll() is None)
    assert loser.returncode == 2 and "already running" in loser.communicate()[1]
    assert winner.poll() is None and lock.is_held(run.lock_path)
    winner.terminate()
    assert winner.communicate(timeout=60) and winner.returncode == 130
    check_folder(run)


def test_what_a_killed_worker_was_writing_is_swept_up_by_the_next(runs: Path):
    run = make(runs, "a", train__epochs=2)
    (run.path / ".123-456.part").write_bytes(bytes(1000))
    assert finish(run) == 0
    assert not list(run.path.glob(".*"))
