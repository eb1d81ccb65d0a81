"""The noise's normal numbers: known answers, the same bits from every build, and normal."""

import math

import numpy as np
import pytest
import torch

from gatedtui.kernels import library, noise

KNOWN = [  # place, draw, key; from the test vectors published with the generator (Random123, kat_vectors)
    (0, 0, (0, 0), (0x9D1C5EC6, 0x8BD50731)),
    (0xFFFFFFFF, 0xFFFFFFFF, (0xFFFFFFFF, 0xFFFFFFFF), (0xFD36D048, 0x2D17272C)),
    (0x243F6A88, 0x85A308D3, (0x13198A2E, 0x03707344), (0xBA3E4725, 0xF27D669E)),
]


@pytest.mark.parametrize(("place", "draw", "key", "words"), KNOWN)
def test_threefry_gives_the_published_words(place, draw, key, words):
    found = noise.threefry(np.array([place], np.uint32), draw, key[0] | key[1] << 32)
    assert tuple(int(word[0]) for word in found) == words


@pytest.mark.parametrize("build", library.usable(), ids=lambda found: found.build)
def test_every_build_draws_numpys_bits(build):
    for n in (1, 2, 3, 31, 32, 33, 127, 1001, 18_492):
        for seed, draw in ((0, 0), (7 << 33 | 5, 3), (2**63 - 1, 2**32 - 1)):
            z = torch.full((n + 1,), 99.0)
            build.functions["normal"](seed, draw, n, z.data_ptr())
            assert z[n] == 99
            assert np.array_equal(z[:n].numpy().view(np.int32), noise.in_numpy(seed, draw, n).view(np.int32)), (n, seed)


def test_the_numbers_are_normal_and_independent():
    n = 400_000
    z = noise.in_numpy(11, 0, n).astype(np.float64)
    for power, moment, spread in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96), (6, 15, 10_170)):
        assert abs((z**power).mean() - moment) < 5 * (spread / n) ** 0.5, power  # five standard errors
    grid = np.linspace(-4, 4, 161)
    below = np.array([0.5 * math.erfc(-x / 2**0.5) for x in grid])
    assert np.abs((z[:, None] <= grid).mean(0) - below).max() < 1.95 / n**0.5  # Kolmogorov–Smirnov at 0.1 %
    others = [noise.in_numpy(11, 1, n), noise.in_numpy(12, 0, n), np.roll(z, 1), np.roll(z, n // 2)]
    for other in others:
        assert abs((z * other).mean()) < 5 / n**0.5


def test_a_draw_depends_on_its_number_alone():
    first = noise.normal_numbers(5, 9, 100)
    noise.normal_numbers(5, 10, 100)
    assert torch.equal(noise.normal_numbers(5, 9, 100), first)
    assert not torch.equal(noise.normal_numbers(5, 10, 100), first)
