"""The Triton recurrences against the units' own autograd: values, final states and every gradient."""

import pytest
import torch

from gatedtui.kernels import present, scan
from gatedtui.kernels.cuda import recurrence
from gatedtui.kernels.cuda.launch import launch
from gatedtui.units import UNITS
from tests.kernels.cases import case, distance, flat, lengths_of

pytestmark = pytest.mark.triton
SHAPES = {  # T, B, I, H; the interpreter takes its time over tiles
    "held": [(1, 4, 3, 1), (4, 9, 6, 13), (3, 1, 5, 37)],
    "tiled": [(1, 3, 3, 1), (3, 2, 4, 19)],
}


@pytest.fixture(params=["held", "tiled"])
def kernels(request, monkeypatch):
    """U on the chip, or read again in tiles of 16, so that 19 units are two of them."""
    monkeypatch.setattr(recurrence, "TILE", 16)
    monkeypatch.setattr(recurrence, "_fits", lambda U: request.param == "held")
    return request.param


def everything(unit, x, state, lengths, backend):
    """Outputs, and the gradients of a loss that weighs all of them, frames beyond row ends and final states too."""
    h, last = scan(unit, x, state, lengths, backend)
    outputs = [h, *flat(last)]
    generator = torch.Generator().manual_seed(9)
    loss = sum((o * torch.randn(o.shape, dtype=torch.float64, generator=generator).to(o)).sum() for o in outputs)
    return [*outputs, *torch.autograd.grad(loss, [x, *unit.parameters(), *flat(state)])]


def test_the_interpreter_makes_the_kernels_a_choice_on_the_cpu():
    assert "cuda" in present("cpu")


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("ragged", ["none", "all shorter than T"])
def test_float64_values_and_gradients_equal_autograd_s(name, ragged, kernels):
    for number, shape in enumerate(SHAPES[kernels]):
        unit, x, state = case(name, shape, torch.float64, started=number % 2 == 0, x_grad=True)
        lengths = lengths_of(ragged, *shape[:2])
        expected = everything(unit, x, state, lengths, "reference")
        for a, b in zip(everything(unit, x, state, lengths, "cuda"), expected, strict=True):
            assert a.shape == b.shape
            assert distance(a, b) < 1e-12, shape


@pytest.mark.parametrize("name", UNITS)
def test_float32_is_as_close_to_float64_as_its_roundings_allow(name):
    T, B, I, H = shape = (9, 5, 5, 21)
    lengths = lengths_of("any order", T, B)
    unit, x, state = case(name, shape, torch.float32, started=True, x_grad=True)
    found = everything(unit, x, state, lengths, "cuda")
    exact = [s.detach().double().requires_grad_() for s in flat(state)]
    exact = everything(
        unit.double(),
        x.detach().double().requires_grad_(),
        tuple(exact) if name == "lstm" else exact[0],
        lengths,
        "reference",
    )
    bound = torch.finfo(torch.float32).eps * T * (I + H + B)  # the longest chain of roundings, as for `bptt`
    for a, b in zip(found, exact, strict=True):
        assert a.dtype == torch.float32
        assert distance(a, b) < bound


@pytest.mark.parametrize("name", UNITS)
def test_dead_frames_reach_nothing_not_even_as_nan(name, kernels):
    lengths = torch.tensor([3, 4, 1])
    dead = (torch.arange(4)[:, None] >= lengths)[:, :, None]
    unit, x, _ = case(name, (4, 3, 4, 5), torch.float64, started=False, x_grad=True)
    results = []
    for filler in (0.0, float("nan")):
        filled = torch.where(dead, filler, x.detach()).requires_grad_()
        h, _ = scan(unit, filled, None, lengths, "cuda")
        assert bool((h.masked_select(dead) == 0).all())
        weights = torch.where(dead, filler, torch.ones_like(h))
        results.append(torch.autograd.grad(h, [filled, *unit.parameters()], weights))
    torch.testing.assert_close(results[1], results[0], rtol=0, atol=0)


