"""The loss facade: per-frame values, and nothing from masked frames."""

import torch

from gatedtui.heads.bernoulli import Bernoulli
from gatedtui.kernels import nll


def case():
    head = Bernoulli(5, 7).double()
    generator = torch.Generator().manual_seed(0)
    h = torch.randn(6, 3, 5, dtype=torch.float64, generator=generator)
    target = (torch.rand(6, 3, 7, generator=generator) < 0.3).double()
    return head, h, target


def test_live_frames_have_the_head_s_value_and_masked_ones_zero():
    head, h, target = case()
    mask = torch.arange(6)[:, None] < torch.tensor([2, 6, 4])
    values = nll(head, h, target, mask)
    assert values.shape == (6, 3)
    assert not values[~mask].any()
    torch.testing.assert_close(values[mask], head.nll(h, target)[mask], rtol=0, atol=1e-14)
    for everything in (None, torch.ones(6, 3, dtype=torch.bool)):
        torch.testing.assert_close(nll(head, h, target, everything), head.nll(h, target), rtol=0, atol=1e-14)


def test_a_nan_in_a_masked_frame_reaches_neither_value_nor_gradient():
    head, h, target = case()
    mask = torch.arange(6)[:, None] < torch.tensor([2, 6, 4])
    results = []
    for filler in (0.0, float("nan")):
        filled = torch.where(mask[:, :, None], h, filler).requires_grad_()
        values = nll(head, filled, torch.where(mask[:, :, None], target, filler), mask)
        results.append([values, *torch.autograd.grad(values.sum(), [filled, head.weight, head.bias])])
    torch.testing.assert_close(results[1], results[0], rtol=0, atol=0)


def test_a_nan_in_a_live_frame_is_seen():
    head, h, target = case()
    h[1, 0, 0] = float("nan")
    mask = torch.arange(6)[:, None] < torch.tensor([2, 6, 4])
    values = nll(head, h, target, mask)
    assert bool(values[1, 0].isnan())
    assert int(values.isnan().sum()) == 1
