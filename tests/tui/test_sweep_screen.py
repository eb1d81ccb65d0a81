import shutil

import pytest

from gatedtui.events import Diverged
from gatedtui.runs import launch, lock
from gatedtui.sweep import folder as sweeps
from gatedtui.sweep.local import place
from gatedtui.sweep.plan import sweep, trials
from gatedtui.tui import doing
from gatedtui.tui.app import GatedApp
from gatedtui.tui.sweeps import Place, Reader, State, detail, header, table

from .conftest import append, drive, epochs, falling, finished, started, until

SIZES = [(80, 24), (120, 40), (200, 60), (40, 12), (20, 6)]


@pytest.fixture
def three(runs):
    """A sweep of three units, of which the GRU has one trial finished, one diverged, one at work and one to come."""
    made = sweep(data=["jsb"], draws=4)
    folder = sweeps.create(runs, "paper", made)
    planned = {trial.name: trial for trial in trials(made)}
    append(place(folder, planned["gru-jsb-s0-d00"]), [started("gru"), *epochs(falling(40)), finished(40, 8.43)])
    diverged = Diverged(updates=9, epoch=1, what="NaN")
    append(place(folder, planned["gru-jsb-s0-d01"]), [started("gru"), *epochs([5.0]), diverged])
    working = place(folder, planned["gru-jsb-s0-d02"])
    append(working, [started("gru"), *epochs(falling(7))])
    with lock.held(working.lock_path), lock.held(folder.lock_path):
        yield folder


def test_a_sweep_made_again_under_the_name_of_one_that_was_removed_is_read_anew(three, runs):
    reader = Reader()
    assert reader.read(runs, "paper").count("finished") == 1
    shutil.rmtree(three.path)
    sweeps.create(runs, "paper", sweep(data=["tiny"], draws=2))
    seen = reader.read(runs, "paper")
    assert seen.count() == 6 == seen.count("waiting") and {place.data for place in seen.places} == {"tiny"}


def line(screen_text, pilot, words):
    return next(text for text in screen_text(pilot.app).splitlines() if words in text)


def go(screen_text, script, words="paper   2 of 12 trials"):
    async def run(pilot):
        await pilot.press("6")
        await until(pilot, lambda: words in screen_text(pilot.app))
        await script(pilot)

    return run


def test_a_sweep_fills_as_its_trials_end(three, runs, screen_text):
    async def script(pilot):
        text = screen_text(pilot.app)
        assert "1 diverged" in text and "training" in text and "left" in text
        assert "✔✖▸·" in line(screen_text, pilot, "● gru") and "····" in line(screen_text, pilot, "▲ tanh")
        gru = line(screen_text, pilot, "● gru")
        assert "8.4" in gru and "8.54" in gru and "8.52" in gru and "d02 epoch 7" in gru and "lr " in gru
        working = three.path / "gru-jsb-s0-d02" / "events.jsonl"
        with working.open("a") as file:
            file.write('{"event": "epoch", "epoch": 8, "valid_nll": 8.01, "elapsed_s": 0.8}\n')
        await until(pilot, lambda: "d02 epoch 8 8.01" in screen_text(pilot.app))

    drive(GatedApp(runs), go(screen_text, script), size=(150, 30))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_size_shows_something_and_nothing_breaks(three, runs, screen_text, size):
    async def script(pilot):
        await pilot.press("down", "up", "end", "home", "question_mark", "q")
        assert max(map(len, screen_text(pilot.app).splitlines())) <= size[0]

    drive(GatedApp(runs), go(screen_text, script, words=" paper"), size=size)


def test_a_cell_opens_its_picked_trial(three, runs, screen_text):
    async def script(pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "has finished yet" in screen_text(pilot.app))
        await pilot.press("end")
        await until(pilot, lambda: "validation picks gru-jsb-s0-d00" in screen_text(pilot.app))
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.current_mode == "Dashboard" and "gru 46" in screen_text(pilot.app))

    drive(GatedApp(runs), go(screen_text, script))


