"""The fused losses, the update and the noise in Triton against the plain ones that define them."""

import types

import pytest
import torch

from gatedtui.heads.bernoulli import Bernoulli
from gatedtui.heads.mixture import MixtureOfGaussians
from gatedtui.heads.nade import Nade
from gatedtui.kernels import nll, noise, rules, update, update_state
from gatedtui.kernels.cuda import noise as cuda_noise
from gatedtui.kernels.cuda import rule
from tests.kernels.cases import binary, distance, drawn

pytestmark = pytest.mark.triton
NAN = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy, which the interpreter computes with, tells of NaNs


def head_and_frames(kind, dtype=torch.float64):
    """A head with nothing at zero, some log-scales beyond their limits, and frames."""
    head = Bernoulli(6, 11) if kind == "bernoulli" else MixtureOfGaussians(6, 5, 3)
    head = head.to(dtype)
    with torch.no_grad():
        for number, p in enumerate(head.parameters()):
            p.copy_(drawn(*p.shape, seed=number))
        if kind == "mixture":
            head.bias[-4:] = torch.tensor([-9.0, 8.0, 0.1, -0.2])
    h = drawn(5, 3, 6).to(dtype).requires_grad_()
    target = binary(5, 3, 11, share=0.3) if kind == "bernoulli" else drawn(5, 3, 3, seed=7)
    return head, h, target.to(dtype)


def values_and_gradients(head, h, target, mask, backend):
    values = nll(head, h, target, mask, backend)
    weights = drawn(*values.shape, seed=11).to(values)
    return [values, *torch.autograd.grad((values * weights).sum(), [h, *head.parameters()])]


@pytest.mark.parametrize("kind", ["bernoulli", "mixture"])
@pytest.mark.parametrize("masked", [False, True])
def test_losses_and_their_gradients_equal_the_heads_own(kind, masked):
    mask = torch.arange(5)[:, None] < torch.tensor([2, 5, 4]) if masked else None
    head, h, target = head_and_frames(kind)
    expected = values_and_gradients(head, h, target, mask, "reference")
    for a, b in zip(values_and_gradients(head, h, target, mask, "cuda"), expected, strict=True):
        assert a.shape == b.shape
        assert distance(a, b) < 1e-13
    head, h, target = head_and_frames(kind, torch.float32)
    for a, b in zip(values_and_gradients(head, h, target, mask, "cuda"), expected, strict=True):
        assert distance(a, b) < 1e-5


@NAN
@pytest.mark.parametrize("kind", ["bernoulli", "mixture"])
def test_a_nan_is_seen_where_it_counts_and_nowhere_else(kind):
    head, h, target = head_and_frames(kind)
    mask = torch.arange(5)[:, None] < torch.tensor([2, 5, 4])
    clean = values_and_gradients(head, h, target, mask, "cuda")
    filled = torch.where(mask[..., None], h.detach(), float("nan")).requires_grad_()
    dirty = values_and_gradients(head, filled, torch.where(mask[..., None], target, float("nan")), mask, "cuda")
    torch.testing.assert_close(dirty, clean, rtol=0, atol=0)
    with torch.no_grad():
        h[1, 0, 0] = float("nan")
    values, dh, *_ = values_and_gradients(head, h, target, mask, "cuda")
    assert values.isnan().nonzero().tolist() == [[1, 0]]
    assert bool(dh[1, 0].isnan().all())


def test_a_head_without_a_kernel_is_computed_by_its_own_equations():
    head = Nade(6, 11, 4).double()
    h, target = drawn(3, 2, 6), binary(3, 2, 11)
    assert torch.equal(nll(head, h, target, None, "cuda"), nll(head, h, target, None, "reference"))


def recipe(optimiser, what, eps):
    return types.SimpleNamespace(
        optimiser=optimiser, lr=1e-2, momentum=0.9, averaging=0.95, eps=eps, clip=3.0, clip_what=what
    )


@pytest.mark.parametrize(("optimiser", "eps"), [("rmsprop", 1e-4), ("adam", 1e-8)])
@pytest.mark.parametrize("what", ["gradient", "update"])
def test_ten_updates_equal_the_rule_s(optimiser, eps, what):
    plan, results = recipe(optimiser, what, eps), []
    for backend in ("reference", "cuda"):
        w = drawn(40)
        state = update_state(w, optimiser)
        norms = [update(w, drawn(40, seed=k), state, plan, lr=0.1 / (k + 1), backend=backend) for k in range(10)]
        results.append([w, torch.stack(norms), *state.values()])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-13, atol=1e-14)


@NAN
@pytest.mark.parametrize("optimiser", ["rmsprop", "adam"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_makes_nan_what_the_rule_does(optimiser, bad):
    results = []
    for backend in ("reference", "cuda"):
        w, gradient = drawn(40), drawn(40)
        gradient[3] = bad
        update(w, gradient, update_state(w, optimiser), recipe(optimiser, "gradient", 1e-4), backend=backend)
        results.append(w.isnan())
    assert torch.equal(*results)
    assert bool(results[0].any())


@NAN
@pytest.mark.parametrize("what", ["gradient", "update"])
def test_runs_have_rates_and_counts_of_their_own_and_one_that_may_not_is_left_alone(what):
    plan = recipe("adam", what, 1e-8)
    w, gradient = drawn(3, 1500), drawn(3, 1500, seed=1)
    gradient[1, 7] = float("nan")
    state = {name: drawn(3, 1500, seed=k).abs() * 0.1 for k, name in enumerate(rules.RULES["adam"])}
    before = [w.clone(), *(value.clone() for value in state.values())]
    lr, updates = torch.tensor([1e-3, 1e-2, 1e-1], dtype=torch.float64), torch.tensor([1, 5, 9])
    alone = []
    for run in (0, 2):
        own = {name: value[run].clone() for name, value in state.items()}
        memory = {"updates": updates[run] - 1, **own}
        alone.append([w[run].clone(), *own.values()])
        rules.update(alone[-1][0], gradient[run], memory, plan, lr=float(lr[run]))
    rule.update(w, gradient, state, plan, lr, updates, torch.tensor([True, False, True]))
    for run, expected in zip((0, 2), alone, strict=True):
        for a, b in zip((w, *state.values()), expected, strict=True):
            torch.testing.assert_close(a[run], b, rtol=1e-12, atol=1e-14)
    for a, b in zip((w, *state.values()), before, strict=True):
        assert torch.equal(a[1], b[1])


def test_the_noise_is_the_cpu_s_to_the_bit():
    seeds, draws = [1, (1 << 63) - 5], [0, 1 << 31]
    keys = torch.tensor([cuda_noise.key(seed) for seed in seeds])
    found = cuda_noise.normal_numbers(keys, torch.tensor(draws), 1235)
    for row, seed, draw in zip(found, seeds, draws, strict=True):
        assert row.numpy().tobytes() == noise.in_numpy(seed, draw, 1235).tobytes()
