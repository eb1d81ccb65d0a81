"""Networks of one shape trained side by side: one launch takes all of them, each with weights and a rate of its own.

A GPU spends most of a small recurrence's time between launches: runs that are launched together share that time. What
is stacked: weights, gradients and the optimisers' memories, as rows of one matrix each, which stay the networks' and
optimisers' own; what goes on in a row does not depend on the others. Nothing of a step waits for the device: what it
came to is read when the caller likes.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gatedtui import kernels
from gatedtui.data.batches import Batch
from gatedtui.heads.mixture import MixtureOfGaussians
from gatedtui.kernels import stacked
from gatedtui.kernels.graphs import Graphs
from gatedtui.network import Network
from gatedtui.optim import Optimiser


class Inputs(NamedTuple):
    """All that a step depends on besides weights and memories; R runs, on the device.

    Attributes:
        x: `(R, T, B, I)`, finite also where a row has ended.
        target: `(R, T, B, O)`, likewise.
        lengths: `(R, B)` int32, each in 0..T.
        scale: `(R,)`: a run's loss is this times its summed NLL.
        lr: `(R,)` float64: learning rates.
        updates: `(R,)` int64: how many updates each has done with this one.
        noise: what the weight noise is made from: the keys and draws, `(R, 3)` int64, or the numbers `(R, n)`.
    """

    x: Tensor
    target: Tensor
    lengths: Tensor
    scale: Tensor
    lr: Tensor
    updates: Tensor
    noise: Tensor


class Stack:
    """R networks and their optimisers as one.

    Args:
        networks: of one shape, dtype and device, of the paper's units under a Bernoulli or mixture head; their
            parameters become rows of `flat`.
        optimisers: theirs, with one rule; their memories become rows likewise. None where nothing is trained.
        backend: "cuda" takes the Triton kernels, every other name batched torch operations.
        graphs: whether whole steps are captured as CUDA graphs, one for each shape of minibatch, and replayed.

    Attributes:
        flat: all parameters `(R, N)`.
        alive: bool `(R,)`: False from the first loss or gradient of a run on that was not finite; it is then left as it
            was before.
        graphs: the steps' graphs, None where there are none.
    """

    def __init__(
        self, networks: Sequence[Network], optimisers: Sequence[Optimiser] | None, *, backend: str, graphs: bool = False
    ) -> None:
        self.networks, self.optimisers, self.fused = networks, optimisers, backend == "cuda"
        self.flat = torch.stack([network.flat for network in networks])
        self.alive = torch.ones(len(networks), dtype=torch.bool, device=self.flat.device)
        self.memory: dict[str, Tensor] = {}
        self.graphs = Graphs((self.flat, self.alive, self.memory)) if graphs else None
        if optimisers is None:
            return
        for row, network in enumerate(networks):
            network.live_in(self.flat[row])
        for name in kernels.RULES[optimisers[0].recipe.optimiser]:
            self.memory[name] = torch.stack([one.memory[name] for one in optimisers])
            for row, one in enumerate(optimisers):
                one.memory[name] = self.memory[name][row]

    def losses(self, flat: Tensor, x: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """The NLL of every frame `(R, T, B)` in nats, zero beyond a row's end.

        Frames beyond a row's end are computed like all others and counted for nothing; since a recurrence looks only
        back, no frame that counts sees them, and no gradient comes from them.

        Args:
            flat: parameters `(R, N)`.
            x: as in `Inputs`, like the two that follow.
            target: as in `Inputs`.
            lengths: as in `Inputs`.
        """
        R, T, B, _ = x.shape
        live = (torch.arange(T, device=x.device)[:, None] < lengths[:, None, :]).view(R, T * B)
        values, h = self._named(flat), x
        scan_runs = self._cuda("recurrence").scan_runs if self.fused else stacked.scan_runs
        nll_of_runs = self._cuda("losses").nll_of_runs if self.fused else stacked.nll_of_runs
        for layer in range(self.networks[0].layers):
            name = f"unit{layer + 1 if layer else ''}."
            own = {key[len(name) :]: value for key, value in values.items() if key.startswith(name)}
            h, _ = scan_runs(self.networks[0].kind, h, **own)
        head = self.networks[0].head
        parts = head.parts if isinstance(head, MixtureOfGaussians) else 0
        flat_h, y = h.reshape(R, T * B, -1), target.reshape(R, T * B, -1)
        return nll_of_runs(parts, flat_h, y, values["head.weight"], values["head.bias"], live).view(R, T, B)

    def learn(
        self, x: Tensor, target: Tensor, lengths: Tensor, scale: Sequence[float], lr: Sequence[float]
    ) -> tuple[Tensor, Tensor]:
        """One update of every run that is `alive`: noise, gradient, rescaling and update, as `Optimiser` would do it.

        Args:
            x: as in `Inputs`, like the four that follow.
            target: as in `Inputs`.
            lengths: as in `Inputs`.
            scale: as in `Inputs`.
            lr: as in `Inputs`.

        Returns:
            The summed NLL of each run and its gradient's norm before rescaling, each `(R,)`, on the device.
        """
        assert self.optimisers is not None
        device = self.flat.device
        for one in self.optimisers:
            one.memory["updates"] += 1
        made = Inputs(
            x,
            target,
            lengths,
            onto(torch.tensor(scale, dtype=self.flat.dtype), device),
            onto(torch.tensor(lr, dtype=torch.float64), device),
            onto(torch.tensor([one.updates for one in self.optimisers]), device),
            onto(self._noise(), device),
        )
        return self._step(made) if self.graphs is None else self.graphs(self._step, made)

    def _step(self, given: Inputs) -> tuple[Tensor, Tensor]:
        """What happens on the device, with nothing left to decide: it may be captured."""
        assert self.optimisers is not None
        leaf, recipe, n = self.flat.clone(), self.optimisers[0].recipe, self.networks[0].n_noisy
        if recipe.noise:
            z = given.noise
            if self.fused:
                z = self._cuda("noise").normal_numbers(z[:, :2].contiguous(), z[:, 2].contiguous(), n)
            leaf[:, :n].add_(z.to(leaf.dtype), alpha=recipe.noise)
        leaf.requires_grad_()
        nll = self.losses(leaf, given.x, given.target, given.lengths).sum((1, 2))
        (gradients,) = torch.autograd.grad((nll * given.scale).sum(), leaf)
        nll = nll.detach()
        self.alive.logical_and_(torch.isfinite(nll) & torch.isfinite(torch.linalg.vector_norm(gradients, dim=1)))
        update = self._cuda("rule").update if self.fused else stacked.update
        norms = update(self.flat, gradients, self.memory, recipe, given.lr, given.updates, self.alive)
        return nll, norms

    def _noise(self) -> Tensor:
        """What each run's weight noise of this step is made from, on the CPU."""
        assert self.optimisers is not None
        if not self.optimisers[0].recipe.noise:
            return torch.zeros(len(self.optimisers), 0)
        drawn = [(one.seed, one.draws) for one in self.optimisers]
        for one in self.optimisers:
            one.draws += 1
        if self.fused:
            return torch.tensor([(*self._cuda("noise").key(seed), draw) for seed, draw in drawn])
        return torch.stack([kernels.normal_numbers(*one, self.networks[0].n_noisy) for one in drawn])

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
        return import_module(f"gatedtui.kernels.cuda.{name}")  # where Triton is not installed, only if asked for


