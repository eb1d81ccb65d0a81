import contextlib
import re
import shutil

import pytest
from textual.events import Paste

from gatedtui.errors import BadSource
from gatedtui.events import Diverged, Stopped
from gatedtui.runs import lock
from gatedtui.tui import doing, watching
from gatedtui.tui.app import GatedApp
from gatedtui.tui.screens.ask import Ask
from gatedtui.tui.widgets.entry import Entry

from .conftest import drive, epochs, falling, finished, started, until

SIZES = [(80, 24), (120, 40), (200, 60), (40, 12), (20, 6)]


@pytest.fixture
def four(make_run):
    """One at work, one finished, one stopped, one diverged."""
    made = [
        make_run([started("tanh"), *epochs(falling(48))], unit="tanh", name="busy"),
        make_run([started("lstm"), *epochs(falling(80)), finished(70, 8.43)], unit="lstm", name="done"),
        make_run([started("gru"), *epochs(falling(20)), Stopped(updates=9, epoch=20)], name="held"),
        make_run([started("gru"), *epochs([9.0]), Diverged(updates=9, epoch=1, what="NaN")], name="[red]lost"),
    ]
    with lock.held(made[0].lock_path):
        yield made


def go(screen_text, script):
    async def run(pilot):
        await pilot.press("3")
        await until(pilot, lambda: "4 runs" in screen_text(pilot.app) and "finished" in screen_text(pilot.app))
        await script(pilot)

    return run


def shown(pilot):
    return [row.name for row in pilot.app.screen.shown]


def line(screen_text, pilot, name):
    return next(text for text in screen_text(pilot.app).splitlines() if name in text)


def test_every_figure_is_in_the_list(four, runs, screen_text):
    async def script(pilot):
        text = line(screen_text, pilot, "done")
        for words in ("■ lstm", "jsb", "✔ finished", "80", "8.43", "70", "8.54", "8.52", "0:08", "paper", "1.0e-3"):
            assert words in text
        assert "▸ training" in line(screen_text, pilot, "busy")
        assert "‖ stopped" in line(screen_text, pilot, "held")
        assert "✖ diverged" in line(screen_text, pilot, "[red]lost")

    drive(GatedApp(runs), go(screen_text, script), size=(160, 40))


def test_what_has_no_column_stands_below(four, runs, screen_text):
    async def script(pilot):
        await pilot.press("end")
        await until(pilot, lambda: "recipe paper" in screen_text(pilot.app))

    drive(GatedApp(runs), go(screen_text, script), size=(80, 24))


def test_a_filter_is_typed_and_taken_away(four, runs, screen_text):
    async def script(pilot):
        await pilot.press("slash", *"gru val")
        await until(pilot, lambda: pilot.app.screen.filter == "gru val")
        await pilot.press("ctrl+w", *"valid<8.9")
        await until(pilot, lambda: shown(pilot) == ["held"])
        await pilot.press("enter")
        await until(pilot, lambda: "/gru valid<8.9" in screen_text(pilot.app))
        await pilot.press("escape")
        await until(pilot, lambda: len(shown(pilot)) == 4)
        await pilot.press("slash", *"zzz")
        await until(pilot, lambda: "No run fits zzz" in screen_text(pilot.app))
        await pilot.press("escape")
        await until(pilot, lambda: len(shown(pilot)) == 4)

    drive(GatedApp(runs), go(screen_text, script))


def test_letters_of_a_filter_press_no_keys(four, runs, screen_text):
    async def script(pilot):
        await pilot.press("slash", *"qnd12?")
        await pilot.pause()
        assert pilot.app.screen.filter == "qnd12?" and pilot.app.return_value is None
        assert pilot.app.current_mode == "Runs"

    drive(GatedApp(runs), go(screen_text, script))


def test_columns_sort_and_the_cursor_stays_on_its_run(four, runs, screen_text):
    async def script(pilot):
        screen = pilot.app.screen
        await pilot.press("greater_than_sign")
        await until(pilot, lambda: shown(pilot) == ["[red]lost", "busy", "done", "held"])
        await pilot.press("end")
        assert screen.current().name == "held"
        await pilot.press("i")
        await until(pilot, lambda: shown(pilot) == ["held", "done", "busy", "[red]lost"])
        assert screen.current().name == "held"
        while screen.by != "best":
            await pilot.press("l")
        await until(pilot, lambda: shown(pilot)[-1] == "[red]lost")
        await pilot.click("#heading", offset=(5, 0))
        await until(pilot, lambda: screen.by == "name")
        await pilot.click("#heading", offset=(5, 0))
        await until(pilot, lambda: shown(pilot) == ["held", "done", "busy", "[red]lost"])

    drive(GatedApp(runs), go(screen_text, script), size=(160, 40))


