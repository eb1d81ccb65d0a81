import pytest

from gatedtui.cli.main import run as gated
from gatedtui.tui import gate_view
from gatedtui.tui.app import GatedApp
from gatedtui.tui.screens.gates import Gates
from gatedtui.tui.screens.pick import Pick
from gatedtui.tui.screens.prompt import Prompt

from .conftest import drive, until
from .recorded import Recorded, answer

SIZES = [(120, 40), (200, 60), (160, 48), (40, 12), (20, 6), (80, 24)]


pytestmark = pytest.mark.usefixtures("released")


@pytest.fixture
def look_into(make_run, runs):
    """Opens the screen on runs of these units, the last one being the newest, and plays a script."""

    def play(script, *units, recorded=None, size=(80, 24), ready=True, **settings):
        for unit in units:
            make_run(unit=unit, data__name="tiny", **settings).best_path.write_bytes(b"")
        screen = Gates(recorded or Recorded())
        screen.recorded = screen._ask
        app = GatedApp(runs)

        async def run(pilot):
            await app.push_screen(screen)
            if ready:
                await until(pilot, lambda: screen.view is not None and not screen.waits)
            await pilot.pause()
            await script(pilot, screen)

        return drive(app, run, size)

    return play


@pytest.mark.parametrize(
    ("unit", "names"),
    [("gru", ["reset", "update", "state"]), ("lstm", ["input", "forget", "output", "state"]), ("tanh", ["state"])],
)
def test_each_gate_of_a_unit_has_a_strip_on_one_time_axis(look_into, screen_text, unit, names):
    async def script(pilot, screen):
        text = screen_text(pilot.app)
        lines = text.splitlines()
        assert f"{unit} " in lines[1] and "hears tiny:0 │ 24 steps" in lines[1]
        places = [next(n for n, line in enumerate(lines) if line.strip().startswith(name)) for name in names]
        assert places == sorted(places)
        cursors = {line.find("│", 4) if "│" in line[4:62] else line.find("┼") for line in lines[places[0] + 1 : -4]}
        assert len([place for place in cursors if place > 0]) == 1, "one column through all strips"
        assert ("▸" in text and "┼" in text and "0   openness   1" in text) or unit == "tanh"

    look_into(script, unit)


def test_the_cursor_reads_time_unit_gate_and_how_long_it_holds(look_into, screen_text):
    about = answer("gru")
    z, r = about["gates"]["z"], about["gates"]["r"]["values"]
    best = max(range(6), key=lambda unit: z["mean_openness"][unit])
    last = min(range(6), key=lambda unit: z["mean_openness"][unit])

    async def script(pilot, screen):
        value = z["values"][0][best]
        words = f"t 0 · unit {best} · z {value:.2f} (held {1 / value:.1f} steps) · r {r[0][best]:.2f} · |h| "
        assert words in screen_text(pilot.app)
        await pilot.press("right", "right", "l", *["down"] * 7)
        value = z["values"][3][last]
        assert f"t 3 · unit {last} · z {value:.2f} (held {1 / value:.1f} steps)" in screen_text(pilot.app)
        await pilot.press("shift+tab")
        assert f"t 3 · unit {last} · r {r[3][last]:.2f} · z {value:.2f}" in screen_text(pilot.app)
        await pilot.press("shift+right", "end", "right")
        assert screen.column == 23 and "t 23 ·" in screen_text(pilot.app)
        await pilot.press("shift+left", "left", "h", "home")
        assert screen.column == 0

    look_into(script, "gru")


def test_a_click_moves_the_cursor(look_into):
    async def script(pilot, screen):
        await pilot.click("#gate2", offset=(5 + 28, 2))
        strip = screen.view.strips[2]
        assert screen.gate == 2 and screen.column == pytest.approx(12, abs=1)
        assert screen.unit in strip.order[1:4]
        await pilot.click("#heard", offset=(5, 1))
        assert screen.column == 0 and screen.gate == 2

    look_into(script, "gru")


def test_enter_gives_one_gate_the_whole_screen(look_into, screen_text):
    async def script(pilot, screen):
        await pilot.press("enter")
        assert "update" in screen_text(pilot.app) and "reset" not in screen_text(pilot.app)
        await pilot.press("tab")
        assert "state" in screen_text(pilot.app) and "update" not in screen_text(pilot.app)
        await pilot.press("escape")
        assert "reset" in screen_text(pilot.app)

    look_into(script, "gru")


