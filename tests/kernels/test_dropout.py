"""Which numbers are dropped: how many, in which order, and the same again for a seed and a draw."""

import numpy as np
import pytest
import torch

from gatedtui.kernels import Dropout, normal_numbers


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_share_is_dropped_and_what_stays_makes_up_for_it(share):
    live = torch.ones(50, 20, dtype=torch.bool)
    factors = Dropout(share, 3).factors(7, live, 40, torch.zeros(1, dtype=torch.float64))
    assert factors.shape == (50, 20, 40) and factors.dtype == torch.float64
    assert sorted(factors.unique().tolist()) == pytest.approx([0, 1 / (1 - share)])
    n = factors.numel()
    assert abs(float((factors == 0).double().mean()) - share) < 5 * (share * (1 - share) / n) ** 0.5
    assert float(factors.mean()) == pytest.approx(1, abs=5 * (share / (1 - share) / n) ** 0.5)


def test_places_are_counted_over_live_frames_alone_in_time_order():
    live = torch.arange(5)[:, None] < torch.tensor([5, 3, 1])
    made = Dropout(0.4, 9)
    factors = made.factors(2, live, 6, torch.zeros(1))
    stays = (normal_numbers(9, 2, 9 * 6) >= made.threshold).view(9, 6)
    assert torch.equal(factors[live] > 0, stays) and not factors[~live].any()


def test_nothing_is_dropped_at_zero_and_draws_and_seeds_differ():
    live = torch.ones(4, 3, dtype=torch.bool)
    assert bool((Dropout(0.0, 1).factors(1, live, 5, torch.zeros(1)) == 1).all())
    first, same, draw, seed = (
        Dropout(0.5, s).factors(d, live, 5, torch.zeros(1)).numpy() for s, d in ((1, 1), (1, 1), (1, 2), (2, 1))
    )
    assert np.array_equal(first, same) and not np.array_equal(first, draw) and not np.array_equal(first, seed)
