import pytest

from gatedtui import config
from gatedtui.tui import form
from gatedtui.tui.app import GatedApp
from gatedtui.tui.screens import new_run
from gatedtui.tui.screens.new_run import NewRun
from gatedtui.tui.widgets.fields import Fields

from .conftest import drive, epochs, falling, finished, started, until

SIZES = [(80, 24), (120, 40), (200, 60), (40, 12), (20, 6)]
ABOUT = {"title": "Chorales", "kind": "music", "train_pieces": 292, "valid_pieces": 36, "test_pieces": 36}


@pytest.fixture(autouse=True)
def no_child(monkeypatch):
    """What `gated data info` says, without a child process."""
    monkeypatch.setattr(new_run.launch, "run_json", lambda words, cancelled: ABOUT | {"train_frames": 63_540})


def go(script):
    async def run(pilot):
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, NewRun) and pilot.app.screen.resolved.plans)
        await script(pilot)

    return run


def typed(pilot):
    return pilot.app.screen.query_one(Fields).typed


def current(pilot):
    return pilot.app.screen.query_one(Fields).current.key


async def understood(pilot):
    screen = pilot.app.screen
    await until(pilot, lambda: screen.resolved.typed == typed(pilot))
    await pilot.pause()


def test_the_form_shows_counts_an_estimate_and_the_command(runs, make_run, screen_text):
    make_run([started(data="bach"), *epochs(falling(48)), finished(40, 8.4)], data__name="bach")

    async def script(pilot):
        await until(pilot, lambda: "from 1 run of gru on bach" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert "18,630 recurrent + 4,136 output = 22,766 weights" in text
        assert "$ gated train --runs" in text
        assert "about 0:05" in text
        await pilot.press("right")
        await until(pilot, lambda: "27,788 weights" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert "▲ tanh 100" in text and "■ lstm 36" in text and "--unit all" in text

    drive(GatedApp(runs), go(script), size=(120, 40))


def test_letters_and_digits_are_typed_not_pressed(runs):
    async def script(pilot):
        await pilot.press("down", "down", "down", "down", *"q12 n?e")
        await understood(pilot)
        assert typed(pilot) == {"name": "q12 n?e"} and isinstance(pilot.app.screen, NewRun)
        await pilot.press("backspace", "ctrl+w")
        assert typed(pilot) == {"name": "q12"}

    drive(GatedApp(runs), go(script))


def test_an_error_stands_beside_its_field_and_nothing_starts(runs, screen_text):
    async def script(pilot):
        while current(pilot) != "train.lr":
            await pilot.press("down")
        await pilot.press(*"20", "up", "enter")
        await understood(pilot)
        await until(pilot, lambda: current(pilot) == "train.lr")
        await until(pilot, lambda: "✖ train.lr must lie in" in screen_text(pilot.app))
        await until(pilot, lambda: "train.lr must lie in [1e-12, 10], not '20.0'" in screen_text(pilot.app))
        assert isinstance(pilot.app.screen, NewRun) and not pilot.app.busy

    drive(GatedApp(runs, start=lambda *a: pytest.fail("it started")), go(script))


def test_enter_starts_what_the_form_says(runs, make_run, screen_text):
    asked = []

    def start(plans, folder, name, cancelled):
        asked.append((list(plans), folder, name))
        return [(make_run(name="my run"), None)]

    async def script(pilot):
        await pilot.press("left", "down", "down", "down", "right", "down", *"my run")
        while current(pilot) != "train.epochs":
            await pilot.press("down")
        await pilot.press(*"12", "enter")
        await until(pilot, lambda: asked)
        await until(pilot, lambda: pilot.app.current_mode == "Dashboard" and "started my run" in screen_text(pilot.app))

    drive(GatedApp(runs, start=start), go(script))
    [(plans, folder, name)] = asked
    settings = plans[0].config
    assert (len(plans), folder, name) == (1, runs, "my run")
    assert (settings.model.unit, settings.train.recipe, settings.train.epochs) == ("lstm", "librnn", 12)


def test_the_data_set_is_described_and_choices_are_offered(runs, screen_text):
    async def script(pilot):
        pilot.app.described["bach", 0] = ABOUT | {"train_frames": 63_540, "marginal_nll_frame": 10.665}
        await pilot.press("down")
        await until(pilot, lambda: "292/36/36 pieces, 63,540 frames" in screen_text(pilot.app))
        assert "guessing 10.6" in screen_text(pilot.app)
        await pilot.press("right")
        await understood(pilot)
        assert typed(pilot) == {"data": "jsb"}
        await until(pilot, lambda: "Sets: bach jsb" in screen_text(pilot.app))
        await pilot.press("end", *"xx")
        await understood(pilot)
        assert "data" in pilot.app.screen.resolved.errors

    drive(GatedApp(runs), go(script), size=(120, 30))


def test_the_beginnings_of_a_path_are_not_looked_at(runs, tmp_path, monkeypatch):
    asked = []
    real = form.resolve
    monkeypatch.setattr(form, "resolve", lambda typed, runs: asked.append(typed.get("data")) or real(typed, runs))
    (tmp_path / "songs").mkdir()

    async def script(pilot):
        await pilot.press("down", *"/a/b/c")
        await understood(pilot)
        assert [data for data in asked if data] == ["/a/b/c"]
        assert "/a/b/c" in pilot.app.screen.resolved.errors["data"]

    drive(GatedApp(runs), go(script))


def test_a_run_like_an_old_one_has_its_settings(runs, make_run, screen_text):
    make_run([started(), *epochs(falling(5)), finished(5, 8.4)], train__lr=0.5, name="[b]old")

    async def script(pilot):
        await pilot.press("3")
        await until(pilot, lambda: "finished" in screen_text(pilot.app))
        await pilot.press("w")
        await until(pilot, lambda: isinstance(pilot.app.screen, NewRun))
        await until(pilot, lambda: typed(pilot).get("train.lr") == "0.5")
        await understood(pilot)
        old = config.build({"model.unit": "gru", "model.hidden": 46, "data.name": "jsb", "train.lr": 0.5})
        assert pilot.app.screen.resolved.plans[0].config == old
        await pilot.press("ctrl+r")
        await until(pilot, lambda: typed(pilot) == {})

    drive(GatedApp(runs), script)


def test_the_command_can_be_copied(runs):
    async def script(pilot):
        await pilot.press("right", "ctrl+y")
        await pilot.pause()
        assert pilot.app.clipboard.startswith("gated train --unit all --runs ")
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.current_mode == "Dashboard" and len(pilot.app.screen_stack) == 1)

    drive(GatedApp(runs), go(script))


@pytest.mark.parametrize("size", [(80, 24), (20, 6)])
def test_the_form_fits_every_terminal_and_every_field_can_be_reached(runs, screen_text, size):
    async def script(pilot):
        for other in SIZES if size == (80, 24) else [size]:
            await pilot.resize_terminal(*other)
            await pilot.pause()
            lines = screen_text(pilot.app).splitlines()
            assert len(lines) <= other[1] and all(len(line) <= other[0] for line in lines)
        fields = pilot.app.screen.query_one(Fields)
        seen = set()
        for _ in fields.keys:
            seen.add(current(pilot))
            await pilot.press("down")
        assert seen == {key.key for key in fields.keys}
        await pilot.press("pageup", "pageup", "pageup", "pageup", "pageup")
        assert current(pilot) == "unit"

    drive(GatedApp(runs), go(script), size=size)


def test_the_mouse_goes_to_a_field_and_takes_a_choice(runs):
    async def script(pilot):
        await pilot.click(Fields, offset=(17, 0))
        await understood(pilot)
        assert typed(pilot) == {"unit": "tanh"}
        await pilot.click(Fields, offset=(5, 4))
        await until(pilot, lambda: current(pilot) == "name")

    drive(GatedApp(runs), go(script))


def test_the_forms_keys_are_in_the_help(runs, screen_text):
    async def script(pilot):
        bindings = pilot.app.screen.BINDINGS
        await pilot.press("f1")
        await until(pilot, lambda: "close the help" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert "New run" in text
        for binding in bindings:
            assert binding.description in text

    drive(GatedApp(runs), go(script), size=(250, 70))