def test_every_size_is_filled_and_not_overfilled(look_into, screen_text):
    async def script(pilot, screen):
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await until(pilot, lambda: "t 0" in screen_text(pilot.app))
            assert all(len(line) <= size[0] for line in screen_text(pilot.app).splitlines())
        await pilot.resize_terminal(160, 48)
        await until(pilot, lambda: " nats\n" in screen_text(pilot.app) or " nats " in screen_text(pilot.app))

    look_into(script, "lstm")


def test_other_pieces_are_heard(look_into, screen_text):
    async def script(pilot, screen):
        def heard(count):
            return len(screen.recorded.asked) == count and not screen.waits

        def asked():
            words = screen.recorded.asked[-1]
            return words[words.index("--input") + 1]

        await pilot.press("greater_than_sign")
        await until(pilot, lambda: heard(2))
        assert asked() == "tiny:1" and "hears tiny:1" in screen_text(pilot.app)
        await pilot.press("less_than_sign")
        await until(pilot, lambda: heard(3))
        await pilot.press("less_than_sign")
        await until(pilot, lambda: heard(4))
        assert asked() == "tiny:0"
        await pilot.press("i")
        await until(pilot, lambda: isinstance(pilot.app.screen, Prompt))
        await pilot.press("ctrl+u", "enter")
        await until(pilot, lambda: "Type a piece" in screen_text(pilot.app))
        await pilot.press(*"song.mid", "enter")
        await until(pilot, lambda: heard(5))
        assert asked() == "song.mid"
        await pilot.press("f")
        await until(pilot, lambda: heard(7))
        assert asked().endswith("fresh.mid") and "a fresh sample, seed 1" in screen_text(pilot.app)
        assert screen.recorded.asked[-2][0] == "sample"
        await pilot.press("f")
        await until(pilot, lambda: heard(9))
        assert "seed 2" in screen_text(pilot.app)

    look_into(script, "gru")


def test_another_model_keeps_the_piece_and_the_time(look_into, screen_text):
    async def script(pilot, screen):
        await pilot.press("right", "right", "m")
        await until(pilot, lambda: isinstance(pilot.app.screen, Pick))
        await pilot.press("j", "enter")
        await until(pilot, lambda: screen.view.unit == "lstm")
        assert "t 2 ·" in screen_text(pilot.app) and "hears tiny:0" in screen_text(pilot.app)
        assert len(screen.view.strips) == 4

    look_into(script, "lstm", "gru")


def test_layers_take_turns(look_into):
    async def script(pilot, screen):
        await pilot.press("y")
        await until(pilot, lambda: len(screen.recorded.asked) == 2 and not screen.waits)
        assert screen.recorded.asked[-1][screen.recorded.asked[-1].index("--layer") + 1] == "2"
        await pilot.press("y")
        assert screen.at_layer == 1

    look_into(script, "gru", model__layers=2)


