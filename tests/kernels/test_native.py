"""Layers by every compiled build this CPU can run, against the equations."""

from functools import lru_cache

import pytest
import torch

from gatedtui import kernels
from gatedtui.heads.bernoulli import Bernoulli
from gatedtui.kernels import native
from gatedtui.network import Network
from gatedtui.units import UNITS

from .cases import EPS, binary, case, distance, drawn, flat, lengths_of

SHAPES = [
    (1, 1, 3, 5),
    (9, 1, 4, 16),
    (7, 4, 6, 13),
    (40, 3, 88, 46),
    (3, 300, 20, 33),
    (23, 16, 20, 100),
]  # T, B, I, H
RAGGED = ["none", "longest first", "any order", "all shorter than T"]


@lru_cache
def expected(name, shape, ragged, started, x_grad, sparse, dtype=torch.float64):
    """The reference's values and gradients, in float64 at parameters of `dtype`: the same for every build."""
    unit, x, state = case(name, shape, dtype, started=started, x_grad=x_grad, sparse=sparse)
    state = [s.detach().double().requires_grad_() for s in flat(state)]
    x = x.detach().double().requires_grad_(x_grad)
    given = None if not state else tuple(state) if name == "lstm" else state[0]
    return everything(unit.double(), x, given, lengths_of(ragged, *shape[:2]), "reference")


def everything(unit, x, state, lengths, backend):
    """Outputs, and the gradients of a loss that weighs all of them, frames beyond row ends and final states too."""
    h, last = kernels.scan(unit, x, state, lengths, backend)
    outputs = [h, *flat(last)]
    loss = sum((o * drawn(*o.shape, seed=20 + n).to(o)).sum() for n, o in enumerate(outputs))
    wanted = [*([x] if x.requires_grad else []), *unit.parameters(), *flat(state)]
    return outputs, torch.autograd.grad(loss, wanted)


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("ragged", RAGGED)
def test_float64_values_and_gradients_are_autograd_s(build, name, ragged):
    for shape in SHAPES:
        for started, x_grad, sparse in ((False, False, False), (False, False, True), (True, True, False)):
            unit, x, state = case(name, shape, torch.float64, started=started, x_grad=x_grad, sparse=sparse)
            found = everything(unit, x, state, lengths_of(ragged, *shape[:2]), "native")
            exact = expected(name, shape, ragged, started, x_grad, sparse)
            for a, b in zip((*found[0], *found[1]), (*exact[0], *exact[1]), strict=True):
                assert a.shape == b.shape
                assert distance(a, b) < 1e-12, (shape, started, x_grad, sparse)


@pytest.mark.parametrize("name", UNITS)
def test_float32_is_as_close_to_float64_as_its_roundings_allow(build, name):
    for shape in SHAPES:
        T, B, I, H = shape
        lengths = lengths_of("any order", T, B)
        found = everything(*case(name, shape, torch.float32, started=True, x_grad=True), lengths, "native")
        exact = expected(name, shape, "any order", True, True, False, torch.float32)
        # the longest chain of roundings: T steps of sums over I + H products and of activations good to two roundings
        # each, four gates of them; then a sum over B rows a step
        bound = EPS[torch.float32] * T * (I + H + B + 8)
        for a, b in zip((*found[0], *found[1]), (*exact[0], *exact[1]), strict=True):
            assert a.dtype == torch.float32
            assert distance(a, b) < bound, shape


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("dtype", EPS)
def test_padded_lanes_are_zero_after_a_forward_and_a_backward_pass(build, name, dtype):
    for shape in ((7, 4, 6, 13), (3, 300, 5, 33), (300, 2, 5, 1)):
        unit, x, state = case(name, shape, dtype, started=True, x_grad=True)
        h, _ = kernels.scan(unit, x, state, lengths_of("any order", *shape[:2]), "native")
        torch.autograd.grad(h.sum(), [x, *unit.parameters()], retain_graph=True)
        padding = native.functions()[f"scan_padding_{native.SUFFIX[dtype]}"](h.grad_fn.held.address)
        assert padding == 0


