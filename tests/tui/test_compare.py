import dataclasses
import math
import shutil
from pathlib import Path

import pytest

from gatedtui import config
from gatedtui.events import Diverged
from gatedtui.runs import lock
from gatedtui.runs.epochs import Epochs
from gatedtui.tui import compared, looks
from gatedtui.tui.app import GatedApp
from gatedtui.tui.compared import Curves, View
from gatedtui.tui.snapshot import Snapshot
from gatedtui.tui.widgets.chart import Chart, strips

from .conftest import append, drive, epochs, falling, finished, started, until

SIZES = [(80, 24), (120, 40), (200, 60), (40, 12), (20, 6)]


@pytest.fixture
def three(make_run):
    """A tanh run at work, an LSTM that has finished and a GRU that diverged, of different lengths and speeds."""
    made = [
        make_run([started("tanh"), *epochs(falling(48), seconds=1.0)], unit="tanh"),
        make_run([started("lstm"), *epochs(falling(80), seconds=0.5), finished(70, 8.43)], unit="lstm"),
        make_run([started("gru"), *epochs(falling(20)), Diverged(updates=9, epoch=20, what="NaN")], unit="gru"),
    ]
    with lock.held(made[0].lock_path):
        yield made


def snapshot(name, valid, unit="gru", word="finished", seconds=0.1):
    done = tuple(epochs(valid, seconds))
    best = min((e for e in done if math.isfinite(e.valid_nll)), key=lambda e: e.valid_nll, default=None)
    settings = config.build({"model.unit": unit, "data.name": "jsb"})
    return Snapshot(
        Path(name),
        word=word,
        config=settings,
        started=started(unit),
        epoch=done[-1] if done else None,
        best=best,
        valid=tuple(valid),
        train=tuple(e.train_nll for e in done),
        epochs=Epochs(done),
    )


def go(screen_text, script):
    async def run(pilot):
        await pilot.press("2")
        await until(pilot, lambda: "validation" in screen_text(pilot.app) and "✖" in screen_text(pilot.app))
        await script(pilot)

    return run


def test_without_a_choice_the_dashboards_runs_are_compared(three, runs, screen_text):
    async def script(pilot):
        text = screen_text(pilot.app)
        for words in ("tanh-jsb-1", "lstm-jsb-1", "gru-jsb-1", "★", "✖", "▲", "■", "updates", "linear"):
            assert words in text
        assert "training" in text and "finished" in text and "diverged" in text
        assert any(0x2800 < ord(c) < 0x2900 for c in text)
        assert "┤" in text, "the axis has numbers"

    drive(GatedApp(runs), go(screen_text, script), size=(120, 40))


def test_x_goes_from_updates_to_epochs_to_wall_clock(three, runs, screen_text):
    async def script(pilot):
        chart = pilot.app.screen.query_one(Chart)
        seen = []
        for _ in range(4):
            seen.append(chart.picture.x[1])
            await pilot.press("x")
            await pilot.pause()
        assert seen == [29 * 80, 80, pytest.approx(48.0), 29 * 80]
        assert pilot.app.screen.view.axis == "epochs"

    drive(GatedApp(runs), go(screen_text, script))


def test_the_cursor_reads_every_runs_value(three, runs, screen_text):
    async def script(pilot):
        await pilot.press("x", "home")
        await until(pilot, lambda: "│valid" in screen_text(pilot.app))
        first = f"{falling(1)[0]:.2f}"
        assert screen_text(pilot.app).count(first) == 3, "all three began with the same value"
        await pilot.press("right")
        await until(pilot, lambda: "│ 2 epochs" in screen_text(pilot.app))
        assert f"{falling(2)[1]:.2f}" in screen_text(pilot.app)
        await pilot.press("end")
        await until(pilot, lambda: "│ 48 epochs" in screen_text(pilot.app))
        gru = next(line for line in screen_text(pilot.app).splitlines() if "gru-jsb-1" in line)
        assert looks.NONE in gru, "it had diverged by then"
        await pilot.press("b", "escape")
        await until(pilot, lambda: "│valid" not in screen_text(pilot.app))

    drive(GatedApp(runs), go(screen_text, script), size=(120, 40))


def test_zoom_and_pan_move_the_window_and_0_shows_all(three, runs, screen_text):
    async def script(pilot):
        chart = pilot.app.screen.query_one(Chart)
        whole = chart.picture.x
        await pilot.press("plus", "plus")
        await until(pilot, lambda: chart.picture.x[1] - chart.picture.x[0] == pytest.approx(whole[1] / 4))
        await pilot.press("H", "H", "H", "H", "H", "H", "H")
        await until(pilot, lambda: chart.picture.x[0] == 0.0)
        await pilot.press("L")
        await until(pilot, lambda: chart.picture.x[0] == pytest.approx(whole[1] / 16))
        assert "zoomed" in screen_text(pilot.app)
        await pilot.press("0")
        await until(pilot, lambda: chart.picture.x == whole)

    drive(GatedApp(runs), go(screen_text, script))


