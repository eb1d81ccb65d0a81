"""The update rules against torch's optimisers and against Graves' equations, in float64."""

import types

import numpy as np
import pytest
import torch

from gatedtui.errors import BadArgument
from gatedtui.kernels import update, update_state


def recipe(optimiser, **changes):
    rmsprop = {"lr": 1e-3, "momentum": 0.9, "averaging": 0.95, "eps": 1e-4, "clip": 0.0, "clip_what": "gradient"}
    adam = {"lr": 1e-3, "momentum": 0.9, "averaging": 0.999, "eps": 1e-8, "clip": 0.0, "clip_what": "gradient"}
    values = rmsprop if optimiser == "rmsprop" else adam
    return types.SimpleNamespace(optimiser=optimiser, **(values | changes))


def gradients(n=30, size=40):
    return torch.randn(n, size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def run(plan, vectors, lrs=None):
    w = torch.linspace(-1, 1, vectors.shape[1], dtype=torch.float64)
    state = update_state(w, plan.optimiser)
    norms = [update(w, g, state, plan, lr=None if lrs is None else lrs[k]) for k, g in enumerate(vectors)]
    return w, torch.stack(norms), state


@pytest.mark.parametrize("optimiser", ["rmsprop", "adam"])
def test_fifty_updates_equal_torch_s(optimiser):
    eps = 0.0 if optimiser == "rmsprop" else 1e-8  # torch puts it outside rmsprop's root
    w, _, state = run(recipe(optimiser, eps=eps), gradients(50))
    theirs = torch.nn.Parameter(torch.linspace(-1, 1, 40, dtype=torch.float64))
    if optimiser == "rmsprop":
        other = torch.optim.RMSprop([theirs], lr=1e-3, alpha=0.95, eps=0.0, momentum=0.9, centered=True)
    else:
        other = torch.optim.Adam([theirs], lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
    for g in gradients(50):
        theirs.grad = g.clone()
        other.step()
    torch.testing.assert_close(w, theirs.detach(), rtol=0, atol=1e-12)
    assert int(state["updates"]) == 50


def test_rmsprop_is_graves_s_with_eps_inside_the_root_and_the_rate_inside_the_momentum():
    vectors, lrs = gradients(), np.linspace(1e-3, 1e-5, 30)
    w, _, _ = run(recipe("rmsprop"), vectors, lrs)
    expected, n, m, delta = np.linspace(-1, 1, 40), np.zeros(40), np.zeros(40), np.zeros(40)
    for g, lr in zip(vectors.numpy(), lrs, strict=True):
        n = 0.95 * n + 0.05 * g**2
        m = 0.95 * m + 0.05 * g
        delta = 0.9 * delta - lr * g / np.sqrt(n - m**2 + 1e-4)
        expected = expected + delta
    np.testing.assert_allclose(w.numpy(), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("optimiser", ["rmsprop", "adam"])
def test_a_long_gradient_is_rescaled_as_a_whole_and_a_short_one_is_not(optimiser):
    vectors = gradients()
    norms = vectors.norm(dim=1)
    clip = float(norms.median())
    w, found, _ = run(recipe(optimiser, clip=clip), vectors)
    torch.testing.assert_close(found, norms, rtol=1e-14, atol=0)
    by_hand = torch.where((norms > clip)[:, None], vectors * (clip / norms)[:, None], vectors)
    assert not torch.equal(by_hand, vectors)
    torch.testing.assert_close(w, run(recipe(optimiser), by_hand)[0], rtol=0, atol=1e-14)


def test_a_zero_gradient_is_no_reason_for_nan():
    for optimiser in ("rmsprop", "adam"):
        w, norms, _ = run(recipe(optimiser, clip=1.0), torch.zeros(3, 4, dtype=torch.float64))
        assert torch.equal(w, torch.linspace(-1, 1, 4, dtype=torch.float64))
        assert not norms.any()


@pytest.mark.parametrize("optimiser", ["rmsprop", "adam"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_nan_or_infinite_gradient_does_not_pass_for_an_update(optimiser, bad):
    vectors = gradients(3)
    vectors[1, 5] = bad
    w, norms, _ = run(recipe(optimiser, clip=1.0), vectors)
    assert norms.isfinite().tolist() == [True, False, True]
    assert bool(w.isnan().any())


def test_the_gradient_is_only_read():
    vectors = gradients(2)
    before = vectors.clone()
    run(recipe("rmsprop", clip=0.1), vectors)
    assert torch.equal(vectors, before)


def test_an_unknown_rule_is_refused():
    with pytest.raises(BadArgument, match="'rmsprob'"):
        update_state(torch.zeros(2), "rmsprob")
    with pytest.raises(BadArgument, match="'sgd'"):
        update(torch.zeros(2), torch.zeros(2), {}, recipe("sgd"))


@pytest.mark.parametrize("optimiser", ["rmsprop", "adam"])
def test_a_long_change_is_shortened_as_a_whole_and_the_memory_keeps_it_as_it_was(optimiser):
    vectors, plan = gradients(), recipe(optimiser)
    steps, w, state = [], torch.zeros(40, dtype=torch.float64), update_state(torch.zeros(40), optimiser)
    state = {name: value.double() if name != "updates" else value for name, value in state.items()}
    for g in vectors:
        before = w.clone()
        update(w, g, state, plan)
        steps.append(w - before)
    lengths = torch.stack(steps).norm(dim=1)
    clip = float(lengths.median())
    shortened = [d * min(1.0, clip / float(n)) for d, n in zip(steps, lengths, strict=True)]
    assert any(not torch.equal(a, b) for a, b in zip(steps, shortened, strict=True))
    clipped, norms, memory = run(recipe(optimiser, clip=clip, clip_what="update"), vectors)
    start = torch.linspace(-1, 1, 40, dtype=torch.float64)
    torch.testing.assert_close(clipped, start + torch.stack(shortened).sum(0), rtol=0, atol=1e-13)
    torch.testing.assert_close(norms, vectors.norm(dim=1), rtol=1e-14, atol=0)
    for name, value in memory.items():
        assert torch.equal(value, state[name]), name


@pytest.mark.parametrize("optimiser", ["rmsprop", "adam"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_shortening_a_nan_or_infinite_change_does_not_hide_it(optimiser, bad):
    vectors = gradients(3)
    vectors[1, 5] = bad
    w, _, _ = run(recipe(optimiser, clip=1.0, clip_what="update"), vectors)
    assert bool(w.isnan().any())


def test_a_zero_change_is_no_reason_for_nan():
    w, _, _ = run(recipe("rmsprop", clip=1.0, clip_what="update"), torch.zeros(3, 4, dtype=torch.float64))
    assert torch.equal(w, torch.linspace(-1, 1, 4, dtype=torch.float64))
