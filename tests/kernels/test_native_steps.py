"""Losses, updates and the single step by every compiled build this CPU can run, against the equations."""

import types
from pathlib import Path

import numpy as np
import pytest
import torch

from gatedtui import kernels
from gatedtui.heads.bernoulli import Bernoulli
from gatedtui.heads.mixture import MixtureOfGaussians
from gatedtui.heads.nade import Nade
from gatedtui.kernels import minibatch, rules, single
from gatedtui.network import Network
from gatedtui.units import UNITS

from .cases import EPS, binary, case, distance, drawn, lengths_of

HEADS = ["bernoulli", "mixture", "nade"]


def head_of(kind, hidden):
    match kind:
        case "bernoulli":
            return Bernoulli(hidden, 88)
        case "nade":
            return Nade(hidden, 88, 21)
        case _:
            return MixtureOfGaussians(hidden, 20, 10)


def head_case(kind, dtype, hidden=13):
    head = head_of(kind, hidden).to(dtype)
    with torch.no_grad():
        head.weight.copy_(drawn(*head.weight.shape, seed=1, std=0.5))
        head.bias.copy_(drawn(*head.bias.shape, seed=2))
        if kind == "mixture":  # log-scales beyond both limits: their gradient is zero
            head.bias[230:240], head.bias[250:260] = 9.0, -12.0
    return head


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("dtype", EPS)
def test_losses_and_their_gradients_are_the_heads(build, kind, dtype):
    hidden = 13
    for T, B in ((1, 1), (6, 3), (2, 300), (40, 7)):
        head, exact = head_case(kind, dtype), head_case(kind, dtype).double()
        target = drawn(T, B, 10) if kind == "mixture" else binary(T, B, 88)
        mask = torch.arange(T)[:, None] < torch.tensor(lengths_of("any order", T, B))
        for live, weights in (
            (None, torch.full((T, B), 0.3)),
            (mask, torch.full((T, B), 0.3)),
            (mask, drawn(T, B).abs()),
        ):
            results = []
            for h_dtype, used, backend in ((dtype, head, "native"), (torch.float64, exact, "reference")):
                h = drawn(T, B, hidden, seed=3).to(dtype).to(h_dtype).requires_grad_()
                values = kernels.nll(used, h, target.to(h_dtype), live, backend)
                loss = (values * weights.to(h_dtype)).sum()
                results.append([values, *torch.autograd.grad(loss, [h, *used.parameters()])])
            # sums over T·B frames; and a part's exponent, about as large as the NLL, is a sum of H + outputs roundings,
            # by which its share of the likelihood is off
            largest = float(results[1][0].detach().abs().max())
            bound = (
                1e-12 if dtype == torch.float64 else EPS[dtype] * (T * B + (hidden + target.shape[2]) * max(1, largest))
            )
            for a, b in zip(*results, strict=True):
                assert distance(a, b) < bound, (T, B)


def test_a_held_log_scale_has_no_gradient(build):
    head = head_case("mixture", torch.float64)
    with torch.no_grad():
        head.weight[220:] = 0
    values = kernels.nll(head, drawn(4, 3, 13).requires_grad_(), drawn(4, 3, 10), None, "native")
    (bias,) = torch.autograd.grad(values.sum(), head.bias)
    assert not bias[230:240].any() and not bias[250:260].any()
    assert bias[240:250].all()


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("dtype", EPS)
def test_a_nan_reaches_loss_and_gradient_in_its_own_frame(build, kind, dtype):
    head = head_case(kind, dtype)
    target = (drawn(3, 2, 10) if kind == "mixture" else binary(3, 2, 88)).to(dtype)
    h = drawn(3, 2, 13).to(dtype)
    h[1, 0, 4] = float("nan")
    h.requires_grad_()
    values = kernels.nll(head, h, target, None, "native")
    assert values.isnan().nonzero().tolist() == [[1, 0]]
    dh, weight = torch.autograd.grad(values.sum(), [h, head.weight])
    assert dh.isnan().any(2).nonzero().tolist() == [[1, 0]]
    assert bool(weight.isnan().any())


@pytest.mark.parametrize("dtype", EPS)
def test_an_infinite_logit_does_not_pass_for_a_finite_loss(build, dtype):
    head = head_case("mixture", dtype)
    with torch.no_grad():
        head.bias[3] = float("inf")
    values = kernels.nll(head, drawn(3, 2, 13).to(dtype), drawn(3, 2, 10).to(dtype), None, "native")
    assert not values.isfinite().any()


@pytest.mark.parametrize("kind", ["bernoulli", "nade"])
def test_targets_that_are_not_binary_are_the_equations_business(build, kind):
    head = head_case(kind, torch.float64)
    h, target = drawn(3, 2, 13), torch.full((3, 2, 88), 0.25, dtype=torch.float64)
    torch.testing.assert_close(kernels.nll(head, h, target, None, "native"), head.nll(h, target), rtol=0, atol=0)


