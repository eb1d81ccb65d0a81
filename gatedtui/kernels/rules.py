"""The update rules in plain torch, on one flat vector: each is a handful of operations however many tensors it holds.

    rescale    g ← g · clip / |g|  when |g| > clip, or Δw so, g left alone                     (section 4; clip_what)
    rmsprop    n ← ρ n + (1-ρ) g²     m ← ρ m + (1-ρ) g     Δ ← μ Δ - lr g / √(n - m² + ε)     w ← w + Δ
    adam       m ← β₁ m + (1-β₁) g    v ← β₂ v + (1-β₂) g²  w ← w - lr m̂ / (√v̂ + ε)           (Kingma & Ba 2015)

RMSProp is the centred form with momentum of Graves (2013), arXiv:1308.0850: ε stands *inside* the root, so that its
1e-4 is a floor of √1e-4 = 1e-2 under the denominator (the first author's later code has that floor too), and the
learning rate inside the momentum. `torch.optim.RMSprop` adds ε outside, where 1e-4 lets steps be a hundred times as
long, and multiplies all of the momentum by the newest rate. The two agree when ε is 0 and the rate constant.

The recipe's `momentum` and `averaging` are μ and ρ for rmsprop, β₁ and β₂ for adam.
"""

from typing import Protocol

import torch
from torch import Tensor

from gatedtui.errors import unknown

RULES = {"rmsprop": ("mean_square", "mean", "velocity"), "adam": ("mean_square", "mean")}
"""Each rule and the names of the vectors it remembers."""


class UpdateRecipe(Protocol):
    """What an update reads of the training configuration."""

    @property
    def optimiser(self) -> str:
        """A key of `RULES`."""
        ...

    @property
    def lr(self) -> float:
        """Learning rate."""
        ...

    @property
    def momentum(self) -> float:
        """μ of rmsprop, β₁ of adam."""
        ...

    @property
    def averaging(self) -> float:
        """ρ of rmsprop, β₂ of adam."""
        ...

    @property
    def eps(self) -> float:
        """ε: inside the root for rmsprop, outside for adam."""
        ...

    @property
    def clip(self) -> float:
        """The norm above which the whole of what `clip_what` names is rescaled to it; 0 or less never rescales."""
        ...

    @property
    def clip_what(self) -> str:
        """ "gradient", or "update" for the change of the parameters; the memory then keeps the change as it was."""
        ...


def update_state(parameters: Tensor, optimiser: str) -> dict[str, Tensor]:
    """A fresh memory for `update`: zero vectors like `parameters`, and the number of `updates` done (a CPU int64).

    Raises:
        BadArgument: no rule has that name.
    """
    if optimiser not in RULES:
        raise unknown("optimiser", optimiser, RULES)
    vectors = {name: torch.zeros_like(parameters) for name in RULES[optimiser]}
    return {"updates": torch.zeros((), dtype=torch.int64), **vectors}


@torch.no_grad()
def update(
    parameters: Tensor,
    gradients: Tensor,
    state: dict[str, Tensor],
    recipe: UpdateRecipe,
    *,
    lr: float | None = None,
) -> Tensor:
    """One update, in place.

    Args:
        parameters: all parameters as one vector `(N,)`; written.
        gradients: `(N,)`, same dtype and device; read.
        state: from `update_state`; its tensors are written.
        recipe: the rule and its numbers.
        lr: overrides `recipe.lr`, for a rate that varies.

    Returns:
        The gradient's norm before rescaling, 0-dimensional. Where it is not finite, so is some parameter: nothing is
        looked at before it is updated.

    Raises:
        BadArgument: no rule has the recipe's name.
    """
    if recipe.optimiser not in RULES:
        raise unknown("optimiser", recipe.optimiser, RULES)
    rate = recipe.lr if lr is None else lr
    norm = torch.linalg.vector_norm(gradients)
    if recipe.clip > 0 and recipe.clip_what == "gradient":
        gradients = gradients * (recipe.clip / norm).clamp(max=1)
    state["updates"] += 1
    mean = state["mean"]
    mean_square = state["mean_square"]
    mean_square.mul_(recipe.averaging).addcmul_(gradients, gradients, value=1 - recipe.averaging)
    if recipe.optimiser == "rmsprop":
        mean.mul_(recipe.averaging).add_(gradients, alpha=1 - recipe.averaging)
        variance = mean_square.addcmul(mean, mean, value=-1).clamp_(min=0)  # rounding can leave it just below zero
        velocity = state["velocity"]
        velocity.mul_(recipe.momentum).addcdiv_(gradients, variance.add_(recipe.eps).sqrt_(), value=-rate)
        change = velocity
    else:
        t = int(state["updates"])
        mean.mul_(recipe.momentum).add_(gradients, alpha=1 - recipe.momentum)
        root = (mean_square / (1 - recipe.averaging**t)).sqrt_()
        change = torch.div(mean, root.add_(recipe.eps)).mul_(-rate / (1 - recipe.momentum**t))
    if recipe.clip > 0 and recipe.clip_what == "update":
        change = change * (recipe.clip / torch.linalg.vector_norm(change)).clamp(max=1)
    parameters.add_(change)
    return norm
