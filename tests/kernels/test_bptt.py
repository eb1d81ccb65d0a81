"""The backward pass by hand against the units' own autograd: values, final states and every gradient."""

import pytest
import torch

from gatedtui.kernels import scan
from gatedtui.units import UNITS

SHAPES = [(1, 1, 3, 5), (1, 4, 3, 1), (9, 1, 4, 5), (7, 4, 6, 13), (23, 8, 5, 7)]  # T, B, I, H
RAGGED = ["none", "full", "longest first", "any order", "shortest first", "all shorter than T", "equal ends"]


def lengths_of(kind, steps, rows):
    generator = torch.Generator().manual_seed(steps * 100 + rows)
    some = torch.randint(1, steps + 1, (rows,), generator=generator)
    match kind:
        case "none":
            return None
        case "full":
            return torch.full((rows,), steps)
        case "longest first":
            return some.sort(descending=True).values
        case "shortest first":
            return some.sort().values.tolist()
        case "all shorter than T":
            return some.clamp(max=max(1, steps - 2))
        case "equal ends":
            return torch.where(torch.arange(rows) % 2 == 0, 1, steps)
        case _:
            return some


def case(name, shape, *, dtype=torch.float64, started=True, device="cpu"):
    """A unit with nothing at zero, an input and a state, all wanting gradients."""
    T, B, I, H = shape
    generator = torch.Generator().manual_seed(5)

    def draw(*size, std=1.0):
        return torch.empty(size, dtype=torch.float64).normal_(std=std, generator=generator).to(device, dtype)

    unit = UNITS[name](I, H).to(device, dtype)
    with torch.no_grad():
        for p in unit.parameters():
            p.copy_(draw(*p.shape, std=p.shape[-1] ** -0.5))
    x, h0, c0 = (draw(*size).requires_grad_() for size in ((T, B, I), (B, H), (B, H)))
    state = None if not started else (h0, c0) if name == "lstm" else h0
    return unit, x, state


def flat(state):
    return [] if state is None else list(state) if isinstance(state, tuple) else [state]


def everything(unit, x, state, lengths, backend, *, seed=9):
    """Outputs, and the gradients of a loss that weighs all of them, frames beyond row ends and final states too."""
    h, last = scan(unit, x, state, lengths, backend)
    outputs = [h, *flat(last)]
    generator = torch.Generator().manual_seed(seed)
    loss = sum((o * torch.randn(o.shape, dtype=torch.float64, generator=generator).to(o)).sum() for o in outputs)
    return outputs, torch.autograd.grad(loss, [x, *unit.parameters(), *flat(state)])


def distance(a, b):
    """Largest difference over the largest value."""
    a, b = a.detach().double(), b.detach().double()
    return float((a - b).abs().max() / b.abs().max().clamp_min(1e-30))


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("ragged", RAGGED)
def test_float64_values_and_gradients_equal_autograd_s(name, ragged):
    for shape in SHAPES:
        for started in (False, True):
            unit, x, state = case(name, shape, started=started)
            lengths = lengths_of(ragged, *shape[:2])
            expected = everything(unit, x, state, lengths, "reference")
            found = everything(unit, x, state, lengths, "bptt")
            for a, b in zip((*found[0], *found[1]), (*expected[0], *expected[1]), strict=True):
                assert a.shape == b.shape
                assert distance(a, b) < 1e-10, (shape, started)


@pytest.mark.parametrize("name", UNITS)
def test_float32_is_as_close_to_float64_as_its_roundings_allow(name):
    T, B, I, H = shape = (23, 8, 5, 7)
    lengths = lengths_of("any order", T, B)
    unit, x, state = case(name, shape, dtype=torch.float32)
    found = everything(unit, x, state, lengths, "bptt")
    exact_state = [s.detach().double().requires_grad_() for s in flat(state)]
    exact_state = tuple(exact_state) if name == "lstm" else exact_state[0]
    exact = everything(unit.double(), x.detach().double().requires_grad_(), exact_state, lengths, "reference")
    # the longest chain of roundings: T steps of sums over I + H products, then a sum over B rows a step
    bound = torch.finfo(torch.float32).eps * T * (I + H + B)
    for a, b in zip((*found[0], *found[1]), (*exact[0], *exact[1]), strict=True):
        assert a.dtype == torch.float32
        assert distance(a, b) < bound


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("ragged", ["none", "any order"])
def test_cuda_gives_the_cpu_s_values_and_gradients(name, ragged):
    shape = (23, 8, 5, 7)
    results = [
        everything(*case(name, shape, device=device), lengths_of(ragged, *shape[:2]), backend)
        for device, backend in (("cuda", "bptt"), ("cpu", "reference"))
    ]
    for a, b in zip((*results[0][0], *results[0][1]), (*results[1][0], *results[1][1]), strict=True):
        assert distance(a.cpu(), b) < 1e-10


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("which", ["h alone", "final state alone"])
def test_gradients_are_right_when_only_one_output_is_used(name, which):
    gradients = []
    for backend in ("reference", "bptt"):
        unit, x, state = case(name, (7, 4, 6, 5))
        h, last = scan(unit, x, state, [3, 7, 1, 5], backend)
        used = [h] if which == "h alone" else flat(last)
        gradients.append(torch.autograd.grad(sum((u**2).sum() for u in used), [x, *unit.parameters(), *flat(state)]))
    for a, b in zip(*gradients, strict=True):
        assert distance(a, b) < 1e-10


