"""The Bernoulli head against its formula, written out in float64."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from gatedtui.errors import BadArgument
from gatedtui.heads.bernoulli import Bernoulli, log_odds


def made(hidden=5, outputs=7):
    head = Bernoulli(hidden, outputs).double()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for p in head.parameters():
            p.normal_(generator=generator)
    return head


def test_nll_is_the_bernoulli_s_log_probability_summed_over_outputs():
    head, random = made(), np.random.default_rng(0)
    h, target = random.normal(size=(4, 3, 5)), (random.random((4, 3, 7)) < 0.4).astype(float)
    p = 1 / (1 + np.exp(-(h @ head.weight.detach().numpy().T + head.bias.detach().numpy())))
    expected = -stats.bernoulli.logpmf(target, p).sum(-1)
    nll = head.nll(torch.from_numpy(h), torch.from_numpy(target))
    np.testing.assert_allclose(nll.detach().numpy(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_nll_is_exact_far_out_on_both_sides(dtype):
    head = Bernoulli(1, 1).to(dtype)
    with torch.no_grad():
        head.weight.fill_(1)
        head.bias.zero_()
    for a in (-1000.0, -80.0, -30.0, -10.0, -1e-8, 0.0, 1e-8, 10.0, 25.0, 30.0, 80.0, 1000.0):
        for y in (0.0, 1.0):
            s = a if y == 0 else -a
            exact = s if s > 700 else math.log1p(math.exp(s))
            nll = float(head.nll(torch.tensor([[a]], dtype=dtype), torch.tensor([[y]], dtype=dtype)).detach())
            # a few roundings of the result and one of a, which moves the result by eps · |a| · d nll/da
            assert abs(nll - exact) <= torch.finfo(dtype).eps * (4 * exact + abs(a) * min(1.0, exact)), (a, y)


def test_gradient_is_probability_minus_target():
    head = made()
    h = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    target = (torch.rand(6, 7, generator=torch.Generator().manual_seed(2)) < 0.4).double()
    head.nll(h, target).sum().backward()
    error = torch.sigmoid(head.logits(h)) - target
    torch.testing.assert_close(h.grad, error @ head.weight, rtol=0, atol=1e-12)
    torch.testing.assert_close(head.weight.grad, error.T @ h, rtol=0, atol=1e-12)
    torch.testing.assert_close(head.bias.grad, error.sum(0), rtol=0, atol=1e-12)


def test_nan_comes_out_where_nan_goes_in():
    head = made()
    h = torch.zeros(2, 3, 5, dtype=torch.float64)
    h[1, 2, 4] = float("nan")
    nll = head.nll(h, torch.zeros(2, 3, 7, dtype=torch.float64))
    assert nll.isnan().tolist() == [[False, False, False], [False, False, True]]
    for greedy in (False, True):
        drawn = head.sample(h[1], torch.Generator().manual_seed(0), greedy=greedy)
        assert drawn.isnan().any(1).tolist() == [False, False, True]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_samples_occur_as_often_as_their_probability(temperature):
    head, n = made(), 20_000
    h = torch.randn(1, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    drawn = head.sample(h.expand(n, 5), torch.Generator().manual_seed(7), temperature=temperature)
    assert set(drawn.unique().tolist()) <= {0.0, 1.0}
    p = torch.sigmoid(head.logits(h)[0].detach() / temperature)
    assert bool(((drawn.mean(0) - p).abs() < 5 * (p * (1 - p) / n).sqrt()).all())  # five standard errors
    pairs = (drawn - p).T @ (drawn - p) / n
    pairs.fill_diagonal_(0)
    assert float(pairs.abs().max()) < 5 * 0.25 / n**0.5  # independent given h


def test_greedy_takes_the_likelier_value_and_a_seed_repeats_a_draw():
    head = made()
    h = torch.randn(9, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    greedy = head.sample(h, torch.Generator().manual_seed(0), greedy=True)
    assert torch.equal(greedy, (head.logits(h) > 0).double())
    first, again, other = (head.sample(h, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_sample_is_draw_with_the_generator_s_numbers():
    head = made()
    h = torch.randn(9, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    uniform = torch.rand(9, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    assert torch.equal(head.sample(h, torch.Generator().manual_seed(4)), head.draw(h, uniform))


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_impossible_temperatures_are_refused(temperature):
    with pytest.raises(BadArgument, match="temperature"):
        made().sample(torch.zeros(1, 5).double(), torch.Generator(), temperature=temperature)


def test_bias_starts_at_the_logits_of_the_marginals():
    marginals = np.array([0.001, 0.04, 0.5, 0.9])
    head = Bernoulli(6, 4)
    head.initialise(torch.Generator().manual_seed(0), marginals)
    p = torch.sigmoid(head.logits(torch.zeros(1, 6)))[0].detach()
    np.testing.assert_allclose(p.numpy(), marginals, rtol=1e-5)
    head.initialise(torch.Generator().manual_seed(0))
    assert not head.bias.any()


@pytest.mark.parametrize("marginals", [[0.0, 0.5], [0.5, 1.0], [0.5], [0.5, float("nan")]])
def test_impossible_marginals_are_refused(marginals):
    with pytest.raises(ValueError, match="marginals"):
        Bernoulli(6, 2).initialise(torch.Generator(), marginals)


def test_without_a_generator_the_weights_are_those_of_seed_0_whatever_torch_s_own_has_drawn():
    before = torch.get_rng_state()
    heads = [Bernoulli(5, 7), Bernoulli(5, 7), Bernoulli(5, 7, generator=torch.Generator().manual_seed(0))]
    other = Bernoulli(5, 7, generator=torch.Generator().manual_seed(1))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(head.weight, heads[0].weight) for head in heads)
    assert not torch.equal(other.weight, heads[0].weight)


def test_a_draw_over_time_has_one_uniform_number_an_output():
    head = made()
    h = torch.randn(4, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    drawn = head.sample(h, torch.Generator().manual_seed(4))
    uniform = torch.rand(4, 3, head.draws, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    assert drawn.shape == (4, 3, 7) and torch.equal(drawn, head.draw(h, uniform))


def test_log_odds_are_float64_for_marginals_of_any_kind():
    for marginals in ([0.1, 0.9], np.array([0.1, 0.9], np.float32), torch.tensor([0.1, 0.9])):
        assert log_odds(marginals, 2).dtype == torch.float64


def test_a_frame_is_drawn_on_the_device_of_h():
    head, h = Bernoulli(5, 7).to("meta"), torch.zeros(2, 5, device="meta")
    assert head.sample(h, torch.Generator()).device.type == "meta"
