"""R runs of one network in torch operations that take all of them at once: the same values as each run alone.

The recurrence goes step by step in batched products under plain autograd, for any device; `cuda.recurrence.scan_runs`
is its fast counterpart on a GPU, with the same arguments. On one CPU thread nothing is gained by it, on a GPU a step of
thirty runs costs about as many launches as a step of one.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gatedtui.heads.mixture import LOG_SCALE


def scan_runs(
    kind: str, x: Tensor, W: Tensor, U: Tensor, b: Tensor, V: Tensor | None = None, lengths: Tensor | None = None
) -> Tensor:
    """One recurrent layer of R runs from the zero state.

    Args:
        kind: "tanh", "gru" or "lstm".
        x: `(R, T, B, I)`, float32 or float64, like all that follows.
        W: `(R, G·H, I)`.
        U: `(R, G·H, H)`.
        b: `(R, G·H)`.
        V: `(R, 3, H)`, of the LSTM alone.
        lengths: `(R, B)` on x's device, each in 0..T; None when every row is T long.

    Returns:
        h `(R, T, B, H)`, zero beyond a row's end.
    """
    R, T, B, _ = x.shape
    H = U.shape[-1]
    g = torch.baddbmm(b[:, None], x.reshape(R, T * B, -1), W.mT).view(R, T, B, -1)
    live = None
    if lengths is not None:
        live = (torch.arange(T, device=x.device)[:, None] < lengths[:, None, :])[..., None]
    h = c = x.new_zeros(R, B, H)
    outputs = []
    for t, g_t in enumerate(g.unbind(1)):
        before = h, c
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
        if live is None:
            outputs.append(h)
        else:
            outputs.append(torch.where(live[:, t], h, 0.0))
            h, c = (torch.where(live[:, t], new, old) for new, old in zip((h, c), before, strict=True))
    return torch.stack(outputs, 1)


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
