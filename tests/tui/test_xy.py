import math

import pytest

from gatedtui.tui import braille, xy

XS = [0.0, 1.0, 2.0, 3.0, 4.0]
YS = [5.0, 4.0, 3.0, 2.0, 1.0]


def test_an_axis_never_runs_backward():
    assert xy.rising([0.0, 2.0, 1.0, 3.0]) == [0.0, 2.0, 2.0, 3.0]
    assert xy.rising(XS) is XS


def test_smoothing_is_a_centred_mean_that_leaves_straight_lines_straight():
    assert xy.smooth([1.0, 2.0, 3.0, 4.0, 5.0], 3) == pytest.approx([1.0, 2.0, 3.0, 4.0, 5.0])
    assert xy.smooth([0.0, 0.0, 3.0, 0.0, 0.0], 3) == pytest.approx([0.0, 1.0, 1.0, 1.0, 0.0])


def test_gaps_stay_gaps_and_spoil_no_mean():
    assert xy.smooth([1.0, math.nan, 3.0, math.inf, None], 3) == [1.0, None, 3.0, None, None]
    assert xy.smooth([1.0, math.nan], 1) == [1.0, None]


@pytest.mark.parametrize(("x", "index"), [(-5, 0), (0.4, 0), (0.6, 1), (2.0, 2), (9, 4)])
def test_the_nearest_point_is_found(x, index):
    assert xy.nearest(XS, x) == index


def test_nothing_is_nearest_where_there_is_nothing():
    assert xy.nearest([], 1.0) is None


def test_every_point_in_sight_falls_into_a_column():
    found = xy.groups(XS, YS, (0.0, 4.0), 9)
    assert [column for column, _ in found] == [0, 2, 4, 6, 8]
    assert [list(values) for _, values in found] == [[5.0], [4.0], [3.0], [2.0], [1.0]]


def test_many_points_share_columns_and_none_is_lost():
    count = 10_000
    xs, ys = [float(i) for i in range(count)], [float(i % 7) for i in range(count)]
    found = xy.groups(xs, ys, (0.0, count - 1.0), 50)
    assert len(found) == 50
    assert sum(len(values) for _, values in found) == count


def test_a_window_cuts_the_curve_at_its_edges():
    found = dict(xy.groups(XS, YS, (0.5, 3.5), 7))
    assert min(found) == 0 and max(found) == 6
    assert next(iter(found[0])) == pytest.approx(4.5) and list(found[6])[-1] == pytest.approx(1.5)


def test_a_window_between_two_points_shows_the_line_between_them():
    found = xy.groups(XS, YS, (1.2, 1.4), 5)
    assert [column for column, _ in found] == [0, 4]


@pytest.mark.parametrize("window", [(10.0, 20.0), (-9.0, -1.0), (2.0, 2.0)])
def test_windows_without_curve_are_drawn_without_fail(window):
    groups = xy.groups(XS, YS, window, 10)
    assert braille.draw(5, 3, (0.0, 5.0), traces=[braille.Trace((), "a", groups)])


def test_curves_of_gaps_and_of_nothing_are_drawn_without_fail():
    for ys in ([None] * 5, [math.nan] * 5, [math.inf, 1.0, None, 2.0, math.nan], []):
        groups = xy.groups(XS, ys, (0.5, 3.5), 8)
        braille.draw(4, 3, (0.0, 5.0), traces=[braille.Trace((), "a", groups)])


def test_logarithms_are_gaps_where_there_are_none():
    assert xy.logarithms([100.0, 0.0, -1.0, None, math.nan, math.inf]) == [2.0, None, None, None, None, None]
