"""Minibatches: which pieces stand together, in which order, and the padded arrays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gatedtui.data.transpose import moved

Pair = tuple[np.ndarray, np.ndarray]
"""One piece: x (T, I) and y (T, O)."""

POOL = 16
"""Batches whose pieces are sorted by length together. On the Bach chorales in batches of 8 this leaves 8 % padding;
one batch a pool would leave 38 %, all in one pool 4 % at the price of the same neighbours every epoch."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Up to `size` pieces side by side, time first, the longest in row 0. Beyond a row's length x and y are 0."""

    x: np.ndarray
    """(T, B, I) float32: the inputs."""
    y: np.ndarray
    """(T, B, O) float32: the targets."""
    lengths: np.ndarray
    """(B,) int64, falling: the steps of each row; T is the first."""
    rows: np.ndarray
    """(B,) int64: each row's place in the list of pairs."""


class Batches:
    """The minibatches of every epoch.

    The order of an epoch depends on the seed and the epoch's number alone, so nothing but the pair (epoch, next batch)
    has to be stored to go on. Pieces of like length are put together, so that little is padding: all pieces are
    shuffled, cut into pools of 16 batches, sorted by length inside a pool and cut into batches, which are then
    shuffled. Every piece comes once an epoch; one batch is smaller where the size does not divide the pieces.
    """

    def __init__(self, pairs: Sequence[Pair], size: int, seed: int) -> None:
        """The batches of up to `size` pieces of `pairs`; the seed is 0 or more.

        Raises:
            ValueError: `size` is below 1.
        """
        if size < 1:
            raise ValueError(f"a batch of {size} pieces")
        self.pairs = pairs
        self.size = size
        self.seed = seed
        self._lengths = np.array([len(x) for x, _ in pairs], np.int64)
        _keep_freed_memory()

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.pairs) // self.size)

    def epoch(self, number: int, start: int = 0, shifts: np.ndarray | None = None) -> Iterator[Batch]:
        """The batches of one epoch, from batch `start` on; those before it are skipped without being built.

        Args:
            number: of the epoch.
            start: the first batch wanted.
            shifts: semitones each piece is moved up, `(N,)`; None moves none.
        """
        for rows in self.order(number)[start:]:
            pairs = self.pairs if shifts is None else _Moved(self.pairs, shifts)
            yield _batch(pairs, rows, self._lengths[rows])

    def order(self, number: int) -> list[np.ndarray]:
        """The places (B,) int64 of the pieces of each batch of an epoch, longest first."""
        generator = np.random.default_rng([self.seed, number])
        pieces = generator.permutation(len(self.pairs))
        batches = []
        for first in range(0, len(pieces), POOL * self.size):
            pool = pieces[first : first + POOL * self.size]
            batches += _cut(pool[np.argsort(-self._lengths[pool], kind="stable")], self.size)
        return [batches[i] for i in generator.permutation(len(batches))]


class _Moved:
    """Pieces each moved by its own number of semitones."""

    def __init__(self, pairs: Sequence[Pair], shifts: np.ndarray) -> None:
        self.pairs, self.shifts = pairs, shifts

    def __getitem__(self, place: int) -> Pair:
        x, y = self.pairs[place]
        by = int(self.shifts[place])
        return moved(x, by), moved(y, by)


def in_order(pairs: Sequence[Pair], size: int) -> Iterator[Batch]:
    """Every piece once, longest first, for scoring: always the same batches.

    Raises:
        ValueError: `size` is below 1.
    """
    lengths = np.array([len(x) for x, _ in pairs], np.int64)
    for rows in rows_in_order(lengths, size):
        yield _batch(pairs, rows, lengths[rows])


def rows_in_order(lengths: np.ndarray, size: int) -> list[np.ndarray]:
    """The places (B,) int64 of the pieces of each batch of `in_order`, for pieces of these lengths (N,).

    Raises:
        ValueError: `size` is below 1.
    """
    if size < 1:
        raise ValueError(f"a batch of {size} pieces")
    return _cut(np.argsort(-lengths, kind="stable"), size)


def _keep_freed_memory() -> None:
    """Let the C library keep the memory of a freed batch for the next one.

    glibc gives large freed blocks back to the system until one larger still has come and gone; fetching them anew,
    page by page, took 0.31 of the 0.35 ms that a batch of 8 rolls of 200 frames took to build. One untouched block
    just below its limit of 32 MB, freed at once, settles it.
    """
    np.empty(31 << 20, np.uint8)


def _cut(pieces: np.ndarray, size: int) -> list[np.ndarray]:
    return [pieces[first : first + size] for first in range(0, len(pieces), size)]


def _batch(pairs: "Sequence[Pair] | _Moved", rows: np.ndarray, lengths: np.ndarray) -> Batch:
    """The padded arrays; `rows` are in falling order of `lengths`."""
    first_x, first_y = pairs[rows[0]]
    x = np.zeros((lengths[0], len(rows), first_x.shape[1]), np.float32)
    y = np.zeros((lengths[0], len(rows), first_y.shape[1]), np.float32)
    for column, row in enumerate(rows.tolist()):
        piece_x, piece_y = pairs[row]
        x[: len(piece_x), column] = piece_x
        y[: len(piece_y), column] = piece_y
    return Batch(x, y, lengths, rows.astype(np.int64, copy=False))