def side_by_side(
    batches: Sequence[Batch], like: Tensor, *, steps: int = 0, rows: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """One minibatch a run as x `(R, T, B, I)`, targets `(R, T, B, O)` and lengths `(R, B)`, padded to the largest.

    Args:
        batches: one a run; rows that a smaller one lacks have length 0.
        like: gives dtype and device.
        steps: T at least.
        rows: B at least.
    """
    R = len(batches)
    T, B = max(steps, *(len(one.x) for one in batches)), max(rows, *(len(one.rows) for one in batches))
    pinned = like.device.type == "cuda"  # written where the copy to the GPU starts from: one copy less of many MB
    x, y = (torch.zeros(R, T, B, part.shape[2], pin_memory=pinned) for part in (batches[0].x, batches[0].y))
    lengths = torch.zeros(R, B, dtype=torch.int32, pin_memory=pinned)
    for run, one in enumerate(batches):
        T_run, B_run = one.x.shape[:2]
        x.numpy()[run, :T_run, :B_run], y.numpy()[run, :T_run, :B_run] = one.x, one.y
        lengths.numpy()[run, :B_run] = one.lengths
    x, y, lengths = (onto(part, like.device) for part in (x, y, lengths))
    return x.to(like.dtype), y.to(like.dtype), lengths


def onto(value: Tensor, device: torch.device) -> Tensor:
    """A CPU tensor on a device, without waiting for it: from pageable memory, CUDA may wait for all work before."""
    return value.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else value