def test_marked_runs_are_stopped_resumed_and_compared_together(four, runs, screen_text, monkeypatch):
    asked, resumed = [], []
    monkeypatch.setattr(watching.launch, "request_stop", lambda run: asked.append(run.name) or True)

    async def script(pilot):
        await pilot.press("a")
        await until(pilot, lambda: "4 marked" in screen_text(pilot.app))
        await pilot.press("s")
        await until(pilot, lambda: asked == ["busy"])
        await until(pilot, lambda: "stopping" in line(screen_text, pilot, "busy"))
        await pilot.press("r")
        await until(pilot, lambda: [run.name for run in resumed] == ["held"])
        await pilot.press("a")
        await until(pilot, lambda: not pilot.app.screen.marked)

    app = GatedApp(runs, resume=lambda run, cancelled: resumed.append(run))
    drive(app, go(screen_text, script), size=(120, 30))


def test_a_run_that_is_not_on_the_dashboard_can_be_stopped(make_run, runs, screen_text, monkeypatch):
    asked = []
    monkeypatch.setattr(watching.launch, "request_stop", lambda run: asked.append(run.name) or True)
    names = ["old", *(f"new-{number}" for number in range(8))]
    made = [make_run([started(), *epochs(falling(5))], name=name) for name in names]

    async def script(pilot):
        await pilot.press("3")
        await until(pilot, lambda: "9 runs" in screen_text(pilot.app))
        await until(pilot, lambda: all(row.word == "training" for row in pilot.app.rows))
        await pilot.press("slash", *"old", "enter", "s")
        await until(pilot, lambda: asked == ["old"])

    with contextlib.ExitStack() as stack:
        for run in made:
            stack.enter_context(lock.held(run.lock_path))
        drive(GatedApp(runs), script)


def test_removing_asks_and_removes(four, runs, screen_text):
    async def script(pilot):
        await pilot.press("slash", *"held", "enter", "d")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        assert "Remove the run held" in screen_text(pilot.app)
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(pilot.app.screen, Ask))
        assert four[2].path.exists(), "enter is no yes"
        await pilot.press("d", "y")
        await until(pilot, lambda: not four[2].path.exists())
        await until(pilot, lambda: "removed held" in screen_text(pilot.app))

    drive(GatedApp(runs), go(screen_text, script))


def test_several_are_removed_in_one_sentence_and_one_that_cannot_be_is_told(four, runs, screen_text, monkeypatch):
    def remove(run):
        if run.name == "done":
            raise BadSource("'done' cannot be removed.", "Why not.")
        shutil.rmtree(run.path)

    monkeypatch.setattr(doing.folders, "remove", remove)

    async def script(pilot):
        pilot.app.doing.remove([run.path for run in four[1:]])
        await until(pilot, lambda: "removed 2 runs" in screen_text(pilot.app))
        await until(pilot, lambda: "'done' cannot be removed." in screen_text(pilot.app))

    drive(GatedApp(runs), go(screen_text, script))


def test_a_folder_that_is_not_there_is_told_and_the_old_list_stays(four, runs, screen_text):
    async def script(pilot):
        await pilot.press("o", *"/nowhere", "enter")
        await until(pilot, lambda: "There is no folder" in screen_text(pilot.app))
        assert pilot.app.runs_folder == runs and len(shown(pilot)) == 4

    drive(GatedApp(runs), go(screen_text, script), size=(200, 40))


