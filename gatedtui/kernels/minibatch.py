"""Minibatches as the single step reads them: packed frames, and lists of notes instead of rolls of zeros and ones.

A roll of 88 pitches holds about 4 ones a frame. Turned into lists once, the pieces of a minibatch are put together in
C++ in 0.02 ms (music, B 16, T 200), where padding them in NumPy and looking for the ones took 1 ms.
"""

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatedtui.kernels import library
from gatedtui.kernels.native import SUFFIX, check, functions
from gatedtui.units.unroll import checked_lengths

Pair = tuple[np.ndarray, np.ndarray]


class Minibatch:
    """Rows of one minibatch, longest first.

    Attributes:
        frames: live frames in all.
        rows: B.
        reference: what the library is given; its pointers are into arrays this object holds.
    """

    def __init__(self, shape: library.Shape, x: library.Frames, target: library.Frames, held: Sequence[Any]) -> None:
        self.reference = ctypes.byref(library.Minibatch(shape, x, target))
        self.rows, self.frames = shape.rows, shape.frames
        self._held = held


class Pieces:
    """All pieces of a split, kept in the form minibatches are made from.

    Args:
        pairs: `(x (T, I), y (T, O))` of each piece, float32.
        dtype: of the minibatches' numbers.
        lists: whether targets are given as lists: for Bernoulli and NADE heads.

    Raises:
        ValueError: `lists`, and a target is neither 0 nor 1.
    """

    def __init__(self, pairs: Sequence[Pair], dtype: torch.dtype, *, lists: bool) -> None:
        self.dtype = dtype
        self.lengths = np.array([len(x) for x, _ in pairs], np.int64)
        ends = np.cumsum(self.lengths)
        self._first = ends - self.lengths
        binary = lists and all(_binary(x) for x, _ in pairs)
        self._x = _Lists([x for x, _ in pairs]) if binary else _Rows([x for x, _ in pairs], dtype)
        if lists and not all(_binary(y) for _, y in pairs):
            raise ValueError("a target is neither 0 nor 1")
        self._y = _Lists([y for _, y in pairs]) if lists else _Rows([y for _, y in pairs], dtype)

    def take(self, rows: np.ndarray, shifts: np.ndarray | None = None) -> Minibatch:
        """The minibatch of these pieces `(B,)` int64, which must come longest first.

        Args:
            rows: the pieces' places.
            shifts: semitones each of them is moved up, `(B,)` int64; every note must stay among the outputs. Only for
                pieces of zeros and ones; None moves none.
        """
        lengths = self.lengths[rows]
        live = _live(lengths)
        shape = library.Shape(len(live), len(rows), int(lengths.sum()), live.ctypes.data, None)
        x, held_x = self._x.take(shape, rows, self._first, shifts)
        y, held_y = self._y.take(shape, rows, self._first, shifts)
        return Minibatch(shape, x, y, (live, held_x, held_y))


def padded(x: Tensor, target: Tensor, lengths: Any = None, *, lists: bool) -> tuple[Minibatch, np.ndarray]:
    """A minibatch from padded CPU tensors of one dtype, and which row of theirs each of its rows is, `(B,)`.

    Args:
        x: `(T, B, I)`.
        target: `(T, B, O)`.
        lengths: `(B,)`, each in 1..T, rows in any order; None when every row is T long.
        lists: whether targets are given as lists: for Bernoulli and NADE heads.

    Raises:
        ValueError: a length outside 1..T, or `lists` and a target that is neither 0 nor 1.
    """
    T, B = x.shape[:2]
    each = np.full(B, T, np.int64) if lengths is None else checked_lengths(lengths, T, B).numpy()
    order = np.argsort(-each, kind="stable")
    live = _live(each[order])
    t, row = (np.arange(B) < live[:, None]).nonzero()
    places = torch.from_numpy(t * B + order[row])
    frames = [v.reshape(T * B, -1).index_select(0, places) for v in (x, target)]
    if lists and not _binary(frames[1].numpy()):
        raise ValueError("a target is neither 0 nor 1")
    shape = library.Shape(len(live), B, len(places), live.ctypes.data, None)
    held = [_as_lists(frames[0]) if lists and _binary(frames[0].numpy()) else _as_rows(frames[0])]
    held.append(_as_lists(frames[1]) if lists else _as_rows(frames[1]))
    return Minibatch(shape, held[0][0], held[1][0], (live, held)), order


def _as_lists(frames: Tensor) -> tuple[library.Frames, Any]:
    made = _Lists([frames.numpy()])
    begin = made.begin.astype(np.int32)
    return library.Frames(None, made.index.ctypes.data, begin.ctypes.data), (made.index, begin)


def _as_rows(frames: Tensor) -> tuple[library.Frames, Any]:
    return library.Frames(frames.data_ptr(), None, None), frames


def _live(lengths: np.ndarray) -> np.ndarray:
    """How many rows are alive at each step, int32, for lengths in falling order."""
    return np.searchsorted(-lengths, -np.arange(lengths[0]), side="left").astype(np.int32)


def _binary(values: np.ndarray) -> bool:
    return bool(((values == 0) | (values == 1)).all())


class _Lists:
    """The places of the ones of all frames of all pieces, one after the other."""

    def __init__(self, pieces: Sequence[np.ndarray]) -> None:
        places = [np.nonzero(piece) for piece in pieces]
        counts = [np.bincount(t, minlength=len(piece)) for (t, _), piece in zip(places, pieces, strict=True)]
        self.index = np.concatenate([k for _, k in places]).astype(np.int32)
        self.begin = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
        firsts = np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])])
        self.ones = np.diff(self.begin[firsts])

    def take(
        self, shape: library.Shape, rows: np.ndarray, first: np.ndarray, shifts: np.ndarray | None
    ) -> tuple[library.Frames, Any]:
        starts = first[rows]
        index, begin = np.empty(int(self.ones[rows].sum()), np.int32), np.empty(shape.frames + 1, np.int32)
        check(
            functions()["merge_lists"](
                shape,
                starts.ctypes.data,
                None if shifts is None else shifts.ctypes.data,
                self.index.ctypes.data,
                self.begin.ctypes.data,
                index.ctypes.data,
                begin.ctypes.data,
            )
        )
        return library.Frames(None, index.ctypes.data, begin.ctypes.data), (index, begin)


class _Rows:
    """The frames of all pieces as they are; rows of a piece may overlap (speech windows do) and are not copied."""

    def __init__(self, pieces: Sequence[np.ndarray], dtype: torch.dtype) -> None:
        self.dtype, self.width = dtype, pieces[0].shape[1]
        fits = all(p.dtype == np.float32 and p.strides[1] == 4 and p.strides[0] == pieces[0].strides[0] for p in pieces)
        self.pieces = list(pieces) if fits else [np.ascontiguousarray(p, np.float32) for p in pieces]
        self.stride = self.pieces[0].strides[0] // 4
        self.addresses = np.array([p.ctypes.data for p in self.pieces], np.int64)

    def take(
        self, shape: library.Shape, rows: np.ndarray, first: np.ndarray, shifts: np.ndarray | None
    ) -> tuple[library.Frames, Any]:
        if shifts is not None:
            raise ValueError("only pieces of zeros and ones can be moved by semitones")
        out, from_ = torch.empty(shape.frames, self.width, dtype=self.dtype), self.addresses[rows]
        merge = functions()[f"merge_rows_{SUFFIX[self.dtype]}"]
        check(merge(shape, from_.ctypes.data, self.stride, self.width, out.data_ptr()))
        return library.Frames(out.data_ptr(), None, None), out
