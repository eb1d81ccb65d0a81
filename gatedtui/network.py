"""A unit, or a stack of them, and a head: everything a checkpoint's tensors describe."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gatedtui import kernels
from gatedtui.config import ModelConfig
from gatedtui.errors import unknown
from gatedtui.heads.bernoulli import Bernoulli
from gatedtui.heads.mixture import MixtureOfGaussians
from gatedtui.heads.nade import Nade
from gatedtui.modelfile import WIDTHS
from gatedtui.units import UNITS
from gatedtui.units.unroll import live_frames
from gatedtui.units.variants import VARIANTS

States = tuple[Any, ...]
"""One recurrent state a layer: h `(B, H)`, for the LSTM (h, c)."""
Dropped = Callable[[int, Tensor], Tensor]
"""For a layer, counted from 0, and its h `(T, B, H)`: what h is multiplied by on its way up, likewise shaped."""


class Network(nn.Module):
    """`layers` recurrent layers of one kind and an output head on the last.

    The parameters are views of one vector, `flat`, so that noise, norm and update take one operation each instead of
    one a tensor. The weights that receive noise, W and U of every layer, come first in it. `to`, `double`, copying and
    `load_state_dict` keep it so; replacing a parameter's data, or moving a child alone, does not.

    Args:
        unit: a key of `UNITS` or `VARIANTS`.
        inputs: I.
        hidden: H, of every layer.
        head: the output head for H hidden units, initialised by the caller.
        layers: how many, the first reading x, each other the h below it.
        generator: source of the units' initial weights; None means a fresh one seeded with 0, never the global one.

    Attributes:
        kind: the unit's name.
        unit, unit2, …: the layers; head: the head. So the tensors are called `unit.W`, `unit2.U`, `head.weight`, ….
        flat: all parameters `(N,)`, without gradient; writing to it changes them.
        n_noisy: how many of its first elements are recurrent W and U.

    Raises:
        BadArgument: no unit has that name.
    """

    flat: Tensor
    head: Any

    def __init__(
        self,
        unit: str,
        inputs: int,
        hidden: int,
        head: nn.Module,
        layers: int = 1,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        known = UNITS | VARIANTS
        if unit not in known:
            raise unknown("unit", unit, known)
        generator = generator or torch.Generator().manual_seed(0)
        self.kind, self.layers = unit, layers
        for layer in range(layers):
            size = inputs if layer == 0 else hidden
            self.add_module(_name(layer), known[unit](size, hidden, generator=generator))
        self.head = head
        self._flatten()

    @property
    def units(self) -> tuple[Any, ...]:
        """The recurrent layers, the one that reads x first."""
        return tuple(self.get_submodule(_name(layer)) for layer in range(self.layers))

    def in_order(self) -> list[nn.Parameter]:
        """The parameters as they follow each other in `flat`: W and U of all layers, then b and V, then the head's."""
        matrices = [p for u in self.units for p in (u.W, u.U)]
        vectors = [p for u in self.units for name, p in u.named_parameters() if name not in ("W", "U")]
        return [*matrices, *vectors, *self.head.parameters()]

    @torch.no_grad()
    def _flatten(self) -> None:
        ordered = self.in_order()
        self.flat = torch.cat([p.detach().reshape(-1) for p in ordered])
        pieces = self.flat.split([p.numel() for p in ordered])
        for parameter, piece in zip(ordered, pieces, strict=True):
            parameter.data = piece.view(parameter.shape)
        self.n_noisy = sum(u.W.numel() + u.U.numel() for u in self.units)

    @torch.no_grad()
    def live_in(self, place: Tensor) -> None:
        """Moves all parameters into `place (N,)`, of their dtype and device, which is `flat` from now on."""
        place.copy_(self.flat)
        self.flat, begin = place, 0
        for parameter in self.in_order():
            parameter.data = place[begin : begin + parameter.numel()].view(parameter.shape)
            begin += parameter.numel()

    def _apply(self, fn: Any, recurse: bool = True) -> "Network":
        super()._apply(fn, recurse)
        self._flatten()
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._flatten()  # a copy's parameters come as tensors of their own

    def counts(self) -> dict[str, int]:
        """Number of parameters: `recurrent` (what Table 1 counts), `output`, `total`."""
        recurrent = sum(p.numel() for u in self.units for p in u.parameters())
        output = sum(p.numel() for p in self.head.parameters())
        return {"recurrent": recurrent, "output": output, "total": recurrent + output}

    def scan(
        self,
        x: Tensor,
        states: States | None = None,
        lengths: Any = None,
        *,
        backend: str = "auto",
        dropped: Dropped | None = None,
    ) -> tuple[Tensor, States]:
        """All layers over all frames; arguments and errors as `kernels.scan`, with one state a layer.

        Args:
            dropped: gives for a layer's number and its h what h is multiplied by on its way up; None is 1.

        Returns:
            h of the last layer `(T, B, H)`, zero beyond a row's end, and the states after each row's last frame.
        """
        h, after = x, []
        for layer, (unit, state) in enumerate(zip(self.units, states or (None,) * self.layers, strict=True)):
            h, state = kernels.scan(unit, h, state, lengths, backend)
            if dropped is not None:
                h = h * dropped(layer, h)
            after.append(state)
        return h, tuple(after)

    def forward(self, x: Tensor, lengths: Any = None, *, backend: str = "auto") -> Tensor:
        """h of the last layer `(T, B, H)` for x `(T, B, I)`, from the zero state."""
        return self.scan(x, None, lengths, backend=backend)[0]

    def nll(self, h: Tensor, target: Tensor, lengths: Any = None, *, backend: str = "auto") -> Tensor:
        """NLL of every frame `(T, B)` in nats, zero beyond a row's end, for h `(T, B, H)` and target `(T, B, O)`."""
        mask = None if lengths is None else live_frames(lengths, h.shape[0], h.shape[1], h.device)
        return kernels.nll(self.head, h, target, mask, backend)

    def losses(self, x: Tensor, target: Tensor, lengths: Any = None, *, backend: str = "auto") -> Tensor:
        """NLL of every frame of a minibatch, from the zero state.

        Args:
            x: `(T, B, I)`, the parameters' dtype and device.
            target: `(T, B, O)`, likewise: the frame that follows each x.
            lengths: `(B,)`, each in 1..T, rows in any order; None when every row is T long.
            backend: as in `kernels.scan`.

        Returns:
            `(T, B)` nats, summed over outputs, zero beyond a row's end. The training loss is its sum over the number of
            frames; the mean of each column over its length gives the sequence-weighted figure.
        """
        return self.nll(self(x, lengths, backend=backend), target, lengths, backend=backend)

    def pieces(self, pairs: Sequence[tuple[np.ndarray, np.ndarray]], *, backend: str = "auto") -> kernels.Pieces | None:
        """The pieces `(x (T, I), y (T, O))` in the form that `score` and the single training call read.

        None where those do not apply: with another kernel than `native`, several layers, or a head of another kind.
        """
        flat = self.flat
        native = kernels.choose(flat.device, flat.dtype, backend).backend == "native"
        if not native or not kernels.applies(self.units, self.head, flat):
            return None
        return kernels.Pieces(pairs, flat.dtype, lists=isinstance(self.head, Bernoulli | Nade))

    def score(self, minibatch: kernels.Minibatch) -> np.ndarray:
        """The NLL of each row of a minibatch of `pieces`, summed over its frames, from the zero state: `(B,)` nats."""
        return kernels.score(self.units[0], self.head, self.flat, minibatch)

    def gradient(self, loss: Tensor) -> Tensor:
        """dloss/d`flat` as a new vector `(N,)`; nothing is accumulated anywhere."""
        return torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, self.in_order())])

    @torch.no_grad()
    def step(self, x_t: Tensor, states: States | None = None) -> tuple[Tensor, States, tuple[dict[str, Tensor], ...]]:
        """One frame by the units' own equations, for sampling and for looking at the gates.

        Args:
            x_t: `(B, I)`.
            states: one a layer; None is zero.

        Returns:
            h of the last layer `(B, H)`, the new states, and each layer's gates by name, each `(B, H)`.
        """
        h, after, gates = x_t, [], []
        for unit, state in zip(self.units, states or (None,) * self.layers, strict=True):
            state, values = unit.step(h, state)
            h = state[0] if isinstance(state, tuple) else state
            after.append(state)
            gates.append(values)
        return h, tuple(after), tuple(gates)


