import os
import shutil
import subprocess
import sys
import time

import pytest

from gatedtui.events import Diverged, Step, Stopped
from gatedtui.runs import folder as folders
from gatedtui.runs import lock
from gatedtui.runs import row as runs_row
from gatedtui.runs.row import Row, read_row
from gatedtui.tui import listing
from gatedtui.tui.listing import Listing, from_snapshot
from gatedtui.tui.watching import Watched

from .conftest import append, epochs, falling, finished, started


def listed(runs):
    made = Listing()
    made.rescan(folders.all_runs(runs))
    while not made.read(1.0):
        pass
    return made


def test_a_finished_run_is_all_there(make_run):
    run = make_run([started(), *epochs(falling(48)), finished(40, 8.43)], train__lr=2e-3, seed=7)
    row = read_row(run)
    assert (row.name, row.word, row.unit, row.hidden, row.data) == ("gru-jsb-1", "finished", "gru", 46, "jsb")
    assert (row.recipe, row.lr, row.seed, row.epochs) == ("paper", 2e-3, 7, 48)
    assert (row.best_valid, row.best_epoch, row.test_frame, row.test_piece) == (8.43, 40, 8.54, 8.52)
    assert row.elapsed_s == pytest.approx(4.8)
    assert not row.alive and not row.can_resume


def test_only_the_end_of_a_finished_run_is_read(make_run, monkeypatch):
    run = make_run([started(), *epochs(falling(3_000)), finished(40, 8.43)])
    monkeypatch.setattr(runs_row, "_whole", lambda path: pytest.fail("all of it was read"))
    assert read_row(run).epochs == 3_000


def test_a_finished_run_whose_end_tells_too_little_is_read_whole(make_run):
    steps = [Step(updates=i, epoch=9) for i in range(200)]
    run = make_run([started(), *epochs(falling(9)), *steps, finished(9, 8.4)])
    assert (read_row(run).epochs, read_row(run).test_frame) == (9, 8.54)


def test_the_best_epoch_of_a_stopped_run_is_found(make_run):
    run = make_run([started(), *epochs([9.0, 8.5, float("nan"), 8.6]), Stopped(updates=99, epoch=4)])
    row = read_row(run)
    assert (row.word, row.can_resume, row.best_valid, row.best_epoch, row.epochs) == ("stopped", True, 8.5, 2, 4)


def test_half_a_line_and_strange_lines_are_passed_over(make_run):
    run = make_run([started(), *epochs([9.0]), Diverged(updates=1, epoch=1, what="NaN")])
    with run.events_path.open("ab") as file:
        file.write(b'\xff\xfe\n{"event": "epoch", "epo')
    assert (read_row(run).word, read_row(run).epochs) == ("diverged", 1)


@pytest.mark.parametrize("text", ["unit = [", "[model]\nunit = 7\nhidden = 'x'\n", "seed = 'a'\ntrain = 3\n", ""])
def test_a_broken_config_leaves_defaults_and_no_exception(make_run, text):
    run = make_run([started(), *epochs([9.0])])
    run.config_path.write_text(text)
    assert read_row(run).epochs == 1


def test_rows_come_newest_first_and_are_the_same_object_while_nothing_changes(make_run, runs):
    for number in range(3):
        run = make_run([started(), finished(1, 8.4)], name=f"run-{number}")
        os.utime(run.config_path, (number, number))
    made = listed(runs)
    first = made.rows
    assert [row.name for row in first] == ["run-2", "run-1", "run-0"]
    made.rescan(folders.all_runs(runs))
    assert made.read(1.0)
    assert [a is b for a, b in zip(first, made.rows, strict=True)] == [True] * 3


def test_rows_fill_in_slices_and_are_there_before(make_run, runs):
    for number in range(5):
        make_run([started(), finished(1, 8.4)], name=f"run-{number}")
    made = Listing()
    made.rescan(folders.all_runs(runs))
    assert [row.word for row in made.rows] == [""] * 5
    assert not made.read(0.0)
    assert [row.word for row in made.rows].count("") == 4


def test_runs_come_change_and_vanish(make_run, runs):
    one, two = make_run(name="one"), make_run([started(), *epochs([9.0])], name="two")
    made = listed(runs)
    assert {row.name: row.word for row in made.rows} == {"one": "starting", "two": "crashed"}
    append(two, [finished(1, 8.4)])
    shutil.rmtree(one.path)
    made.rescan(folders.all_runs(runs))
    assert made.read(1.0)
    assert {row.name: row.word for row in made.rows} == {"two": "finished"}


def test_a_worker_that_is_killed_is_noticed_although_no_file_changes(make_run, runs):
    run = make_run([started(), *epochs([9.0])])
    code = "import sys; from pathlib import Path; from gatedtui.runs import lock\n"
    code += "with lock.held(Path(sys.argv[1])): print(flush=True); input()"
    words = [sys.executable, "-c", code, str(run.lock_path)]
    worker = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert worker.stdout is not None
        worker.stdout.readline()
        made = listed(runs)
        assert made.alive() == {run.path}
    finally:
        worker.kill()
        worker.communicate()
    made.rescan(folders.all_runs(runs))
    assert made.read(1.0)
    assert (made.rows[0].word, made.rows[0].can_resume) == ("crashed", True)


def test_a_run_at_work_is_not_read_again_at_every_look(make_run, runs, monkeypatch):
    run = make_run([started(), *epochs([9.0])])
    with lock.held(run.lock_path):
        made = listed(runs)
        made.rescan(folders.all_runs(runs))
        made.read(1.0)
        append(run, epochs([9.0, 8.9])[1:])
        monkeypatch.setattr(listing, "read_row", lambda run: pytest.fail("it was read again"))
        made.rescan(folders.all_runs(runs))
        assert made.read(1.0)


def test_a_watched_run_overrides_its_row(make_run):
    run = make_run([started(), *epochs(falling(5))])
    with lock.held(run.lock_path):
        row = from_snapshot(Row(run.path, time.time(), "starting", unit="gru"), Watched(run).read())
    assert (row.word, row.epochs, row.best_epoch, row.unit) == ("training", 5, 5, "gru")
