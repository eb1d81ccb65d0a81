"""Unit and head together: names, the flat vector, values, and the step."""

import copy

import numpy as np
import pytest
import torch

from gatedtui.config import ModelConfig
from gatedtui.errors import BadArgument
from gatedtui.heads.bernoulli import Bernoulli
from gatedtui.network import Network, build, restore
from gatedtui.units import UNITS


def made(unit="gru", layers=1, hidden=5):
    generator = torch.Generator().manual_seed(2)
    head = Bernoulli(hidden, 7, generator=generator)
    return Network(unit, 7, hidden, head, layers, generator=generator).double()


def batch(steps=6, rows=3):
    notes = (torch.rand(steps + 1, rows, 7, generator=torch.Generator().manual_seed(1)) < 0.3).double()
    return notes[:-1], notes[1:], torch.tensor([4, 6, 1])


@pytest.mark.parametrize(("unit", "own"), [("tanh", "WUb"), ("gru", "WUb"), ("lstm", "WUbV")])
def test_tensors_have_the_checkpoint_s_names_and_no_others(unit, own):
    expected = {f"{layer}.{name}" for layer in ("unit", "unit2") for name in own} | {"head.weight", "head.bias"}
    assert set(made(unit, layers=2).state_dict()) == expected


@pytest.mark.parametrize(
    ("unit", "hidden", "recurrent"), [("tanh", 100, 18_900), ("gru", 46, 18_630), ("lstm", 36, 18_108)]
)
def test_counts_tell_recurrent_output_and_total_apart(unit, hidden, recurrent):
    network = Network(unit, 88, hidden, Bernoulli(hidden, 88))
    output = 88 * (hidden + 1)
    assert network.counts() == {"recurrent": recurrent, "output": output, "total": recurrent + output}
    assert network.flat.numel() == recurrent + output


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("layers", [1, 2])
def test_the_flat_vector_is_the_parameters_recurrent_matrices_first(unit, layers):
    network = made(unit, layers)
    network.flat.zero_()
    assert not any(p.any() for p in network.parameters())
    network.flat[: network.n_noisy] = 1
    for name, p in network.named_parameters():
        assert bool((p == (1 if name.rsplit(".", 1)[-1] in ("W", "U") else 0)).all()), name


@pytest.mark.parametrize("change", ["float", "copy", "load"])
def test_parameters_stay_views_of_the_flat_vector(change):
    original = made("lstm", layers=2)
    network = {"float": Network.float, "copy": copy.deepcopy, "load": lambda n: n}[change](original)
    if change == "load":
        network.load_state_dict(made("lstm", layers=2).state_dict())
    assert torch.equal(network.flat, torch.cat([p.detach().reshape(-1) for p in network.in_order()]))
    network.flat.fill_(3)
    assert all(bool((p == 3).all()) for p in network.parameters())
    if change == "copy":
        assert not (original.flat == 3).any()


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("backend", ["reference", "bptt"])
def test_losses_are_the_head_s_nll_of_the_stacked_units(unit, backend):
    network, (x, target, lengths) = made(unit, layers=2), batch()
    losses = network.losses(x, target, lengths, backend=backend)
    assert losses.shape == (6, 3)
    for row, length in enumerate(lengths.tolist()):
        one, two = network.units
        h, _ = two(one(x[:length, row : row + 1])[0])
        expected = network.head.nll(h, target[:length, row : row + 1])[:, 0]
        torch.testing.assert_close(losses[:length, row], expected, rtol=0, atol=1e-12)
        assert not losses[length:, row].any()


@pytest.mark.parametrize("unit", UNITS)
def test_gradient_is_in_the_flat_vector_s_order(unit):
    network, (x, target, lengths) = made(unit, layers=2), batch()

    def loss():
        return network.losses(x, target, lengths).sum() / lengths.sum()

    gradient = network.gradient(loss())
    assert gradient.shape == network.flat.shape
    assert all(p.grad is None for p in network.parameters())
    for place in range(0, network.flat.numel(), 17):
        clean, h = float(network.flat[place]), 1e-6
        with torch.no_grad():
            network.flat[place] = clean + h
            above = float(loss())
            network.flat[place] = clean - h
            below = float(loss())
            network.flat[place] = clean
        assert abs((above - below) / (2 * h) - float(gradient[place])) < 1e-8, place


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("layers", [1, 2])
def test_steps_repeat_the_whole_sequence_and_show_every_layer_s_gates(unit, layers):
    network, (x, _, _) = made(unit, layers), batch()
    whole, after = network.scan(x)
    states = None
    for t in range(len(x)):
        h, states, gates = network.step(x[t], states)
        torch.testing.assert_close(h, whole[t].detach(), rtol=0, atol=1e-12)
        assert [tuple(layer) for layer in gates] == [UNITS[unit].GATES] * layers
    torch.testing.assert_close(states, tuple(after), rtol=0, atol=1e-12)


def test_states_carry_a_cut_sequence_on():
    network, (x, _, _) = made("lstm", layers=2), batch()
    whole, _ = network.scan(x)
    first, states = network.scan(x[:2])
    second, _ = network.scan(x[2:], states)
    torch.testing.assert_close(torch.cat((first, second)), whole, rtol=0, atol=1e-12)


def test_a_nan_weight_makes_the_loss_nan():
    network, (x, target, lengths) = made(), batch()
    network.flat[0] = float("nan")
    assert bool(network.losses(x, target, lengths).sum().isnan())


def test_weights_follow_the_generator_alone():
    before = torch.get_rng_state()
    model = ModelConfig(unit="gru", hidden=6, layers=2)
    networks = [build(model, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(networks[0].flat, networks[1].flat)
    assert not torch.equal(networks[0].flat, networks[2].flat)


def test_a_network_from_a_config_starts_at_the_marginals():
    marginals = np.linspace(0.01, 0.5, 88)
    network = build(ModelConfig(hidden=6), torch.Generator().manual_seed(0), marginals=marginals)
    np.testing.assert_allclose(torch.sigmoid(network.head.bias).detach().numpy(), marginals, rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_network_is_made_from_a_checkpoint_s_weights(dtype):
    model = ModelConfig(unit="lstm", hidden=4, layers=2)
    trained = build(model, torch.Generator().manual_seed(5))
    weights = {name: value.numpy().astype(dtype) for name, value in trained.state_dict().items()}
    for value in weights.values():
        value.flags.writeable = False  # as read from a file
    again = restore(model, weights)
    assert again.flat.numpy().dtype == dtype
    assert torch.equal(again.flat, trained.flat.to(again.flat.dtype))


def test_unknown_units_and_heads_are_refused_with_the_nearest():
    with pytest.raises(BadArgument, match="'gruu'") as refused:
        Network("gruu", 7, 5, Bernoulli(5, 7))
    assert "'gru'" in refused.value.hint
    with pytest.raises(BadArgument, match="'bernouli'"):
        build(ModelConfig(head="bernouli"), torch.Generator())
