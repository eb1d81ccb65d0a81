"""The mixture head against its formula, written out in float64 with scipy."""

import math

import numpy as np
import pytest
import torch
from scipy import special, stats

from gatedtui.errors import BadArgument
from gatedtui.heads.mixture import LOG_SCALE, MixtureOfGaussians

M, D = 4, 3


def made(hidden=5, parts=M, outputs=D, std=1.0):
    head = MixtureOfGaussians(hidden, parts, outputs).double()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for p in head.parameters():
            p.normal_(std=std, generator=generator)
    return head


def normals(*shape, seed=1):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def by_scipy(head, h, target):
    """-log Σ_m π_m Π_d N(y_d; μ_md, σ_md²) for one frame; weight's order is M logits, M·D means, M·D log-scales."""
    a = head.weight.detach().numpy() @ h + head.bias.detach().numpy()
    m, d = head.parts, head.outputs
    log_weights = special.log_softmax(a[:m])
    means = a[m : m + m * d].reshape(m, d)
    scales = np.exp(np.clip(a[m + m * d :].reshape(m, d), -7, 5))
    parts = [stats.norm.logpdf(target, means[k], scales[k]).sum() for k in range(m)]
    return -float(np.logaddexp.reduce(log_weights + np.array(parts)))


@pytest.mark.parametrize(("parts", "outputs"), [(4, 3), (20, 10), (1, 1)])
@pytest.mark.parametrize("std", [0.3, 1.0, 4.0])
def test_nll_is_scipys_to_a_billionth(parts: int, outputs: int, std: float):
    head = made(parts=parts, outputs=outputs, std=std)
    h, target = normals(7, 2, 5), 3 * normals(7, 2, outputs, seed=2)
    nll = head.nll(h, target).detach().numpy()
    expected = [[by_scipy(head, h[t, b].numpy(), target[t, b].numpy()) for b in range(2)] for t in range(7)]
    np.testing.assert_allclose(nll, expected, rtol=1e-9, atol=1e-9)


def test_it_is_one_joint_mixture_not_one_a_sample():
    """Two parts, all at -1 or all at +1: a frame that takes its samples from both is unlikely."""
    head = MixtureOfGaussians(1, 2, 10).double()
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.tensor([0.0] * 2 + [-1.0] * 10 + [1.0] * 10 + [-2.0] * 20))
    h, alternating = torch.zeros(1, 1).double(), torch.tensor([[1.0, -1.0] * 5]).double()
    apart = float((head.nll(h, alternating) - head.nll(h, torch.ones(1, 10).double())).detach())
    # five samples two off whichever part is taken; and both parts serve the alternating frame, one the other
    assert apart == pytest.approx(5 * 0.5 * (2 * math.exp(2)) ** 2 - math.log(2), rel=1e-9)


def test_a_density_may_score_below_zero():
    head = MixtureOfGaussians(2, 2, 10).double()
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
        head.bias[-20:] = math.log(0.01)
    nll = float(head.nll(torch.zeros(1, 2).double(), torch.zeros(1, 10).double()).detach())
    assert nll == pytest.approx(10 * (math.log(0.01) + 0.5 * math.log(2 * math.pi)))
    assert nll < -30


def test_the_density_integrates_to_one():
    head, h = made(outputs=1, std=0.7), normals(1, 5)
    y = torch.linspace(-60, 60, 200_001, dtype=torch.float64)
    density = torch.exp(-head.nll(h, y[:, None])).detach()
    assert float(torch.trapezoid(density, y)) == pytest.approx(1, abs=1e-6)


def test_the_gradient_is_autograds_own_by_differences():
    head = made(std=0.5)
    h, target = normals(2, 1, 5).requires_grad_(), normals(2, 1, D, seed=2).requires_grad_()

    def nll(h, target, weight, bias):
        return torch.func.functional_call(_Scored(head), {"head.weight": weight, "head.bias": bias}, (h, target))

    assert torch.autograd.gradcheck(nll, (h, target, head.weight, head.bias))


