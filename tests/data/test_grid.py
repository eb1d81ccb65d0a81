import numpy as np

from gatedtui.data import grid


def notes(*rows: tuple[float, float, float]) -> np.ndarray:
    return np.array(rows, np.float64).reshape(-1, 3)


def sounding(roll: np.ndarray) -> list[list[int]]:
    """The pitches of each step."""
    return [(np.flatnonzero(step) + 21).tolist() for step in roll]


def test_a_note_sounds_from_its_rounded_onset_to_its_rounded_end():
    roll = grid.roll(notes((0, 1, 60), (1, 1.5, 64)), 4)
    assert roll.dtype == np.uint8
    assert sounding(roll) == [[60]] * 4 + [[64]] * 2


def test_times_are_rounded_where_truncating_would_lose_a_step():
    third = 1 / 3
    roll = grid.roll(notes((0, third, 60), (third, 2 * third, 62), (2 * third, 0.9999999, 64)), 4)
    assert sounding(roll) == [[60], [62], [62], [64]]


def test_a_note_shorter_than_half_a_step_still_sounds_for_one():
    assert sounding(grid.roll(notes((0, 0.05, 60), (0.5, 0.55, 62)), 4)) == [[60], [], [62]]


def test_silence_around_the_piece_is_trimmed_and_rests_inside_stay():
    assert sounding(grid.roll(notes((3, 3.25, 60), (3.75, 4, 62)), 4)) == [[60], [], [], [62]]


def test_repeated_and_overlapping_notes_of_one_pitch_are_one_row_of_ones():
    roll = grid.roll(notes((0, 1, 60), (1, 2, 60), (0.5, 1.5, 60)), 4)
    assert roll[:, 60 - 21].tolist() == [1] * 8
    assert roll.max() == 1


def test_columns_are_the_88_keys_and_other_pitches_are_left_out():
    roll = grid.roll(notes((0, 1, 21), (0, 1, 108), (0, 1, 20), (0, 1, 109)), 1)
    assert np.flatnonzero(roll[0]).tolist() == [0, 87]


def test_nothing_sounding_is_a_roll_without_steps():
    assert grid.roll(notes(), 4).shape == (0, 88)
    assert grid.roll(notes((0, 1, 10)), 4).shape == (0, 88)


def test_the_roll_is_the_same_as_one_painted_note_by_note():
    generator = np.random.default_rng(3)
    onsets = generator.integers(0, 200, 100) / 7
    some = np.stack([onsets, onsets + generator.integers(1, 20, 100) / 7, generator.integers(15, 115, 100)], 1)
    painted = np.zeros((200, 88), np.uint8)
    for onset, end, pitch in some:
        first = int(onset * 4 + 0.5)
        if 21 <= pitch <= 108:
            painted[first : max(int(end * 4 + 0.5), first + 1), int(pitch) - 21] = 1
    heard = np.flatnonzero(painted.any(axis=1))
    assert np.array_equal(grid.roll(some, 4), painted[heard[0] : heard[-1] + 1])