@pytest.mark.parametrize("name", UNITS)
def test_dead_frames_reach_nothing_not_even_as_nan(build, name):
    lengths = torch.tensor([3, 7, 1, 5])
    dead = (torch.arange(7)[:, None] >= lengths)[:, :, None]
    results = []
    for filler in (0.0, float("nan")):
        unit, x, _ = case(name, (7, 4, 6, 5), torch.float64, started=False, x_grad=True)
        filled = torch.where(dead, filler, x.detach()).requires_grad_()
        h, _ = kernels.scan(unit, filled, None, lengths, "native")
        assert bool((h.masked_select(dead) == 0).all())
        weights = torch.where(dead, filler, torch.ones_like(h))
        results.append(torch.autograd.grad(h, [filled, *unit.parameters()], weights))
        assert bool((results[-1][0].masked_select(dead) == 0).all())
    torch.testing.assert_close(results[1], results[0], rtol=0, atol=0)


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("which", ["h alone", "final state alone"])
def test_gradients_are_right_when_only_one_output_is_used(build, name, which):
    gradients = []
    for backend in ("reference", "native"):
        unit, x, state = case(name, (7, 4, 6, 5), torch.float64, started=True, x_grad=True)
        h, last = kernels.scan(unit, x, state, [3, 7, 1, 5], backend)
        used = [h] if which == "h alone" else flat(last)
        gradients.append(torch.autograd.grad(sum((u**2).sum() for u in used), [x, *unit.parameters(), *flat(state)]))
    for a, b in zip(*gradients, strict=True):
        assert distance(a, b) < 1e-12


@pytest.mark.parametrize("name", UNITS)
def test_nothing_done_in_between_changes_a_gradient(build, name):
    """Other passes, and weights, output and state overwritten: the backward pass has copies of its own."""
    T, B, I, _ = shape = (7, 4, 6, 5)
    unit, x, state = case(name, shape, torch.float64, started=True, x_grad=True)
    expected = torch.autograd.grad(kernels.scan(unit, x, state, [3, 7, 1, 5], "native")[0].sum(), [x, unit.U])
    h, _ = kernels.scan(unit, x, state, [3, 7, 1, 5], "native")
    loss = h.sum()
    for other in range(12):
        kernels.scan(unit, drawn(T, B, I, seed=other).requires_grad_(), None, None, "native")[0].sum().backward()
    with torch.no_grad():
        for tensor in (h, unit.U, unit.W, *flat(state)):
            tensor.data.fill_(7.0)  # .data: not even torch hears of it
    found = torch.autograd.grad(loss, [x, unit.U], retain_graph=True)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    again = torch.autograd.grad(loss, [x, unit.U])
    torch.testing.assert_close(again, expected, rtol=0, atol=0)


@pytest.mark.parametrize("name", UNITS)
def test_an_overwritten_input_is_refused(build, name):
    unit, x, _ = case(name, (7, 4, 6, 5), torch.float64, started=False, x_grad=False)
    h, _ = kernels.scan(unit, x, None, None, "native")
    x.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        h.sum().backward()


def test_second_derivatives_are_refused_rather_than_wrong(build):
    unit, x, _ = case("gru", (3, 2, 4, 5), torch.float64, started=False, x_grad=True)
    h, _ = kernels.scan(unit, x, None, None, "native")
    (gradient,) = torch.autograd.grad((h**2).sum(), unit.U, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@pytest.mark.parametrize("name", UNITS)
def test_stacked_layers_learn_through_each_other(build, name):
    head = Bernoulli(5, 7)
    network = Network(name, 7, 5, head, 3).double()
    x, y, lengths = binary(9, 4, 7, share=0.3), binary(9, 4, 7, seed=1, share=0.3), [3, 9, 1, 5]
    gradients = [
        network.gradient(network.losses(x, y, lengths, backend=backend).sum()) for backend in ("native", "reference")
    ]
    assert distance(*gradients) < 1e-12


@pytest.mark.parametrize("dtype", EPS)
@pytest.mark.parametrize("where", ["weight", "unused column", "input", "state"])
def test_nan_in_is_nan_out(build, dtype, where):
    for name in UNITS:
        unit, x, state = case(name, (5, 3, 8, 5), dtype, started=True, x_grad=False, sparse=True)
        with torch.no_grad():
            x[:, :, 7] = 0
            place = {"weight": unit.U, "unused column": unit.W, "input": x[2], "state": flat(state)[0]}[where]
            place.view(-1)[7 if where == "unused column" else 0] = float("nan")
        h, _ = kernels.scan(unit, x, state, None, "native")
        assert bool(h.isnan().any())
        assert bool(torch.autograd.grad(h.sum(), unit.U)[0].isnan().any())
