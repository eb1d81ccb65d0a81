"""The three costly pieces of a training step, each behind one function: `scan`, `nll` and `update`.

`network` and `optim` call these and nothing below. Each has a plain torch version that defines the values: the units'
own `forward`, the heads' `nll`, and `rules.update`. Where `applies` says so, `step` does all three in one call, with
the same values.
"""

from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn

from gatedtui.errors import unknown
from gatedtui.kernels import bptt, native, rules
from gatedtui.kernels.choose import KERNELS, Choice, choose, present, to_go_on
from gatedtui.kernels.drawing import Drawing
from gatedtui.kernels.dropout import DRAWS as DROPS
from gatedtui.kernels.dropout import Dropout
from gatedtui.kernels.minibatch import Minibatch, Pieces
from gatedtui.kernels.noise import normal_numbers
from gatedtui.kernels.rules import RULES, UpdateRecipe, update_state
from gatedtui.kernels.single import Noise, Stepped, Stepper, applies, score, step

__all__ = [
    "DROPS",
    "KERNELS",
    "RULES",
    "Choice",
    "Drawing",
    "Dropout",
    "Minibatch",
    "Noise",
    "Pieces",
    "Stepped",
    "Stepper",
    "UpdateRecipe",
    "applies",
    "choose",
    "nll",
    "normal_numbers",
    "present",
    "scan",
    "score",
    "step",
    "to_go_on",
    "update",
    "update_state",
]


def scan(unit: Any, x: Tensor, state: Any = None, lengths: Any = None, backend: str = "auto") -> tuple[Tensor, Any]:
    """One recurrent layer over all frames.

    Args:
        unit: one of `UNITS`, or a variant, which has its own equations alone; holds the parameters; float32 or float64.
        x: `(T, B, I)`, the parameters' dtype and device; never written.
        state: before the first frame: `h (B, H)`, for the LSTM `(h, c)`; None is zero.
        lengths: `(B,)`, each in 1..T, rows in any order; None when every row is T long.
        backend: "auto" or a name of `present()`; all give the same values.

    Returns:
        h `(T, B, H)`, zero beyond a row's end (gradients arriving there are ignored), and the state after each row's
        last frame, shaped as `state`. Gradients flow to the parameters, x and state.

    Raises:
        BadArgument: no kernel has that name.
        DeviceError: the kernel is not there, or takes no such dtype.
        ValueError: a length outside 1..T.
    """
    chosen = choose(x.device, x.dtype, backend, variant=type(unit) not in native.KINDS).backend
    if chosen == "native":
        return native.scan(unit, x, state, lengths)
    if chosen == "cuda":
        from gatedtui.kernels.cuda import recurrence

        return recurrence.scan(unit, x, state, lengths)
    return unit(x, state, lengths) if chosen == "reference" else bptt.scan(unit, x, state, lengths)


def nll(head: nn.Module, h: Tensor, target: Tensor, mask: Tensor | None = None, backend: str = "auto") -> Tensor:
    """Negative log-likelihood of every frame, so that frame- and sequence-weighted means can both be formed.

    Only live frames are computed: dead ones cost nothing, and whatever stands there (a NaN too) reaches neither value
    nor gradient.

    Args:
        head: its `nll(h (…, H), target (…, O)) -> (…)` gives nats summed over the outputs of a frame.
        h: `(T, B, H)`.
        target: `(T, B, O)`, h's dtype.
        mask: bool `(T, B)`, True where a frame counts; None when all do.
        backend: as in `scan`; a head that the kernel does not know is computed by its own equations.

    Returns:
        `(T, B)` nats, zero where masked.

    Raises:
        BadArgument: no kernel has that name.
        DeviceError: the kernel is not there, or takes no such dtype.
    """
    chosen = choose(h.device, h.dtype, backend).backend
    if chosen == "native" and native.takes(head):
        with suppress(native.NotBinary):
            return native.nll(head, h, target, mask)
    if chosen == "cuda":
        from gatedtui.kernels.cuda import losses

        if losses.takes(head):
            return losses.nll(head, h, target, mask)
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


def update(
    parameters: Tensor,
    gradients: Tensor,
    state: dict[str, Tensor],
    recipe: UpdateRecipe,
    *,
    lr: float | None = None,
    backend: str = "auto",
) -> Tensor:
    """One update of all parameters, in place.

    Args:
        parameters: all parameters as one contiguous vector `(N,)`; written.
        gradients: `(N,)`, same dtype and device; read.
        state: from `update_state`; its tensors are written.
        recipe: the rule and its numbers.
        lr: overrides `recipe.lr`, for a rate that varies.
        backend: as in `scan`.

    Returns:
        The gradient's norm before rescaling, 0-dimensional; NaN in is NaN out, as `rules.update` says.

    Raises:
        BadArgument: no kernel or rule has that name.
        DeviceError: the kernel is not there, or takes no such dtype.
    """
    if recipe.optimiser not in RULES:
        raise unknown("optimiser", recipe.optimiser, RULES)
    chosen = choose(parameters.device, parameters.dtype, backend).backend
    if chosen == "native":
        return native.update(parameters, gradients, state, recipe, lr=lr)
    if chosen == "cuda":
        from gatedtui.kernels.cuda import rule

        return rule.update_one(parameters, gradients, state, recipe, lr=lr)
    return rules.update(parameters, gradients, state, recipe, lr=lr)
