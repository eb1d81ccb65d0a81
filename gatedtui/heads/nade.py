"""A joint music output: each pitch given h and the pitches below it.

The neural autoregressive distribution estimator of Larochelle and Murray (2011) over the notes of a frame, its biases
linear in h: the RNN-NADE of Boulanger-Lewandowski, Bengio and Vincent (2012), *Modeling temporal dependencies in
high-dimensional sequences*. Exact, in likelihood and in sampling: 88 conditionals, one after the other.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, softplus

from gatedtui.errors import BadArgument
from gatedtui.heads.bernoulli import log_odds


class Nade(nn.Module):
    """p(y | h) = Π_k p(y_k | h, y_<k), the outputs in their order, for music from the lowest pitch up.

    With b_v and b_h the two parts of weight · h + bias:

        p(y_k = 1 | h, y_<k) = σ(b_v[k] + V_k · σ(c_k))      c_k = b_h + Σ_{j<k} y_j W_j

    Args:
        hidden: H.
        outputs: O, 88 for music.
        parts: N, hidden units of the estimator.
        generator: source of the initial weights; None means a fresh one seeded with 0, never the global one.

    Attributes:
        weight: `(O + N, H)`. bias: `(O + N,)`: the visible biases first.
        V: `(O, N)`, what the hidden units say of each output. W: `(O, N)`, what each output tells them.
        draws: how many uniform numbers a drawn frame takes: one an output.
    """

    def __init__(self, hidden: int, outputs: int, parts: int, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.hidden, self.outputs, self.parts = hidden, outputs, parts
        self.draws = outputs
        self.weight = nn.Parameter(torch.empty(outputs + parts, hidden))
        self.bias = nn.Parameter(torch.empty(outputs + parts))
        self.V = nn.Parameter(torch.empty(outputs, parts))
        self.W = nn.Parameter(torch.empty(outputs, parts))
        self.initialise(generator or torch.Generator().manual_seed(0))

    @torch.no_grad()
    def initialise(self, generator: torch.Generator, marginals: Any = None) -> None:
        """Weight normal with std 1/√H, V and W with std 1/√N; visible bias at the logits of `marginals`, else zero.

        Args:
            generator: source of the weights.
            marginals: `(O,)`, how often each output is one in the training frames, each strictly between 0 and 1.

        Raises:
            ValueError: marginals of another shape, or not strictly between 0 and 1.
        """
        self.weight.normal_(std=self.hidden**-0.5, generator=generator)
        for matrix in (self.V, self.W):
            matrix.normal_(std=self.parts**-0.5, generator=generator)
        self.bias.zero_()
        if marginals is not None:
            self.bias[: self.outputs] = log_odds(marginals, self.outputs)

    def biases(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """b_v `(…, O)` and b_h `(…, N)` for h `(…, H)`."""
        b_v, b_h = linear(h, self.weight, self.bias).split((self.outputs, self.parts), -1)
        return b_v, b_h

    def nll(self, h: Tensor, target: Tensor) -> Tensor:
        """Negative log-likelihood of each frame in nats: exact, the sum of those of the outputs given the ones before.

        Args:
            h: `(…, H)`, as `(T, B, H)`.
            target: `(…, O)`, zeros and ones in h's dtype.

        Returns:
            `(…)`, as `(T, B)`, at least 0; NaN where h is NaN.
        """
        b_v, c = self.biases(h)
        logits = []
        for k, y in enumerate(target.unbind(-1)):
            logits.append(b_v[..., k] + torch.sigmoid(c) @ self.V[k])
            c = c + y.unsqueeze(-1) * self.W[k]
        return softplus((1 - 2 * target) * torch.stack(logits, -1), threshold=40).sum(-1)  # as in heads/bernoulli.py

    @torch.no_grad()
    def draw(self, h: Tensor, uniform: Tensor, *, temperature: float = 1.0, greedy: bool = False) -> Tensor:
        """The outputs of one frame, each drawn given those before it: a draw from the joint distribution.

        Args:
            h: `(…, H)`, as `(B, H)`.
            uniform: `(…, O)` in [0, 1), float32 or float64, on h's device; unused when greedy.
            temperature: above 0; the logit of every conditional is divided by it. At 1 the draw is exact; another
                temperature makes each choice more cautious or adventurous, which is not the joint distribution to a
                power: that one has no such conditionals.
            greedy: the likelier value of each output given those before it, instead of a draw; not always the likeliest
                frame.

        Returns:
            `(…, O)`, zeros and ones in h's dtype; NaN where the probability is NaN.

        Raises:
            BadArgument: the temperature is not above 0 (NaN too).
        """
        if not temperature > 0:
            raise BadArgument(f"The temperature '{temperature}' must be above 0.", "Try --temperature 1.")
        b_v, c = self.biases(h)
        drawn = []
        for k in range(self.outputs):
            p = torch.sigmoid((b_v[..., k] + torch.sigmoid(c) @ self.V[k]) / temperature)
            one = ((p > 0.5) if greedy else (uniform[..., k] < p)).to(p.dtype)
            drawn.append(torch.where(p.isnan(), p, one))
            c = c + one.unsqueeze(-1) * self.W[k]
        return torch.stack(drawn, -1)

    def sample(
        self, h: Tensor, generator: torch.Generator, *, temperature: float = 1.0, greedy: bool = False
    ) -> Tensor:
        """`draw` with uniform numbers from `generator` (on h's device), which a greedy one consumes as well."""
        shape = (*h.shape[:-1], self.outputs)
        uniform = torch.rand(shape, generator=generator, dtype=h.dtype, device=h.device)
        return self.draw(h, uniform, temperature=temperature, greedy=greedy)
