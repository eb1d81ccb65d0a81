import pytest

from gatedtui.tui import heat


def test_rows_are_units_in_the_order_given():
    assert heat.by_unit([[0.1, 0.9], [0.2, 0.8]], [1, 0]) == [(0.9, 0.8), (0.1, 0.2)]


def test_what_fits_is_shown_as_it_is():
    rows = [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]
    assert heat.means(rows, 3, 2) == heat.means(rows, 3, 9) == rows
    assert heat.means(rows, 6, 2)[0] == [0.1, 0.1, 0.2, 0.2, 0.3, 0.3]


def test_what_does_not_fit_is_averaged_and_nothing_is_left_out():
    rows = [[float(10 * unit + step) for step in range(7)] for unit in range(5)]
    small = heat.means(rows, 3, 2)
    assert len(small) == 2 and all(len(row) == 3 for row in small)
    assert small[0][0] == pytest.approx((0 + 1 + 10 + 11) / 4)
    shares = [[down * across for across in (2, 2, 3)] for down in (2, 3)]
    whole = sum(
        value * share for row, part in zip(small, shares, strict=True) for value, share in zip(row, part, strict=True)
    )
    assert whole == pytest.approx(sum(map(sum, rows)))


@pytest.mark.parametrize(("count", "width"), [(7, 3), (3, 7), (100, 99), (5, 5), (1, 10), (10, 1)])
def test_the_cursor_stands_in_a_column_that_shows_its_step(count, width):
    for step in range(count):
        first, end = heat.span(heat.column(step, count, width), count, width)
        assert first <= step < end
    assert [y for y in range(5) for _ in range(2)] == [heat.row_of(place, 10, 5) for place in range(10)]


def test_openness_is_told_by_character_and_by_shade():
    values = [0.0, 0.25, 0.5, 0.75, 1.0]
    assert "".join(map(heat.character, values)) == heat.RAMP
    shades = [heat.shade(value) for value in values]
    assert shades == sorted(set(shades)) and shades[0] == 0 and shades[-1] == heat.SHADES - 1
    assert heat.character(-1.0) == " " and heat.character(7.0) == "█"


def test_a_histogram_grows_upward_and_hides_nobody():
    assert heat.histogram([8, 4, 0, 1], 4, 2) == ["█   ", "██ ▂"]
    assert heat.histogram([1000, 1], 2, 1) == ["█▁"]
    assert heat.histogram([0, 0], 3, 2) == ["   ", "   "] and heat.histogram([], 2, 1) == ["  "]


def test_bins_are_spread_evenly_over_the_columns():
    (row,) = heat.histogram([5] * 20, 16, 1)
    assert row == "█" * 16, "equal bins make a flat histogram at any width"


@pytest.mark.parametrize("size", [(0, 3), (3, 0)])
def test_no_room_is_no_picture(size):
    assert heat.means([[1.0]], *size) == []
    assert not any(heat.histogram([1], *size))
