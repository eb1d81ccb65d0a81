import pytest

from gatedtui.tui import grid


@pytest.mark.parametrize(
    ("count", "width", "height", "across"),
    [(1, 80, 21, 1), (3, 80, 21, 3), (6, 80, 21, 3), (6, 120, 37, 3), (3, 40, 9, 1), (5, 20, 3, 1), (0, 80, 21, 1)],
)
def test_cards_are_laid_out_to_be_seen(count, width, height, across):
    assert grid.columns(count, width, height) == across


def test_cards_that_do_not_fit_keep_their_height_and_scroll():
    assert grid.row_height(3, 3, 21) is None
    assert grid.row_height(3, 1, 9) == 9


@pytest.mark.parametrize(
    ("start", "dx", "dy", "end"),
    [(0, 1, 0, 1), (0, -1, 0, 0), (2, 1, 0, 2), (0, 0, 1, 3), (2, 0, 1, 4), (4, 0, 1, 4), (3, 0, -1, 0), (1, 0, -1, 1)],
)
def test_the_focus_moves_as_on_a_grid_of_three_and_two(start, dx, dy, end):
    assert grid.neighbour(start, 5, 3, dx, dy) == end
