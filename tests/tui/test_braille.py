import math
from itertools import product

import pytest

from gatedtui.tui import braille
from gatedtui.tui.braille import Mark, Rule, Trace

NAN, INF = math.nan, math.inf


def picture(values, width, height, *, rules=(), marks=(), within=None):
    within = within or braille.span([values])
    return braille.text(braille.draw(width, height, within, traces=[Trace(values, "c")], rules=rules, marks=marks))


def dots(rows):
    """Which dots are set, as (column, row)."""
    bits = {0: (0, 0), 1: (0, 1), 2: (0, 2), 3: (1, 0), 4: (1, 1), 5: (1, 2), 6: (0, 3), 7: (1, 3)}
    return {
        (2 * x + bits[bit][0], 4 * y + bits[bit][1])
        for y, row in enumerate(rows)
        for x, character in enumerate(row)
        if 0x2800 <= ord(character) < 0x2900
        for bit in range(8)
        if (ord(character) - 0x2800) >> bit & 1
    }


def test_a_falling_line_goes_from_the_top_left_dot_to_the_bottom_right_dot():
    assert picture([3, 2, 1, 0], 2, 1) == ["⠑⢄"]
    assert picture([0, 1, 2, 3], 2, 1) == ["⡠⠊"]


def test_a_curve_reads_as_drawn():
    assert picture([8, 4, 2, 1, 0.5, 0.25, 0.1, 0], 8, 2) == [
        "⠣⡀      ",
        " ⠉⠢⠤⣀⣀⣀⣀",
    ]


@pytest.mark.parametrize(
    "values", [[], [None], [NAN], [INF, -INF], [None, NAN, INF, None]], ids=["empty", "none", "nan", "inf", "mixed"]
)
def test_without_a_finite_value_nothing_is_drawn(values):
    assert braille.span([values]) is None
    assert picture(values, 5, 2) == ["     ", "     "]


def test_one_point_is_one_dot_at_the_left():
    assert len(dots(picture([8.4], 5, 2))) == 1
    assert min(x for x, _ in dots(picture([8.4], 5, 2))) == 0


@pytest.mark.parametrize("value", [0.0, 8.43, -7.2, 1e300])
def test_a_constant_is_a_level_line_in_the_middle(value):
    drawn = dots(picture([value] * 10, 5, 2))
    assert {x for x, _ in drawn} == set(range(10))
    assert len({y for _, y in drawn}) == 1
    assert next(iter(drawn))[1] in (3, 4)


@pytest.mark.parametrize("hole", [NAN, INF, -INF, None])
def test_what_is_not_finite_leaves_a_gap(hole):
    drawn = dots(picture([1, 1, 1, hole, hole, 1, 1, 1], 4, 1))
    assert {x for x, _ in drawn} == {0, 1, 2, 5, 6, 7}


def test_every_column_between_two_points_has_a_dot():
    drawn = dots(picture([5, 1], 20, 3))
    assert {x for x, _ in drawn} == set(range(40))


def test_decimation_keeps_the_lowest_and_the_highest_value_of_each_column():
    values = [5.0] * 10_000
    values[7_000], values[2_000] = 10.0, 0.0
    drawn = dots(picture(values, 10, 4))
    assert min(y for _, y in drawn) == 0
    assert max(y for _, y in drawn) == 15
    assert {x for x, y in drawn if y == 0} == {14}
    assert {x for x, y in drawn if y == 15} == {4}


def test_a_point_beyond_the_range_is_cut_off_at_the_edge():
    drawn = dots(picture([100, 2, 1, 0], 4, 2, within=(0.0, 2.0)))
    assert drawn
    assert min(y for _, y in drawn) >= 0


def test_huge_values_do_not_overflow():
    assert len(dots(picture([-1.7e308, 1.7e308], 4, 2))) >= 8


@pytest.mark.parametrize(("width", "height"), list(product([0, 1, 2, 7], [0, 1, 3])))
def test_every_size_gives_exactly_its_cells(width, height):
    rows = picture([3, NAN, 1, 2, 0], width, height, rules=[Rule(1.0, "r", "paper")], marks=[Mark(4, 5, 0.0, "★", "m")])
    assert [len(row) for row in rows] == [width] * height


def test_the_range_may_leave_out_a_steep_start():
    values = [100.0, 50.0, *([9.0] * 18)]
    assert braille.span([values]) == (9.0, 100.0)
    low, high = braille.span([values], spare=0.1) or (0, 0)
    assert (low, high) == pytest.approx((8.91, 9.09))
    assert braille.span([[3.0, 1.0]], spare=0.5) == (1.0, 3.0), "few points are all shown"


def test_the_range_holds_what_it_is_told_to_hold():
    assert braille.span([[2.0, 3.0]], also=[5.0, NAN]) == (2.0, 5.0)


def test_a_rule_is_dashed_behind_the_curve_and_carries_its_name():
    cells = braille.draw(24, 3, (0.0, 2.0), traces=[Trace([2.0, 0.0], "curve")], rules=[Rule(1.0, "rule", "paper")])
    keys = [key for _, key in cells[1]]
    assert "curve" in keys and "rule" in keys
    assert " paper " in "".join(character for character, _ in cells[1])
    assert all(key != "rule" for row in (cells[0], cells[2]) for _, key in row)


def test_a_rule_gives_its_name_where_the_curve_leaves_room():
    rows = picture([0, 1, 1, 1], 30, 3, within=(0.0, 2.0), rules=[Rule(1.0, "rule", "paper")])
    assert rows[1].index("paper") < 10


@pytest.mark.parametrize("value", [3.0, -1.0, NAN, INF])
def test_a_rule_outside_the_range_is_not_drawn(value):
    cells = braille.draw(10, 2, (0.0, 2.0), rules=[Rule(value, "rule", "x")])
    assert all(key is None for row in cells for _, key in row)


def test_a_mark_stands_over_its_point():
    values = [5.0, 3.0, 1.0, 3.0, 5.0]
    rows = picture(values, 5, 3, marks=[Mark(2, 5, 1.0, "★", "m")])
    assert rows[2][2] == "★"


def test_a_mark_stands_in_the_column_that_draws_its_point():
    values = [5.0] * 1_000
    values[640] = 0.0
    rows = picture(values, 20, 2, marks=[Mark(640, 1_000, 0.0, "★", "m")])
    spike = dots(picture(values, 20, 2))
    assert rows[1].index("★") == {x for x, y in spike if y == 7}.pop() // 2


def test_the_curve_drawn_last_owns_the_cells_it_shares():
    cells = braille.draw(4, 1, (0.0, 1.0), traces=[Trace([0.5] * 4, "back"), Trace([0.5] * 4, "front")])
    assert {key for _, key in cells[0]} == {"front"}
