"""The three costly pieces of a training step, each behind one function: `scan`, `nll` and `update`.

`network` and `optim` call these and nothing below. Each has a plain torch version that defines the values: the units'
own `forward`, the heads' `nll`, and `rules.update`.
"""

from typing import Any

import torch
from torch import Tensor, nn

from gatedtui.kernels import bptt
from gatedtui.kernels.choose import KERNELS, PRESENT, Choice, choose
from gatedtui.kernels.rules import RULES, UpdateRecipe, update, update_state
from gatedtui.units import GRU, LSTM, Tanh

__all__ = ["KERNELS", "PRESENT", "RULES", "Choice", "UpdateRecipe", "choose", "nll", "scan", "update", "update_state"]


def scan(
    unit: Tanh | GRU | LSTM, x: Tensor, state: Any = None, lengths: Any = None, backend: str = "auto"
) -> tuple[Tensor, Any]:
    """One recurrent layer over all frames.

    Args:
        unit: holds the parameters; float32 or float64.
        x: `(T, B, I)`, the parameters' dtype and device; never written.
        state: before the first frame: `h (B, H)`, for the LSTM `(h, c)`; None is zero.
        lengths: `(B,)`, each in 1..T, rows in any order; None when every row is T long.
        backend: "auto" or a name in `PRESENT`; all give the same values.

    Returns:
        h `(T, B, H)`, zero beyond a row's end (gradients arriving there are ignored), and the state after each row's
        last frame, shaped as `state`. Gradients flow to the parameters, x and state.

    Raises:
        BadArgument: no kernel has that name.
        DeviceError: the kernel is not there, or takes no such dtype.
        ValueError: a length outside 1..T.
    """
    chosen = choose(x.device, x.dtype, backend).backend
    return unit(x, state, lengths) if chosen == "reference" else bptt.scan(unit, x, state, lengths)


def nll(head: nn.Module, h: Tensor, target: Tensor, mask: Tensor | None = None) -> Tensor:
    """Negative log-likelihood of every frame, so that frame- and sequence-weighted means can both be formed.

    Only live frames are computed: dead ones cost nothing, and whatever stands there (a NaN too) reaches neither value
    nor gradient.

    Args:
        head: its `nll(h (…, H), target (…, O)) -> (…)` gives nats summed over the outputs of a frame.
        h: `(T, B, H)`.
        target: `(T, B, O)`, h's dtype.
        mask: bool `(T, B)`, True where a frame counts; None when all do.

    Returns:
        `(T, B)` nats, zero where masked.
    """
    frame_nll: Any = head.nll
    if mask is None:
        return frame_nll(h, target)
    place = mask.flatten().nonzero().squeeze(1)
    if len(place) == mask.numel():
        return frame_nll(h, target)
    values = frame_nll(h.flatten(0, 1)[place], target.flatten(0, 1)[place])
    return (
        torch.zeros(mask.numel(), dtype=values.dtype, device=values.device).index_copy(0, place, values).view_as(mask)
    )
