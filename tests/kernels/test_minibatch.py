"""Packed minibatches: the same frames as the padded ones, as lists and as rows."""

import ctypes

import numpy as np
import pytest
import torch

from gatedtui.kernels import library, minibatch

pytestmark = pytest.mark.skipif(
    library.installed().library is None, reason=f"no compiled kernels: {library.installed().why}"
)


def read(address, count, kind):
    return np.ctypeslib.as_array(ctypes.cast(address, ctypes.POINTER(kind)), (count,)).copy()


def unpacked(made, frames, width, kind=ctypes.c_float):
    """What a minibatch's `Frames` hold, as numbers (N, width)."""
    if frames.dense:
        return read(frames.dense, made.frames * width, kind).reshape(-1, width)
    begin = read(frames.begin, made.frames + 1, ctypes.c_int32)
    index = read(frames.index, max(1, begin[-1]), ctypes.c_int32)
    dense = np.zeros((made.frames, width))
    for f in range(made.frames):
        dense[f, index[begin[f] : begin[f + 1]]] = 1
    return dense


def in_packed_order(pieces):
    """Step by step, the rows that still run, longest first."""
    return np.stack([piece[t] for t in range(len(pieces[0])) for piece in pieces if t < len(piece)])


LENGTHS = [5, 1, 9, 9, 3, 7]
ROWS = np.array([2, 3, 5, 4, 1])  # longest first


def rolls():
    generator = np.random.default_rng(0)
    made = [(generator.random((n + 1, 88)) < 0.05).astype(np.float32) for n in LENGTHS]
    return [(roll[:-1], roll[1:]) for roll in made]


def windows():
    generator, made = np.random.default_rng(0), []
    for n in LENGTHS:
        samples = generator.standard_normal(10 * n + 20).astype(np.float32)
        x = np.lib.stride_tricks.sliding_window_view(samples, 20)[::10][:n]
        made.append((x, samples[20:].reshape(n, 10)))
    return made


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rolls_become_lists_of_their_notes(dtype):
    pairs = rolls()
    made = minibatch.Pieces(pairs, dtype, lists=True).take(ROWS)
    structure = made.reference._obj
    assert (made.rows, made.frames) == (5, 29)
    assert read(structure.shape.live, 9, ctypes.c_int32).tolist() == [5, 4, 4, 3, 3, 3, 3, 2, 2]
    for which, frames in ((0, structure.x), (1, structure.target)):
        assert not frames.dense
        assert np.array_equal(unpacked(made, frames, 88), in_packed_order([pairs[row][which] for row in ROWS]))


@pytest.mark.parametrize(("dtype", "kind"), [(torch.float32, ctypes.c_float), (torch.float64, ctypes.c_double)])
def test_windows_are_laid_side_by_side_without_copying_the_pieces(dtype, kind):
    pairs = windows()
    pieces = minibatch.Pieces(pairs, dtype, lists=False)
    assert pieces._x.pieces[0] is pairs[0][0]
    made = pieces.take(ROWS)
    structure = made.reference._obj
    for which, width, frames in ((0, 20, structure.x), (1, 10, structure.target)):
        assert np.array_equal(unpacked(made, frames, width, kind), in_packed_order([pairs[r][which] for r in ROWS]))


def test_padded_tensors_pack_to_the_same_minibatch():
    pairs = rolls()
    x, y = (torch.full((9, 6, 88), float("nan")) for _ in range(2))
    for row, (a, b) in enumerate(pairs):
        x[: len(a), row], y[: len(b), row] = torch.from_numpy(a), torch.from_numpy(b)
    made, order = minibatch.padded(x, y, LENGTHS, lists=True)
    assert order.tolist() == [2, 3, 5, 0, 4, 1]
    expected = in_packed_order([pairs[row][0] for row in order])
    assert np.array_equal(unpacked(made, made.reference._obj.x, 88), expected)
    dense, _ = minibatch.padded(x.double() * 0.5, y.double(), LENGTHS, lists=True)
    found = unpacked(dense, dense.reference._obj.x, 88, ctypes.c_double)
    assert np.array_equal(found, 0.5 * expected), "inputs that are not binary stay numbers"


def test_targets_that_are_not_binary_are_refused_for_the_bernoulli_head():
    pairs = [(x, 0.5 * y) for x, y in rolls()]
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        minibatch.Pieces(pairs, torch.float32, lists=True)
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        minibatch.padded(torch.zeros(2, 1, 88), torch.full((2, 1, 88), 0.5), lists=True)


@pytest.mark.parametrize("build", library.usable(), ids=lambda found: found.build)
def test_rows_are_sorted_longest_first_and_otherwise_as_they_came(build):
    for lengths in ([3], [1, 1, 1], [2, 5, 5, 1, 3, 2], list(range(1, 40)), [7] * 3 + [2] * 4):
        given = torch.tensor(lengths)
        order, live = torch.empty(len(lengths), dtype=torch.int32), torch.zeros(50, dtype=torch.int32)
        longest = ctypes.c_int64()
        sort = build.functions["sort_rows"]
        assert sort(given.data_ptr(), 50, len(lengths), order.data_ptr(), live.data_ptr(), ctypes.byref(longest)) == 0
        assert order.tolist() == np.argsort(-np.array(lengths), kind="stable").tolist()
        assert longest.value == max(lengths)
        assert live[: longest.value].tolist() == [sum(n > t for n in lengths) for t in range(max(lengths))]
