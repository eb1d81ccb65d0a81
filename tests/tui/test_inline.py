import asyncio
import math
import shutil
import time

import pytest

from gatedtui.errors import GatedError
from gatedtui.events import Diverged, Failed, Step
from gatedtui.runs import lock
from gatedtui.tui import inline, watching
from gatedtui.tui.inline import LiveView
from gatedtui.tui.watching import watch_all

from .conftest import append, epochs, falling, finished, started

SIZES = [(80, 24), (120, 40), (40, 12), (20, 6)]


def view_of(*runs, watch=False):
    watched = watch_all(runs)
    return LiveView(watched, [one.read() for one in watched], watch=watch)


def drive(view, script, size=(80, 24)):
    """Runs the script against the view and gives its outcome."""

    async def run():
        async with view.run_test(size=size) as pilot:
            await script(pilot)
        return view.return_value

    return asyncio.run(run())


async def until(pilot, condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        await pilot.pause(0.02)


@pytest.fixture
def three(make_run):
    """Three runs at work, their locks held by this process."""
    made = [make_run([started(unit), *epochs(falling(48))], unit=unit) for unit in ("tanh", "lstm", "gru")]
    held = [lock.held(run.lock_path) for run in made]
    for one in held:
        one.__enter__()
    yield made
    for one in held:
        one.__exit__(None, None, None)


def finish(run):
    append(run, [finished(40, 8.43)])


def test_three_runs_are_shown_with_their_figures(three, screen_text):
    async def script(pilot):
        await until(pilot, lambda: "d detach (training goes on)" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        lines = text.splitlines()
        assert "jsb · recipe paper · seed 1 · native, 1 thread each" in lines[0]
        assert "? help" in lines[0]
        for title in ("▲ tanh 100", "■ lstm 36", "● gru 46"):
            assert title in text
        assert "best 8.4" in text and "paper 9.10" in text and "643k fr/s" in text and "left" in text
        assert "epoch 48" in text
        assert "11.09 = guessing each pitch by its frequency" in text
        assert any(0x2800 < ord(c) < 0x2900 for c in text)
        assert "d detach (training goes on)" in text
        assert max(i for i, line in enumerate(lines) if line) < 12

    drive(view_of(*three), script)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("key", ["", "l", "question_mark"])
def test_the_view_fits_every_terminal(three, screen_text, size, key):
    async def script(pilot):
        if key:
            await pilot.press(key)
        await until(pilot, lambda: "tanh" in screen_text(pilot.app))
        await pilot.pause()
        lines = screen_text(pilot.app).splitlines()
        assert len([line for line in lines if line]) < min(13, size[1])
        assert all(len(line) <= size[0] for line in lines)

    drive(view_of(*three), script, size=size)


def test_a_resize_lays_the_view_out_anew(three, screen_text):
    async def script(pilot):
        for size in SIZES:
            await pilot.resize_terminal(*size)
            wide = size[0] >= 60
            await until(pilot, lambda wide=wide: ("paper 9.10" in screen_text(pilot.app)) == wide)
            await until(pilot, lambda: "tanh" in screen_text(pilot.app))

    drive(view_of(*three), script, size=(100, 30))


def test_one_run_has_a_large_curve_with_an_axis(make_run, screen_text):
    run = make_run([started(), *epochs(falling(30))])
    with lock.held(run.lock_path):

        async def script(pilot):
            await until(pilot, lambda: "★" in screen_text(pilot.app))
            text = screen_text(pilot.app)
            assert "8.54" in text and "paper" in text

        drive(view_of(run), script)


@pytest.mark.parametrize(
    "valid",
    [[], [8.4], [8.4] * 20, [math.nan] * 5, [math.inf, 9.0, math.nan, 8.0], [1e300, -1e300]],
    ids=["none", "one", "constant", "nan", "holes", "huge"],
)
@pytest.mark.parametrize("count", [1, 2])
def test_any_curve_can_be_shown(make_run, screen_text, valid, count):
    made = [make_run([started(unit), *epochs(valid)], unit=unit) for unit in ("gru", "tanh")[:count]]

    async def script(pilot):
        for size in ((80, 24), (20, 6), (200, 50)):
            await pilot.resize_terminal(*size)
            await until(pilot, lambda: "gru 46" in screen_text(pilot.app))

    drive(view_of(*made, watch=True), script)


def test_before_the_first_epoch_something_moves(make_run, screen_text):
    run = make_run()

    async def script(pilot):
        first = screen_text(pilot.app)
        assert "starting…" in first
        await until(pilot, lambda: screen_text(pilot.app) != first)

    drive(view_of(run), script)


def test_the_first_epoch_shows_its_updates(make_run, screen_text):
    run = make_run([started(), Step(updates=1_234, epoch=1, loss=9.5)])
    with lock.held(run.lock_path):

        async def script(pilot):
            await until(pilot, lambda: "1,234 updates · loss 9.50" in screen_text(pilot.app))

        drive(view_of(run), script)


def test_new_epochs_are_drawn_as_they_come(three, screen_text):
    async def script(pilot):
        append(three[0], epochs(falling(49))[48:])
        await until(pilot, lambda: "epoch 49" in screen_text(pilot.app))

    drive(view_of(*three), script)


def test_the_view_ends_by_itself_when_all_runs_are_over(make_run):
    run = make_run([started(), *epochs(falling(9))])
    held = lock.held(run.lock_path)
    held.__enter__()

    async def script(pilot):
        await until(pilot, lambda: pilot.app.latest[0].word == "training")
        finish(run)
        held.__exit__(None, None, None)
        await until(pilot, lambda: pilot.app.return_value is not None)

    assert drive(view_of(run), script) == "ended"


def test_runs_that_were_over_when_watching_began_stay_shown(make_run, screen_text):
    run = make_run([started(), *epochs(falling(9)), finished(9, 8.4)])

    async def script(pilot):
        await pilot.pause(0.6)
        assert pilot.app.return_value is None
        await until(pilot, lambda: "done in 0:01" in screen_text(pilot.app))
        await pilot.press("q")

    assert drive(view_of(run, watch=True), script) == "detached"


@pytest.mark.parametrize(("key", "outcome"), [("d", "detached"), ("enter", "open"), ("ctrl+q", "detached")])
def test_leaving_keys_leave_the_runs_alone(three, monkeypatch, key, outcome):
    asked = []
    monkeypatch.setattr(watching.launch, "request_stop", asked.append)

    async def script(pilot):
        await pilot.press(key)

    assert drive(view_of(*three), script) == outcome
    assert asked == []


def test_s_asks_every_run_to_stop_and_waits(three, monkeypatch, screen_text):
    asked = []
    monkeypatch.setattr(watching.launch, "request_stop", lambda run: asked.append(run.name) or True)

    async def script(pilot):
        await pilot.press("s")
        await until(pilot, lambda: len(asked) == 3)
        await until(pilot, lambda: "stopping…" in screen_text(pilot.app))
        assert pilot.app.return_value is None

    drive(view_of(*three), script)
    assert sorted(asked) == sorted(run.name for run in three)


def test_ctrl_c_stops_and_the_second_leaves_at_once(three, monkeypatch, screen_text):
    asked = []
    monkeypatch.setattr(watching.launch, "request_stop", lambda run: asked.append(run.name) or True)

    async def script(pilot):
        await pilot.press("ctrl+c")
        await until(pilot, lambda: len(asked) == 3)
        await until(pilot, lambda: "ctrl+c leave at once" in screen_text(pilot.app))
        assert pilot.app.return_value is None
        await pilot.press("ctrl+c")

    assert drive(view_of(*three), script) == "interrupted"
    assert len(asked) == 3


def test_enter_while_stopping_does_not_open_the_app(three, monkeypatch):
    monkeypatch.setattr(watching.launch, "request_stop", lambda run: True)

    async def script(pilot):
        await pilot.press("ctrl+c", "enter")
        await pilot.pause(0.3)
        assert pilot.app.return_value is None
        await pilot.press("ctrl+c")

    assert drive(view_of(*three), script) == "interrupted"


def test_ctrl_c_waits_until_the_runs_say_stopped(make_run, monkeypatch):
    run = make_run([started(), *epochs(falling(9))])
    held = lock.held(run.lock_path)
    held.__enter__()
    monkeypatch.setattr(watching.launch, "request_stop", lambda folder: True)

    async def script(pilot):
        await pilot.press("ctrl+c")
        await until(pilot, lambda: pilot.app.latest[0].word == "stopping")
        held.__exit__(None, None, None)
        await until(pilot, lambda: pilot.app.return_value is not None)

    assert drive(view_of(run), script) == "interrupted"


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
def test_whoever_watches_only_closes_the_view(three, monkeypatch, key):
    asked = []
    monkeypatch.setattr(watching.launch, "request_stop", asked.append)

    async def script(pilot):
        await pilot.press("s", "d")
        await pilot.pause(0.3)
        assert pilot.app.return_value is None
        await pilot.press(key)

    assert drive(view_of(*three, watch=True), script) == "detached"
    assert asked == []


def test_q_on_ones_own_runs_says_how_to_leave(three, screen_text):
    async def script(pilot):
        await pilot.press("q")
        assert pilot.app.return_value is None
        await until(pilot, lambda: "d leaves the runs training" in screen_text(pilot.app))

    drive(view_of(*three), script)


def test_p_freezes_the_picture_and_says_so(three, screen_text):
    async def script(pilot):
        await pilot.press("p")
        await until(pilot, lambda: "view paused" in screen_text(pilot.app))
        await pilot.pause(0.3)
        first = screen_text(pilot.app)
        append(three[0], epochs(falling(60))[48:])
        await until(pilot, lambda: pilot.app.latest[0].epoch.epoch == 60)
        await pilot.pause(0.3)
        assert screen_text(pilot.app) == first
        await pilot.press("p")
        await until(pilot, lambda: "epoch 60" in screen_text(pilot.app))

    drive(view_of(*three), script)


def test_l_shows_the_last_events(three, screen_text):
    async def script(pilot):
        await pilot.press("l")
        await until(pilot, lambda: "gradient 0.40" in screen_text(pilot.app))
        await pilot.press("l")
        await until(pilot, lambda: "gradient" not in screen_text(pilot.app))

    drive(view_of(*three), script, size=(120, 40))


@pytest.mark.parametrize("watch", [False, True])
def test_every_binding_that_works_is_in_the_help(three, screen_text, watch):
    async def script(pilot):
        await pilot.press("question_mark")
        await until(pilot, lambda: "this help" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        known = dict(pilot.app.help_items())
        for active in pilot.app.active_bindings.values():
            if active.enabled and active.node is pilot.app:
                key = active.binding.key_display or active.binding.key
                assert key in known
                assert f"{key} {known[key]}" in text
        assert ("s" in known) is not watch
        assert "avx512 found" in text

    drive(view_of(*three, watch=watch), script, size=(120, 40))


def test_names_are_never_read_as_markup(make_run, screen_text):
    made = [make_run([started(), *epochs(falling(9))], name=name) for name in ("[red]a", "[link=b]")]

    async def script(pilot):
        await pilot.press("l")
        await until(pilot, lambda: "epoch    9" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert "[red]a" in text and "[link=b]" in text

    drive(view_of(*made, watch=True), script, size=(100, 30))


def test_a_folder_that_vanishes_is_said_to_be_gone(three, screen_text):
    async def script(pilot):
        shutil.rmtree(three[1].path)
        await until(pilot, lambda: "folder removed" in screen_text(pilot.app))

    drive(view_of(*three), script)


def test_why_a_run_ended_badly_is_written_beside_it(make_run, screen_text):
    bad = Diverged(updates=9, epoch=9, what="The loss became NaN.")
    diverged = make_run([started("tanh"), *epochs(falling(9)), bad], unit="tanh")
    failed = make_run([started("lstm"), Failed(what="The [b]disk[/b] is full.")], unit="lstm")

    async def script(pilot):
        await until(pilot, lambda: "failed: The" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert "diverged @9" in text and "The loss became NaN." in text
        assert "failed: The [b]disk[/b] is full." in text

    drive(view_of(diverged, failed, watch=True), script, size=(100, 24))


def test_more_runs_than_rows_says_how_many_more(make_run, screen_text):
    made = [make_run([started(), *epochs(falling(9))], name=f"gru-{i}") for i in range(20)]

    async def script(pilot):
        await until(pilot, lambda: "11 more runs in the app" in screen_text(pilot.app))

    drive(view_of(*made, watch=True), script)


def test_a_view_that_breaks_is_one_sentence_that_says_the_runs_go_on(make_run, monkeypatch):
    def broken(self, **options):
        self.failure = ZeroDivisionError("division by zero")

    monkeypatch.setattr(inline.LiveView, "run", broken)
    with pytest.raises(GatedError, match="The live view broke: ZeroDivisionError") as error:
        inline.run_live([make_run(name="a b")])
    assert "gated watch" in error.value.hint