def test_what_was_picked_is_compared_and_all_trials_are_runs(three, runs, screen_text):
    async def script(pilot):
        await pilot.press("c")
        await until(pilot, lambda: pilot.app.current_mode == "Compare" and len(pilot.app.chosen) == 1)
        await pilot.press("6", "t")
        await until(pilot, lambda: pilot.app.current_mode == "Runs" and "3 runs" in screen_text(pilot.app))
        assert pilot.app.runs_folder == three.path and pilot.app.home == runs
        assert "esc back to runs" in screen_text(pilot.app)
        await pilot.press("6")
        await until(pilot, lambda: "paper   2 of 12" in screen_text(pilot.app))
        await pilot.press("3", "space", "escape")
        assert pilot.app.runs_folder == three.path, "it took the mark away"
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.current_mode == "Sweep" and pilot.app.runs_folder == runs)
        await pilot.press("3")
        await until(pilot, lambda: "There are no runs in" in screen_text(pilot.app))
        assert "back to" not in screen_text(pilot.app)

    drive(GatedApp(runs), go(screen_text, script))


def test_what_is_started_beside_a_sweeps_trials_goes_to_the_runs_folder(three, runs, make_run, screen_text):
    begun = []

    def start(plans, folder, name, cancelled):
        begun.append(folder)
        return [(make_run([started()], name="fresh"), None)]

    async def script(pilot):
        await pilot.press("t")
        await until(pilot, lambda: pilot.app.current_mode == "Runs" and "3 runs" in screen_text(pilot.app))
        await pilot.press("1", "t")
        await until(pilot, lambda: begun == [runs] and "fresh" in screen_text(pilot.app))
        assert pilot.app.runs_folder == runs

    drive(GatedApp(runs, start=start), go(screen_text, script))


def test_it_is_stopped_and_goes_on_by_key(three, runs, screen_text, monkeypatch):
    asked, begun = [], []
    monkeypatch.setattr(doing.launch, "request_stop", lambda run: asked.append(run.path) or True)
    monkeypatch.setattr(doing.launch, "start_detached", lambda words, log: begun.append((words, log)))
    monkeypatch.setattr(doing.launch, "wait_until_locked", lambda run, process: True)

    async def script(pilot):
        await pilot.press("r")
        await until(pilot, lambda: "being trained already" in screen_text(pilot.app))
        await pilot.press("s")
        await until(pilot, lambda: asked == [three.path])
        pilot.app.screen.state = State(("paper",), three.path, False, None, (Place("jsb", "gru", ("waiting",)),))
        pilot.app.screen.action_resume()
        await until(pilot, lambda: begun)
        assert begun[0][0] == ["sweep", "--name", "paper", "--runs", str(runs), "--plain"]

    drive(GatedApp(runs), go(screen_text, script))
    assert launch.request_stop is not None


def test_without_a_sweep_it_says_what_makes_one(runs, screen_text):
    async def script(pilot):
        await pilot.press("6")
        await until(pilot, lambda: "gated sweep --data jsb" in screen_text(pilot.app))
        await pilot.press("enter", "c", "t", "s", "r", "left", "down")
        await until(pilot, lambda: "not being trained" in screen_text(pilot.app))

    drive(GatedApp(runs), script)


def test_a_damaged_sweep_says_what_is_wrong(three, runs, screen_text):
    three.about_path.write_text("format = 9")

    async def script(pilot):
        await pilot.press("6")
        await until(pilot, lambda: "is not a sweep" in screen_text(pilot.app))

    drive(GatedApp(runs), script, size=(250, 24))


def test_several_sweeps_are_gone_through(three, runs, screen_text):
    sweeps.create(runs, "[red]other", sweep(data=["tiny"], units=["tanh"], draws=30))

    async def script(pilot):
        await pilot.press("6")
        await until(pilot, lambda: "[red]other   0 of 30 trials" in screen_text(pilot.app))
        assert "0 of 30" in line(screen_text, pilot, "▲ tanh") and "not being trained" in screen_text(pilot.app)
        await pilot.press("right")
        await until(pilot, lambda: "paper   2 of 12" in screen_text(pilot.app))

    drive(GatedApp(runs), script, size=(120, 30))


def test_lines_tell_what_was_picked_and_leave_out_what_has_no_room():
    done = Place("jsb", "gru", ("finished",) * 10, 8.45, 8.54, 8.52, "lr 0.001", 31, 8.54)
    state = State(("s",), None, False, None, (done,))
    wide, narrow = ("".join(text for text, _ in table(state, width)[1][0]) for width in (140, 40))
    assert "8.45" in wide and "8.54" in wide and "8.52" in wide and "lr 0.001" in wide
    assert "8.45" in narrow and "lr" not in narrow
    assert "✔ done" in "".join(text for text, _ in header(state, 0))
    assert "none to pick" in "".join(text for text, _ in detail(Place("jsb", "gru", ("diverged", "waiting")), 80))
