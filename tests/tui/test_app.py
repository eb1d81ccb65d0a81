import re
import shutil

import pytest

from gatedtui.errors import BadSource
from gatedtui.events import Failed
from gatedtui.runs import lock
from gatedtui.tui import watching
from gatedtui.tui.app import GatedApp
from gatedtui.tui.messages import Trouble
from gatedtui.tui.places import screen_class
from gatedtui.tui.screens.help import HelpScreen, key_text
from gatedtui.tui.widgets.card import RunCard
from gatedtui.tui.widgets.frame import KeyLine, TabStrip

from .conftest import append, drive, epochs, falling, started, until

SIZES = [(80, 24), (120, 40), (40, 12), (20, 6)]


def focused(app):
    return app.screen.focused.run.name


def test_the_newest_runs_are_cards(three, runs, screen_text):
    async def script(pilot):
        await until(pilot, lambda: "★" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        for words in ("▲ tanh 100 · jsb", "■ lstm 36 · jsb", "● gru 46 · jsb", "training", "finished", "stopped"):
            assert words in text
        for words in ("valid 8.", "best 8.", "train 8.", "lr 1.0e-3", "643k fr/s", "8.52/piece", "22,766 weights"):
            assert words in text
        assert "9.10" in text and "paper" in text and "★" in text
        assert "cpu" in text and "mem" in text

    drive(GatedApp(runs), script)


@pytest.mark.parametrize("size", SIZES)
def test_the_app_fits_every_terminal_and_survives_resizes(three, runs, screen_text, size):
    async def script(pilot):
        await until(pilot, lambda: "tanh" in screen_text(pilot.app))
        for other in SIZES:
            await pilot.resize_terminal(*other)
            await pilot.pause()
            assert all(len(line) <= other[0] for line in screen_text(pilot.app).splitlines())

    drive(GatedApp(runs), script, size=size)


def test_an_empty_folder_offers_to_train_and_enter_does(runs, make_run, screen_text):
    made = []

    def start(plans, runs, name, cancelled):
        made.extend((make_run([started(p.config.model.unit)], unit=p.config.model.unit), None) for p in plans)
        return made

    async def script(pilot):
        await until(pilot, lambda: "Nothing is training." in screen_text(pilot.app))
        assert "trains the three units on Bach" in screen_text(pilot.app)
        await pilot.press("enter")
        await until(pilot, lambda: "▲ tanh 100" in screen_text(pilot.app) and "● gru 46" in screen_text(pilot.app))
        await until(pilot, lambda: "started tanh-jsb-1, lstm-jsb-1, gru-jsb-1" in screen_text(pilot.app))

    drive(GatedApp(runs, start=start), script)
    assert len(made) == 3


def test_what_was_started_has_the_focus_wherever_its_card_comes(make_run, runs, screen_text):
    for number in range(6):
        make_run([started(), *epochs(falling(5))], name=f"run-{number}")

    def start(plans, runs, name, cancelled):
        return [(make_run([started()], name="fresh"), None)]

    async def script(pilot):
        await until(pilot, lambda: len(pilot.app.screen.cards) == 6)
        await pilot.press("right", "enter", "t")
        await until(pilot, lambda: "fresh" in screen_text(pilot.app))
        await until(pilot, lambda: focused(pilot.app) == "fresh" and pilot.app.screen.enlarged.name == "fresh")
        await pilot.press("escape", "left")
        await pilot.pause(0.6)
        assert focused(pilot.app) != "fresh", "it is focused once"

    drive(GatedApp(runs, start=start), script)


def test_the_app_can_be_opened_on_a_run_however_old(make_run, runs):
    made = [make_run([started(), *epochs(falling(5))], name=f"run-{number}") for number in range(9)]

    async def script(pilot):
        await until(pilot, lambda: pilot.app.screen.focused is not None and focused(pilot.app) == "run-0")

    drive(GatedApp(runs, focus=made[0].path), script)


def test_a_start_that_fails_is_told_and_the_app_goes_on(runs, screen_text):
    def start(plans, runs, name, cancelled):
        raise BadSource("The data '[bold]' cannot be had.", "gated data fetch")

    async def script(pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "The data '[bold]' cannot be had." in screen_text(pilot.app))
        await until(pilot, lambda: "gated data fetch" in screen_text(pilot.app))
        assert pilot.app.is_running and not pilot.app.busy

    drive(GatedApp(runs, start=start), script, size=(100, 30))


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
def test_closing_leaves_the_runs_alone(three, runs, monkeypatch, key):
    asked = []
    monkeypatch.setattr(watching.launch, "request_stop", asked.append)

    async def script(pilot):
        await pilot.press(key)

    assert drive(GatedApp(runs), script) == "closed"
    assert asked == []


def test_new_runs_appear_and_vanished_ones_go(three, runs, make_run, screen_text):
    async def script(pilot):
        make_run([started(), *epochs(falling(5))], name="fresh")
        await until(pilot, lambda: "fresh" in screen_text(pilot.app))
        shutil.rmtree(three[2].path)
        await until(pilot, lambda: all(card.run.name != "gru-jsb-1" for card in pilot.app.screen.query(RunCard)))
        await until(pilot, lambda: len(pilot.app.screen.query(RunCard)) == 3)
        assert pilot.app.screen.focused is not None

    drive(GatedApp(runs), script, size=(120, 40))


def test_the_focused_card_may_vanish(three, runs, screen_text):
    async def script(pilot):
        await until(pilot, lambda: "tanh" in screen_text(pilot.app))
        shutil.rmtree(three[0].path)
        await until(pilot, lambda: "▲ tanh" not in screen_text(pilot.app))  # the last line may still tell of it
        await pilot.press("right")
        assert focused(pilot.app) == "gru-jsb-1"

    drive(GatedApp(runs), script)


def test_the_focused_card_has_a_heavier_border_and_not_only_another_colour(three, runs, screen_text):
    async def script(pilot):
        await until(pilot, lambda: screen_text(pilot.app).count("┏") == 1)
        assert screen_text(pilot.app).count("╭") == 2

    drive(GatedApp(runs), script, size=(120, 30))


@pytest.mark.parametrize("keys", [("right", "right", "left"), ("l", "l", "h"), ("tab", "tab", "shift+tab")])
def test_arrows_hjkl_and_tab_move_the_focus(three, runs, keys):
    async def script(pilot):
        places = [focused(pilot.app)]
        for key in keys:
            await pilot.press(key)
            places.append(focused(pilot.app))
        assert places == ["tanh-jsb-1", "lstm-jsb-1", "gru-jsb-1", "lstm-jsb-1"]

    drive(GatedApp(runs), script)


def test_down_and_up_move_the_focus_in_a_column(three, runs):
    async def script(pilot):
        await pilot.press("down", "j", "k")
        assert focused(pilot.app) == "lstm-jsb-1"

    drive(GatedApp(runs), script, size=(40, 30))


def test_s_stops_the_focused_run_only(three, runs, monkeypatch, screen_text):
    asked = []
    monkeypatch.setattr(watching.launch, "request_stop", lambda run: asked.append(run.name) or True)

    async def script(pilot):
        await pilot.press("s")
        await until(pilot, lambda: asked == ["tanh-jsb-1"])
        await until(pilot, lambda: "stopping" in screen_text(pilot.app))
        await pilot.press("right", "s")
        await until(pilot, lambda: "lstm-jsb-1 is not training" in screen_text(pilot.app))
        assert asked == ["tanh-jsb-1"]

    drive(GatedApp(runs), script, size=(100, 30))


def test_r_resumes_the_focused_run_where_that_is_possible(three, runs, screen_text):
    resumed = []

    async def script(pilot):
        await pilot.press("r")
        await until(pilot, lambda: "is training: nothing to go on with" in screen_text(pilot.app))
        await pilot.press("right", "right", "r")
        await until(pilot, lambda: [run.name for run in resumed] == ["gru-jsb-1"])
        await until(pilot, lambda: "going on with gru-jsb-1" in screen_text(pilot.app))

    drive(GatedApp(runs, resume=lambda run, cancelled: resumed.append(run)), script, size=(100, 30))


def test_enter_enlarges_a_card_and_back(three, runs, screen_text):
    async def script(pilot):
        await pilot.press("right", "enter")
        await until(pilot, lambda: "tanh 100" not in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert "lstm 36" in text
        await pilot.press("right")
        await pilot.pause()
        assert "gru 46" not in text and "gru 46" not in screen_text(pilot.app), "a single column has no right"
        await pilot.press("tab")
        await until(pilot, lambda: "gru 46" in screen_text(pilot.app))
        await pilot.press("escape")
        await until(pilot, lambda: "tanh 100" in screen_text(pilot.app))

    drive(GatedApp(runs), script)


def test_space_freezes_the_picture(three, runs, screen_text):
    async def script(pilot):
        await pilot.press("space")
        await until(pilot, lambda: "view paused" in screen_text(pilot.app))
        await pilot.pause(0.3)
        first = screen_text(pilot.app)
        append(three[0], epochs(falling(60))[48:])
        await pilot.pause(0.8)
        assert screen_text(pilot.app) == first
        await pilot.press("space")
        await until(pilot, lambda: "epoch 60" in screen_text(pilot.app))

    drive(GatedApp(runs), script)


def test_the_end_of_a_run_is_news(make_run, runs, screen_text):
    run = make_run([started(), *epochs(falling(9))])
    held = lock.held(run.lock_path)
    held.__enter__()

    async def script(pilot):
        await until(pilot, lambda: pilot.app.runs[0].word == "training")
        append(run, [Failed(what="The [i]disk[/i] is full.")])
        held.__exit__(None, None, None)
        await until(pilot, lambda: "gru-jsb-1 failed: The [i]disk[/i] is full." in screen_text(pilot.app))

    drive(GatedApp(runs), script)


def test_every_binding_of_every_screen_is_in_the_help(three, runs, screen_text):
    async def script(pilot):
        app = pilot.app
        for _, name in app.places:
            app.action_go(name)
            await until(pilot, lambda name=name: type(app.screen).__name__ == name)
            await pilot.pause()
            active = list(app.active_bindings.values())
            await pilot.press("question_mark")
            await until(pilot, lambda: "close the help" in screen_text(app))
            listed = {key for _, items in app.screen.groups for keys, _ in items for key in keys.split()}
            for binding in (one.binding for one in active):
                assert key_text(binding) in listed, f"{binding.key} on {name} is not in the help"
            text = screen_text(app)
            for owner in (app, screen_class(name)):
                for binding in owner.BINDINGS:
                    assert f"{key_text(binding)}  {binding.description}" in text
            await pilot.press("q")
            await until(pilot, lambda: not isinstance(app.screen, HelpScreen))
        assert app.return_value is None, "q has only closed the help"

    drive(GatedApp(runs), script, size=(250, 70))


def test_a_frozen_view_says_what_goes_on_also_where_space_does_something_else(three, runs, screen_text):
    async def script(pilot):
        app = pilot.app
        await pilot.press("space")
        await until(pilot, lambda: "space goes on" in screen_text(app))
        await pilot.press("3")
        await until(pilot, lambda: "space on the Dashboard goes on" in screen_text(app))
        await pilot.press("space")
        assert app.frozen
        await pilot.press("1", "space")
        await until(pilot, lambda: "view paused" not in screen_text(app))

    drive(GatedApp(runs), script)


def test_long_sentences_are_whole_in_the_log_and_its_keys_are_those_of_lists(runs, screen_text):
    async def script(pilot):
        app = pilot.app
        for number in range(40):
            app.tell(f"sentence {number}")
        app.on_trouble(Trouble("The data '[bold]' cannot be had here, wherever one looks.", "gated data fetch jsb"))
        await pilot.press("escape", "e")
        await until(pilot, lambda: "gated data fetch jsb" in re.sub(r"[\s│]+", " ", screen_text(app)))
        await pilot.press("g")
        await until(pilot, lambda: "sentence 0 " in screen_text(app))
        await pilot.press("j")
        await until(pilot, lambda: "sentence 0 " not in screen_text(app))
        await pilot.press("k")
        await until(pilot, lambda: "sentence 0 " in screen_text(app))
        await pilot.press("G")
        await until(pilot, lambda: "jsb" in screen_text(app))

    drive(GatedApp(runs), script, size=(40, 20))


def test_escape_clears_what_was_said_over_the_picture_and_does_its_own(three, runs, screen_text):
    async def script(pilot):
        app = pilot.app
        await pilot.press("enter")
        await until(pilot, lambda: "lstm 36" not in screen_text(app))
        app.post_message(Trouble("It cannot be had.", "Try again."))
        await until(pilot, lambda: "Try again." in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: "Try again." not in screen_text(app) and "lstm 36" in screen_text(app))

    drive(GatedApp(runs), script, size=(120, 30))


def test_names_are_never_read_as_markup(make_run, runs, screen_text):
    for name in ("[red]x", "[link=y]", "a [b"):
        make_run([started(), *epochs(falling(9))], name=name)

    async def script(pilot):
        await until(pilot, lambda: "[red]x" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert "[red]x" in text and "[link=y]" in text and "a [b" in text
        await pilot.press("s")
        await until(pilot, lambda: "is not training" in screen_text(pilot.app))

    drive(GatedApp(runs), script, size=(100, 30))


def test_the_palette_offers_our_commands(three, runs):
    async def script(pilot):
        titles = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert {"Train the three units on Bach", "Save and stop the run", "Theme", "Light or dark"} <= titles

    drive(GatedApp(runs), script)


def test_a_runs_folder_that_is_a_file_is_told_once(tmp_path, screen_text):
    place = tmp_path / "runs"
    place.write_text("")

    async def script(pilot):
        await until(pilot, lambda: "cannot be listed" in screen_text(pilot.app))
        await pilot.pause(1.2)
        assert screen_text(pilot.app).count("cannot be listed") == 1

    drive(GatedApp(place), script, size=(140, 30))


def test_the_strip_goes_from_screen_to_screen_by_key_and_by_mouse(three, runs, screen_text):
    async def script(pilot):
        app = pilot.app
        for key, name in app.places:
            await pilot.press(key)
            await until(pilot, lambda name=name: app.current_mode == name and f"{name}" in screen_text(app))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: app.current_mode == "Dashboard")
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: app.current_mode == app.places[-1][1])
        strip = app.screen.query_one(TabStrip)
        await pilot.click(TabStrip, offset=(strip.text.index("Runs") + 1, 0))
        await until(pilot, lambda: app.current_mode == "Runs")

    drive(GatedApp(runs), script, size=(120, 30))


def test_a_click_on_a_key_presses_it(three, runs, screen_text):
    async def script(pilot):
        await until(pilot, lambda: "? help" in screen_text(pilot.app))
        line = pilot.app.screen.query_one(KeyLine)
        await pilot.click(KeyLine, offset=(line.text.index("? help"), 0))
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))

    drive(GatedApp(runs), script, size=(120, 30))


def hues(app) -> set[str]:
    strips = app.screen._compositor.render_strips()
    return {s.style.color.triplet.hex for row in strips for s in row if s.style and s.style.color}


def test_the_theme_goes_from_dark_to_light_and_back_and_hues_are_darkened(three, runs, screen_text):
    async def script(pilot):
        app = pilot.app
        await until(pilot, lambda: "★" in screen_text(app))
        for shown, other in ("#4a9be8", "#1f6fbf"), ("#1f6fbf", "#4a9be8"), ("#4a9be8", "#1f6fbf"):
            await until(pilot, lambda shown=shown, other=other: shown in hues(app) and other not in hues(app))
            await pilot.press("ctrl+t")

    drive(GatedApp(runs), script, size=(120, 30))
