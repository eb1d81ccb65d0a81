"""A ragged minibatch without its dead frames.

Packed order is time-major, and within a step longest rows first; so the n_t rows alive at step t are a prefix of those
at step t-1, every step is one contiguous slice, and no step needs a mask. States live in a buffer of B + N rows: the B
states before the first frame, then one for each of the N live frames.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gatedtui.units.unroll import checked_lengths


class Packing:
    """Where each live frame of a padded `(T, B, ·)` minibatch lies in the packed order, and back.

    When every row is T long, packing copies nothing; rows that already come longest first are not reordered.

    Args:
        steps: T.
        rows: B.
        lengths: `(B,)`, each in 1..T, rows in any order; None when every row is T long.
        device: where the frames are.

    Raises:
        ValueError: a length outside 1..T.
    """

    def __init__(self, steps: int, rows: int, lengths: Any, device: torch.device) -> None:
        self.steps, self.rows, self.counts = steps, rows, [rows] * steps
        self.frames = self.previous = self.order = self.rank = None
        self.last: Tensor | slice = slice(steps * rows, (steps + 1) * rows)  # in the buffer of B + N rows
        if lengths is None:
            return
        lengths = checked_lengths(lengths, steps, rows)
        if int(lengths.min()) == steps:
            return
        if bool((lengths[1:] > lengths[:-1]).any()):
            lengths, order = lengths.sort(descending=True, stable=True)
            self.order, self.rank = order.to(device), order.argsort().to(device)
        else:
            order = torch.arange(rows)
        live = torch.arange(int(lengths[0]))[:, None] < lengths
        counts = live.sum(1)
        begin = rows + counts.cumsum(0) - counts  # where a step's frames begin in the buffer
        t, row = live.nonzero(as_tuple=True)
        last = begin[lengths - 1] + torch.arange(rows)
        self.counts = counts.tolist()
        self.frames = (t * rows + order[row]).to(device)
        self.previous = torch.where(t == 0, row, begin[t - 1] + row).to(device)
        self.last = last.to(device)

    def pack(self, padded: Tensor) -> Tensor:
        """The live frames `(N, ·)` of `(T, B, ·)`; a view when all are live."""
        flat = padded.reshape(-1, padded.shape[-1])
        return flat if self.frames is None else flat.index_select(0, self.frames)

    def unpack(self, packed: Tensor) -> Tensor:
        """`(N, ·)` back to `(T, B, ·)`, zero in dead frames; a view when all are live."""
        width = packed.shape[-1]
        if self.frames is None:
            return packed.view(self.steps, self.rows, width)
        padded = packed.new_zeros(self.steps * self.rows, width)
        return padded.index_copy_(0, self.frames, packed).view(self.steps, self.rows, width)

    def states(self, like: Tensor, width: int, start: Tensor | None) -> Tensor:
        """A state buffer `(B + N, width)`: `start (B, width)` (None is zero) in its head, the rest unset."""
        buffer = like.new_empty(self.rows + sum(self.counts), width)
        if start is None:
            buffer[: self.rows] = 0
        else:
            buffer[: self.rows] = start if self.order is None else start[self.order]
        return buffer

    def final(self, states: Tensor) -> Tensor:
        """Each row's state after its last frame `(B, ·)`, rows in their given order."""
        if isinstance(self.last, slice):
            return states[self.last].clone()
        last = states.index_select(0, self.last)
        return last if self.rank is None else last[self.rank]

    def gradients(self, like: Tensor, width: int, outer: Tensor | None, final: Tensor | None) -> Tensor:
        """The buffer `(B + N, width)` of dL/dstate as it arrives from outside the recurrence.

        Args:
            like: gives dtype and device.
            width: H.
            outer: dL/dh `(T, B, H)`, ignored in dead frames; None is zero.
            final: dL/d(state after the last frame) `(B, H)`; None is zero.
        """
        buffer = like.new_zeros(self.rows + sum(self.counts), width)
        if outer is not None:
            buffer[self.rows :] = self.pack(outer)
        if final is not None:
            buffer[self.last] += final if self.order is None else final[self.order]
        return buffer

    def initial(self, gradients: Tensor) -> Tensor:
        """The head `(B, ·)` of a gradient buffer after the loop, rows in their given order."""
        head = gradients[: self.rows]
        return head if self.rank is None else head[self.rank]

    def predecessors(self, states: Tensor) -> Tensor:
        """The state before each live frame, `(N, ·)`; a view when all are live."""
        return states[: -self.rows] if self.previous is None else states.index_select(0, self.previous)

    def split(self, packed: Tensor) -> Sequence[Tensor]:
        """The slice of each step, `(n_t, ·)`, of `(N, ·)`."""
        return packed.split(self.counts)

    def walk(self, states: Tensor) -> tuple[list[Tensor], Sequence[Tensor]]:
        """For each step, the slices `(n_t, ·)` of `states (B + N, ·)` that hold the states before it and after it."""
        start, *after = states.split([self.rows, *self.counts])
        before = [p if len(p) == n else p[:n] for p, n in zip([start, *after], self.counts, strict=False)]
        return before, after
