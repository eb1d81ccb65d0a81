"""Which numbers of h are dropped on their way up, by counter as the weight noise: the same with every kernel.

Srivastava et al. (2014), *Dropout: a simple way to prevent neural networks from overfitting*, on the non-recurrent
connections alone (Zaremba et al. 2014, *Recurrent neural network regularization*): the state a layer hands to its own
next step stays whole. What stays is divided by its share, so that nothing changes where nothing is dropped.
"""

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
import torch
from torch import Tensor

from gatedtui.kernels.noise import normal_numbers

DRAWS = 1 << 31
"""The first draw of dropout under a seed; those of the weight noise lie below."""


@dataclass(frozen=True)
class Dropout:
    """Dropout of h.

    Attributes:
        share: of the numbers that is dropped, at least 0 and below 1.
        seed: of `normal_numbers`.
    """

    share: float
    seed: int

    @cached_property
    def threshold(self) -> float:
        """The normal number, in float32, below which a place is dropped."""
        return float(np.float32(NormalDist().inv_cdf(self.share))) if self.share else float("-inf")

    def factors(self, draw: int, live: Tensor, hidden: int, like: Tensor) -> Tensor:
        """What h `(T, B, H)` is multiplied by: 0, or one over the share that stays.

        Args:
            draw: which draw under the seed.
            live: bool `(T, B)`, the frames that count; rows longest first, so that their order is the packed one.
            hidden: H.
            like: gives dtype and device.
        """
        frames = int(live.sum())
        stays = (normal_numbers(self.seed, draw, frames * hidden) >= self.threshold).view(frames, hidden)
        made = torch.zeros(*live.shape, hidden, dtype=like.dtype)
        made[live] = stays.to(like.dtype) * (1 / (1 - self.share))
        return made.to(like.device)
