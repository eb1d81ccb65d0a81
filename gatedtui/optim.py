"""What training remembers between updates besides the weights: the rule's averages and the noise generator."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor

from gatedtui import kernels
from gatedtui.network import Dropped, Network
from gatedtui.units.unroll import live_frames


class TrainingRecipe(kernels.UpdateRecipe, Protocol):
    """What an optimiser reads of the training configuration."""

    @property
    def noise(self) -> float:
        """Standard deviation of the weight noise; 0 draws none."""
        ...

    @property
    def dropout(self) -> float:
        """Share of h that is dropped; 0 drops nothing."""
        ...


class Schedule(Protocol):
    """What a learning rate depends on."""

    @property
    def lr(self) -> float:
        """The rate of the first epoch."""
        ...

    @property
    def schedule(self) -> str:
        """ "constant" or "linear"."""
        ...

    @property
    def epochs(self) -> int:
        """The epochs planned."""
        ...


def rate(recipe: Schedule, epoch: int) -> float:
    """The learning rate of an epoch, counted from 0: constant, or falling linearly to 1 % in the last one planned."""
    if recipe.schedule == "constant" or recipe.epochs < 2:
        return recipe.lr
    return recipe.lr * (1 - 0.99 * min(1.0, epoch / (recipe.epochs - 1)))


class Optimiser:
    """Weight noise and updates of one network.

        with optimiser.noise():
            gradient = network.gradient(loss of this minibatch)
        norm = optimiser.step(gradient)

    or, where `network.pieces` gives minibatches for it, all of that in one call:

        stepped = optimiser.learn(minibatch)

    Args:
        network: its `flat` vector is what is updated.
        recipe: the rule and its numbers.
        seed: of the noise, 0 … 2^63 - 1; the numbers are the same on every device and with every kernel.
        backend: which kernel does the updates.

    Raises:
        BadArgument: no rule or kernel has that name.
    """

    def __init__(self, network: Network, recipe: TrainingRecipe, *, seed: int, backend: str = "auto") -> None:
        self.network, self.recipe, self.backend = network, recipe, backend
        self.memory = kernels.update_state(network.flat, recipe.optimiser)
        self.seed, self.draws = seed, 0
        self.dropout = kernels.Dropout(recipe.dropout, seed)
        self._single: tuple[tuple[int, int], kernels.Stepper] | None = None

    @property
    def updates(self) -> int:
        """How many updates were done."""
        return int(self.memory["updates"])

    @contextmanager
    def noise(self) -> Iterator[None]:
        """Inside, W and U of the recurrent layers carry fresh normal noise; afterwards they are as before, to the bit.

        Graves (2011), *Practical variational inference for neural networks*: the gradient is taken at weights drawn
        around the clean ones, and applied to the clean ones. Both the forward and the backward pass belong inside.
        """
        std = self.recipe.noise
        if not std:
            yield
            return
        weights = self.network.flat[: self.network.n_noisy]
        clean = weights.clone()
        draws = kernels.normal_numbers(self.seed, self.draws, len(weights))
        self.draws += 1
        weights.add_(draws.to(weights), alpha=std)
        try:
            yield
        finally:
            weights.copy_(clean)

    def dropped(self, lengths: Any, steps: int, rows: int) -> Dropped | None:
        """What `network.scan` multiplies h by in the update to come; None where nothing is dropped.

        Args:
            lengths: `(B,)`, falling, each in 1..T; None when every row is T long.
            steps: T.
            rows: B.
        """
        if not self.recipe.dropout:
            return None
        live = live_frames([steps] * rows if lengths is None else lengths, steps, rows)
        return lambda layer, h: self.dropout.factors(self._drop(layer), live, h.shape[2], h)

    def _drop(self, layer: int) -> int:
        """Which draw of the dropout a layer's is in the update to come; the last layer's is the single call's."""
        return kernels.DROPS + self.updates * self.network.layers + layer

    def step(self, gradient: Tensor, *, lr: float | None = None) -> Tensor:
        """Rescales `gradient (N,)`, updates the network in place and returns the norm before rescaling (0-dimensional).

        Args:
            gradient: in the order of `network.flat`; not kept, not written.
            lr: overrides the recipe's, for a rate that varies.
        """
        return kernels.update(self.network.flat, gradient, self.memory, self.recipe, lr=lr, backend=self.backend)

    def learn(
        self, minibatch: kernels.Minibatch, *, scale: float | None = None, lr: float | None = None
    ) -> kernels.Stepped:
        """One whole step in one call: noise, gradient, rescaling and update, with the values of the pieces.

        Args:
            minibatch: made by `network.pieces`.
            scale: the loss is this times the summed NLL; None is one over the number of frames.
            lr: overrides the recipe's, for a rate that varies.
        """
        noisy, draw = bool(self.recipe.noise), self.draws
        network, key = self.network, (self.network.flat.data_ptr(), self.seed)
        if self._single is None or self._single[0] != key:
            noise = kernels.Noise(self.recipe.noise, network.n_noisy, self.seed) if noisy else None
            unit, head = network.units[0], network.head
            stepper = kernels.Stepper(unit, head, network.flat, self.memory, self.recipe, noise, self.dropout)
            self._single = key, stepper
        self.draws += noisy
        drop = self._drop(0) if self.recipe.dropout else 0
        return self._single[1](minibatch, scale=scale, lr=lr, draw=draw, drop=drop)

    def state(self) -> dict[str, Tensor]:
        """Everything needed to go on bit for bit, as copies on the CPU; `generator`: the noise's seed and next draw."""
        memory = {name: value.detach().cpu().clone() for name, value in self.memory.items()}
        return {**memory, "generator": torch.tensor([self.seed, self.draws])}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Goes on from a `state()` taken with the same rule, network sizes and kind of device.

        Raises:
            ValueError: names or shapes differ from this optimiser's.
        """
        expected = {name: value.shape for name, value in self.memory.items()} | {"generator": torch.Size([2])}
        given = {name: value.shape for name, value in state.items()}
        if given != expected:
            raise ValueError(f"the optimiser's state must hold {expected}, not {given}")
        for name, value in self.memory.items():
            value.copy_(state[name])
        self.seed, self.draws = state["generator"].tolist()
        self.dropout = kernels.Dropout(self.recipe.dropout, self.seed)