# -- updates -------------------------------------------------------------------------------------------------------


def recipe(optimiser="rmsprop", **changes):
    values = {"lr": 1e-2, "momentum": 0.9, "averaging": 0.95, "eps": 1e-4, "clip": 0.5, "clip_what": "gradient"}
    return types.SimpleNamespace(optimiser=optimiser, **(values | changes))


@pytest.mark.parametrize("optimiser", rules.RULES)
@pytest.mark.parametrize("changes", [{"clip": 0.0}, {"clip": 2.0}, {"clip": 0.05, "clip_what": "update"}])
@pytest.mark.parametrize("dtype", EPS)
def test_thirty_updates_are_the_rules(build, optimiser, changes, dtype):
    plan = recipe(optimiser, **changes)
    for n in (1, 5, 1003):
        w = drawn(n).to(dtype)
        exact = w.double()
        state, exact_state = kernels.update_state(w, optimiser), kernels.update_state(exact, optimiser)
        for number in range(30):
            g = drawn(n, seed=number).to(dtype)
            before = g.clone()
            norm = kernels.update(w, g, state, plan, lr=None if number % 2 else 2e-2, backend="native")
            expected = rules.update(exact, g.double(), exact_state, plan, lr=None if number % 2 else 2e-2)
            assert distance(norm, expected) < 4 * EPS[dtype] and torch.equal(g, before)
        assert int(state["updates"]) == 30
        for a, b in [(w, exact), *((state[name], exact_state[name]) for name in rules.RULES[optimiser])]:
            # squares of 30 gradients, averaged: a rounding each, and the root doubles none of them
            assert distance(a, b) < (1e-13 if dtype == torch.float64 else 60 * EPS[dtype]), (n, optimiser)


@pytest.mark.parametrize("optimiser", rules.RULES)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_bad_gradient_does_not_pass_for_an_update(build, optimiser, bad):
    w, g = drawn(50), drawn(50, seed=1)
    state = kernels.update_state(w, optimiser)
    g[7] = bad
    norm = kernels.update(w, g, state, recipe(optimiser), backend="native")
    assert not norm.isfinite() and bool(w.isnan().any())


# -- the single step -----------------------------------------------------------------------------------------------


def step_case(name, kind, shape, dtype):
    T, B, H = shape
    network = Network(name, 20 if kind == "mixture" else 88, H, head_of(kind, H)).to(dtype)
    network.flat.add_(drawn(len(network.flat), seed=3, std=0.1).to(dtype))
    if kind != "mixture":
        return network, binary(T, B, 88).to(dtype), binary(T, B, 88, seed=7).to(dtype)
    return network, drawn(T, B, 20).to(dtype), drawn(T, B, 10, seed=7).to(dtype)


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("kind", HEADS)
def test_the_single_call_equals_its_pieces(build, name, kind):
    for shape in ((1, 1, 1), (7, 3, 5), (30, 16, 46), (2, 300, 33)):
        for ragged in ("none", "any order"):
            network, x, target = step_case(name, kind, shape, torch.float64)
            lengths = lengths_of(ragged, *shape[:2])
            batch, order = minibatch.padded(x, target, lengths, lists=kind != "mixture")
            losses = network.losses(x, target, lengths, backend="native")
            pieces = network.gradient(losses.sum() / batch.frames)
            unit = network.units[0]
            nll, found = single.gradient(unit, network.head, network.flat, batch)
            assert nll == pytest.approx(losses.sum().item(), rel=1e-14)
            assert distance(found, pieces) < 4e-15, shape
            rows = torch.from_numpy(kernels.score(unit, network.head, network.flat, batch))
            assert distance(rows, losses.sum(0)[order]) < 4e-15
            exact = network.gradient(network.losses(x, target, lengths, backend="reference").sum() / batch.frames)
            for a, b in zip(*(g.split([p.numel() for p in network.in_order()]) for g in (found, exact)), strict=True):
                assert distance(a, b) < 1e-12


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize(("optimiser", "dropout"), [("rmsprop", 0.0), ("adam", 0.0), ("adam", 0.4)])
def test_single_steps_with_noise_are_the_optimiser_s_in_pieces(build, kind, optimiser, dropout):
    from gatedtui.optim import Optimiser

    plan, results = recipe(optimiser, noise=0.075, dropout=dropout), []
    for backend in ("native", "reference"):
        network, x, target = step_case("gru", kind, (9, 4, 7), torch.float64)
        learner = Optimiser(network, plan, seed=3, backend=backend)
        batch, _ = minibatch.padded(x, target, [4, 9, 1, 9], lists=kind != "mixture")
        told = []
        for _ in range(5):
            if backend == "native":
                stepped = learner.learn(batch, lr=2e-3)
                assert stepped.updated
                told += [stepped.nll, stepped.norm]
            else:
                rows = torch.tensor([1, 3, 0, 2])  # longest first, as training has them
                dropped = learner.dropped([9, 9, 4, 1], 9, 4)
                with learner.noise():
                    h, _ = network.scan(x[:, rows], None, [9, 9, 4, 1], backend=backend, dropped=dropped)
                    loss = network.nll(h, target[:, rows], [9, 9, 4, 1], backend=backend).sum()
                    gradient = network.gradient(loss / batch.frames)
                told += [loss.item(), learner.step(gradient, lr=2e-3).item()]
        results.append((told, network.flat, learner.state()))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-12)
    assert distance(results[0][1], results[1][1]) < 1e-12
    for name, value in results[1][2].items():
        assert distance(results[0][2][name], value) < 1e-11, name


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_step_that_is_not_finite_says_so_and_writes_nothing(build, kind, bad):
    for dtype in EPS:
        network, x, target = step_case("lstm", kind, (5, 2, 10), dtype)
        batch, _ = minibatch.padded(x, target, lists=kind != "mixture")
        state = kernels.update_state(network.flat, "rmsprop")
        network.units[0].U.data[0, 0] = bad
        before = network.flat.clone()
        found = kernels.step(network.units[0], network.head, network.flat, batch, state, recipe())
        assert not found.updated and not (np.isfinite(found.nll) and np.isfinite(found.norm))
        assert torch.equal(network.flat.nan_to_num(), before.nan_to_num()) and not int(state["updates"])
        # and what it left behind does no harm to the next
        other, x, target = step_case("lstm", kind, (5, 2, 10), dtype)
        batch, _ = minibatch.padded(x, target, lists=kind != "mixture")
        exact = other.gradient(other.losses(x, target, backend="reference").sum() / batch.frames)
        assert distance(single.gradient(other.units[0], other.head, other.flat, batch)[1], exact) < 1e3 * EPS[dtype]


