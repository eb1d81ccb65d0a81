"""The local engine: whoever trains a trial, and however often it is interrupted, it comes out the same."""

import os
import signal
import threading
from dataclasses import asdict
from pathlib import Path

import pytest

from gatedtui import paths
from gatedtui.data import prepare
from gatedtui.errors import GatedError
from gatedtui.runs import launch
from gatedtui.runs.folder import RunFolder, create
from gatedtui.runs.history import load
from gatedtui.runs.lock import probe
from gatedtui.runs.status import status
from gatedtui.sweep import folder as sweeps
from gatedtui.sweep import local
from gatedtui.sweep.local import Began, Ended, Manned
from gatedtui.sweep.plan import sweep, trials

CLOCK = ("time", "elapsed_s", "frames_per_s")


def make(runs: Path, name: str, **words):
    prepare.prepare("tiny", cache=paths.cache_folder())
    made = sweep(**({"data": ["tiny"], "draws": 2, "epochs": 6, "settings": ["hidden=7", "lr=log(1e-4,1e-2)"]} | words))
    return sweeps.create(runs, name, made), trials(made)


def told(run: RunFolder) -> list:
    """A run's history without what a clock says, and its best model's bytes."""
    history = load(run)
    epochs = [{k: v for k, v in asdict(epoch).items() if k not in CLOCK} for epoch in history.epochs]
    end = {k: v for k, v in vars(history.finished).items() if k not in CLOCK} if history.finished else None
    return [epochs, end]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `calm` is: a sweep that one process trained from its beginning to its end."""
    return tmp_path_factory.mktemp("alone")


def calm(alone: Path):
    folder, planned = make(alone, "calm")
    list(local.train(folder, planned, jobs=1))
    return folder, planned


def test_jobs_change_nothing_but_the_time(runs: Path, alone: Path):
    one, planned = calm(alone)
    two, _ = make(runs, "two")
    happened = [one for one in local.train(two, planned, jobs=2) if one is not None]
    assert sorted(h.trial.name for h in happened if isinstance(h, Began)) == sorted(t.name for t in planned)
    assert {h.word for h in happened if isinstance(h, Ended)} == {"finished"}
    for trial in planned:
        assert told(two.run(trial.slot)) == told(one.run(trial.slot))
        best = [folder.run(trial.slot).best_path.read_bytes() for folder in (one, two)]
        assert best[0] == best[1]


def test_a_trial_among_others_has_the_bits_of_a_run_of_its_own(runs: Path, alone: Path):
    folder, planned = calm(alone)
    trial = planned[-1]
    run = create(runs, trial.name, trial.config)
    assert launch.start(run).wait(timeout=60) == 0
    assert told(run) == told(folder.run(trial.slot))
    assert run.best_path.read_bytes() == folder.run(trial.slot).best_path.read_bytes()
    assert {path.name for path in run.path.iterdir()} == {p.name for p in folder.run(trial.slot).path.iterdir()}


def test_a_process_that_is_killed_is_replaced_and_its_trial_goes_on(runs: Path):
    folder, planned = make(runs, "s", draws=1, units=["gru"], epochs=300, settings=["hidden=30", "patience=0"])
    run, killed, over = folder.run(planned[0].slot), [], threading.Event()

    def kill() -> None:
        while len(killed) < local.RETRIES and not over.wait(0.002):
            pid = probe(run.lock_path)
            if pid and pid not in killed and run.state_path.exists():
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    ended = [one.word for one in local.train(folder, planned, jobs=1) if isinstance(one, Ended)]
    over.set()
    killer.join()
    assert ended == ["finished"]
    assert killed and '"resumed"' in run.events_path.read_text()
    other = create(runs, "other", planned[0].config)
    assert launch.start(other).wait(timeout=60) == 0
    assert told(other) == told(run)


def test_a_process_that_dies_again_and_again_is_given_up(runs: Path, monkeypatch: pytest.MonkeyPatch):
    folder, planned = make(runs, "s", draws=1, units=["gru"])
    monkeypatch.setattr(launch.sys, "executable", "/bin/false")
    ended = [one for one in local.train(folder, planned, jobs=1) if isinstance(one, Ended)]
    assert [(one.trial.name, one.word) for one in ended] == [("gru-tiny-s0-d00", "crashed")]


def test_a_stop_saves_and_the_rest_comes_out_as_if_never_stopped(runs: Path, alone: Path):
    whole, planned = calm(alone)
    folder, _ = make(runs, "s")
    asked: list[int] = []
    for happening in local.train(folder, planned, jobs=2, should_stop=lambda: bool(asked)):
        if isinstance(happening, Ended):
            asked.append(1)
    words = [status(folder.run(trial.slot)).word for trial in planned]
    assert "finished" in words and len(set(words)) > 1
    list(local.train(folder, planned, jobs=2))
    for trial in planned:
        assert told(folder.run(trial.slot)) == told(whole.run(trial.slot))


def test_done_trials_are_not_trained_again(runs: Path, alone: Path):
    folder, planned = calm(alone)
    before = {path: path.stat().st_mtime_ns for path in folder.path.rglob("*")}
    assert list(local.train(folder, planned, jobs=2)) == [Manned(2)]
    assert {path: path.stat().st_mtime_ns for path in folder.path.rglob("*")} == before


def test_a_trial_that_diverged_is_a_result_and_not_tried_again(runs: Path):
    folder, planned = make(runs, "s", units=["tanh"], draws=1)
    run = local.place(folder, planned[0])
    run.events_path.write_text('{"event": "diverged", "updates": 3, "what": "the loss is nan."}\n')
    assert list(local.train(folder, planned, jobs=1)) == [Manned(1)]
    assert status(run).word == "diverged"


def test_trials_failing_in_a_row_end_the_sweep_with_the_reason(runs: Path, monkeypatch: pytest.MonkeyPatch):
    folder, planned = make(runs, "s")
    monkeypatch.setenv("GATED_CACHE", str(runs / "empty"))
    with pytest.raises(GatedError, match=r"3 trials failed one after another.*tiny"):
        list(local.train(folder, planned, jobs=1))
    assert sum(status(folder.run(trial.slot)).word == "failed" for trial in planned) == 3
