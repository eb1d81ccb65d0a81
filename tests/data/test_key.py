import numpy as np
import pytest

from gatedtui.data import key

MAJOR_SCALE = [0, 4, 7, 12, 11, 9, 7, 5, 4, 2, 0]
MINOR_SCALE = [0, 3, 7, 12, 11, 8, 7, 5, 3, 2, 0]


def tune(tonic: int, steps: list[int]) -> np.ndarray:
    """A tune of quarter notes above a tonic, its last note four times as long."""
    rows = [[i, i + 1, tonic + step] for i, step in enumerate(steps)]
    rows[-1][1] += 3
    return np.array(rows, np.float64)


@pytest.mark.parametrize("tonic", range(60, 72))
@pytest.mark.parametrize(("mode", "steps", "home"), [("major", MAJOR_SCALE, 0), ("minor", MINOR_SCALE, 9)])
def test_a_tune_in_any_key_comes_to_c_major_or_a_minor_by_the_nearest_shift(mode, steps, home, tonic):
    notes = tune(tonic, steps)
    assert key.find(notes) == (tonic % 12, mode)
    shift = key.shift(notes)
    assert -6 <= shift <= 5
    moved = key.transposed(notes)
    assert (moved[0, 2]) % 12 == home
    assert np.array_equal(moved, notes + np.array([0, 0, shift]))
    assert key.shift(moved) == 0


def test_the_shift_goes_the_other_way_round_where_it_would_leave_the_keyboard():
    assert key.shift(tune(96, MAJOR_SCALE)) == 0
    assert key.shift(tune(93, MAJOR_SCALE)) == 3
    high = np.concatenate([tune(93, MAJOR_SCALE), [[30, 30.25, 106.0]]])
    assert key.find(high) == (9, "major")
    assert key.shift(high) == -9
    low = np.concatenate([tune(62, MAJOR_SCALE), [[30, 30.25, 21.0]]])
    assert key.shift(low) == 10


def test_a_piece_without_notes_is_not_moved():
    assert key.transposed(np.zeros((0, 3))).shape == (0, 3)


def test_how_long_a_note_sounds_counts_not_how_often():
    long_c = [[0, 8, 60], [8, 12, 64], [12, 16, 67]]
    often_f_sharp = [[16 + i / 100, 16 + (i + 1) / 100, 66] for i in range(100)]
    assert key.find(np.array(long_c + often_f_sharp)) == (0, "major")
