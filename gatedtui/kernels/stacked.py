"""R runs of one network in torch operations that take all of them at once: the same values as each run alone.

The recurrence goes step by step in batched products under plain autograd, that of a single run by the backward pass by
hand; the counterparts in `cuda`, for a GPU, take the same arguments. On a GPU a step of thirty runs takes as many
launches as a step of one. Nothing here depends on a value, so that all of it can be captured as a CUDA graph.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gatedtui.heads.mixture import LOG_SCALE
from gatedtui.kernels import bptt
from gatedtui.kernels.rules import UpdateRecipe


def scan_runs(
    kind: str, x: Tensor, W: Tensor, U: Tensor, b: Tensor, V: Tensor | None = None
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """One recurrent layer of R runs from the zero state, every row T long.

    Args:
        kind: "tanh", "gru" or "lstm".
        x: `(R, T, B, I)`, float32 or float64, like all that follows.
        W: `(R, G·H, I)`.
        U: `(R, G·H, H)`.
        b: `(R, G·H)`.
        V: `(R, 3, H)`, of the LSTM alone.

    Returns:
        h `(R, T, B, H)`, and nothing in place of the last states.
    """
    R, T, B, _ = x.shape
    H = U.shape[-1]
    if R == 1:
        return bptt.dense(kind, x[0], W[0], U[0], b[0], None if V is None else V[0])[None], ()
    g = torch.baddbmm(b[:, None], x.reshape(R, T * B, -1), W.mT).view(R, T, B, -1)
    h = c = x.new_zeros(R, B, H)
    outputs = []
    for g_t in g.unbind(1):
        if kind == "tanh":
            h = torch.tanh(torch.baddbmm(g_t, h, U.mT))
        elif kind == "gru":
            r, z = torch.sigmoid(torch.baddbmm(g_t[..., : 2 * H], h, U[:, : 2 * H].mT)).chunk(2, -1)
            a = torch.tanh(torch.baddbmm(g_t[..., 2 * H :], r * h, U[:, 2 * H :].mT))
            h = torch.lerp(h, a, z)
        else:
            assert V is not None
            V_i, V_f, V_o = V[:, :, None].unbind(1)
            i, f, a, o = torch.baddbmm(g_t, h, U.mT).chunk(4, -1)
            c = torch.sigmoid(f + V_f * c) * c + torch.sigmoid(i + V_i * c) * torch.tanh(a)
            h = torch.sigmoid(o + V_o * c) * torch.tanh(c)
        outputs.append(h)
    return torch.stack(outputs, 1), ()


def nll_of_runs(parts: int, h: Tensor, target: Tensor, weight: Tensor, bias: Tensor, live: Tensor | None) -> Tensor:
    """The NLL of every frame of R runs `(R, N)` in nats, 0 where masked; as the heads' own `nll`.

    Args:
        parts: M of the mixture; 0 is the Bernoulli output.
        h: `(R, N, H)`.
        target: `(R, N, O)`, finite everywhere.
        weight: `(R, outputs, H)`.
        bias: `(R, outputs)`.
        live: bool `(R, N)`; None when every frame counts.
    """
    a, D = torch.baddbmm(bias[:, None], h, weight.mT), target.shape[-1]
    if parts:
        logits, means, log_scales = a.split((parts, parts * D, parts * D), -1)
        log_scales = log_scales.unflatten(-1, (parts, D)).clamp(*LOG_SCALE)
        z = (target.unsqueeze(-2) - means.unflatten(-1, (parts, D))) * torch.exp(-log_scales)
        joint = torch.logsumexp(logits - (0.5 * z * z + log_scales).sum(-1), -1) - torch.logsumexp(logits, -1)
        nll = 0.5 * D * math.log(2 * math.pi) - joint
    else:
        nll = softplus((1 - 2 * target) * a, threshold=40).sum(-1)
    return nll if live is None else torch.where(live, nll, 0.0)


@torch.no_grad()
def update(
    parameters: Tensor,
    gradients: Tensor,
    memory: dict[str, Tensor],
    recipe: UpdateRecipe,
    lr: Tensor,
    updates: Tensor,
    ok: Tensor,
) -> Tensor:
    """One update of each run, in place; the rules and their sources are told in `rules`.

    Args:
        parameters: `(R, N)`, contiguous; written.
        gradients: `(R, N)`, same dtype and device; read.
        memory: the rule's vectors `(R, N)`; written.
        recipe: the rule and its numbers, but for the rate.
        lr: `(R,)`, float64, on the device.
        updates: `(R,)`, int64, on the device: how many updates each run has done with this one; read by adam.
        ok: bool `(R,)`: runs where it is False are left as they are, memory and all.

    Returns:
        The gradients' norms before rescaling, `(R,)`.
    """
    kind, rate = parameters.dtype, lr.to(parameters.dtype)[:, None]
    norm = torch.linalg.vector_norm(gradients, dim=1)
    if recipe.clip > 0 and recipe.clip_what == "gradient":
        gradients = gradients * (recipe.clip / norm).clamp(max=1)[:, None]
    averaging, momentum = recipe.averaging, recipe.momentum
    new = {"mean_square": memory["mean_square"] * averaging + gradients * gradients * (1 - averaging)}
    if recipe.optimiser == "rmsprop":
        new["mean"] = memory["mean"] * averaging + gradients * (1 - averaging)
        variance = (new["mean_square"] - new["mean"] * new["mean"]).clamp(min=0)  # rounding can leave it below zero
        new["velocity"] = memory["velocity"] * momentum - rate * gradients / (variance + recipe.eps).sqrt()
        change = new["velocity"]
    else:
        first, second = ((1 - beta ** updates.double()).to(kind)[:, None] for beta in (momentum, averaging))
        new["mean"] = memory["mean"] * momentum + gradients * (1 - momentum)
        change = -rate / first * new["mean"] / ((new["mean_square"] / second).sqrt() + recipe.eps)
    if recipe.clip > 0 and recipe.clip_what == "update":
        change = change * (recipe.clip / torch.linalg.vector_norm(change, dim=1)).clamp(max=1)[:, None]
    for name, value in new.items():
        memory[name].copy_(torch.where(ok[:, None], value, memory[name]))
    parameters.add_(torch.where(ok[:, None], change, 0.0))
    return norm
