import random

import pytest

from gatedtui.tui import rolls

SCALE = ((0, 4, 60), (4, 8, 62), (0, 8, 48))


def text(rows):
    return ["".join(character for character, _ in row) for row in rows]


def test_notes_are_held_while_their_pitch_sounds():
    roll = [(60, 64), (60,), (), (60,), (60, 64)]
    assert rolls.notes(roll) == ((0, 1, 64), (0, 2, 60), (3, 5, 60), (4, 5, 64))
    assert rolls.notes([]) == ()


def test_two_pitches_share_a_row_of_half_blocks():
    rows = rolls.draw([(0, 2, 63), (1, 3, 62), (2, 4, 61)], 4, 4, 2, (60, 63))
    assert text(rows) == ["▀█▄ ", "┈┈▀▀"]


def test_where_pitches_do_not_fit_braille_shows_twice_as_many():
    rows = rolls.draw([(0, 1, 67), (1, 2, 66), (0, 2, 60)], 2, 1, 2, (60, 67))
    assert rolls.is_fine(2, (60, 67)) and text(rows) == ["⠑", "⣀"]


@pytest.mark.parametrize("height", [1, 3, 6, 20])
@pytest.mark.parametrize("width", [1, 7, 40])
def test_every_note_is_seen_at_every_size(width, height):
    chance = random.Random(width * height)
    for _ in range(20):
        first = chance.randrange(60)
        note = (first, first + chance.randrange(1, 5), chance.randrange(40, 80))
        rows = rolls.draw([note], 64, width, height, (40, 79))
        assert len(rows) == height and all(len(row) == width for row in rows)
        assert sum(kind == "note" for row in rows for _, kind in row) >= 1


def test_a_note_that_is_held_over_the_end_of_the_primer_is_the_models_own_from_there_on():
    (row,) = rolls.draw([(0, 8, 60)], 8, 8, 1, (60, 61), primer=5)
    assert [kind for _, kind in row] == ["primer"] * 5 + ["note"] * 3


def test_columns_tile_the_steps():
    assert [rolls.columns(step, step + 1, 4, 8) for step in range(4)] == [(0, 2), (2, 4), (4, 6), (6, 8)]
    assert rolls.columns(9, 10, 10, 3) == (2, 3) and rolls.columns(0, 10, 10, 3) == (0, 3)


def test_the_range_holds_all_pieces_and_is_never_narrow():
    assert rolls.pitches([SCALE, [(0, 1, 90)]]) == (48, 90)
    low, high = rolls.pitches([[(0, 1, 60)]])
    assert low < 60 < high and high - low + 1 == rolls.LEAST
    assert rolls.pitches([])[0] < 60


def test_octaves_are_named_beside_their_rows():
    labels = rolls.labels(20, (48, 72))
    assert [label for label in labels if label] == ["C5", "C4", "C3"]
    assert labels.index("C4") == rolls.place(60, (48, 72), 40) // 2
    assert len([label for label in rolls.labels(2, (21, 108)) if label]) == 1, "no two names touch"


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-3, -1)])
def test_no_room_is_no_picture(size):
    assert not any(rolls.draw(SCALE, 8, *size, (40, 70)))