class _Scored(torch.nn.Module):
    def __init__(self, head):
        super().__init__()
        self.head = head

    def forward(self, h, target):
        return self.head.nll(h, target)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("far", [0.0, 1e6, -1e6])
@pytest.mark.parametrize("log_scale", [-1000.0, -7.0, 0.0, 5.0, 1000.0])
def test_outliers_and_sunken_scales_stay_finite(dtype: torch.dtype, far: float, log_scale: float):
    head = MixtureOfGaussians(3, 20, 10).to(dtype)
    with torch.no_grad():
        head.weight[-200:] = 0
        head.bias[-200:] = log_scale
    h = torch.ones(4, 3, dtype=dtype, requires_grad=True)
    nll = head.nll(h, torch.full((4, 10), far, dtype=dtype))
    nll.sum().backward()
    assert bool(nll.isfinite().all())
    for p in (head.weight, head.bias, h):
        assert p.grad is not None and bool(p.grad.isfinite().all())
    bound = 10 * (0.5 * math.log(2 * math.pi) + min(max(log_scale, LOG_SCALE[0]), LOG_SCALE[1]))
    if far == 0.0:
        assert float(nll[0].detach()) >= bound - 1e-3 * abs(bound), "no part is narrower than the limit"


def test_nan_comes_out_where_nan_goes_in():
    head = made()
    h, target = torch.zeros(2, 3, 5).double(), torch.zeros(2, 3, D).double()
    h[1, 2, 4] = target[0, 1, 0] = math.nan
    assert head.nll(h, target).isnan().tolist() == [[False, True, False], [False, False, True]]
    for greedy in (False, True):
        drawn = head.sample(h[1], torch.Generator().manual_seed(0), greedy=greedy)
        assert drawn.isnan().all(1).tolist() == [False, False, True]
        assert not drawn[:2].isnan().any()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_samples_have_the_mixtures_weights_means_and_scales(temperature: float):
    """Parts far apart, so that it can be told which one a sample came from; five standard errors each."""
    head, n = MixtureOfGaussians(1, 3, 2).double(), 40_000
    logits, scales = np.array([0.0, 1.0, -0.5]), np.array([[1.0, 2.0], [0.5, 0.1], [3.0, 1.0]])
    with torch.no_grad():
        head.weight.zero_()
        means = torch.tensor([[-100.0, 7.0], [0.0, 1.0], [100.0, -3.0]]).double()
        head.bias.copy_(torch.cat((torch.tensor(logits), means.flatten(), torch.tensor(np.log(scales)).flatten())))
    h = torch.zeros(n, 1).double()
    drawn = head.sample(h, torch.Generator().manual_seed(7), temperature=temperature).numpy()
    part = np.digitize(drawn[:, 0], [-50, 50])
    p = special.softmax(logits / temperature)
    np.testing.assert_allclose(np.bincount(part, minlength=3) / n, p, rtol=0, atol=5 * 0.5 / n**0.5)
    for k in range(3):
        z = (drawn[part == k] - means[k].numpy()) / (scales[k] * temperature**0.5)
        for i in range(2):
            assert stats.kstest(z[:, i], "norm").pvalue > 1e-4, (k, i)
        assert abs(np.corrcoef(z.T)[0, 1]) < 5 / len(z) ** 0.5, "the samples of a part are independent"


def test_greedy_takes_the_means_of_the_weightiest_part():
    head, h = made(), normals(6, 5)
    logits, means, _ = head.split(h)
    drawn = head.draw(h, torch.rand(6, 1 + D), greedy=True)
    assert torch.equal(drawn, means[torch.arange(6), logits.argmax(-1)])


def test_the_last_uniform_numbers_choose_a_part_and_finite_samples():
    head = made()
    for edge in (0.0, 1 - 2**-53):
        drawn = head.draw(normals(50, 5), torch.full((50, head.draws), edge, dtype=torch.float64))
        assert bool(drawn.isfinite().all())


