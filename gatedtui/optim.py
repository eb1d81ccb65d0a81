"""What training remembers between updates besides the weights: the rule's averages and the noise generator."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor

from gatedtui import kernels
from gatedtui.network import Network


class TrainingRecipe(kernels.UpdateRecipe, Protocol):
    """What an optimiser reads of the training configuration."""

    @property
    def noise(self) -> float:
        """Standard deviation of the weight noise; 0 draws none."""
        ...


class Optimiser:
    """Weight noise and updates of one network.

        with optimiser.noise():
            gradient = network.gradient(loss of this minibatch)
        norm = optimiser.step(gradient)

    Args:
        network: its `flat` vector is what is updated.
        recipe: the rule and its numbers.
        seed: of the noise, drawn on the network's device.

    Raises:
        BadArgument: no rule has the recipe's name.
    """

    def __init__(self, network: Network, recipe: TrainingRecipe, *, seed: int) -> None:
        self.network, self.recipe = network, recipe
        self.memory = kernels.update_state(network.flat, recipe.optimiser)
        self.generator = torch.Generator(network.flat.device).manual_seed(seed)

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
        draws = torch.empty_like(weights).normal_(generator=self.generator)
        weights.add_(draws, alpha=std)
        try:
            yield
        finally:
            weights.copy_(clean)

    def step(self, gradient: Tensor, *, lr: float | None = None) -> Tensor:
        """Rescales `gradient (N,)`, updates the network in place and returns the norm before rescaling (0-dimensional).

        Args:
            gradient: in the order of `network.flat`; not kept, not written.
            lr: overrides the recipe's, for a rate that varies.
        """
        return kernels.update(self.network.flat, gradient, self.memory, self.recipe, lr=lr)

    def state(self) -> dict[str, Tensor]:
        """Everything needed to go on bit for bit, as copies on the CPU; `generator` is the noise generator's state."""
        memory = {name: value.detach().cpu().clone() for name, value in self.memory.items()}
        return {**memory, "generator": self.generator.get_state()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Goes on from a `state()` taken with the same rule, network sizes and kind of device.

        Raises:
            ValueError: names or shapes differ from this optimiser's.
        """
        expected = {name: value.shape for name, value in self.memory.items()}
        given = {name: value.shape for name, value in state.items() if name != "generator"}
        if given != expected or "generator" not in state:
            raise ValueError(f"the optimiser's state must hold {expected} and 'generator', not {given}")
        for name, value in self.memory.items():
            value.copy_(state[name])
        self.generator.set_state(state["generator"].cpu())
