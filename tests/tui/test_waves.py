import math

import pytest

from gatedtui.tui import waves


def dots(rows):
    return {
        (2 * x + dx, 4 * y + dy)
        for y, row in enumerate(rows)
        for x, (character, _) in enumerate(row)
        for (dx, dy), bit in zip(
            [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)], (1 << n for n in range(8)), strict=True
        )
        if character != " " and (ord(character) - 0x2800) & bit
    }


def test_an_envelope_keeps_the_extremes_of_each_part():
    samples = [0.0, 1.0, -2.0, 0.5, 3.0, 3.0]
    assert waves.envelope(samples, 3) == [(0.0, 1.0), (-2.0, 0.5), (3.0, 3.0)]
    assert waves.envelope(samples, 100) == [(value, value) for value in samples]
    assert waves.envelope([], 10) == []


def test_the_loudest_sample_reaches_the_edge_and_silence_the_middle():
    rows = waves.draw([(-1.0, 1.0), (0.0, 0.0)], 1, 2, 1.0)
    found = dots(rows)
    assert {y for x, y in found if x == 0} == set(range(8)) and {y for x, y in found if x == 1} <= {3, 4}
    assert waves.loudest([[(-0.5, 0.2)], [(0.0, 0.3)]]) == 0.5 and waves.loudest([]) == waves.loudest([[(0, 0)]]) == 1


def test_a_wave_is_one_line_however_steep():
    wave = [(math.sin(n / 3), math.sin(n / 3)) for n in range(40)]
    found = dots(waves.draw(wave, 20, 6, 1.0))
    for x in range(39):
        here, there = ([y for at, y in found if at == column] for column in (x, x + 1))
        assert min(abs(a - b) for a in here for b in there) <= 1, f"a gap after column {x}"


def test_what_was_given_is_told_apart():
    (row,) = waves.draw([(-1.0, 1.0)] * 20, 10, 1, 1.0, primer=0.3)
    assert [kind for _, kind in row] == ["primer"] * 3 + ["note"] * 7


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_no_room_and_no_samples_are_no_picture(size):
    assert not any(waves.draw([(-1.0, 1.0)], *size, 1.0))
    assert dots(waves.draw([], 4, 2, 1.0)) == set()
