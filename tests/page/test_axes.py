import math

import pytest

from gatedtui.page import axes


@pytest.mark.parametrize(
    ("low", "high", "most", "found"),
    [
        (8.4, 9.1, 4, [8.4, 8.6, 8.8, 9.0]),
        (0, 12_099, 6, [0, 5000, 10000]),
        (-1.0, 1.0, 4, [-1.0, -0.5, 0.0, 0.5, 1.0]),
        (3.0, 3.0, 5, []),
        (0.0, math.inf, 5, []),
        (math.nan, 1.0, 5, []),
        (0.0, 1.0, 0, []),
    ],
)
def test_ticks_are_round_and_lie_within(low, high, most, found):
    assert axes.ticks(low, high, most) == pytest.approx(found)


@pytest.mark.parametrize(("low", "high"), [(0, 1e-300), (-1e308, 1e308), (1e15, 1e15 + 2), (0.999, 1.001), (0, 7e12)])
@pytest.mark.parametrize("most", [1, 2, 7, 40])
def test_there_are_never_more_ticks_than_fit(low, high, most):
    found = axes.ticks(low, high, most)
    assert len(found) <= most + 1
    assert all(low - abs(low) * 1e-9 <= value <= high + abs(high) * 1e-9 for value in found)
    assert len(axes.texts(found)) == len(found)


def test_times_step_as_a_clock_does():
    assert [axes.clock(value) for value in axes.time_ticks(0, 100, 4)] == ["0:00", "0:30", "1:00", "1:30"]
    assert [axes.clock(value) for value in axes.time_ticks(0, 4000, 3)] == ["0:00", "30:00", "1:00:00"]
    assert axes.time_ticks(0, 0.5, 5)[1] == pytest.approx(0.1)


def test_a_logarithmic_axis_has_powers_or_what_there_is_between():
    assert axes.log_ticks(0.5, 2000, 10) == [1, 10, 100, 1000]
    assert axes.log_ticks(0.9, 12, 6) == pytest.approx([1, 2, 5, 10])
    assert axes.log_ticks(8.4, 9.1, 4) == pytest.approx([8.4, 8.6, 8.8, 9.0])
    assert axes.log_ticks(-1, 10, 4) == [] and axes.log_ticks(1, math.inf, 4) == []


def test_ticks_read_with_the_decimals_their_step_needs():
    assert axes.texts([8.4, 8.5]) == ["8.4", "8.5"]
    assert axes.texts([0, 500, 1000]) == ["0", "500", "1,000"]
    assert axes.texts([0.0, 5000.0, 10000.0]) == ["0k", "5k", "10k"]
    assert axes.texts([-0.05, 0.0]) == ["-0.05", "0.00"]
    assert axes.texts([]) == [] and axes.number(math.nan, 1.0) == ""


def test_ticks_of_one_axis_read_alike():
    assert axes.clocks([0.0, 0.5, 1.0]) == ["0 s", "0.5 s", "1 s"]
    assert axes.clocks([0.0, 30.0, 60.0]) == ["0:00", "0:30", "1:00"]
