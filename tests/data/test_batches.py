import numpy as np
import pytest

from gatedtui.data.batches import Batches, in_order, rows_in_order


def some_pairs(count: int, *, seed: int = 0, inputs: int = 5, outputs: int = 3) -> list:
    """Pairs of 1 to 40 steps without a zero in them; the first number of x tells the piece."""
    generator = np.random.default_rng(seed)
    result = []
    for piece in range(count):
        steps = int(generator.integers(1, 41))
        x = generator.uniform(1, 2, (steps, inputs)).astype(np.float32)
        x[0, 0] = piece + 10
        result.append((x, generator.uniform(1, 2, (steps, outputs)).astype(np.float32)))
    return result


def check(batch, pairs):
    """Everything a batch promises about its arrays."""
    assert batch.x.dtype == batch.y.dtype == np.float32
    assert batch.lengths.dtype == batch.rows.dtype == np.int64
    assert batch.x.flags.c_contiguous and batch.y.flags.c_contiguous
    assert batch.x.shape[:2] == batch.y.shape[:2] == (batch.lengths[0], len(batch.rows))
    assert np.all(np.diff(batch.lengths) <= 0)
    for column, (row, length) in enumerate(zip(batch.rows, batch.lengths, strict=True)):
        x, y = pairs[row]
        assert length == len(x)
        assert np.array_equal(batch.x[:length, column], x)
        assert np.array_equal(batch.y[:length, column], y)
        assert not batch.x[length:, column].any()
        assert not batch.y[length:, column].any()


@pytest.mark.parametrize(("count", "size"), [(1, 1), (7, 1), (8, 8), (37, 5), (200, 3), (9, 100), (130, 8)])
def test_every_piece_comes_exactly_once_an_epoch_in_well_formed_batches(count, size):
    pairs = some_pairs(count)
    batches = Batches(pairs, size, seed=1)
    for epoch in range(3):
        built = list(batches.epoch(epoch))
        assert len(built) == len(batches)
        assert sorted(np.concatenate([batch.rows for batch in built]).tolist()) == list(range(count))
        assert sorted(len(batch.rows) for batch in built)[1:] == [size] * (len(built) - 1)
        for batch in built:
            check(batch, pairs)


def order(batches, epoch, start=0):
    return [batch.rows.tolist() for batch in batches.epoch(epoch, start)]


def test_the_order_depends_on_seed_and_epoch_alone():
    pairs = some_pairs(60)
    used, fresh = Batches(pairs, 4, seed=7), Batches(pairs, 4, seed=7)
    for epoch in range(5):
        order(used, epoch)
    assert order(used, 3) == order(fresh, 3)
    assert order(used, 3) != order(used, 4)
    assert order(used, 3) != order(Batches(pairs, 4, seed=8), 3)


def test_order_is_left_alone_by_the_global_generator():
    batches = Batches(some_pairs(30), 4, seed=0)
    before = order(batches, 0)
    np.random.seed(123)
    state = str(np.random.get_state())
    assert order(batches, 0) == before
    assert str(np.random.get_state()) == state


@pytest.mark.parametrize("start", [0, 1, 5, 14, 15, 16])
def test_starting_at_a_batch_equals_skipping_those_before_it(start):
    batches = Batches(some_pairs(60), 4, seed=2)
    assert order(batches, 6, start) == order(batches, 6)[start:]


def test_skipped_batches_are_not_built():
    pairs = some_pairs(20)
    batches = Batches(pairs, 4, seed=2)
    last = order(batches, 0)[-1]
    for row in set(range(20)) - set(last):
        pairs[row] = None  # type: ignore[assignment]
    assert order(batches, 0, start=4) == [last]


def test_pieces_of_like_length_stand_together():
    pairs = some_pairs(300, seed=5)
    for epoch in range(3):
        built = list(Batches(pairs, 8, seed=0).epoch(epoch))
        live = sum(int(batch.lengths.sum()) for batch in built)
        assert live / sum(batch.x.shape[0] * batch.x.shape[1] for batch in built) > 0.85
        firsts = [int(batch.lengths[0]) for batch in built]
        assert firsts != sorted(firsts) and firsts != sorted(firsts, reverse=True)


def test_neighbours_change_from_epoch_to_epoch():
    batches = Batches(some_pairs(300), 8, seed=0)
    sets = [{frozenset(rows) for rows in order(batches, epoch)} for epoch in range(2)]
    assert len(sets[0] & sets[1]) <= 1


def test_batches_kept_are_not_overwritten_by_later_ones():
    pairs = some_pairs(40)
    kept = list(Batches(pairs, 3, seed=0).epoch(0))
    for batch in kept:
        check(batch, pairs)


@pytest.mark.parametrize("size", [1, 4, 13, 50])
def test_scoring_order_is_longest_first_and_complete(size):
    pairs = some_pairs(26)
    built = list(in_order(pairs, size))
    for batch in built:
        check(batch, pairs)
    assert sorted(np.concatenate([batch.rows for batch in built]).tolist()) == list(range(26))
    lengths = np.concatenate([batch.lengths for batch in built])
    assert np.all(np.diff(lengths) <= 0)
    assert [batch.rows.tolist() for batch in in_order(pairs, size)] == [batch.rows.tolist() for batch in built]


def test_no_pieces_make_no_batches():
    batches = Batches([], 8, seed=0)
    assert len(batches) == 0
    assert list(batches.epoch(0)) == []
    assert list(in_order([], 8)) == []


def test_a_size_below_one_is_refused():
    with pytest.raises(ValueError, match="batch of 0"):
        Batches(some_pairs(3), 0, seed=0)
    with pytest.raises(ValueError, match="batch of -1"):
        list(in_order(some_pairs(3), -1))


def test_pieces_of_one_length_stay_in_the_order_they_were_given():
    pairs = [(np.ones((length, 3), np.float32),) * 2 for length in [4, 2] * 40]
    assert [batch.rows.tolist() for batch in in_order(pairs, 80)] == [[*range(0, 80, 2), *range(1, 80, 2)]]
    assert rows_in_order(np.array([4, 2] * 40), 80)[0].tolist() == [*range(0, 80, 2), *range(1, 80, 2)]


def test_pieces_of_one_length_stay_in_the_order_they_were_shuffled_into():
    pairs = [(np.ones((length, 3), np.float32),) * 2 for length in [4, 2] * 40]
    shuffled = np.random.default_rng([7, 3]).permutation(80)
    [batch] = Batches(pairs, 80, seed=7).order(3)
    assert batch.tolist() == [*shuffled[shuffled % 2 == 0], *shuffled[shuffled % 2 == 1]]
