"""The two losses fused in Triton: from the outputs' arguments to the NLL of each frame and its gradient, in one pass.

The product with the head's weights stands before it, those for the gradients after it, as torch's; between them a frame
is read once and its gradient written in its place. Masked frames cost a read of their mask; nothing waits for the GPU,
where picking the live frames out would have to ask it how many they are.

A leading axis holds R runs, each with a head of its own.
"""

import math
from typing import Any

import torch
import triton  # pyright: ignore[reportMissingImports]
import triton.language as tl  # pyright: ignore[reportMissingImports]
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from gatedtui.heads.bernoulli import Bernoulli
from gatedtui.heads.mixture import LOG_SCALE, MixtureOfGaussians
from gatedtui.kernels.cuda.launch import groups, launch, power_of_2
from gatedtui.kernels.cuda.squashing import sigmoid

FRAMES = 8
"""Frames of a Bernoulli output that a program takes."""


def takes(head: Any) -> bool:
    """Whether this head has a fused loss: the two of the paper."""
    return type(head) in (Bernoulli, MixtureOfGaussians)


def nll(head: Any, h: Tensor, target: Tensor, mask: Tensor | None) -> Tensor:
    """The NLL `(T, B)` of one head that it `takes`; arguments as `kernels.nll`."""
    parts = head.parts if isinstance(head, MixtureOfGaussians) else 0
    h_flat, y = (value.reshape(1, -1, value.shape[-1]) for value in (h, target))
    live = None if mask is None else mask.reshape(1, -1)
    return nll_of_runs(parts, h_flat, y, head.weight[None], head.bias[None], live).view(h.shape[:-1])


def nll_of_runs(parts: int, h: Tensor, target: Tensor, weight: Tensor, bias: Tensor, live: Tensor | None) -> Tensor:
    """The NLL of every frame of R runs `(R, N)` in nats, 0 where masked.

    Args:
        parts: M of the mixture; 0 is the Bernoulli output.
        h: `(R, N, H)`, float32 or float64; what stands in masked frames reaches nothing.
        target: `(R, N, O)`, h's dtype.
        weight: `(R, outputs, H)`.
        bias: `(R, outputs)`.
        live: bool `(R, N)`; None when every frame counts.
    """
    if live is not None:
        h = torch.where(live[..., None], h, 0.0)
    return _Loss.apply(parts, h, target.contiguous(), weight, bias, live)  # pyright: ignore[reportReturnType]


class _Loss(Function):
    @staticmethod
    def forward(
        ctx: Any, parts: int, h: Tensor, target: Tensor, weight: Tensor, bias: Tensor, live: Tensor | None
    ) -> Tensor:
        a = torch.baddbmm(bias[:, None], h, weight.mT)
        R, N, O = target.shape
        made = h.new_empty(R, N)
        masked = live is not None
        seen = live.contiguous().view(torch.uint8) if masked else made  # not read when nothing is masked
        if parts:
            width = power_of_2(parts), power_of_2(O)
            size, constant = (parts, O), 0.5 * O * math.log(2 * math.pi)
            launch(_mixture, (R * N,), a, target, seen, made, *size, *LOG_SCALE, constant, *width, masked)
        else:
            width = power_of_2(O)
            grid = (groups(R * N, FRAMES),)
            launch(_bernoulli, grid, a, target, seen, made, R * N, O, FRAMES, width, masked)
        ctx.save_for_backward(a, h, weight)
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        gradient, h, weight = ctx.saved_tensors
        da = gradient * d[..., None]
        dh = torch.bmm(da, weight) if ctx.needs_input_grad[1] else None
        return None, dh, None, torch.bmm(da.mT, h), da.sum(1), None


@triton.jit(do_not_specialize=["N"])
def _bernoulli(
    a, target, live, nll, N, O: tl.constexpr, FRAMES: tl.constexpr, WIDTH: tl.constexpr, MASKED: tl.constexpr
):
    """softplus((1 - 2y) a) summed over the outputs; the derivative takes the place of `a (N, O)`."""
    n, k = tl.program_id(0).to(tl.int64) * FRAMES + tl.arange(0, FRAMES), tl.arange(0, WIDTH)
    inside = (n < N)[:, None] & (k < O)[None, :]
    place = n[:, None] * O + k[None, :]
    there = inside
    if MASKED:
        there = inside & (tl.load(live + n, mask=n < N, other=0) != 0)[:, None]
    sign = 1.0 - 2.0 * tl.load(target + place, mask=there, other=0.0)
    s = sign * tl.load(a + place, mask=there, other=0.0)
    value = tl.where(s > 0, s, 0.0) + tl.log(1.0 + tl.exp(-tl.abs(s)))
    tl.store(nll + n, tl.sum(tl.where(there, value, 0.0), 1), mask=n < N)
    tl.store(a + place, tl.where(there, sign * sigmoid(s), 0.0), mask=inside)


@triton.jit
def _mixture(
    a,
    target,
    live,
    nll,
    M: tl.constexpr,
    D: tl.constexpr,
    LOW: tl.constexpr,
    HIGH: tl.constexpr,
    CONSTANT: tl.constexpr,
    PARTS: tl.constexpr,
    WIDTH: tl.constexpr,
    MASKED: tl.constexpr,
):
    """-log Σ_m π_m Π_d N(y_d; μ_md, σ_md²) of one frame; the derivative takes the place of `a (N, M·(1 + 2·D))`.

    With ρ the parts' shares in the density at y: dlogit = π - ρ, dμ = -ρ z / σ, dlog σ = ρ (1 - z²), z = (y - μ) / σ.
    """
    n = tl.program_id(0).to(tl.int64)
    m, d = tl.arange(0, PARTS)[:, None], tl.arange(0, WIDTH)[None, :]
    inside, alive = (m < M) & (d < D), n >= 0
    if MASKED:
        alive = tl.load(live + n) != 0
    here, there = (m < M) & alive, inside & alive
    logits = a + n * M * (1 + 2 * D) + m
    means = a + n * M * (1 + 2 * D) + M + m * D + d
    scales = means + M * D
    y = tl.load(target + n * D + d, mask=there, other=0.0)
    raw = tl.load(scales, mask=there, other=0.0)
    log_scale = tl.where(raw < LOW, LOW, tl.where(raw > HIGH, HIGH, raw))  # a NaN stays one
    inverse = tl.exp(-log_scale)
    z = (y - tl.load(means, mask=there, other=0.0)) * inverse
    logit = tl.where(m < M, tl.load(logits, mask=here, other=0.0), -1e30)
    joint = logit - tl.sum(tl.where(there, 0.5 * z * z + log_scale, 0.0), 1, keep_dims=True)
    top, top_joint = tl.max(logit, 0), tl.max(joint, 0)
    pi, rho = tl.exp(logit - top[None, :]), tl.exp(joint - top_joint[None, :])
    whole, whole_joint = tl.sum(pi, 0), tl.sum(rho, 0)
    pi, rho = pi / whole[None, :], rho / whole_joint[None, :]
    value = CONSTANT - (top_joint + tl.log(whole_joint) - top - tl.log(whole))
    tl.store(nll + n + tl.arange(0, 1), tl.where(alive, value, 0.0))
    held = (raw >= LOW) & (raw <= HIGH) | (raw != raw)
    tl.store(logits, tl.where(here, pi - rho, 0.0), mask=m < M)
    tl.store(means, tl.where(there, -rho * z * inverse, 0.0), mask=inside)
    tl.store(scales, tl.where(there & held, rho * (1.0 - z * z), 0.0), mask=inside)
