"""The gated recurrent unit: section 3.2 of Chung et al. (2014).

The reset gate acts on h before the product with U, and every gate has one bias: `torch.nn.GRU` does neither.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from gatedtui.units.unroll import unroll


class GRU(nn.Module):
    """Gates r (reset), z (update) and the candidate h̃, stacked in this order in the parameters.

    Args:
        input_size: I.
        hidden_size: H.
        generator: source of the initial weights; None means a fresh one seeded with 0, never the global one.

    Attributes:
        W: `(3H, I)`. U: `(3H, H)`. b: `(3H,)`.
    """

    GATES = ("r", "z", "candidate")

    def __init__(self, input_size: int, hidden_size: int, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.W = nn.Parameter(torch.empty(3 * hidden_size, input_size))
        self.U = nn.Parameter(torch.empty(3 * hidden_size, hidden_size))
        self.b = nn.Parameter(torch.empty(3 * hidden_size))
        self.initialise(generator or torch.Generator().manual_seed(0))

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """W normal with std 1/√I, U orthogonal for each gate, b zero: our recipe (the paper does not say)."""
        self.W.normal_(std=self.input_size**-0.5, generator=generator)
        for U_gate in self.U.chunk(3):
            nn.init.orthogonal_(U_gate, generator=generator)
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
        Wx_r, Wx_z, Wx = linear(x_t, self.W, self.b).chunk(3, -1)  # W x_t + b of each gate
        U_r, U_z, U = self.U.chunk(3)
        r = torch.sigmoid(Wx_r + h @ U_r.T)  # section 3.2, reset gate
        z = torch.sigmoid(Wx_z + h @ U_z.T)  # section 3.2, update gate
        candidate = torch.tanh(Wx + (r * h) @ U.T)  # section 3.2, candidate activation h̃_t
        h = (1 - z) * h + z * candidate  # section 3.2, activation
        return h, {"r": r, "z": z, "candidate": candidate}

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
