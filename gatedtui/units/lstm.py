"""The long short-term memory unit: section 3.1 of Chung et al. (2014), after Graves (2013).

The gates see the memory cell through diagonal peepholes, and every gate has one bias: `torch.nn.LSTM` does neither.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from gatedtui.units.unroll import unroll


class LSTM(nn.Module):
    """Gates i (input), f (forget), the candidate c̃ and o (output), stacked in this order in the parameters.

    Args:
        input_size: I.
        hidden_size: H.
        generator: source of the initial weights; None means a fresh one seeded with 0, never the global one.

    Attributes:
        W: `(4H, I)`. U: `(4H, H)`. b: `(4H,)`. V: peepholes `(3, H)`, the diagonals of i, f, o.
    """

    GATES = ("i", "f", "candidate", "o")

    def __init__(self, input_size: int, hidden_size: int, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.W = nn.Parameter(torch.empty(4 * hidden_size, input_size))
        self.U = nn.Parameter(torch.empty(4 * hidden_size, hidden_size))
        self.b = nn.Parameter(torch.empty(4 * hidden_size))
        self.V = nn.Parameter(torch.empty(3, hidden_size))
        self.initialise(generator or torch.Generator().manual_seed(0))

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """W normal with std 1/√I, U orthogonal for each gate, b zero, and V zero: our recipe (the paper does not say).

        Peepholes at zero start as the unit without peepholes; their gradient is not zero, so they learn from there.
        """
        self.W.normal_(std=self.input_size**-0.5, generator=generator)
        for U_gate in self.U.chunk(4):
            nn.init.orthogonal_(U_gate, generator=generator)
        self.b.zero_()
        self.V.zero_()

    def start(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The state before the first frame, h = c = 0, each `(B, H)`, for input `x (…, B, I)`."""
        zero = x.new_zeros(x.shape[-2], self.hidden_size)
        return zero, zero

    def step(
        self, x_t: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[tuple[Tensor, Tensor], dict[str, Tensor]]:
        """One frame.

        Args:
            x_t: `(B, I)`.
            state: (h_{t-1}, c_{t-1}), each `(B, H)`; None is zero.

        Returns:
            (h_t, c_t), each `(B, H)`, and the values of `GATES`, each `(B, H)`.
        """
        h, c = self.start(x_t) if state is None else state
        Wx_i, Wx_f, Wx_c, Wx_o = linear(x_t, self.W, self.b).chunk(4, -1)  # W x_t + b of each gate
        U_i, U_f, U_c, U_o = self.U.chunk(4)
        V_i, V_f, V_o = self.V
        i = torch.sigmoid(Wx_i + h @ U_i.T + V_i * c)  # section 3.1, input gate
        f = torch.sigmoid(Wx_f + h @ U_f.T + V_f * c)  # section 3.1, forget gate
        candidate = torch.tanh(Wx_c + h @ U_c.T)  # section 3.1, new memory content c̃_t
        c = f * c + i * candidate  # section 3.1, memory cell
        o = torch.sigmoid(Wx_o + h @ U_o.T + V_o * c)  # section 3.1, output gate: its peephole sees the new cell
        h = o * torch.tanh(c)  # section 3.1, output
        return (h, c), {"i": i, "f": f, "candidate": candidate, "o": o}

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None, lengths: Any = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """All frames, the reference every faster kernel is tested against.

        Args:
            x: `(T, B, I)`.
            state: (h, c) before the first frame, each `(B, H)`; None is zero.
            lengths: `(B,)`, each in 1..T, rows in any order; None when every row is T long.

        Returns:
            h `(T, B, H)`, zero beyond a row's end, and (h, c) after each row's last frame, each `(B, H)`.

        Raises:
            ValueError: a length outside 1..T.
        """
        return unroll(self.step, x, self.start(x) if state is None else state, lengths)
