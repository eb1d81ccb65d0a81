"""Networks of one shape trained side by side: one launch takes all of them, each with weights and a rate of its own.

A GPU spends most of a small recurrence's time between launches, so that thirty runs in one cost hardly more than one.
What is stacked: weights, gradients and the optimisers' memories, as rows of one matrix each, which stay the networks'
and optimisers' own; what goes on in a row does not depend on the others.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatedtui import kernels
from gatedtui.data.batches import Batch
from gatedtui.heads.mixture import MixtureOfGaussians
from gatedtui.kernels import stacked
from gatedtui.network import Network
from gatedtui.optim import Optimiser


class Stack:
    """R networks and their optimisers as one.

    Args:
        networks: of one shape, dtype and device, of the paper's units under a Bernoulli or mixture head; their
            parameters become rows of `flat`.
        optimisers: theirs, with one rule; their memories become rows likewise. None where nothing is trained.
        backend: "cuda" takes the Triton kernels, every other name batched torch operations.

    Attributes:
        flat: all parameters `(R, N)`.
    """

    def __init__(self, networks: Sequence[Network], optimisers: Sequence[Optimiser] | None, *, backend: str) -> None:
        self.networks, self.optimisers, self.fused = networks, optimisers, backend == "cuda"
        self.flat = torch.stack([network.flat for network in networks])
        self.memory: dict[str, Tensor] = {}
        if optimisers is None:
            return
        for row, network in enumerate(networks):
            network.live_in(self.flat[row])
        for name in kernels.RULES[optimisers[0].recipe.optimiser]:
            self.memory[name] = torch.stack([one.memory[name] for one in optimisers])
            for row, one in enumerate(optimisers):
                one.memory[name] = self.memory[name][row]

    def losses(self, flat: Tensor, x: Tensor, target: Tensor, lengths: Tensor | None) -> Tensor:
        """The NLL of every frame `(R, T, B)` in nats, zero beyond a row's end.

        Args:
            flat: parameters `(R, N)`.
            x: `(R, T, B, I)`, finite also where a row has ended.
            target: `(R, T, B, O)`, likewise.
            lengths: `(R, B)` int32, each in 0..T; None when every row is T long.
        """
        R, T, B, _ = x.shape
        live = None
        if lengths is not None:
            live = (torch.arange(T, device=x.device)[:, None] < lengths[:, None, :]).view(R, T * B)
        values = self._named(flat)
        h = x
        for layer in range(self.networks[0].layers):
            name = f"unit{layer + 1 if layer else ''}."
            h = self._scan(h, {key: values.get(f"{name}{key}") for key in "WUbV"}, lengths)
        head = self.networks[0].head
        parts = head.parts if isinstance(head, MixtureOfGaussians) else 0
        nll_of_runs = self._cuda("losses").nll_of_runs if self.fused else stacked.nll_of_runs
        flat_h, y = h.reshape(R, T * B, -1), target.reshape(R, T * B, -1)
        return nll_of_runs(parts, flat_h, y, values["head.weight"], values["head.bias"], live).view(R, T, B)

    def learn(
        self, x: Tensor, target: Tensor, lengths: Tensor | None, scale: Tensor, lr: Sequence[float]
    ) -> tuple[Tensor, Tensor]:
        """One update of every run: noise, gradient, rescaling and update, as `Optimiser` would do it.

        A run whose loss or gradient is not finite is left as it was.

        Args:
            x: as in `losses`, like the two that follow.
            target: as in `losses`.
            lengths: as in `losses`.
            scale: `(R,)`: a run's loss is this times its summed NLL.
            lr: each run's learning rate.

        Returns:
            The summed NLL of each run and its gradient's norm before rescaling, each `(R,)`, on the device.
        """
        assert self.optimisers is not None
        leaf = self._noisy().requires_grad_()
        nll = self.losses(leaf, x, target, lengths).sum((1, 2))
        (gradients,) = torch.autograd.grad((nll * scale).sum(), leaf)
        nll, norms = nll.detach(), torch.linalg.vector_norm(gradients, dim=1)
        if self.fused:
            for one in self.optimisers:
                one.memory["updates"] += 1
            self._cuda("rule").update(
                self.flat,
                gradients,
                self.memory,
                self.optimisers[0].recipe,
                torch.tensor(lr, dtype=torch.float64).to(self.flat.device, non_blocking=True),
                torch.tensor([one.updates for one in self.optimisers]).to(self.flat.device, non_blocking=True),
                torch.isfinite(nll) & torch.isfinite(norms),
            )
            return nll, norms
        fine = (torch.isfinite(nll) & torch.isfinite(norms)).tolist()
        for one, gradient, rate, is_fine in zip(self.optimisers, gradients, lr, fine, strict=True):
            if is_fine:
                one.step(gradient, lr=rate)
        return nll, norms

    def _noisy(self) -> Tensor:
        """A copy of all parameters with fresh weight noise on W and U, each run's own."""
        assert self.optimisers is not None
        leaf, std, n = self.flat.clone(), self.optimisers[0].recipe.noise, self.networks[0].n_noisy
        if not std:
            return leaf
        seeds, draws = [one.seed for one in self.optimisers], [one.draws for one in self.optimisers]
        for one in self.optimisers:
            one.draws += 1
        if self.fused:
            noise = self._cuda("noise")
            keys = torch.tensor([noise.key(seed) for seed in seeds]).to(leaf.device, non_blocking=True)
            z = noise.normal_numbers(keys, torch.tensor(draws).to(leaf.device, non_blocking=True), n)
        else:
            z = torch.stack([kernels.normal_numbers(*pair, n) for pair in zip(seeds, draws, strict=True)])
        leaf[:, :n].add_(z.to(leaf), alpha=std)
        return leaf

    def _scan(self, x: Tensor, own: dict[str, Any], lengths: Tensor | None) -> Tensor:
        if self.fused:
            return self._cuda("recurrence").scan_runs(self.networks[0].kind, x, **own, lengths=lengths)[0]
        return stacked.scan_runs(self.networks[0].kind, x, **own, lengths=lengths)

    def _named(self, flat: Tensor) -> dict[str, Tensor]:
        """Views of `flat (R, N)` by the parameters' names, each with a leading axis of runs."""
        network = self.networks[0]
        names = {id(parameter): name for name, parameter in network.named_parameters()}
        ordered = network.in_order()
        pieces = flat.split([parameter.numel() for parameter in ordered], 1)
        return {
            names[id(parameter)]: piece.view(len(flat), *parameter.shape)
            for parameter, piece in zip(ordered, pieces, strict=True)
        }

    @staticmethod
    def _cuda(name: str) -> Any:
        from importlib import import_module

        return import_module(f"gatedtui.kernels.cuda.{name}")


def side_by_side(batches: Sequence[Batch], like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One minibatch a run as x `(R, T, B, I)`, targets `(R, T, B, O)` and lengths `(R, B)`, padded to the largest.

    Args:
        batches: one a run; rows that a smaller one lacks have length 0.
        like: gives dtype and device.
    """
    R, T, B = len(batches), max(len(one.x) for one in batches), max(len(one.rows) for one in batches)
    x = np.zeros((R, T, B, batches[0].x.shape[2]), np.float32)
    y = np.zeros((R, T, B, batches[0].y.shape[2]), np.float32)
    lengths = np.zeros((R, B), np.int32)
    for run, one in enumerate(batches):
        steps, rows = one.x.shape[:2]
        x[run, :steps, :rows], y[run, :steps, :rows], lengths[run, :rows] = one.x, one.y, one.lengths
    return torch.from_numpy(x).to(like), torch.from_numpy(y).to(like), torch.from_numpy(lengths).to(like.device)
