"""The update rules in one Triton pass over the parameters: `rules.update` for R runs, each with a rate of its own.

Nothing waits for the GPU: norms, rates and counts stay there, and where an update must not happen (a loss or gradient
that is not finite) the kernel itself leaves everything as it was, for the host to find out later.
"""

import torch
import triton  # pyright: ignore[reportMissingImports]
import triton.language as tl  # pyright: ignore[reportMissingImports]
from torch import Tensor

from gatedtui.kernels.cuda.launch import groups, launch
from gatedtui.kernels.rules import UpdateRecipe

BLOCK = 1024
"""Parameters that a program takes."""


def update(
    parameters: Tensor,
    gradients: Tensor,
    memory: dict[str, Tensor],
    recipe: UpdateRecipe,
    lr: Tensor,
    updates: Tensor,
    ok: Tensor | None = None,
) -> Tensor:
    """One update of each run, in place; arguments and values as `stacked.update`.

    Without `ok` all runs are updated, whatever their gradients.
    """
    R, N = parameters.shape
    norm = torch.linalg.vector_norm(gradients, dim=1)
    scale = torch.ones_like(norm)
    if recipe.clip > 0 and recipe.clip_what == "gradient":
        scale = (recipe.clip / norm).clamp(max=1)
    of_update = recipe.clip > 0 and recipe.clip_what == "update"
    change = torch.empty_like(parameters) if of_update else parameters
    first = 1 - recipe.momentum ** updates.double()
    second = 1 - recipe.averaging ** updates.double()
    velocity = memory.get("velocity", parameters)
    kind = parameters.dtype
    launch(
        _update,
        (groups(N, BLOCK), R),
        parameters,
        gradients.contiguous(),
        memory["mean_square"],
        memory["mean"],
        velocity,
        change,
        scale,
        lr.to(kind),
        first.to(kind),
        second.to(kind),
        parameters if ok is None else ok.view(torch.uint8),
        N,
        recipe.momentum,
        recipe.averaging,
        recipe.eps,
        recipe.optimiser == "rmsprop",
        of_update,
        ok is not None,
        BLOCK,
    )
    if of_update:
        factor = (recipe.clip / torch.linalg.vector_norm(change, dim=1)).clamp(max=1)
        change = change * factor[:, None]
        parameters.add_(change if ok is None else torch.where(ok[:, None], change, 0.0))
    return norm


def update_one(
    parameters: Tensor, gradients: Tensor, state: dict[str, Tensor], recipe: UpdateRecipe, *, lr: float | None = None
) -> Tensor:
    """One update of one run; arguments, values and errors as `rules.update`."""
    state["updates"] += 1
    device = parameters.device
    rate = torch.full((1,), recipe.lr if lr is None else lr, dtype=torch.float64, device=device)
    memory = {name: vector[None] for name, vector in state.items() if name != "updates"}
    updates = torch.full((1,), int(state["updates"]), device=device)
    return update(parameters[None], gradients[None], memory, recipe, rate, updates)[0]


@triton.jit
def _update(
    parameters,
    gradients,
    mean_squares,
    means,
    velocities,
    changes,
    scale,
    rate,
    first,
    second,
    ok,
    N,
    MOMENTUM: tl.constexpr,
    AVERAGING: tl.constexpr,
    EPS: tl.constexpr,
    RMSPROP: tl.constexpr,
    OF_UPDATE: tl.constexpr,
    GUARDED: tl.constexpr,
    BLOCK: tl.constexpr,
):
    run = tl.program_id(1).to(tl.int64)
    n = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there, place = n < N, run * N + n
    if GUARDED:
        there = there & (tl.load(ok + run) != 0)
    lr = tl.load(rate + run)
    g = tl.load(gradients + place, mask=there, other=0.0) * tl.load(scale + run)
    mean_square = tl.load(mean_squares + place, mask=there, other=0.0) * AVERAGING + g * g * (1.0 - AVERAGING)
    tl.store(mean_squares + place, mean_square, mask=there)
    mean = tl.load(means + place, mask=there, other=0.0)
    if RMSPROP:
        mean = mean * AVERAGING + g * (1.0 - AVERAGING)
        variance = mean_square - mean * mean
        variance = tl.where(variance < 0, 0.0, variance)  # rounding can leave it just below zero; a NaN stays one
        velocity = tl.load(velocities + place, mask=there, other=0.0)
        change = velocity * MOMENTUM - lr * g / tl.sqrt(variance + EPS)
        tl.store(velocities + place, change, mask=there)
    else:
        mean = mean * MOMENTUM + g * (1.0 - MOMENTUM)
        root = tl.sqrt(mean_square / tl.load(second + run)) + EPS
        change = -lr / tl.load(first + run) * mean / root
    tl.store(means + place, mean, mask=there)
    if OF_UPDATE:
        tl.store(changes + place, change, mask=there)
    else:
        tl.store(parameters + place, tl.load(parameters + place, mask=there, other=0.0) + change, mask=there)