def test_foreign_parameters_are_refused(build):
    network, x, target = step_case("gru", "bernoulli", (5, 2, 10), torch.float64)
    batch, _ = minibatch.padded(x, target, lists=True)
    state = kernels.update_state(network.flat, "adam")
    with pytest.raises(ValueError, match="must be views"):
        kernels.step(network.units[0], network.head, network.flat.clone(), batch, state, recipe("adam"))


def test_denormals_are_flushed_inside_and_left_alone_outside(build):
    network, x, target = step_case("gru", "bernoulli", (5, 2, 10), torch.float32)
    batch, _ = minibatch.padded(x, target, lists=True)
    single.gradient(network.units[0], network.head, network.flat, batch)
    assert float(torch.tensor(1e-40) * 1.0) > 0, "the caller's arithmetic still has denormals"
    unit, x, _ = case("tanh", (1, 1, 3, 5), torch.float32, started=False, x_grad=False)
    with torch.no_grad():
        for p in unit.parameters():
            p.fill_(1e-40)
    assert not kernels.scan(unit, torch.ones_like(x), None, None, "native")[0].any()


def test_a_step_starts_no_thread(build):
    network, x, target = step_case("gru", "bernoulli", (50, 8, 46), torch.float32)
    batch, _ = minibatch.padded(x, target, lists=True)
    tasks = Path("/proc/self/task")
    if not tasks.is_dir():
        pytest.skip("threads are counted in /proc")
    before = len(list(tasks.iterdir()))
    single.gradient(network.units[0], network.head, network.flat, batch)
    assert len(list(tasks.iterdir())) == before


@pytest.mark.parametrize(
    ("name", "more"),
    [
        *((name, {}) for name in UNITS),
        ("gru", {"model.head": "nade", "train.dropout": 0.3, "train.transpose": 4, "train.smoothing": 0.9}),
        ("lstm", {"model.layers": 2, "train.dropout": 0.3, "train.transpose": 4}),
    ],
)
def test_training_is_the_reference_s(build, name, more):
    """The whole run, noise, validation and all: the same epochs, as far as float64 tells (tanh soon turns chaotic)."""
    from gatedtui import config, paths
    from gatedtui.data import prepare
    from gatedtui.events import Epoch
    from gatedtui.train.loop import Training

    data, told = prepare.prepare("tiny", cache=paths.cache_folder()), []
    for kernel in ("native", "reference"):
        values = {"data.name": "tiny", "train.epochs": 5, "train.batch": 3, "model.hidden": 9, "model.unit": name}
        training = Training(config.build(values | more | {"train.kernel": kernel, "train.dtype": "float64"}), data)
        assert (training.pieces is not None) == (kernel == "native" and "model.layers" not in more)
        epochs = [event for event in training.events() if isinstance(event, Epoch)]
        told.append([(e.train_nll, e.valid_nll, e.valid_nll_sequence, e.grad_norm) for e in epochs])
    np.testing.assert_allclose(told[0], told[1], rtol=1e-10)