def test_the_picture_is_written_where_the_app_was_started(look_into, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    async def script(pilot, screen):
        await pilot.press("w")
        await until(pilot, lambda: pilot.app.news and "gates-gru-jsb-1-tiny-0.svg" in pilot.app.news[1])
        assert (tmp_path / "gates-gru-jsb-1-tiny-0.svg").exists()

    look_into(script, "gru")


def test_what_fails_is_told_and_what_was_shown_stays(look_into, screen_text):
    recorded = Recorded()

    async def script(pilot, screen):
        recorded.fails["tiny:1"] = "There is no piece '[b]tiny:1'."
        await pilot.press("greater_than_sign")
        await until(pilot, lambda: "There is no piece '[b]tiny:1'." in screen_text(pilot.app))
        assert screen.view is not None and "update" in screen_text(pilot.app)

    look_into(script, "gru", recorded=recorded, size=(120, 40))


def test_after_a_failure_the_header_names_what_is_shown_and_the_next_key_goes_on_from_there(look_into, screen_text):
    recorded = Recorded(fails={"nosuch:3": "There is no data set 'nosuch'.", "tiny:1": "There is no piece 'tiny:1'."})

    async def script(pilot, screen):
        await pilot.press("i")
        await until(pilot, lambda: isinstance(pilot.app.screen, Prompt))
        await pilot.press("ctrl+u", *["colon" if c == ":" else c for c in "nosuch:3"], "enter")
        await until(pilot, lambda: "There is no data set 'nosuch'." in screen_text(pilot.app))
        await until(pilot, lambda: "hears tiny:0" in screen_text(pilot.app))
        for count in (1, 2, 3):
            await pilot.press("greater_than_sign")
            await until(pilot, lambda count=count: len(recorded.asked) == 2 + count and not screen.waits)
            await until(pilot, lambda: screen_text(pilot.app).count("There is no piece 'tiny:1'.") == 1)
            assert recorded.asked[-1][3] == "tiny:1" and "hears tiny:0" in screen_text(pilot.app)
            await pilot.press("escape")
            await until(pilot, lambda: "There is no piece" not in screen_text(pilot.app))

    look_into(script, "gru", recorded=recorded, size=(120, 40))


def test_a_model_that_fails_gives_way_to_the_one_that_is_shown(look_into, screen_text):
    async def script(pilot, screen):
        shown = screen.model
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, Pick))
        await pilot.press("end", "enter")
        await until(pilot, lambda: "The file is damaged." in screen_text(pilot.app))
        assert screen.model is shown and "● gru 46" in screen_text(pilot.app)

    look_into(script, "lstm", "gru", recorded=Recorded(fails={"lstm": "The file is damaged."}), size=(120, 40))


def test_a_model_that_cannot_be_read_is_told_in_place_of_the_picture(look_into, screen_text):
    async def script(pilot, screen):
        await until(pilot, lambda: "The file is '[x]'." in screen_text(pilot.app))
        await pilot.press("right", "down", "tab", "enter", "w", "y")

    look_into(script, "gru", recorded=Recorded(fails={"gates": "The file is '[x]'."}), ready=False)


def test_without_models_it_says_what_to_do(look_into, screen_text):
    async def script(pilot, screen):
        await until(pilot, lambda: "There is nothing to look into yet." in screen_text(pilot.app))
        await pilot.press("right", "down", "tab", "enter", "i", "f", "m", "w", "y", "greater_than_sign")
        assert screen.recorded.asked == []

    look_into(script, ready=False)


def test_long_pieces_say_that_a_column_is_a_mean():
    about = answer("gru")
    about |= {"each": 4, "steps": 96, "roll": about["roll"] * 4, "nll": [None, 1.0, 2.0, 3.0] * 24}
    view = gate_view.read(about)
    assert view.surprise(0) == 2.0
    words = [text for text, _ in gate_view.reading(view, 2, 0, 1)]
    assert words[0] == "t 8–11" and "surprise 2.0 nats" in words


@pytest.mark.parametrize(
    ("unit", "gate", "value", "words"),
    [
        ("gru", "z", 0.17, "held 5.9 steps"),
        ("gru", "z", 0.0, "held for ever"),
        ("lstm", "f", 0.9, "held 10.0 steps"),
        ("lstm", "f", 1.0, "held for ever"),
        ("gru-no-reset", "z", 0.2, "held 5.0 steps"),
        ("lstm-coupled", "f", 0.75, "held 4.0 steps"),
        ("gru", "r", 0.5, ""),
        ("lstm", "o", 0.5, ""),
    ],
)
def test_how_long_a_unit_holds(unit, gate, value, words):
    assert gate_view.held(unit, gate, value) == words


def test_from_a_trained_run_to_its_gates_with_real_children(runs, screen_text):
    words = ["train", "--data", "tiny", "--epochs", "2", "--set", "model.hidden=5", "--unit", "lstm", "--name", "a [b]"]
    assert gated([*words, "--runs", str(runs)]) == 0
    app = GatedApp(runs)
    screen = Gates()

    async def script(pilot):
        await app.push_screen(screen)
        await until(pilot, lambda: screen.view is not None)
        await pilot.pause()
        assert "■ lstm 5 a [b] hears tiny:0" in screen_text(app) and "forget" in screen_text(app)
        await pilot.press("f")
        await until(pilot, lambda: not screen.waits and "192 steps" in screen_text(app))

    drive(app, script)