@pytest.mark.parametrize("name", UNITS)
def test_runs_in_one_launch_have_the_values_they_have_alone(name, kernels):
    T, B, I, H = 3, 3, 4, 18 if kernels == "held" else 7
    cases = [case(name, (T, B, I, H), torch.float64, started=True, x_grad=False) for _ in range(3)]
    with torch.no_grad():
        for number, (unit, x, _) in enumerate(cases):
            x.add_(0.1 * number)
            for p in unit.parameters():
                p.mul_(1 + 0.3 * number)
    lengths = torch.tensor([[3, 2, 1], [2, 2, 3], [3, 3, 3]], dtype=torch.int32)
    stacked = [
        torch.stack(ps).detach().requires_grad_() for ps in zip(*(c[0].parameters() for c in cases), strict=True)
    ]
    states = tuple(torch.stack(parts) for parts in zip(*(flat(c[2]) for c in cases), strict=True))
    h, last = recurrence.scan_runs(name, torch.stack([c[1] for c in cases]), *stacked, state=states, lengths=lengths)
    gradients = torch.autograd.grad((h**2).sum(), stacked)
    for run, (unit, x, state) in enumerate(cases):
        alone, end = scan(unit, x, state, lengths[run], "reference")
        own = torch.autograd.grad((alone**2).sum(), list(unit.parameters()))
        for a, b in zip(
            (h[run], *(s[run] for s in last), *(g[run] for g in gradients)), (alone, *flat(end), *own), strict=True
        ):
            assert distance(a, b) < 1e-12


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy tells of NaNs
@pytest.mark.parametrize("name", UNITS)
def test_a_nan_weight_makes_values_and_gradients_nan(name):
    unit, x, _ = case(name, (3, 2, 4, 3), torch.float64, started=False, x_grad=False)
    with torch.no_grad():
        unit.U[0, 0] = float("nan")
    h, _ = scan(unit, x, None, [3, 2], "cuda")
    assert bool(h.isnan().any())
    assert bool(torch.autograd.grad(h.sum(), unit.U)[0].isnan().any())


@pytest.mark.parametrize("name", UNITS)
def test_second_derivatives_are_refused_rather_than_wrong(name):
    unit, x, _ = case(name, (2, 2, 4, 5), torch.float64, started=False, x_grad=True)
    h, _ = scan(unit, x, None, None, "cuda")
    (gradient,) = torch.autograd.grad((h**2).sum(), unit.U, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@pytest.mark.parametrize("name", UNITS)
def test_arguments_are_left_as_they_were(name):
    unit, x, state = case(name, (3, 3, 4, 5), torch.float64, started=True, x_grad=True)
    given = [x, *unit.parameters(), *flat(state)]
    before = [g.detach().clone() for g in given]
    first, second = (everything(unit, x, state, [3, 2, 1], "cuda") for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(given, before, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_what_a_step_loads_no_step_stores(name, kernels, monkeypatch):
    """Else a thread that comes late, and holds a copy of another's element, would load what that one has stored."""
    seen = []

    def watched(kernel, grid, *arguments, **options):
        before = arguments[0].clone()
        launch(kernel, grid, *arguments, **options)
        assert torch.equal(arguments[0], before)
        seen.append(kernel)

    monkeypatch.setattr(recurrence, "launch", watched)
    unit, x, state = case(name, (3, 2, 4, 5), torch.float64, started=True, x_grad=True)
    everything(unit, x, state, [3, 1], "cuda")
    assert len(seen) == 2


def test_impossible_lengths_are_refused():
    unit, x, _ = case("gru", (7, 4, 6, 5), torch.float64, started=False, x_grad=False)
    for lengths in ([0, 1, 2, 3], [1, 2, 3, 8], [1, 2, 3]):
        with pytest.raises(ValueError, match="lengths must"):
            scan(unit, x, None, lengths, "cuda")
