"""Weight noise, updates, and going on from a stored state."""

import types

import pytest
import torch

from gatedtui.errors import BadArgument
from gatedtui.heads.bernoulli import Bernoulli
from gatedtui.network import Network
from gatedtui.optim import Optimiser


def recipe(optimiser="rmsprop", **changes):
    values = {
        "lr": 1e-2,
        "momentum": 0.9,
        "averaging": 0.95,
        "eps": 1e-4,
        "clip": 1.0,
        "noise": 0.075,
        "dropout": 0.0,
        "clip_what": "gradient",
    }
    return types.SimpleNamespace(optimiser=optimiser, **(values | changes))


def made(hidden=5):
    return Network("lstm", 7, hidden, Bernoulli(hidden, 7))


def train(network, optimiser, updates):
    notes = (torch.rand(9, 4, 7, generator=torch.Generator().manual_seed(1)) < 0.3).float()
    losses = []
    for _ in range(updates):
        with optimiser.noise():
            loss = network.losses(notes[:-1], notes[1:]).mean()
            gradient = network.gradient(loss)
        optimiser.step(gradient)
        losses.append(float(loss.detach()))
    return losses


def test_noise_is_normal_on_recurrent_matrices_only_and_leaves_no_trace():
    network = made(hidden=60)
    optimiser = Optimiser(network, recipe(), seed=3)
    clean, draws = network.flat.clone(), []
    for _ in range(2):
        with optimiser.noise():
            draws.append((network.flat - clean)[: network.n_noisy] / 0.075)
            assert torch.equal(network.flat[network.n_noisy :], clean[network.n_noisy :])
        assert torch.equal(network.flat, clean)
    z, n = draws[0].double(), network.n_noisy
    for power, moment, spread in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs(float((z**power).mean()) - moment) < 5 * (spread / n) ** 0.5, power  # five standard errors
    assert abs(float((z * draws[1].double()).mean())) < 5 / n**0.5, "drawn afresh at every update"


def test_noise_is_taken_off_again_when_something_goes_wrong():
    network = made()
    clean = network.flat.clone()
    with pytest.raises(KeyboardInterrupt), Optimiser(network, recipe(), seed=3).noise():
        raise KeyboardInterrupt
    assert torch.equal(network.flat, clean)


def test_no_noise_draws_nothing():
    network = made()
    optimiser = Optimiser(network, recipe(noise=0.0), seed=3)
    clean, before = network.flat.clone(), optimiser.state()["generator"]
    with optimiser.noise():
        assert torch.equal(network.flat, clean)
    assert torch.equal(optimiser.state()["generator"], before)


def test_the_gradient_is_taken_at_noisy_weights_and_applied_to_clean_ones():
    network, other = made().double(), made().double()
    optimiser = Optimiser(network, recipe(clip=0.0), seed=3)
    plain = Optimiser(other, recipe(clip=0.0), seed=0)
    notes = (torch.rand(9, 4, 7, generator=torch.Generator().manual_seed(1)) < 0.3).double()
    with optimiser.noise():
        noisy = network.flat.clone()
        gradient = network.gradient(network.losses(notes[:-1], notes[1:]).mean())
    optimiser.step(gradient)
    clean = other.flat.clone()
    other.flat.copy_(noisy)
    expected = other.gradient(other.losses(notes[:-1], notes[1:]).mean())
    other.flat.copy_(clean)
    plain.step(expected)
    assert torch.equal(network.flat, other.flat)


@pytest.mark.parametrize("rule", ["rmsprop", "adam"])
def test_training_lowers_the_loss(rule):
    network = made()
    losses = train(network, Optimiser(network, recipe(rule, noise=0.0), seed=0), 150)
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("rule", ["rmsprop", "adam"])
def test_a_stored_state_goes_on_bit_for_bit(rule):
    network = made()
    optimiser = Optimiser(network, recipe(rule), seed=7)
    train(network, optimiser, 5)
    weights, state = network.flat.clone(), optimiser.state()
    expected = train(network, optimiser, 5)

    again = made()
    again.flat.copy_(weights)
    resumed = Optimiser(again, recipe(rule), seed=99)
    resumed.load(state)
    assert resumed.updates == 5
    assert train(again, resumed, 5) == expected
    assert torch.equal(again.flat, network.flat)
    for name, value in optimiser.state().items():
        assert torch.equal(value, resumed.state()[name]), name


def test_another_seed_trains_differently():
    losses = []
    for seed in (1, 1, 2):
        network = made()
        losses.append(train(network, Optimiser(network, recipe(), seed=seed), 3))
    assert losses[0] == losses[1] != losses[2]


def test_a_stored_state_is_a_copy():
    network = made()
    optimiser = Optimiser(network, recipe(), seed=7)
    state = optimiser.state()
    train(network, optimiser, 1)
    assert int(state["updates"]) == 0
    assert not state["velocity"].any()


def test_a_foreign_state_is_refused():
    network = made()
    optimiser = Optimiser(network, recipe(), seed=7)
    for foreign in (
        Optimiser(made(6), recipe(), seed=7).state(),
        Optimiser(network, recipe("adam"), seed=7).state(),
        {},
    ):
        with pytest.raises(ValueError, match="state must hold"):
            optimiser.load(foreign)


def test_a_varying_rate_overrides_the_recipe_s():
    network = made()
    before = network.flat.clone()
    Optimiser(network, recipe(), seed=7).step(torch.ones_like(network.flat), lr=0.0)
    assert torch.equal(network.flat, before)


def test_an_unknown_rule_is_refused():
    with pytest.raises(BadArgument, match="'sgd'"):
        Optimiser(made(), recipe("sgd"), seed=0)