def test_sample_is_draw_with_the_generators_numbers():
    head, h = made(), normals(9, 5)
    uniform = torch.rand(9, head.draws, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    assert torch.equal(head.sample(h, torch.Generator().manual_seed(4)), head.draw(h, uniform))
    other = head.sample(h, torch.Generator().manual_seed(5))
    assert not torch.equal(head.draw(h, uniform), other)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_impossible_temperatures_are_refused(temperature: float):
    with pytest.raises(BadArgument, match="temperature"):
        made().sample(torch.zeros(1, 5).double(), torch.Generator(), temperature=temperature)


def test_the_parts_start_at_frames_of_the_data_from_soft_to_loud():
    loudness = np.geomspace(1e-3, 10, 1000)
    frames = np.random.default_rng(0).normal(size=(1000, 10)) * loudness[:, None]
    head = MixtureOfGaussians(6, 20, 10)
    head.initialise(torch.Generator().manual_seed(0), np.random.default_rng(1).permutation(frames))
    logits, means, log_scales = head.split(torch.zeros(1, 6))
    rms = np.sqrt((frames**2).mean(1))
    known = {tuple(frame) for frame in frames.astype(np.float32).tolist()}
    assert {tuple(mean) for mean in means[0].tolist()} <= known and len({tuple(m) for m in means[0].tolist()}) == 20
    expected = np.log(np.sort(rms)[((np.arange(20) + 0.5) * 50).astype(int)])
    np.testing.assert_allclose(log_scales[0, :, 0].detach().numpy(), np.maximum(expected, -6), rtol=1e-5)
    assert not logits.detach().any(), "all parts weigh the same"
    assert float(head.weight.detach().std()) == pytest.approx(0.1 / 6**0.5, rel=0.1)


def test_a_start_at_silence_is_finite_and_can_be_left():
    head = MixtureOfGaussians(6, 20, 10)
    head.initialise(torch.Generator().manual_seed(0), np.zeros((5, 10)))
    nll = head.nll(torch.zeros(1, 6), torch.zeros(1, 10)).sum()
    nll.backward()
    assert bool(nll.isfinite()) and head.bias.grad is not None
    assert bool((head.bias.grad[-200:] != 0).all()), "a part on silence has a gradient at its scale"


@pytest.mark.parametrize("frames", [np.zeros((0, 3)), np.zeros((5, 4)), np.zeros(3), np.full((2, 3), np.nan)])
def test_impossible_frames_are_refused(frames: np.ndarray):
    with pytest.raises(ValueError, match="frames"):
        MixtureOfGaussians(6, M, D).initialise(torch.Generator(), frames)


def test_without_a_generator_the_weights_are_those_of_seed_0_and_the_sizes_the_paper_s():
    before = torch.get_rng_state()
    heads = [MixtureOfGaussians(5), MixtureOfGaussians(5, generator=torch.Generator().manual_seed(0))]
    other = MixtureOfGaussians(5, generator=torch.Generator().manual_seed(1))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(heads[0].weight, heads[1].weight) and not torch.equal(other.weight, heads[0].weight)
    assert (heads[0].parts, heads[0].outputs, heads[0].weight.shape) == (20, 10, (420, 5))  # section 4


def test_a_draw_over_time_has_its_own_uniform_numbers_a_frame_and_may_be_greedy():
    head, h = made(), normals(4, 2, 5)
    drawn = head.sample(h, torch.Generator().manual_seed(4))
    uniform = torch.rand(4, 2, 1 + D, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    assert drawn.shape == (4, 2, D) and torch.equal(drawn, head.draw(h, uniform))
    greedy = head.sample(h, torch.Generator().manual_seed(4), greedy=True)
    assert torch.equal(greedy, head.draw(h, uniform, greedy=True)) and not torch.equal(greedy, drawn)


def test_a_frame_is_drawn_on_the_device_of_h():
    head, h = MixtureOfGaussians(5, 2, 7).to("meta"), torch.zeros(2, 5, device="meta")
    assert head.sample(h, torch.Generator()).device.type == "meta"
