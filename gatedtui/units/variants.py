"""Units with a gate left out or tied: which part of a gated unit carries it, the paper's open question (section 6).

None of them is the paper's; they stand apart from its three. For the LSTM after Greff et al. (2017), *LSTM: a search
space odyssey*: the coupled gate is their CIFG, the unit without a forget gate that of Hochreiter and Schmidhuber
(1997). Parameters as in `units`: every gate has its block of W, U and b, and peepholes are rows of V.
"""

from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from gatedtui.units.unroll import unroll


class GRUWithoutReset(nn.Module):
    """z_t = σ(W_z x_t + U_z h_{t-1} + b_z), h̃_t = tanh(W x_t + U h_{t-1} + b), h_t = (1 - z_t) h_{t-1} + z_t h̃_t.

    Args:
        input_size: I.
        hidden_size: H.
        generator: source of the initial weights; None means a fresh one seeded with 0, never the global one.

    Attributes:
        W: `(2H, I)`. U: `(2H, H)`. b: `(2H,)`; the gate z, then the candidate.
    """

    GATES = ("z", "candidate")

    def __init__(self, input_size: int, hidden_size: int, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.W = nn.Parameter(torch.empty(2 * hidden_size, input_size))
        self.U = nn.Parameter(torch.empty(2 * hidden_size, hidden_size))
        self.b = nn.Parameter(torch.empty(2 * hidden_size))
        _initialise(self.W, self.U, self.b, generator)

    def start(self, x: Tensor) -> Tensor:
        """The state before the first frame, h = 0 `(B, H)`, for input `x (…, B, I)`."""
        return x.new_zeros(x.shape[-2], self.hidden_size)

    def step(self, x_t: Tensor, state: Tensor | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        """One frame: x_t `(B, I)` and h_{t-1} `(B, H)`, None for zero; gives h_t and the values of `GATES`."""
        h = self.start(x_t) if state is None else state
        z, candidate = (linear(x_t, self.W, self.b) + h @ self.U.T).chunk(2, -1)
        z, candidate = torch.sigmoid(z), torch.tanh(candidate)
        return (1 - z) * h + z * candidate, {"z": z, "candidate": candidate}

    def forward(self, x: Tensor, state: Tensor | None = None, lengths: Any = None) -> tuple[Tensor, Tensor]:
        """All frames; arguments, values and errors as `GRU.forward`."""
        return unroll(self.step, x, self.start(x) if state is None else state, lengths)


class AblatedLSTM(nn.Module):
    """The LSTM of section 3.1 with something left out.

    Args:
        input_size: I.
        hidden_size: H.
        peepholes: False leaves out V: no gate sees the cell.
        forget: "own" is the paper's gate; "none" keeps all of the cell, c_t = c_{t-1} + i_t c̃_t; "coupled" forgets as
            much as it takes in, f_t = 1 - i_t.
        generator: source of the initial weights; None means a fresh one seeded with 0, never the global one.

    Attributes:
        W: `(G·H, I)`. U: `(G·H, H)`. b: `(G·H,)`; G is 4 with a forget gate of its own, else 3, in the order i, f, c̃, o
            without f.
        V: peepholes `(G - 1, H)`, in the order i, f, o without f; there only with `peepholes`.
    """

    GATES = ("i", "f", "candidate", "o")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        peepholes: bool = True,
        forget: Literal["own", "none", "coupled"] = "own",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.forget, self.gates = forget, 4 if forget == "own" else 3
        self.W = nn.Parameter(torch.empty(self.gates * hidden_size, input_size))
        self.U = nn.Parameter(torch.empty(self.gates * hidden_size, hidden_size))
        self.b = nn.Parameter(torch.empty(self.gates * hidden_size))
        self.V = nn.Parameter(torch.zeros(self.gates - 1, hidden_size)) if peepholes else None
        _initialise(self.W, self.U, self.b, generator)

    def start(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The state before the first frame, h = c = 0, each `(B, H)`, for input `x (…, B, I)`."""
        zero = x.new_zeros(x.shape[-2], self.hidden_size)
        return zero, zero

    def step(
        self, x_t: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[tuple[Tensor, Tensor], dict[str, Tensor]]:
        """One frame: x_t `(B, I)` and (h_{t-1}, c_{t-1}), None for zero; gives (h_t, c_t) and the values of `GATES`."""
        h, c = self.start(x_t) if state is None else state
        i, *own, candidate, o = (linear(x_t, self.W, self.b) + h @ self.U.T).chunk(self.gates, -1)
        V = None if self.V is None else list(self.V)
        i = torch.sigmoid(i if V is None else i + V[0] * c)
        if own:
            f = torch.sigmoid(own[0] if V is None else own[0] + V[1] * c)
        else:
            f = 1 - i if self.forget == "coupled" else torch.ones_like(i)
        candidate = torch.tanh(candidate)
        c = f * c + i * candidate
        o = torch.sigmoid(o if V is None else o + V[-1] * c)  # its peephole sees the new cell, as the paper's
        return (o * torch.tanh(c), c), {"i": i, "f": f, "candidate": candidate, "o": o}

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None, lengths: Any = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """All frames; arguments, values and errors as `LSTM.forward`."""
        return unroll(self.step, x, self.start(x) if state is None else state, lengths)


@torch.no_grad()
def _initialise(W: Tensor, U: Tensor, b: Tensor, generator: torch.Generator | None) -> None:
    """As the paper's units: W normal with std 1/√I, U orthogonal for each gate, b zero."""
    generator = generator or torch.Generator().manual_seed(0)
    W.normal_(std=W.shape[1] ** -0.5, generator=generator)
    for U_gate in U.split(U.shape[1]):
        nn.init.orthogonal_(U_gate, generator=generator)
    b.zero_()


VARIANTS: dict[str, Any] = {
    "gru-no-reset": GRUWithoutReset,
    "lstm-no-peepholes": partial(AblatedLSTM, peepholes=False),
    "lstm-no-forget": partial(AblatedLSTM, forget="none"),
    "lstm-coupled": partial(AblatedLSTM, forget="coupled"),
}
"""Each variant by the name a model file gives it, made like the units of `UNITS`."""
