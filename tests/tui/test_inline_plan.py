import pytest

from gatedtui.tui import inline_plan
from gatedtui.tui.widgets import bars


@pytest.mark.parametrize("extra", [0, 3, 9])
@pytest.mark.parametrize("runs", [1, 2, 3, 6, 20])
def test_the_view_is_never_taller_than_twelve_rows_or_the_terminal(runs, extra):
    for height in range(2, 60):
        plan = inline_plan.plan(height, runs, extra=extra)
        assert plan.total <= min(12, height - 1)
        assert plan.shown >= 1


def test_three_runs_on_an_ordinary_terminal_have_two_rows_each_and_air_between():
    plan = inline_plan.plan(24, 3)
    assert (plan.shown, plan.each, plan.gap, plan.header, plan.caption, plan.keys) == (3, 2, True, True, True, True)
    assert plan.total == 11


def test_one_run_has_a_curve_of_six_rows():
    assert inline_plan.plan(24, 1).each == 7


def test_the_log_takes_its_rows_from_the_curves():
    plan = inline_plan.plan(24, 3, extra=3)
    assert (plan.extra, plan.shown, plan.each) == (3, 3, 2)


@pytest.mark.parametrize("width", range(10, 130, 7))
def test_the_line_of_keys_fits_and_keeps_the_most_wanted(width):
    items = [("p", "pause", "", 1), ("s", "stop", "", 2), ("d", "detach", " (training goes on)", 0)]
    text = "".join(piece for piece, _ in bars.keys(items, width))
    assert len(text) <= width
    assert "detach" in text
