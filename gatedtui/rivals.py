"""What somebody would write instead of this package, in plain torch: what the benchmark measures against.

`torch.nn.GRU` and `torch.nn.LSTM` are other equations (reset after the product, two biases, no peepholes); they are
what most would take. `NaiveCells` are the paper's equations as first written down: a cell called at every step.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

PARTS, OUTPUTS = 20, 10
LIBRARY: dict[str, Any] = {"tanh": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


class NaiveCells(nn.Module):
    """One faithful layer, each gate a pair of `nn.Linear`, nothing hoisted out of the loop.

    Args:
        unit: "tanh", "gru" or "lstm".
        inputs: I.
        hidden: H.
    """

    def __init__(self, unit: str, inputs: int, hidden: int) -> None:
        super().__init__()
        self.unit, self.hidden = unit, hidden
        gates = {"tanh": 1, "gru": 3, "lstm": 4}[unit]
        self.w = nn.ModuleList(nn.Linear(inputs, hidden) for _ in range(gates))
        self.u = nn.ModuleList(nn.Linear(hidden, hidden, bias=False) for _ in range(gates))
        if unit == "lstm":
            self.V = nn.Parameter(torch.zeros(3, hidden))

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """h `(T, B, H)` for x `(T, B, I)`; the second value is only there to look like `nn.RNN`."""
        h = c = x.new_zeros(x.shape[1], self.hidden)
        hs, w, u = [], self.w, self.u
        for x_t in x:
            if self.unit == "tanh":
                h = torch.tanh(w[0](x_t) + u[0](h))
            elif self.unit == "gru":
                r, z = torch.sigmoid(w[0](x_t) + u[0](h)), torch.sigmoid(w[1](x_t) + u[1](h))
                h = (1 - z) * h + z * torch.tanh(w[2](x_t) + u[2](r * h))
            else:
                i = torch.sigmoid(w[0](x_t) + u[0](h) + self.V[0] * c)
                f = torch.sigmoid(w[1](x_t) + u[1](h) + self.V[1] * c)
                c = f * c + i * torch.tanh(w[2](x_t) + u[2](h))
                h = torch.sigmoid(w[3](x_t) + u[3](h) + self.V[2] * c) * torch.tanh(c)
            hs.append(h)
        return torch.stack(hs), None


def layer(rival: str, unit: str, inputs: int, hidden: int) -> nn.Module:
    """The recurrent layer of `"nn"` or `"naive"`."""
    return NaiveCells(unit, inputs, hidden) if rival == "naive" else LIBRARY[unit](inputs, hidden)


def bernoulli_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Nats a frame."""
    return binary_cross_entropy_with_logits(logits, target, reduction="sum") / len(target)


def mixture_loss(numbers: Tensor, target: Tensor) -> Tensor:
    """Nats a frame of 20 Gaussians over 10 samples, as one writes it down."""
    pi = numbers[:, :PARTS].log_softmax(1)
    mean = numbers[:, PARTS : PARTS * (1 + OUTPUTS)].unflatten(1, (PARTS, OUTPUTS))
    log_scale = numbers[:, PARTS * (1 + OUTPUTS) :].unflatten(1, (PARTS, OUTPUTS)).clamp(-7, 5)
    part = torch.distributions.Normal(mean, log_scale.exp(), validate_args=False)
    return -(pi + part.log_prob(target[:, None]).sum(2)).logsumexp(1).mean()


def whole_step(rival: str, unit: str, hidden: int, x: Tensor, target: Tensor, *, music: bool) -> Callable[[], Any]:
    """One step of the paper recipe: noise on the layer's matrices, forward, loss, backward, clipping, RMSProp.

    Each call gives the loss, a 0-dimensional tensor.

    Args:
        rival: "nn" or "naive".
        unit: "tanh", "gru" or "lstm".
        hidden: H.
        x: `(T, B, I)`.
        target: `(T, B, O)`.
        music: Bernoulli outputs, else the mixture.
    """
    recurrent = layer(rival, unit, x.shape[2], hidden)
    linear = nn.Linear(hidden, 88 if music else PARTS * (1 + 2 * OUTPUTS))
    loss, flat_target = (bernoulli_loss if music else mixture_loss), target.flatten(0, 1)
    parameters = [*recurrent.parameters(), *linear.parameters()]
    noisy = [p for p in recurrent.parameters() if p.ndim == 2 and p.shape[0] != 3]
    rule = torch.optim.RMSprop(parameters, 1e-3, alpha=0.95, eps=1e-4, momentum=0.9, centered=True, foreach=True)

    def step() -> Tensor:
        rule.zero_grad(set_to_none=True)
        with torch.no_grad():
            noise = [torch.randn_like(p).mul_(0.075) for p in noisy]
            for p, e in zip(noisy, noise, strict=True):
                p.add_(e)
        value = loss(linear(recurrent(x)[0].flatten(0, 1)), flat_target)
        value.backward()
        with torch.no_grad():
            for p, e in zip(noisy, noise, strict=True):
                p.sub_(e)
        nn.utils.clip_grad_norm_(parameters, 1.0)
        rule.step()
        return value.detach()

    return step


def layer_step(
    run: Callable[[Tensor], Tensor], parameters: list[Any], hidden: int, x: Tensor, outputs: int
) -> Callable[[], Any]:
    """Forward and backward of a layer under an `nn.Linear`, a mean squared error and fused Adam, for every side alike.

    Args:
        run: h `(T, B, H)` of x.
        parameters: the layer's.
        hidden: H.
        x: `(T, B, I)`.
        outputs: of the linear layer.
    """
    linear = nn.Linear(hidden, outputs)
    target = torch.zeros(x.shape[0] * x.shape[1], outputs)
    rule = torch.optim.Adam([*parameters, *linear.parameters()], 1e-3, fused=True)

    def step() -> None:
        rule.zero_grad(set_to_none=True)
        nn.functional.mse_loss(linear(run(x).flatten(0, 1)), target).backward()
        rule.step()

    return step
