"""The speech output of section 4: a mixture of Gaussians over the next samples, its parts and weights given by h."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from gatedtui.errors import BadArgument

LOG_SCALE = (-7.0, 5.0)
"""Log-scales are held in these limits (contracts: speech). Below -7 a part could sink onto digital silence, where the
density has no bound; at 5 a part is 148 times as wide as all of the data."""


class MixtureOfGaussians(nn.Module):
    """p(y | h) = Σ_m π_m Π_d N(y_d; μ_md, σ_md²): one joint mixture, each part with a diagonal covariance.

    With a = weight · h + bias, read as [M logits | M·D means | M·D log-scales], each block of D of one part together:
    π = softmax(logits), μ = means, log σ = the log-scales held in `LOG_SCALE`. The paper has 20 parts over 10 samples,
    so 20 · (1 + 2·10) = 420 numbers. After Bishop (1994), *Mixture density networks*.

    Args:
        hidden: H.
        parts: M.
        outputs: D.
        generator: source of the initial weights; None means a fresh one seeded with 0, never the global one.

    Attributes:
        weight: `(M·(1 + 2·D), H)`. bias: `(M·(1 + 2·D),)`.
        draws: how many uniform numbers a drawn frame takes: one for the part, one an output.
    """

    def __init__(
        self, hidden: int, parts: int = 20, outputs: int = 10, *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.hidden, self.parts, self.outputs = hidden, parts, outputs
        self.draws = 1 + outputs
        self.weight = nn.Parameter(torch.empty(parts * (1 + 2 * outputs), hidden))
        self.bias = nn.Parameter(torch.empty(parts * (1 + 2 * outputs)))
        self.initialise(generator or torch.Generator().manual_seed(0))

    @torch.no_grad()
    def initialise(self, generator: torch.Generator, frames: Any = None) -> None:
        """Weight normal with std 0.1/√H; each part starts at a training frame, as wide as that frame is loud.

        The parts' frames are those whose root mean square stands at the quantiles (m + ½)/M of all frames', and all
        parts weigh the same. Speech is loud and soft by four orders of magnitude, so parts of equal width leave the
        first epochs to learn that alone: on speech-a (GRU 227, Adam 1e-3) validation stood after one epoch at -0.04
        nats a frame with every mean 0, every scale the data's standard deviation and weight std 1/√H, at -5.95 with
        the scales spread, at -6.71 with the small weight as well, and at -6.81 with the means as here.

        Args:
            generator: source of the weights.
            frames: `(N, D)` training targets, N at least 1; None starts all parts at mean 0 and scale 1.

        Raises:
            ValueError: frames of another shape, none, or values that are not finite numbers.
        """
        M, D = self.parts, self.outputs
        self.weight.normal_(std=0.1 * self.hidden**-0.5, generator=generator)
        self.bias.zero_()
        if frames is None:
            return
        targets = torch.as_tensor(frames, dtype=torch.float64)
        if targets.ndim != 2 or targets.shape[1] != D or not len(targets) or not bool(targets.isfinite().all()):
            raise ValueError(f"frames must be (N, {D}) finite numbers, N at least 1")
        loudness = targets.square().mean(1).sqrt()
        rank = ((torch.arange(M, dtype=torch.float64) + 0.5) / M * len(targets)).long()
        chosen = loudness.argsort(stable=True)[rank]
        # within the limits by one, so that a part on digital silence still has a gradient
        log_scales = loudness[chosen].log().clamp(LOG_SCALE[0] + 1, LOG_SCALE[1] - 1)
        self.bias[M : M + M * D] = targets[chosen].flatten()
        self.bias[M + M * D :] = log_scales.repeat_interleave(D)

    def split(self, h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The mixture for h `(…, H)`: logits `(…, M)`, means `(…, M, D)` and log-scales `(…, M, D)`."""
        M, D = self.parts, self.outputs
        logits, means, log_scales = linear(h, self.weight, self.bias).split((M, M * D, M * D), -1)
        return logits, means.unflatten(-1, (M, D)), log_scales.unflatten(-1, (M, D)).clamp(*LOG_SCALE)

    def nll(self, h: Tensor, target: Tensor) -> Tensor:
        """Negative log-likelihood of each frame in nats: -log Σ_m exp(log π_m + Σ_d log N(y_d; μ_md, σ_md²)).

        A density may be above one, so this may be below zero: a frame foretold to within 0.01 of the data's standard
        deviation scores about -30.

        Args:
            h: `(…, H)`, as `(T, B, H)`.
            target: `(…, D)`, in h's dtype.

        Returns:
            `(…)`, as `(T, B)`; NaN where h or target is NaN.
        """
        logits, means, log_scales = self.split(h)
        z = (target.unsqueeze(-2) - means) * torch.exp(-log_scales)
        exponents = -(0.5 * z * z + log_scales).sum(-1)
        joint = torch.logsumexp(logits + exponents, -1) - torch.logsumexp(logits, -1)
        return 0.5 * self.outputs * math.log(2 * math.pi) - joint

    @torch.no_grad()
    def draw(
        self,
        h: Tensor,
        uniform: Tensor,
        *,
        temperature: float = 1.0,
        greedy: bool = False,
        limit: float = math.inf,
    ) -> Tensor:
        """The outputs of one frame: a part by its weight, then each output from that part's normal.

        The temperature takes each part's density and weight to the power 1/temperature: logits are divided by it,
        variances multiplied (Ha and Eck 2017, *A neural representation of sketch drawings*, do the same).

        Args:
            h: `(…, H)`, as `(B, H)`.
            uniform: `(…, 1 + D)` in [0, 1), float32 or float64, on h's device; the first chooses the part, the others
                become normal numbers by the inverse of the distribution function. Unused when greedy.
            temperature: above 0 (below 1 cautious, above 1 adventurous).
            greedy: the means of the weightiest part instead of a draw.
            limit: no output beyond ±limit: each normal is cut off there, its inside as probable as it was, so that
                nothing piles up at the edge as clipping would have it. The weights stay as they are.

        Returns:
            `(…, D)` in h's dtype; NaN where h is NaN.

        Raises:
            BadArgument: the temperature is not above 0 (NaN too).
        """
        if not temperature > 0:
            raise BadArgument(f"The temperature '{temperature}' must be above 0.", "Try --temperature 1.")
        logits, means, log_scales = self.split(h)
        if greedy:
            part = logits.argmax(-1)
        else:
            reached = torch.softmax(logits.to(uniform.dtype) / temperature, -1).cumsum(-1)
            part = (uniform[..., :1] >= reached).sum(-1).clamp(max=self.parts - 1)  # rounding may end the sum below 1
        place = part[..., None, None].expand(*part.shape, 1, self.outputs)
        mean, log_scale = means.gather(-2, place).squeeze(-2), log_scales.gather(-2, place).squeeze(-2)
        if greedy:
            return mean.clamp(-limit, limit)
        u, scale = uniform[..., 1:], math.sqrt(temperature) * torch.exp(log_scale)
        if limit < math.inf:
            below = torch.special.ndtr((-limit - mean) / scale).to(u)
            u = below + u * (torch.special.ndtr((limit - mean) / scale).to(u) - below)
        eps = torch.finfo(u.dtype).eps  # 0 and 1 would become infinite
        return (mean + scale * torch.special.ndtri(u.clamp(eps / 4, 1 - eps / 2)).to(mean)).clamp(-limit, limit)

    def sample(
        self, h: Tensor, generator: torch.Generator, *, temperature: float = 1.0, greedy: bool = False
    ) -> Tensor:
        """`draw` with uniform numbers from `generator` (on h's device), which a greedy one consumes as well."""
        shape = (*h.shape[:-1], self.draws)
        uniform = torch.rand(shape, generator=generator, dtype=h.dtype, device=h.device)
        return self.draw(h, uniform, temperature=temperature, greedy=greedy)
