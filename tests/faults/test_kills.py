"""SIGKILL at random moments: of workers, of a sweep's driver and its children, of the app.

A dozen kills by default; `pytest -n0 -m faults tests/faults` kills two hundred times and prints a table. `GATED_KILLS`
sets another number.
"""

import os
import pty
import random
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from gatedtui.cli.main import run as command
from gatedtui.runs import launch, lock
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.status import status
from gatedtui.sweep.board import Board
from gatedtui.sweep.folder import SweepFolder

from .hurt import FILES, check_folder, environ, epochs, finish, gated, make, often, same, told, wait_for

EPOCHS = 1500
"""Of a run that is killed: some seconds, with the saving."""
SWEEP = ["sweep", "--data", "tiny", "--unit", "gru", "--draws", "2", "--jobs", "2", "--epochs", "1500", "--name", "s"]
SWEEP += ["--set", "patience=0", "--set", "hidden=12", "--set", "lr=log(1e-4,1e-2)", "--set", "batch=2"]


def kill_workers(runs: Path, kills: int, chance: random.Random) -> int:
    """Kills workers that save all the time; each run is hurt six times, then ended. Gives the epochs lost."""
    calm, lost = make(runs, "calm", train__epochs=EPOCHS), 0
    assert finish(calm) == 0
    killed = went_on = 0
    while killed < kills:
        run = make(runs, f"killed-{killed}", train__epochs=EPOCHS)
        for _ in range(min(6, kills - killed)):
            before, saved = epochs(run), stamp(run.state_path)
            worker = launch.start(run, command=often(run))
            # Some die before they hold the lock or have torch, most while they train and save.
            if killed % 6 == 0:
                time.sleep(chance.uniform(0.0, 1.0))
            else:
                path = run.state_path if killed % 2 else run.events_path
                old = stamp(path)
                wait_for(lambda w=worker, path=path, old=old: stamp(path) != old or w.poll() is not None, path.name)
                time.sleep(chance.uniform(0.0, 0.25))
            worker.send_signal(signal.SIGKILL)
            code = worker.wait()
            check_folder(run)
            if code != -signal.SIGKILL:  # it was over before
                break
            killed += 1
            assert status(run).word in ("crashed", "starting", "finished")
            lost += max(0, before - epochs(run))
            went_on += stamp(run.state_path) != saved
        assert finish(run) == 0
        assert same(run, calm), f"{run.name} came out differently"
    assert went_on >= kills // 3, "hardly one was killed between two saves"
    return lost


def stamp(path: Path) -> tuple[int, int]:
    """What changes when a file is written; a file that is not there has one too."""
    if not path.exists():
        return 0, 0
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def sweep_words(runs: Path) -> list[str]:
    if not (runs / "s" / "sweep.toml").exists():
        return []
    board = Board(SweepFolder(runs / "s"))
    board.refresh()
    return [view.word for view in board.views]


def hurt_sweep(runs: Path, kills: int, chance: random.Random, *, child: bool) -> int:
    """Kills a sweep's driver, or one of its children, at random; the sweep is then asked for again. Gives what was
    finished and is not any more."""
    make(runs, "prepared")
    lost = killed = at_work = 0
    while killed < kills:
        finished = sweep_words(runs).count("finished")
        if finished == 2:  # a sweep that is over is begun anew
            ended(runs)
            subprocess.run(["rm", "-r", str(runs / "s")], check=True)
            finished = 0
        driver = subprocess.Popen(
            gated(*SWEEP), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environ()
        )
        try:
            wait_for(lambda d=driver: lock.probe(runs / "s" / "lock") == d.pid or d.poll() is not None, "the driver")
            if child:
                wait_for(lambda d=driver: children(runs) or d.poll() is not None, "a child")
            if killed % 3:  # else before its children, or a child before it has torch
                told = [stamp(path) for path in journals(runs)]
                wait_for(lambda d=driver, t=told: t != [stamp(path) for path in journals(runs)] or d.poll() is not None,
                         "an event")  # fmt: skip
                at_work += 1
            time.sleep(chance.uniform(0.0, 0.8))
            victims = children(runs) if child else [driver.pid]
            if not victims or driver.poll() is not None:
                continue
            os.kill(chance.choice(victims), signal.SIGKILL)
            killed += 1
            if child:
                time.sleep(chance.uniform(0.0, 0.5))
                driver.terminate()
        finally:
            driver.communicate(timeout=100)
        wait_for(lambda: not children(runs), "the end of the children")
        # A child that was just being forked still has the driver's lock, until it becomes another program.
        wait_for(lambda: not lock.is_held(runs / "s" / "lock"), "the end of the driver's lock")
        for place in (runs / "s").glob("*/run.toml"):
            check_folder(RunFolder(place.parent))
        lost += max(0, finished - sweep_words(runs).count("finished"))
    assert at_work >= kills // 2
    ended(runs)
    return lost


