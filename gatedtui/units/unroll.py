"""A unit's step applied over time, for rows of different lengths."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def checked_lengths(lengths: Any, steps: int, rows: int) -> Tensor:
    """`lengths` as a CPU int64 tensor `(B,)`.

    Raises:
        ValueError: not one length a row, or a length outside 1..T.
    """
    if isinstance(lengths, Tensor):
        lengths = lengths.to("cpu", torch.int64)
    else:
        lengths = torch.tensor(lengths, dtype=torch.int64)  # a copy: an array may be read-only
    if lengths.shape != (rows,):
        raise ValueError(f"lengths must have shape ({rows},), one a row, not {tuple(lengths.shape)}")
    if int(lengths.min()) < 1 or int(lengths.max()) > steps:
        raise ValueError(f"lengths must lie in 1..{steps}, not {lengths.tolist()}")
    return lengths


def live_frames(lengths: Any, steps: int, rows: int, device: torch.device | str = "cpu") -> Tensor:
    """Which frames of a padded minibatch belong to a row: bool `(T, B)`, True at (t, j) when t < lengths[j]."""
    lengths = checked_lengths(lengths, steps, rows)
    return (torch.arange(steps)[:, None] < lengths).to(device)


def unroll(step: Callable[..., Any], x: Tensor, state: Any, lengths: Any = None) -> tuple[Tensor, Any]:
    """The loop h_t = step(x_t, h_{t-1}) from the first frame to the last, in plain autograd.

    Args:
        step: `(x_t (B, I), state) -> (state, gates)`.
        x: `(T, B, I)`; what stands beyond a row's end is never looked at, not even a NaN.
        state: before the first frame: `h (B, H)`, or a tuple of such tensors whose first is h.
        lengths: `(B,)`, each in 1..T, rows in any order; None when every row is T long.

    Returns:
        h `(T, B, H)`, zero beyond a row's end (gradients arriving there are ignored), and the state after each row's
        last frame.
    """
    live = None
    if lengths is not None:
        live = live_frames(lengths, x.shape[0], x.shape[1], x.device)[:, :, None]
        x = torch.where(live, x, 0.0)
    outputs = []
    for t, x_t in enumerate(x.unbind(0)):
        new, _ = step(x_t, state)
        h = new[0] if isinstance(new, tuple) else new
        if live is None:
            state = new
        else:
            state, h = _hold(live[t], new, state), torch.where(live[t], h, 0.0)
        outputs.append(h)
    return torch.stack(outputs), state


def _hold(live: Tensor, new: Any, old: Any) -> Any:
    """The new state in rows that are still running, the old one in rows that have ended."""
    if isinstance(new, tuple):
        return tuple(torch.where(live, n, o) for n, o in zip(new, old, strict=True))
    return torch.where(live, new, old)
