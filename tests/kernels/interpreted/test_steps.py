"""Whole updates by the Triton kernels, of one run and of several at once, against those of plain autograd."""

import types

import numpy as np
import pytest
import torch

from gatedtui.data.batches import Batch
from gatedtui.heads.bernoulli import Bernoulli
from gatedtui.heads.mixture import MixtureOfGaussians
from gatedtui.network import Network
from gatedtui.optim import Optimiser
from gatedtui.stack import Stack, side_by_side
from tests.kernels.cases import binary, distance, drawn

pytestmark = pytest.mark.triton


def recipe(optimiser):
    return types.SimpleNamespace(
        optimiser=optimiser,
        lr=1e-2,
        momentum=0.9,
        averaging=0.95,
        eps=1e-4,
        clip=1.0,
        clip_what="gradient",
        noise=0.05,
        dropout=0.0,
    )


def network(unit, kind, seed, layers=1):
    head = Bernoulli(6, 4) if kind == "bernoulli" else MixtureOfGaussians(6, 3, 2)
    made = Network(unit, 5, 6, head, layers, generator=torch.Generator().manual_seed(seed)).double()
    made.flat.copy_(drawn(len(made.flat), seed=seed, std=0.3))
    return made


def batch(kind, steps, lengths, seed):
    rows = len(lengths)
    outputs = binary(steps, rows, 4, seed=seed) if kind == "bernoulli" else drawn(steps, rows, 2, seed=seed)
    live = (np.arange(steps)[:, None] < np.array(lengths))[..., None]
    x, y = (np.where(live, v.numpy(), 0).astype(np.float32) for v in (drawn(steps, rows, 5, seed=seed + 1), outputs))
    return Batch(x, y, np.array(lengths), np.arange(rows))


@pytest.mark.parametrize(
    ("unit", "kind", "optimiser", "layers"), [("gru", "bernoulli", "rmsprop", 1), ("tanh", "mixture", "adam", 2)]
)
def test_a_stack_and_a_single_run_make_the_updates_of_plain_autograd(unit, kind, optimiser, layers):
    seeds, rates, plan = (3, 4), (1e-2, 2e-3), recipe(optimiser)
    batches = [batch(kind, 3, [3, 2, 1], 10), batch(kind, 2, [2, 1], 20)]
    made = {}
    for backend in ("reference", "cuda"):
        made[backend] = []
        for seed, rate, one in zip(seeds, rates, batches, strict=True):
            alone = network(unit, kind, seed, layers)
            optimiser_ = Optimiser(alone, plan, seed=seed, backend=backend)
            x, y = (torch.from_numpy(part).double() for part in (one.x, one.y))
            for _ in range(2):
                with optimiser_.noise():
                    gradient = alone.gradient(alone.losses(x, y, one.lengths, backend=backend).sum() * 0.1)
                optimiser_.step(gradient, lr=rate)
            made[backend].append(alone.flat)
    networks = [network(unit, kind, seed, layers) for seed in seeds]
    optimisers = [Optimiser(one, plan, seed=seed, backend="cuda") for one, seed in zip(networks, seeds, strict=True)]
    stack = Stack(networks, optimisers, backend="cuda")
    for _ in range(2):
        nll, norm = stack.learn(*side_by_side(batches, stack.flat), [0.1, 0.1], rates)
        assert bool(torch.isfinite(nll).all()) and bool(torch.isfinite(norm).all())
    for run, plain in enumerate(made["reference"]):
        assert distance(made["cuda"][run], plain) < 1e-12
        assert distance(networks[run].flat, plain) < 1e-12
        assert not torch.equal(plain, network(unit, kind, seeds[run], layers).flat)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy tells of NaNs
def test_a_run_that_is_not_finite_is_left_as_it_was_and_the_other_is_not():
    networks = [network("gru", "bernoulli", seed) for seed in (3, 4)]
    networks[0].flat[1] = float("nan")
    before = [one.flat.clone() for one in networks]
    optimisers = [Optimiser(one, recipe("rmsprop"), seed=1, backend="cuda") for one in networks]
    stack = Stack(networks, optimisers, backend="cuda")
    one = batch("bernoulli", 2, [2, 1], 20)
    nll, norm = stack.learn(*side_by_side([one, one], stack.flat), [1.0, 1.0], [1e-2, 1e-2])
    assert nll.isnan().tolist() == norm.isnan().tolist() == [True, False]
    torch.testing.assert_close(networks[0].flat, before[0], rtol=0, atol=0, equal_nan=True)
    assert not torch.equal(networks[1].flat, before[1])
    assert not optimisers[0].memory["mean"].any() and bool(optimisers[1].memory["mean"].any())
