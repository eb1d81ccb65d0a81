import shutil
import subprocess
import sys

import pytest

from gatedtui.events import Resumed, Step, Stopped
from gatedtui.runs import lock
from gatedtui.tui import watching
from gatedtui.tui.watching import Newest, Watched

from .conftest import append, epochs, falling, finished, started


@pytest.fixture(autouse=True)
def no_rest(monkeypatch):
    monkeypatch.setattr(watching, "REST_S", 0.0)


def test_a_snapshot_says_what_the_events_add_up_to(make_run):
    run = make_run([started(), *epochs([9.0, 8.5, 8.6])])
    with lock.held(run.lock_path):
        seen = Watched(run).read()
    assert (seen.word, seen.alive, seen.unit, seen.hidden, seen.data) == ("training", True, "gru", 46, "jsb")
    assert tuple(seen.valid) == (9.0, 8.5, 8.6)
    assert (seen.best_index, seen.best and seen.best.epoch, seen.paper, seen.marginal) == (1, 2, 8.54, 11.09)


def test_half_a_line_waits_for_its_other_half(make_run):
    run = make_run([started(), *epochs([9.0])])
    whole = run.events_path.read_bytes()
    run.events_path.write_bytes(whole + whole[:40])
    watched = Watched(run)
    assert len(watched.read().valid) == 1
    append(run, [])
    run.events_path.write_bytes(whole)
    append(run, epochs([9.0, 8.0])[1:])
    assert tuple(watched.read().valid) == (9.0, 8.0)


def test_a_long_finished_run_is_read_in_parts_without_a_rest(make_run, monkeypatch):
    monkeypatch.setattr(watching, "BATCHES", 1)
    monkeypatch.setattr(watching, "REST_S", 1e6)
    run = make_run([started(), *epochs(falling(3_000)), finished(3_000, 8.43)])
    watched = Watched(run)
    assert 0 < len(watched.read().valid) < 3_000
    for _ in range(10):
        watched.read()
    assert len(watched.read().valid) == 3_000
    assert watched.read() is watched.read(), "now it rests"


def test_of_a_very_long_run_a_bounded_number_of_epochs_is_kept_and_the_best_among_them(make_run, monkeypatch):
    monkeypatch.setattr(watching, "KEPT_EPOCHS", 64)
    nlls = falling(1_000)
    nlls[776] = 3.0
    run = make_run([started(), *epochs(nlls[:900])])
    watched = Watched(run)
    assert (last := watched.read().epoch) and last.epoch == 900
    append(run, epochs(nlls)[900:])
    append(run, [finished(777, 8.43)])
    seen = watched.read()
    assert len(seen.valid) == len(seen.train) == len(seen.epochs) <= 64
    assert seen.epoch and seen.epoch.epoch == 1_000 and seen.best and seen.best.epoch == 777
    assert seen.epochs[0].epoch == 16
    assert seen.best_index is not None and seen.valid[seen.best_index] == 3.0
    assert tuple(seen.valid) == tuple(nlls[one.epoch - 1] for one in seen.epochs)


def test_a_curve_that_did_not_grow_is_the_same_object(make_run):
    run = make_run([started(), *epochs([9.0])])
    watched = Watched(run)
    first = watched.read()
    append(run, [Step(updates=40, epoch=1)])
    assert watched.read().valid is first.valid


def test_a_resume_that_cuts_the_file_starts_the_picture_over(make_run):
    run = make_run([started(), *epochs(falling(20))])
    watched = Watched(run)
    assert len(watched.read().valid) == 20
    run.events_path.write_text("")
    append(run, [started(), *epochs(falling(5)), Resumed(updates=145, epoch=5)])
    assert len(watched.read().valid) == 5


def test_a_folder_that_vanishes_is_gone(make_run):
    run = make_run([started()])
    watched = Watched(run)
    watched.read()
    shutil.rmtree(run.path)
    assert watched.read().word == "gone"


def test_a_broken_config_is_a_sentence_not_an_exception(make_run):
    run = make_run([started()])
    run.config_path.write_text("unit = [")
    seen = Watched(run).read()
    assert "run.toml" in seen.problem
    assert seen.unit == "gru", "the started event still says"


def test_the_wish_to_stop_waits_for_a_worker_and_is_passed_on_once(make_run, monkeypatch):
    answers = [False, True]
    asked = []
    monkeypatch.setattr(watching.launch, "request_stop", lambda folder: asked.append(folder) or answers.pop(0))
    run = make_run()
    watched = Watched(run)
    assert watched.read().word == "starting"
    watched.ask_to_stop()
    assert watched.read().word == "starting"
    with lock.held(run.lock_path):
        assert watched.read().word == "stopping"
        assert watched.read().word == "stopping"
    assert asked == [run, run]


def test_a_run_that_was_resumed_after_a_stop_can_be_stopped_again(make_run, monkeypatch):
    asked = []
    monkeypatch.setattr(watching.launch, "request_stop", lambda folder: asked.append(folder) or True)
    run = make_run([started(), *epochs([9.0])])
    watched = Watched(run)
    with lock.held(run.lock_path):
        watched.ask_to_stop()
        assert watched.read().word == "stopping"
    append(run, [Stopped(updates=29, epoch=1)])
    assert watched.read().word == "stopped"
    with lock.held(run.lock_path):
        assert watched.read().word == "training"
    assert len(asked) == 1


def test_a_run_is_not_over_while_the_worker_just_started_lives(make_run):
    run = make_run([started(), *epochs([9.0]), Stopped(updates=29, epoch=1)])
    worker = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        watched = Watched(run, worker)
        assert watched.read().word == "starting"
    finally:
        worker.kill()
        worker.communicate()
    assert watched.read().word == "stopped"


def test_the_newest_runs_come_and_go(make_run, runs):
    newest = Newest(runs, count=2)
    newest.rescan()
    assert newest.read() == ()
    make_run([started(), finished(1, 8.4)], name="one")
    two = make_run(name="two")
    make_run(name="three")
    newest.rescan()
    assert [run.name for run in newest.read()] == ["two", "three"]
    shutil.rmtree(two.path)
    assert [run.name for run in newest.read()] == ["three"]
    newest.rescan()
    assert [run.name for run in newest.read()] == ["one", "three"]


def test_runs_started_together_keep_their_order_and_newer_ones_come_first(make_run):
    folders = [make_run(name=name) for name in ("old-a", "old-b", "new-a", "new-b")]
    when = {"old-a": 0.0, "old-b": 1.0, "new-a": 100.0, "new-b": 101.0}
    arranged = watching.arrange(folders[::-1], lambda run: when[run.name])
    assert [run.name for run in arranged] == ["new-a", "new-b", "old-a", "old-b"]