def build(model: ModelConfig, generator: torch.Generator | None = None, *, marginals: Any = None) -> Network:
    """A network with fresh weights, float32 on the CPU.

    Args:
        model: which.
        generator: source of all weights, the head's first; None means a fresh one seeded with 0, never the global one.
        marginals: where the output bias starts: for music `(88,)`, how often each pitch sounds in the training frames;
            for speech `(N, 10)`, target frames of the training set.

    Raises:
        BadArgument: no head or unit has that name.
    """
    if model.head not in HEADS:
        raise unknown("head", model.head, HEADS)
    generator = generator or torch.Generator().manual_seed(0)
    head = HEADS[model.head](model, generator, marginals)
    return Network(model.unit, WIDTHS[model.head][0], model.hidden, head, model.layers, generator=generator)


def restore(model: ModelConfig, weights: Mapping[str, np.ndarray]) -> Network:
    """The network a config describes, on the CPU, with the weights of a checkpoint, in their dtype.

    Raises:
        BadArgument: no head or unit has that name.
    """
    tensors = {name: torch.from_numpy(np.array(value)) for name, value in weights.items()}
    network = build(model).to(tensors["unit.W"].dtype)
    network.load_state_dict(tensors)
    return network


def _bernoulli(model: ModelConfig, generator: torch.Generator, marginals: Any) -> nn.Module:
    head = Bernoulli(model.hidden, WIDTHS["bernoulli"][1])
    head.initialise(generator, marginals)
    return head


def _mixture(model: ModelConfig, generator: torch.Generator, marginals: Any) -> nn.Module:
    head = MixtureOfGaussians(model.hidden, model.parts, WIDTHS["mixture"][1])
    head.initialise(generator, marginals)
    return head


def _nade(model: ModelConfig, generator: torch.Generator, marginals: Any) -> nn.Module:
    head = Nade(model.hidden, WIDTHS["nade"][1], model.parts)
    head.initialise(generator, marginals)
    return head


HEADS = {"bernoulli": _bernoulli, "mixture": _mixture, "nade": _nade}
"""How each head of `ModelConfig.head` is made and initialised."""


def _name(layer: int) -> str:
    return "unit" if layer == 0 else f"unit{layer + 1}"