@pytest.mark.parametrize("width", [40, 60])
def test_an_empty_screen_says_all_it_has_to_say_on_a_narrow_terminal(tmp_path, screen_text, width):
    place = tmp_path / "no runs"

    async def script(pilot):
        for key, wanted in (("1", "the three units on Bach"), ("3", "another folder."), ("6", "validation picks.")):
            await pilot.press(key)
            await until(pilot, lambda wanted=wanted: wanted in " ".join(screen_text(pilot.app).split()))
            text = screen_text(pilot.app).splitlines()
            assert "mark" not in text[-1] and "sort" not in text[-1], "keys that do nothing are not offered"

    drive(GatedApp(place), script, size=(width, 30))


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (20, 6)])
def test_the_question_about_many_runs_shows_its_answers_at_every_size(make_run, runs, screen_text, size):
    for number in range(14):
        make_run([started(), *epochs(falling(3))], name=f"run-{number:02}")

    async def script(pilot):
        await pilot.press("3", "a", "d")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        await until(pilot, lambda: "y yes" in screen_text(pilot.app) and "n no" in screen_text(pilot.app))
        said = re.sub(r"[\s│]+", " ", screen_text(pilot.app))
        assert "Remove 14 runs with everything in them?" in said or size == (20, 6)
        listed = said.count("run-")
        assert f"… and {14 - listed} more" in said if listed < 14 and size[1] > 6 else True
        await pilot.press("n")
        await until(pilot, lambda: not isinstance(pilot.app.screen, Ask))

    drive(GatedApp(runs), script, size=size)


def test_a_run_at_work_is_not_removed(four, runs, screen_text):
    async def script(pilot):
        await pilot.press("a", "d")
        await until(pilot, lambda: "busy is training: stop it first" in screen_text(pilot.app))
        assert four[0].path.exists()

    drive(GatedApp(runs), go(screen_text, script))


def test_enter_opens_a_run_on_the_dashboard_however_old(make_run, runs, screen_text):
    for number in range(9):
        make_run([started(), *epochs(falling(10))], name=f"run-{number}")

    async def script(pilot):
        await pilot.press("3")
        await until(pilot, lambda: "9 runs" in screen_text(pilot.app) and "crashed" in screen_text(pilot.app))
        await pilot.press("slash", *"run-0", "enter", "enter")
        await until(pilot, lambda: pilot.app.current_mode == "Dashboard")
        await until(pilot, lambda: "run-0" in screen_text(pilot.app) and "run-8" not in screen_text(pilot.app))
        assert pilot.app.screen.enlarged is not None
        await pilot.press("escape")
        await until(pilot, lambda: "run-8" in screen_text(pilot.app))

    drive(GatedApp(runs), script)


def test_another_folder_can_be_opened_and_a_run_in_it(make_run, runs, tmp_path, screen_text):
    make_run([started(), *epochs(falling(10))], name="inside")
    empty = tmp_path / "empty one"

    async def script(pilot):
        await pilot.press("3")
        await until(pilot, lambda: "There are no runs in" in screen_text(pilot.app))
        await pilot.press("o", "ctrl+u")
        pilot.app.screen.query_one(Entry).post_message(Paste(str(runs)))
        await pilot.press("enter")
        await until(pilot, lambda: shown(pilot) == ["inside"])
        await pilot.press("o", *"/inside", "enter")
        await until(pilot, lambda: pilot.app.current_mode == "Dashboard")
        await until(pilot, lambda: "inside" in screen_text(pilot.app))

    drive(GatedApp(empty), script, size=(120, 30))


@pytest.mark.parametrize("count", [0, 1, 500])
def test_any_number_of_runs_fits_every_terminal_after_resizes_too(make_run, runs, screen_text, count):
    if count:
        first = make_run([started(), *epochs(falling(5)), finished(5, 8.4)], name="first")
        for number in range(count - 1):
            shutil.copytree(first.path, runs / f"run-{number}")

    async def script(pilot):
        await until(pilot, lambda: len(pilot.app._read.rows) == count and all(r.word for r in pilot.app._read.rows))
        for key in ("1", "2", "3"):
            await pilot.press(key)
            for other in SIZES:
                await pilot.resize_terminal(*other)
                await pilot.pause()
                lines = screen_text(pilot.app).splitlines()
                assert len(lines) <= other[1] and all(len(line) <= other[0] for line in lines)
        await pilot.press("end", "pageup", "home", "pagedown", "a", "space")

    drive(GatedApp(runs), script)


def test_a_folder_that_vanishes_while_the_list_is_open_is_no_harm(four, runs, screen_text):
    async def script(pilot):
        shutil.rmtree(runs / "held")
        await until(pilot, lambda: "3 runs" in screen_text(pilot.app))
        await pilot.press("end", "enter")

    drive(GatedApp(runs), go(screen_text, script))
