"""The whole training step of one layer with a standard head in one call.

Noise, forward, loss, backward, rescaling and update: the same values as `scan`, `nll` and `update` one after the other,
without what stands between them: no hidden states laid out for torch, no logits of a whole minibatch, no gradient that
is written and read again.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from gatedtui.kernels import library
from gatedtui.kernels.dropout import Dropout
from gatedtui.kernels.minibatch import Minibatch
from gatedtui.kernels.native import KINDS, SUFFIX, Held, check, functions, head_sizes, memory_for, recipe_for, takes
from gatedtui.kernels.rules import UpdateRecipe


class Stepped(NamedTuple):
    """What a step came to.

    Attributes:
        nll: nats, summed over the frames of the minibatch, at the noisy weights.
        norm: of the gradient before rescaling.
        updated: False when one of the two is not finite; then nothing was written.
    """

    nll: float
    norm: float
    updated: bool


@dataclass(frozen=True)
class Noise:
    """Weight noise.

    Attributes:
        std: standard deviation.
        n: the first n parameters receive it.
        seed: of `normal_numbers`.
    """

    std: float
    n: int
    seed: int


def applies(units: Sequence[nn.Module], head: nn.Module, parameters: Tensor) -> bool:
    """Whether the single call can train this network: one of the paper's layers, a head it `takes`, on the CPU."""
    known = len(units) == 1 and type(units[0]) in KINDS and takes(head)
    return known and parameters.device.type == "cpu" and parameters.dtype in SUFFIX


class Stepper:
    """Training steps of one layer and one head, in place; what does not change between them is looked up once.

    Args:
        unit: the recurrent layer; its parameters and the head's must be views of `parameters`, in the order W, U, b, V,
            and the head's own.
        head: one it `applies` to.
        parameters: `(N,)` on the CPU; written by every step.
        state: from `update_state`; its tensors are written by every step.
        recipe: the rule and its numbers.
        noise: added to the weights for the gradient alone; None is no noise.
        dropout: of h on its way to the head; None drops nothing.

    Raises:
        ValueError: the parameters are not such views.
    """

    def __init__(
        self,
        unit: Any,
        head: Any,
        parameters: Tensor,
        state: dict[str, Tensor],
        recipe: UpdateRecipe,
        noise: Noise | None = None,
        dropout: Dropout | None = None,
    ) -> None:
        self._parameters, self._state, self._lr = parameters, state, recipe.lr
        self._held = _held(unit, head, parameters)
        self._call = functions()[f"step_{SUFFIX[parameters.dtype]}"]
        self._recipe, self._memory, self._result = recipe_for(recipe), memory_for(state), library.StepResult()
        self._noise = library.Noise(0.0, 0, 0, 0) if noise is None else library.Noise(noise.std, noise.n, noise.seed, 0)
        drop = dropout or Dropout(0.0, 0)
        self._dropout = library.Dropout(1 - drop.share, drop.threshold, drop.seed, 0)
        parts = (self._noise, self._dropout, self._recipe, self._memory, self._result)
        self._arguments = [ctypes.byref(part) for part in parts]

    def __call__(
        self, minibatch: Minibatch, *, scale: float | None = None, lr: float | None = None, draw: int = 0, drop: int = 0
    ) -> Stepped:
        """One step.

        Args:
            minibatch: in the parameters' dtype.
            scale: the loss is this times the summed NLL; None is one over the number of frames.
            lr: overrides the recipe's.
            draw: which draw of the noise this step takes.
            drop: which draw of the dropout.
        """
        self._dropout.draw = drop
        self._recipe.lr, self._noise.draw = self._lr if lr is None else lr, draw
        factor = 1 / minibatch.frames if scale is None else scale
        address = self._parameters.data_ptr()
        check(self._call(self._held.address, address, minibatch.reference, factor, *self._arguments))
        result = self._result
        return Stepped(result.nll, result.norm, result.updated == 1)

    def stages(self) -> dict[str, float]:
        """Seconds by stage since the last call of this."""
        seconds = np.empty(len(library.STAGES))
        functions()[f"step_stages_{SUFFIX[self._parameters.dtype]}"](self._held.address, seconds.ctypes.data, 1)
        return dict(zip(library.STAGES, seconds.tolist(), strict=True))


def step(
    unit: Any,
    head: Any,
    parameters: Tensor,
    minibatch: Minibatch,
    state: dict[str, Tensor],
    recipe: UpdateRecipe,
    *,
    scale: float | None = None,
    noise: Noise | None = None,
    draw: int = 0,
    lr: float | None = None,
) -> Stepped:
    """One training step, in place; arguments and errors as `Stepper`'s."""
    return Stepper(unit, head, parameters, state, recipe, noise)(minibatch, scale=scale, lr=lr, draw=draw)


def gradient(
    unit: Any, head: Any, parameters: Tensor, minibatch: Minibatch, *, scale: float | None = None
) -> tuple[float, Tensor]:
    """The summed NLL and `scale` times its gradient `(N,)` in the parameters' order; arguments as `step`."""
    held, made, nll = _held(unit, head, parameters), torch.empty_like(parameters), ctypes.c_double()
    call = functions()[f"step_gradient_{SUFFIX[parameters.dtype]}"]
    factor = 1 / minibatch.frames if scale is None else scale
    check(call(held.address, parameters.data_ptr(), minibatch.reference, factor, made.data_ptr(), ctypes.byref(nll)))
    return nll.value, made


def score(unit: Any, head: Any, parameters: Tensor, minibatch: Minibatch) -> np.ndarray:
    """The NLL of each row `(B,)`, float64, in nats, summed over its frames; rows in the minibatch's order."""
    held, made = _held(unit, head, parameters), np.empty(minibatch.rows)
    call = functions()[f"step_score_{SUFFIX[parameters.dtype]}"]
    check(call(held.address, parameters.data_ptr(), minibatch.reference, made.ctypes.data))
    return made


def _held(unit: Any, head: Any, parameters: Tensor) -> Held:
    begin, size = parameters.data_ptr(), parameters.element_size()
    last = list(head.parameters())[-1]
    if unit.W.data_ptr() != begin or last.data_ptr() + last.numel() * size != begin + parameters.numel() * size:
        raise ValueError("the unit's and the head's parameters must be views of the vector that is updated")
    return Held("step", parameters.dtype, KINDS[type(unit)], unit.input_size, unit.hidden_size, *head_sizes(head))