@pytest.mark.parametrize("name", UNITS)
def test_dead_frames_reach_nothing_not_even_as_nan(name):
    lengths = torch.tensor([3, 7, 1, 5])
    dead = (torch.arange(7)[:, None] >= lengths)[:, :, None]
    unit, x, _ = case(name, (7, 4, 6, 5))
    results = []
    for filler in (0.0, float("nan")):
        filled = torch.where(dead, filler, x.detach()).requires_grad_()
        h, _ = scan(unit, filled, None, lengths, "bptt")
        assert bool((h.masked_select(dead) == 0).all())
        weights = torch.where(dead, filler, torch.ones_like(h))
        results.append(torch.autograd.grad(h, [filled, *unit.parameters()], weights))
        assert bool((results[-1][0].masked_select(dead) == 0).all())
    torch.testing.assert_close(results[1], results[0], rtol=0, atol=0)


@pytest.mark.parametrize("name", UNITS)
def test_a_row_s_values_do_not_depend_on_its_company(name):
    unit, x, state = case(name, (9, 5, 4, 6))
    lengths = [4, 9, 2, 9, 7]
    h, last = scan(unit, x, state, lengths, "bptt")
    for row, length in enumerate(lengths):
        own = tuple(s[row : row + 1] for s in flat(state))
        alone, alone_last = scan(unit, x[:length, row : row + 1], own if name == "lstm" else own[0], None, "bptt")
        torch.testing.assert_close(h[:length, row : row + 1], alone, rtol=0, atol=1e-12)
        for a, b in zip(flat(last), flat(alone_last), strict=True):
            torch.testing.assert_close(a[row : row + 1], b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", UNITS)
def test_a_sequence_cut_in_two_goes_on_where_it_stopped(name):
    unit, x, state = case(name, (9, 3, 4, 6))
    whole, last = scan(unit, x, state, None, "bptt")
    first, middle = scan(unit, x[:4], state, None, "bptt")
    second, end = scan(unit, x[4:], middle, None, "bptt")
    torch.testing.assert_close(torch.cat((first, second)), whole, rtol=0, atol=1e-12)
    torch.testing.assert_close(end, last, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", UNITS)
def test_arguments_are_left_as_they_were_and_a_second_call_changes_nothing(name):
    unit, x, state = case(name, (7, 4, 6, 5))
    given = [x, *unit.parameters(), *flat(state)]
    before = [g.detach().clone() for g in given]
    first = everything(unit, x, state, [3, 7, 1, 5], "bptt")
    second = everything(unit, x, state, [3, 7, 1, 5], "bptt")
    assert all(torch.equal(a, b) for a, b in zip(given, before, strict=True))
    assert all(torch.equal(a, b) for a, b in zip((*first[0], *first[1]), (*second[0], *second[1]), strict=True))


@pytest.mark.parametrize("name", UNITS)
def test_changing_the_output_before_the_backward_pass_is_refused(name):
    unit, x, _ = case(name, (7, 4, 6, 5))
    h, _ = scan(unit, x, None, None, "bptt")
    loss = h.sum()
    with torch.no_grad():
        h.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.grad(loss, unit.W)


@pytest.mark.parametrize("name", UNITS)
def test_second_derivatives_are_refused_rather_than_wrong(name):
    unit, x, _ = case(name, (3, 2, 4, 5))
    h, _ = scan(unit, x, None, None, "bptt")
    (gradient,) = torch.autograd.grad((h**2).sum(), unit.U, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@pytest.mark.parametrize("name", UNITS)
def test_a_nan_weight_makes_values_and_gradients_nan(name):
    unit, x, _ = case(name, (5, 2, 4, 3))
    with torch.no_grad():
        unit.U[0, 0] = float("nan")
    h, _ = scan(unit, x, None, None, "bptt")
    assert bool(h.isnan().any())
    assert bool(torch.autograd.grad(h.sum(), unit.U)[0].isnan().any())


def test_impossible_lengths_are_refused():
    unit, x, _ = case("gru", (7, 4, 6, 5))
    for lengths in ([0, 1, 2, 3], [1, 2, 3, 8], [1, 2, 3]):
        with pytest.raises(ValueError, match="lengths must"):
            scan(unit, x, None, lengths, "bptt")
