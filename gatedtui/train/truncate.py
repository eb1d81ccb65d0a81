"""Truncated backpropagation through time: a minibatch as a row of shorter ones, with the state carried on between them.

After Williams and Peng (1990), *An efficient gradient-based algorithm for on-line training of recurrent network
trajectories*: one update a chunk, each from the states the chunk before it ended in, gradients cut there. Memory and
the steps between two updates are then bounded however long a piece is. What reaches back further than a chunk is still
seen, through the states, but no longer learnt from.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatedtui.data.batches import Batch

States = tuple[Any, ...]
"""One recurrent state a layer: h `(B, H)`, for the LSTM (h, c)."""


def chunks(batch: Batch, steps: int) -> list[Batch]:
    """The minibatch cut along time.

    The chunks are of like length, so that no short last one gets an update of its own weight; each holds the rows that
    reach into it, which are the first ones, since the longest stand in front.

    Args:
        batch: of T steps.
        steps: the most a chunk may have; 0 gives the batch whole.
    """
    total = int(batch.lengths[0])
    if not steps or steps >= total:
        return [batch]
    edges = np.linspace(0, total, -(-total // steps) + 1).round().astype(int)
    found = []
    for first, last in pairwise(edges.tolist()):
        rows = int((batch.lengths > first).sum())
        lengths = np.minimum(batch.lengths[:rows], last) - first
        x, y = (np.ascontiguousarray(part[first:last, :rows]) for part in (batch.x, batch.y))
        found.append(Batch(x, y, lengths, batch.rows[:rows]))
    return found


def carried(states: States | None, rows: int) -> States | None:
    """The states a chunk of so many rows starts from, cut off from how they came about; None is zero."""
    if states is None:
        return None
    return tuple(
        tuple(part[:rows].detach() for part in state) if isinstance(state, tuple) else state[:rows].detach()
        for state in states
    )


def check(states: States | None, batch: Batch | None, done: int, steps: int, units: Sequence[Any]) -> None:
    """Makes sure that states are those which a minibatch's first chunks end in.

    Args:
        states: what a saved run says it carries.
        batch: the minibatch it stands in; None where there is none.
        done: its chunks that are done.
        steps: as in `chunks`.
        units: the layers.

    Raises:
        ValueError: they are not, or there are not so many chunks.
    """
    if not done and states is None:
        return
    cut = chunks(batch, steps) if batch is not None and done else []
    if states is None or not done < len(cut):
        raise ValueError("it stands in a chunk that its minibatch does not have")
    before = torch.from_numpy(cut[done - 1].x)
    wanted = to_tensors(tuple(unit.start(before[0]) for unit in units))
    found = {name: value.shape for name, value in to_tensors(states).items()}
    if found != {name: value.shape for name, value in wanted.items()}:
        raise ValueError(f"it carries states of the shapes {sorted(map(tuple, found.values()))}")


def to_tensors(states: States | None) -> dict[str, Tensor]:
    """States by name, `h`, `c`, `h2`, …, for saving; empty for None."""
    named = {}
    for number, state in enumerate(states or ()):
        parts = state if isinstance(state, tuple) else (state,)
        named |= {f"{letter}{number + 1 if number else ''}": part for letter, part in zip("hc", parts, strict=False)}
    return named


def from_tensors(named: dict[str, Tensor]) -> States | None:
    """The inverse of `to_tensors`."""
    if not named:
        return None
    layers = sorted({int(name[1:] or 1) for name in named})
    parts = [[named[key] for letter in "hc" if (key := f"{letter}{n if n > 1 else ''}") in named] for n in layers]
    return tuple(tuple(part) if len(part) > 1 else part[0] for part in parts)
