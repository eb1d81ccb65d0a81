"""Moving pieces up and down: never off the keyboard, every shift alike, the same for a seed and an epoch."""

import numpy as np

from gatedtui.data.batches import Batches
from gatedtui.data.transpose import Transpositions, moved


def piece(*pitches: int, steps: int = 6) -> tuple[np.ndarray, np.ndarray]:
    roll = np.zeros((steps + 1, 88), np.float32)
    for t in range(steps + 1):
        roll[t, pitches[t % len(pitches)]] = 1
    return roll[:-1], roll[1:]


PIECES = [piece(40, 47), piece(1, 30), piece(30, 86), piece(0, 87), (np.zeros((3, 88)), np.zeros((3, 88)))]


def test_all_shifts_that_keep_the_notes_occur_equally_often():
    made = Transpositions(PIECES, 5, seed=3)
    drawn = np.stack([made.epoch(number) for number in range(4000)])
    for place, (low, high) in enumerate([(-5, 5), (-1, 5), (-5, 1), (0, 0), (-5, 5)]):
        values, counts = np.unique(drawn[:, place], return_counts=True)
        assert values.tolist() == list(range(low, high + 1))
        expected = 4000 / len(values)
        assert np.abs(counts - expected).max() < 5 * expected**0.5


def test_a_note_of_the_first_or_last_frame_alone_counts_too():
    x, y = piece(40)
    x[0, 2], y[-1, 85] = 1, 1
    made = Transpositions([(x, y)], 12, seed=0)
    drawn = np.stack([made.epoch(number) for number in range(200)])
    assert (drawn.min(), drawn.max()) == (-2, 2)


def test_an_epoch_s_shifts_depend_on_seed_and_epoch_alone():
    one, same, other = (Transpositions(PIECES * 5, 5, seed=seed) for seed in (1, 1, 2))
    one.epoch(3)
    assert np.array_equal(one.epoch(7), same.epoch(7))
    assert not np.array_equal(one.epoch(7), one.epoch(8)) and not np.array_equal(one.epoch(7), other.epoch(7))


def test_moving_keeps_every_note_s_distance():
    x, _ = PIECES[0]
    assert np.flatnonzero(moved(x, -5)[0]).tolist() == [35]
    assert np.array_equal(moved(moved(x, 5), -5), x)


def test_a_batch_holds_each_piece_at_its_own_shift():
    pairs = [piece(40 + n, 50, steps=3 + n % 4) for n in range(9)]
    shifts = np.arange(9) - 4
    plain, shifted = list(Batches(pairs, 4, 0).epoch(2)), list(Batches(pairs, 4, 0).epoch(2, shifts=shifts))
    for a, b in zip(plain, shifted, strict=True):
        assert np.array_equal(a.rows, b.rows) and np.array_equal(a.lengths, b.lengths)
        for column, row in enumerate(a.rows):
            assert np.array_equal(b.x[:, column], np.roll(a.x[:, column], shifts[row], 1))
            assert np.array_equal(b.y[:, column], np.roll(a.y[:, column], shifts[row], 1))
