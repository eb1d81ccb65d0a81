"""The music output of section 4: one independent Bernoulli a pitch, its probability a logistic of h."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, softplus

from gatedtui.errors import BadArgument


class Bernoulli(nn.Module):
    """p(y_k = 1 | h) = σ(weight_k · h + bias_k), the outputs independent given h.

    Args:
        hidden: H.
        outputs: O, 88 for music.
        generator: source of the initial weights; None means a fresh one seeded with 0, never the global one.

    Attributes:
        weight: `(O, H)`. bias: `(O,)`.
        draws: how many uniform numbers a drawn frame takes: one an output.
    """

    def __init__(self, hidden: int, outputs: int, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.hidden, self.outputs = hidden, outputs
        self.draws = outputs
        self.weight = nn.Parameter(torch.empty(outputs, hidden))
        self.bias = nn.Parameter(torch.empty(outputs))
        self.initialise(generator or torch.Generator().manual_seed(0))

    @torch.no_grad()
    def initialise(self, generator: torch.Generator, marginals: Any = None) -> None:
        """Weight normal with std 1/√H; bias at the logits of `marginals`, else zero.

        Args:
            generator: source of the weights.
            marginals: `(O,)`, how often each output is one in the training frames, each strictly between 0 and 1
                (Laplace-smoothed). Starting there spares the first epochs the work of learning that most pitches rest.

        Raises:
            ValueError: marginals of another shape, or not strictly between 0 and 1.
        """
        self.weight.normal_(std=self.hidden**-0.5, generator=generator)
        if marginals is None:
            self.bias.zero_()
            return
        self.bias.copy_(log_odds(marginals, self.outputs))

    def logits(self, h: Tensor) -> Tensor:
        """The log odds `(…, O)` of each output for h `(…, H)`."""
        return linear(h, self.weight, self.bias)

    def nll(self, h: Tensor, target: Tensor) -> Tensor:
        """Negative log-likelihood of each frame in nats, summed over the outputs.

        -log σ(a) = softplus(-a) and -log(1 - σ(a)) = softplus(a), so both are softplus((1 - 2y) a): no cancellation at
        either end. The threshold, beyond which softplus returns its argument, is where the rest drops below float64's
        resolution (torch's own, 20, is off by 2e-9).

        Args:
            h: `(…, H)`, as `(T, B, H)`.
            target: `(…, O)`, zeros and ones in h's dtype.

        Returns:
            `(…)`, as `(T, B)`, at least 0; NaN where h is NaN.
        """
        return softplus((1 - 2 * target) * self.logits(h), threshold=40).sum(-1)

    @torch.no_grad()
    def draw(self, h: Tensor, uniform: Tensor, *, temperature: float = 1.0, greedy: bool = False) -> Tensor:
        """The outputs of one frame, each one where its uniform number lies below its probability.

        Args:
            h: `(…, H)`, as `(B, H)`.
            uniform: `(…, O)` in [0, 1), float32 or float64, on h's device; unused when greedy.
            temperature: above 0; the logits are divided by it (below 1 cautious, above 1 adventurous).
            greedy: the likelier value of each output instead of a draw.

        Returns:
            `(…, O)`, zeros and ones in h's dtype; NaN where the probability is NaN.

        Raises:
            BadArgument: the temperature is not above 0 (NaN too).
        """
        if not temperature > 0:
            raise BadArgument(f"The temperature '{temperature}' must be above 0.", "Try --temperature 1.")
        p = torch.sigmoid(self.logits(h) / temperature)
        ones = (p > 0.5) if greedy else (uniform < p)
        return torch.where(p.isnan(), p, ones.to(p.dtype))

    def sample(
        self, h: Tensor, generator: torch.Generator, *, temperature: float = 1.0, greedy: bool = False
    ) -> Tensor:
        """`draw` with uniform numbers from `generator` (on h's device), which a greedy one consumes as well."""
        shape = (*h.shape[:-1], self.outputs)
        uniform = torch.rand(shape, generator=generator, dtype=h.dtype, device=h.device)
        return self.draw(h, uniform, temperature=temperature, greedy=greedy)


def log_odds(marginals: Any, outputs: int) -> Tensor:
    """The biases `(O,)`, float64, at which outputs are one as often as the marginals `(O,)` say.

    Raises:
        ValueError: marginals of another shape, or not strictly between 0 and 1.
    """
    p = torch.as_tensor(marginals, dtype=torch.float64)
    if p.shape != (outputs,) or not bool(((p > 0) & (p < 1)).all()):
        raise ValueError(f"marginals must be {outputs} numbers strictly between 0 and 1")
    return torch.logit(p)