def test_curves_scales_and_smoothing_can_be_changed(three, runs, screen_text):
    async def script(pilot):
        await pilot.press("y", "v", "v", "m", "f")
        await until(pilot, lambda: "all epochs" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert "log" in text and "both" in text and "mean of 5" in text
        picture = pilot.app.screen.query_one(Chart).picture
        assert picture.log and len(picture.lines) == 6

    drive(GatedApp(runs), go(screen_text, script))


def test_a_run_can_be_hidden_and_dropped(three, runs, screen_text):
    async def script(pilot):
        screen = pilot.app.screen
        await pilot.press("down", "enter")
        await until(pilot, lambda: "(lstm-jsb-1)" in screen_text(pilot.app))
        assert len(screen.query_one(Chart).picture.lines) == 2
        await pilot.press("enter", "d")
        await until(pilot, lambda: "lstm-jsb-1" not in screen_text(pilot.app))
        await until(pilot, lambda: len(screen.query_one(Chart).picture.lines) == 2)

    drive(GatedApp(runs), go(screen_text, script))


def test_marked_runs_are_compared_however_old_they_are(make_run, runs, screen_text):
    for number in range(9):
        make_run([started(), *epochs(falling(10 + number))], name=f"run-{number}")

    async def script(pilot):
        await pilot.press("3")
        await until(pilot, lambda: "9 runs" in screen_text(pilot.app) and "crashed" in screen_text(pilot.app))
        await pilot.press("slash", *"run-0", "enter", "space", "escape")
        await pilot.pause()
        assert not pilot.app.screen.marked
        await pilot.press("slash", *"run-0", "enter", "c")
        await until(pilot, lambda: type(pilot.app.screen).__name__ == "Compare")
        await until(pilot, lambda: "run-0" in screen_text(pilot.app) and "run-1" not in screen_text(pilot.app))

    drive(GatedApp(runs), script)


def test_it_fits_every_terminal_and_survives_resizes(three, runs, screen_text):
    async def script(pilot):
        await pilot.press("2", "right", "v", "v")
        for other in SIZES:
            await pilot.resize_terminal(*other)
            await pilot.pause()
            lines = screen_text(pilot.app).splitlines()
            assert len(lines) <= other[1] and all(len(line) <= other[0] for line in lines)

    drive(GatedApp(runs), script)


def test_new_epochs_are_drawn_and_a_vanished_run_says_so(three, runs, screen_text):
    async def script(pilot):
        append(three[0], epochs(falling(60), seconds=1.0)[48:])
        await until(pilot, lambda: "60" in next(x for x in screen_text(pilot.app).splitlines() if "tanh-jsb" in x))
        pilot.app.choose([run.path for run in three])
        await pilot.pause(0.4)
        shutil.rmtree(three[1].path)
        await until(pilot, lambda: "∅ gone" in screen_text(pilot.app))
        assert "lstm-jsb-1" in screen_text(pilot.app), "its curve is still there to compare with"

    drive(GatedApp(runs), go(screen_text, script), size=(120, 40))


def test_with_nothing_to_compare_it_says_what_to_do(runs, screen_text):
    async def script(pilot):
        await pilot.press("2", "right", "b", "plus", "enter", "d", "down", "s", "r")
        await until(pilot, lambda: "There is nothing to compare yet." in screen_text(pilot.app))

    drive(GatedApp(runs), script)


def test_the_mouse_reads_and_zooms(three, runs, screen_text):
    async def script(pilot):
        chart = pilot.app.screen.query_one(Chart)
        await pilot.click(Chart, offset=(40, 5))
        await until(pilot, lambda: pilot.app.screen.view.cursor is not None)
        low, high = chart.picture.x
        assert low < pilot.app.screen.view.cursor < high
        pilot.app.screen.on_chart_wheeled(Chart.Wheeled(high / 2, True))
        await until(pilot, lambda: chart.picture.x[1] - chart.picture.x[0] < high - low)

    drive(GatedApp(runs), go(screen_text, script))


# Without a screen.


def test_units_tell_runs_apart_and_where_they_do_not_signs_and_colours_do():
    apart = compared.dress([snapshot("a", [9.0], "gru"), snapshot("b", [9.0], "lstm")])
    assert [look.sign for look in apart.values()] == ["●", "■"]
    alike = compared.dress([snapshot(f"{n}", [9.0], "gru") for n in range(20)])
    assert len({look.sign for look in alike.values()}) == 20
    colours = {look.style.color for look in alike.values()}
    assert len(colours) == len(looks.RUNS)
    assert not colours & {looks.unit(name).bright.color for name in (*looks.UNITS, "other")}


def test_the_table_names_each_units_shape_in_its_own_colour_where_signs_do_not():
    runs = [snapshot("a", falling(5), "gru"), snapshot("b", falling(5), "gru"), snapshot("c", falling(5), "lstm")]
    for width in (30, 80, 200):
        lines = compared.table(runs, View(), compared.dress(runs), Curves(), frozenset(), None, width)
        assert [look.index(("■", looks.unit("lstm").bright)) > 0 for look in lines[3:]] == [True]
        assert ("●", looks.unit("gru").bright) in lines[1] and "1" in [text for text, _ in lines[1]]
    assert ("gru", looks.unit("gru").bright) in lines[1], "there is room for the word"
    lines = compared.table(runs[1:], View(), compared.dress(runs[1:]), Curves(), frozenset(), None, 80)
    assert "".join(text for text, _ in lines[1]).count("●") == 1, "the sign is the shape already"


@pytest.mark.parametrize("word", ["training", "diverged"])
@pytest.mark.parametrize("width", [8, 40, 80])
def test_a_curve_whose_best_is_its_last_keeps_its_sign_and_its_marks(word, width):
    runs = [snapshot(name, [10.0, 9.0, end], word=word) for name, end in (("a", 8.0), ("b", 7.5))]
    picture = compared.picture(runs, View(which="validation"), compared.dress(runs), Curves(), runs[0].path)
    text = "\n".join(row.text for row in strips(picture, width, 14, looks.PLAIN))
    assert text.count("1") >= 1 and text.count("2") >= 1 and text.count("★") == 2
    assert text.count("✖") == 2 * (word == "diverged")


def test_a_curve_is_made_once_while_the_epochs_are_the_same_object():
    run, curves = snapshot("a", falling(30)), Curves()
    first = curves.ys(run, "validation", 5, log=True)
    assert curves.ys(dataclasses.replace(run, word="training"), "validation", 5, log=True) is first
    grown = snapshot("a", falling(31))
    assert curves.ys(grown, "validation", 5, log=True) is not first
    curves.forget([])
    assert not curves._made and not curves._places


@pytest.mark.parametrize(
    "valid",
    [[], [8.4], [8.4] * 20, [math.nan] * 5, [math.inf, 9.0, math.nan, 8.0], [1e300, -1e300], [-3.0, -4.0], [0.0, 0.0]],
    ids=["none", "one", "constant", "nan", "holes", "huge", "density", "zero"],
)
@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("axis", compared.AXES)
def test_any_curve_can_be_compared(valid, log, axis):
    odd, plain = snapshot("odd", valid, word="diverged"), snapshot("plain", falling(30), "lstm")
    curves, view = Curves(), View(axis=axis, log=log, which="both", smoothing=5, cursor=3.0)
    for runs in ([odd], [odd, plain]):
        dressed = compared.dress(runs)
        for window in (None, (1.0, 2.5)):
            seen = dataclasses.replace(view, window=window)
            picture = compared.picture(runs, seen, dressed, curves, runs[0].path)
            for width, height in ((80, 20), (9, 3), (1, 1), (200, 60)):
                rows = strips(picture, width, height, looks.PLAIN)
                assert len(rows) == height and all(row.cell_length == width for row in rows)
            assert compared.table(runs, seen, dressed, curves, frozenset(), None, 60)
            for factor in (0.5, 2.0, 1e-12):
                compared.zoomed(seen, compared.whole_span(runs, axis, curves), factor)
            compared.moved(seen, runs[0], compared.whole_span(runs, axis, curves), curves, 1, 100)


def test_a_clock_that_jumped_back_does_not_fold_the_curve():
    run = snapshot("a", falling(3))
    jumped = [dataclasses.replace(e, elapsed_s=t) for e, t in zip(run.epochs, (5.0, 1.0, 6.0), strict=True)]
    assert list(Curves().xs(dataclasses.replace(run, epochs=Epochs(jumped)), "wall clock")) == [5.0, 5.0, 6.0]


def test_a_density_has_no_logarithm_and_is_told_so():
    assert not compared.can_log([snapshot("a", [-3.0])])
    picture = compared.picture(
        [snapshot("a", [-3.0, -4.0])], View(log=True), compared.dress([snapshot("a", [-3.0])]), Curves(), None
    )
    assert not picture.log and picture.y is not None and picture.y[0] < -4


def test_names_are_never_read_as_markup():
    run = snapshot("[red]x[b]", falling(5))
    lines = compared.table([run], View(), compared.dress([run]), Curves(), frozenset(), None, 80)
    assert "[red]x[b]" in "".join(text for text, _ in lines[1])
