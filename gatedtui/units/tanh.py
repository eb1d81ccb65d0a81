"""The traditional recurrent unit: section 3 of Chung et al. (2014)."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from gatedtui.units.unroll import unroll


class Tanh(nn.Module):
    """h_t = tanh(W x_t + U h_{t-1} + b).

    Args:
        input_size: I.
        hidden_size: H.
        generator: source of the initial weights; None means a fresh one seeded with 0, never the global one.

    Attributes:
        W: `(H, I)`. U: `(H, H)`. b: `(H,)`.
    """

    GATES = ("candidate",)

    def __init__(self, input_size: int, hidden_size: int, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.W = nn.Parameter(torch.empty(hidden_size, input_size))
        self.U = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.b = nn.Parameter(torch.empty(hidden_size))
        self.initialise(generator or torch.Generator().manual_seed(0))

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """W normal with std 1/√I, U orthogonal, b zero: our recipe (the paper does not say)."""
        self.W.normal_(std=self.input_size**-0.5, generator=generator)
        nn.init.orthogonal_(self.U, generator=generator)
        self.b.zero_()

    def start(self, x: Tensor) -> Tensor:
        """The state before the first frame, h = 0 `(B, H)`, for input `x (…, B, I)`."""
        return x.new_zeros(x.shape[-2], self.hidden_size)

    def step(self, x_t: Tensor, state: Tensor | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        """One frame.

        Args:
            x_t: `(B, I)`.
            state: h_{t-1} `(B, H)`; None is zero.

        Returns:
            h_t `(B, H)`, and the values of `GATES`, each `(B, H)`.
        """
        h = self.start(x_t) if state is None else state
        h = torch.tanh(linear(x_t, self.W, self.b) + h @ self.U.T)  # section 3
        return h, {"candidate": h}

    def forward(self, x: Tensor, state: Tensor | None = None, lengths: Any = None) -> tuple[Tensor, Tensor]:
        """All frames, the reference every faster kernel is tested against.

        Args:
            x: `(T, B, I)`.
            state: h before the first frame `(B, H)`; None is zero.
            lengths: `(B,)`, each in 1..T, rows in any order; None when every row is T long.

        Returns:
            h `(T, B, H)`, zero beyond a row's end, and h after each row's last frame `(B, H)`.

        Raises:
            ValueError: a length outside 1..T.
        """
        return unroll(self.step, x, self.start(x) if state is None else state, lengths)
