"""The NADE head against its equations, written out in float64, and against the sum over all frames there are."""

import itertools

import numpy as np
import pytest
import torch

from gatedtui.errors import BadArgument
from gatedtui.heads.nade import Nade


def made(hidden=5, outputs=7, parts=4, std=1.0):
    head = Nade(hidden, outputs, parts).double()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for p in head.parameters():
            p.normal_(std=std, generator=generator)
    return head


def numpy_nll(head, h, y):
    """Larochelle and Murray (2011), equations 3 to 5, one frame, with the biases of the RNN-NADE."""
    weight, bias, V, W = (p.detach().numpy() for p in (head.weight, head.bias, head.V, head.W))
    biases = weight @ h + bias
    b_v, b_h = biases[: head.outputs], biases[head.outputs :]
    total = 0.0
    for k in range(head.outputs):
        hidden = 1 / (1 + np.exp(-(b_h + W[:k].T @ y[:k])))
        p = 1 / (1 + np.exp(-(b_v[k] + V[k] @ hidden)))
        total -= np.log(p if y[k] else 1 - p)
    return total


def test_nll_is_the_equations():
    head, random = made(), np.random.default_rng(0)
    h, target = random.normal(size=(4, 3, 5)), (random.random((4, 3, 7)) < 0.4).astype(float)
    nll = head.nll(torch.from_numpy(h), torch.from_numpy(target)).detach().numpy()
    expected = [[numpy_nll(head, h[t, b], target[t, b]) for b in range(3)] for t in range(4)]
    np.testing.assert_allclose(nll, expected, rtol=1e-12)


def every_frame(outputs):
    return torch.tensor(list(itertools.product((0.0, 1.0), repeat=outputs)), dtype=torch.float64)