def journals(runs: Path) -> list[Path]:
    """The events of every trial."""
    return sorted((runs / "s").glob("*/events.jsonl"))


def children(runs: Path) -> list[int]:
    """The processes that hold the lock of a trial."""
    return [pid for path in (runs / "s").glob("*/lock") if (pid := lock.probe(path))]


def ended(runs: Path) -> None:
    """Trains the sweep to its end and compares it with one that nobody hurt, made once."""
    assert command(SWEEP) == 0
    if not (runs / "calm-sweep").exists():
        assert command(["calm-sweep" if word == "s" else word for word in SWEEP]) == 0
    for place in (runs / "s").glob("*/run.toml"):
        one, other = RunFolder(place.parent), RunFolder(runs / "calm-sweep" / place.parent.name)
        assert told(one) == told(other)
        assert {path.name for path in one.path.iterdir()} == FILES


def kill_app(runs: Path, kills: int, chance: random.Random) -> int:
    """Kills the app, on a terminal of its own, while it shows a run that is training. Gives the runs that suffered."""
    run = make(runs, "shown", train__epochs=1_000_000)
    worker = launch.start(run)
    assert launch.wait_until_locked(run, worker)
    wait_for(lambda: run.state_path.exists(), "the first state")
    suffered = 0
    for _ in range(kills):
        main, side = pty.openpty()
        app = subprocess.Popen(
            gated(), stdin=side, stdout=side, stderr=side, env=environ(TERM="xterm-256color"), start_new_session=True
        )
        os.close(side)
        until = time.monotonic() + chance.uniform(0.1, 2.0)
        while time.monotonic() < until:
            if select.select([main], [], [], 0.05)[0]:
                os.read(main, 65536)
        app.kill()
        app.wait()
        os.close(main)
        suffered += worker.poll() is not None or not lock.is_held(run.lock_path)
    assert {path.name for path in runs.iterdir()} == {"shown"}
    assert launch.request_stop(run) and worker.wait(timeout=60) == 0
    check_folder(run)
    return suffered


HURT = {
    "worker": kill_workers,
    "sweep's driver": lambda runs, kills, chance: hurt_sweep(runs, kills, chance, child=False),
    "sweep's child": lambda runs, kills, chance: hurt_sweep(runs, kills, chance, child=True),
    "app": kill_app,
}


SHARES = {"worker": 45, "sweep's driver": 20, "sweep's child": 20, "app": 15}
"""Of a hundred kills."""


def hurt(who: str, kills: int, runs: Path, record_property) -> None:
    began = time.monotonic()
    lost = HURT[who](runs, kills, random.Random(f"{who} {kills}"))
    record_property("hurt", [f"SIGKILL of the {who}", kills, lost, time.monotonic() - began])
    assert lost == 0


@pytest.mark.parametrize("who", HURT)
def test_three_kills_lose_nothing(who: str, runs: Path, record_property):
    hurt(who, 3, runs, record_property)


@pytest.mark.faults
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("who", "percent"), [("worker", 45), ("sweep's driver", 20), ("sweep's child", 20), ("app", 15)]
)
def test_two_hundred_kills_lose_nothing(who: str, percent: int, runs: Path, record_property):
    hurt(who, int(os.environ.get("GATED_KILLS", "200")) * percent // 100, runs, record_property)