def test_the_probabilities_of_all_frames_sum_to_one():
    head = made()
    h = torch.randn(5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    frames = every_frame(7)
    p = torch.exp(-head.nll(h.expand(len(frames), 5), frames)).detach()
    assert float(p.sum()) == pytest.approx(1.0, abs=1e-12)


def test_outputs_depend_on_those_before_them_and_on_no_later_one():
    head = made()
    h = torch.zeros(1, 5, dtype=torch.float64)
    frames = every_frame(7)
    p = torch.exp(-head.nll(h.expand(len(frames), 5), frames)).detach()
    for first in range(6):  # the chance of the first outputs is the same whatever the weights of the later ones
        other = made()
        with torch.no_grad():
            other.V[first + 1 :] += 1
            other.W[first + 1 :] -= 1
        q = torch.exp(-other.nll(h.expand(len(frames), 5), frames)).detach()
        groups = frames[:, : first + 1] @ (2.0 ** torch.arange(first + 1, dtype=torch.float64))
        for value in groups.unique():
            at = groups == value
            assert float(p[at].sum()) == pytest.approx(float(q[at].sum()), abs=1e-12)
    ones, both = (frames[:, 0] == 1), (frames[:, 0] == 1) & (frames[:, 1] == 1)
    assert abs(float(p[both].sum() - p[ones].sum() * p[frames[:, 1] == 1].sum())) > 1e-3, "they are not independent"


def test_gradients_are_finite_differences():
    head = made(3, 4, 2)
    h = torch.randn(2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    target = torch.tensor([[1.0, 0, 0, 1], [0, 1, 1, 0]], dtype=torch.float64)

    def nll(h, weight, bias, V, W):
        given = dict(zip(("weight", "bias", "V", "W"), (weight, bias, V, W), strict=True))
        return torch.func.functional_call(_Nll(head), {f"head.{name}": p for name, p in given.items()}, (h, target))

    assert torch.autograd.gradcheck(nll, (h, *head.parameters()))


class _Nll(torch.nn.Module):
    def __init__(self, head):
        super().__init__()
        self.head = head

    def forward(self, h, target):
        return self.head.nll(h, target)


def test_nan_comes_out_where_nan_goes_in():
    head = made()
    h = torch.zeros(2, 3, 5, dtype=torch.float64)
    h[1, 2, 4] = float("nan")
    nll = head.nll(h, torch.zeros(2, 3, 7, dtype=torch.float64))
    assert nll.isnan().tolist() == [[False, False, False], [False, False, True]]
    for greedy in (False, True):
        drawn = head.sample(h[1], torch.Generator().manual_seed(0), greedy=greedy)
        assert drawn.isnan().any(1).tolist() == [False, False, True]


def test_samples_occur_as_often_as_their_joint_probability():
    head, n = made(5, 4, 3), 40_000
    h = torch.randn(1, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    drawn = head.sample(h.expand(n, 5), torch.Generator().manual_seed(7))
    frames = every_frame(4)
    p = torch.exp(-head.nll(h.expand(16, 5), frames)).detach()
    found = (drawn[:, None] == frames).all(2).double().mean(0)
    assert bool(((found - p).abs() < 5 * (p * (1 - p) / n).sqrt()).all())  # five standard errors


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_a_temperature_divides_the_logit_of_each_choice(temperature):
    head, n = made(5, 3, 3), 40_000
    h = torch.randn(1, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    drawn = head.sample(h.expand(n, 5), torch.Generator().manual_seed(7), temperature=temperature)
    b_v, c = (part.detach()[0] for part in head.biases(h))
    for k in range(3):
        for before in itertools.product((0.0, 1.0), repeat=k):
            at = (drawn[:, :k] == torch.tensor(before, dtype=torch.float64)).all(1)
            hidden = torch.sigmoid(c + torch.tensor(before, dtype=torch.float64) @ head.W[:k].detach())
            p = float(torch.sigmoid((b_v[k] + head.V[k].detach() @ hidden) / temperature))
            m = int(at.sum())
            assert abs(float(drawn[at, k].mean()) - p) < 5 * (p * (1 - p) / m) ** 0.5 if m > 50 else True


def test_greedy_takes_the_likelier_value_given_those_before_and_a_seed_repeats_a_draw():
    head = made()
    h = torch.randn(9, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    greedy = head.sample(h, torch.Generator().manual_seed(0), greedy=True)
    for k in range(7):  # the first k + 1 outputs with the last of them changed are never likelier
        flipped = greedy.clone()
        flipped[:, k] = 1 - flipped[:, k]
        prefix = Nade(5, k + 1, 4).double()
        with torch.no_grad():
            keep = [*range(k + 1), *range(7, 11)]
            prefix.weight.copy_(head.weight[keep])
            prefix.bias.copy_(head.bias[keep])
            prefix.V.copy_(head.V[: k + 1])
            prefix.W.copy_(head.W[: k + 1])
        assert bool((prefix.nll(h, greedy[:, : k + 1]) <= prefix.nll(h, flipped[:, : k + 1])).all())
    first, again, other = (head.sample(h, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_impossible_temperatures_are_refused(temperature):
    with pytest.raises(BadArgument, match="temperature"):
        made().sample(torch.zeros(1, 5).double(), torch.Generator(), temperature=temperature)


@pytest.mark.parametrize("marginals", [[0.0, 0.5], [0.5, 1.0], [0.5], [0.5, float("nan")]])
def test_impossible_marginals_are_refused(marginals):
    with pytest.raises(ValueError, match="marginals"):
        Nade(6, 2, 3).initialise(torch.Generator(), marginals)


def test_every_output_has_a_row_of_v_and_of_w():
    shapes = {name: tuple(p.shape) for name, p in Nade(5, 7, 4).named_parameters()}
    assert shapes == {"weight": (11, 5), "bias": (11,), "V": (7, 4), "W": (7, 4)}


def test_without_a_generator_the_weights_are_those_of_seed_0():
    before = torch.get_rng_state()
    heads = [Nade(5, 7, 4), Nade(5, 7, 4, generator=torch.Generator().manual_seed(0))]
    other = Nade(5, 7, 4, generator=torch.Generator().manual_seed(1))
    assert torch.equal(torch.get_rng_state(), before)
    for name in ("weight", "V", "W"):
        first, same, different = (getattr(head, name) for head in (*heads, other))
        assert torch.equal(first, same) and not torch.equal(first, different)


def test_a_draw_over_time_has_one_uniform_number_an_output():
    head = made()
    h = torch.randn(4, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    drawn = head.sample(h, torch.Generator().manual_seed(4))
    uniform = torch.rand(4, 3, head.draws, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    assert drawn.shape == (4, 3, 7) and torch.equal(drawn, head.draw(h, uniform))


def test_nll_stays_exact_where_float64_just_tells_softplus_from_its_argument():
    head = Nade(1, 1, 1).double()
    with torch.no_grad():
        for p in head.parameters():
            p.zero_()
        head.bias[0] = 25.0
    nll = float(head.nll(torch.zeros(1, 1).double(), torch.zeros(1, 1).double()).detach())
    assert abs(nll - np.log1p(np.exp(25.0))) <= 4 * np.finfo(float).eps * 25 and nll > 25.0


def test_a_frame_is_drawn_on_the_device_of_h():
    head, h = Nade(5, 7, 4).to("meta"), torch.zeros(2, 5, device="meta")
    assert head.sample(h, torch.Generator()).device.type == "meta"
