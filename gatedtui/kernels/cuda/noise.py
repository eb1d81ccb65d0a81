"""`normal_numbers` drawn on the GPU: the same numbers to the bit, so that the noise does not depend on the device.

The sequence of operations is that of `kernels.noise`, each rounded by itself: the compiler is told to fuse none.
"""

import torch
import triton  # pyright: ignore[reportMissingImports]
import triton.language as tl  # pyright: ignore[reportMissingImports]
from torch import Tensor

from gatedtui.kernels.cuda.launch import groups, launch
from gatedtui.kernels.noise import ROTATIONS, ROUNDS

BLOCK = 512


def normal_numbers(keys: Tensor, draws: Tensor, n: int) -> Tensor:
    """Standard normal numbers `(R, n)`, float32: row by row `kernels.normal_numbers(seed, draw, n)`.

    Args:
        keys: `(R, 2)` int64: the lower and the upper 32 bits of each run's seed.
        draws: `(R,)` int64.
        n: how many.
    """
    made = torch.empty(len(keys), n, device=keys.device)
    half = (n + 1) // 2
    if n:
        grid = (groups(half, BLOCK), len(keys))
        launch(_normal, grid, made, keys, draws, n, half, BLOCK, enable_fp_fusion=False)
    return made


def key(seed: int) -> tuple[int, int]:
    """A seed as a row of `keys`."""
    return seed & 0xFFFFFFFF, seed >> 32


_ROTATIONS: tl.constexpr = tl.constexpr(ROTATIONS)
_ROUNDS: tl.constexpr = tl.constexpr(ROUNDS)


@triton.jit
def _normal(out, keys, draws, n, half, BLOCK: tl.constexpr):
    run = tl.program_id(1).to(tl.int64)
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    k0, k1 = tl.load(keys + 2 * run).to(tl.uint32), tl.load(keys + 2 * run + 1).to(tl.uint32)
    k2 = k0 ^ k1 ^ 0x1BD11BDA
    x0 = place.to(tl.uint32) + k0
    x1 = tl.zeros_like(x0) + (tl.load(draws + run).to(tl.uint32) + k1)
    for number in tl.static_range(_ROUNDS):
        x0 = x0 + x1
        x1 = ((x1 << _ROTATIONS[number % 8]) | (x1 >> (32 - _ROTATIONS[number % 8]))) ^ x0
        if number % 4 == 3:
            if number // 4 % 3 == 0:
                x0, x1 = x0 + k1, x1 + (k2 + number // 4 + 1)
            elif number // 4 % 3 == 1:
                x0, x1 = x0 + k2, x1 + (k0 + number // 4 + 1)
            else:
                x0, x1 = x0 + k0, x1 + (k1 + number // 4 + 1)
    u = ((x0 >> 8).to(tl.float32) + 0.5) * 5.9604644775390625e-08
    radius = tl.sqrt_rn(_log(u) * -2.0)
    t = ((x1 >> 8).to(tl.float32) + 0.5) * 9.362675967850009e-08 - 0.78539816339
    s = t * t
    sine = t * (s * (s * (s * -1.9515295891e-4 + 8.3321608736e-3) - 1.6666654611e-1) + 1.0)
    cosine = s * (s * (s * (s * 2.443315711809948e-5 - 1.388731625493765e-3) + 4.166664568298827e-2) - 0.5) + 1.0
    cosine = tl.where((x1 & 1) != 0, -cosine, cosine)
    swap = (x1 & 2) != 0
    tl.store(out + run * n + place, tl.where(swap, sine, cosine) * radius, mask=place < half)
    tl.store(out + run * n + half + place, tl.where(swap, cosine, sine) * radius, mask=half + place < n)


@triton.jit
def _log(x):
    bits = x.to(tl.int32, bitcast=True)
    exponent = (bits - 0x3F3504F3) >> 23
    m = (bits - (exponent << 23)).to(tl.float32, bitcast=True) - 1.0
    z, n = m * m, exponent.to(tl.float32)
    p = m * 7.0376836292e-2 - 1.1514610310e-1
    p = p * m + 1.1676998740e-1
    p = p * m + -1.2420140846e-1
    p = p * m + 1.4249322787e-1
    p = p * m + -1.6668057665e-1
    p = p * m + 2.0000714765e-1
    p = p * m - 2.4999993993e-1
    p = p * m + 3.3333331174e-1
    p = p * m * z
    p = p + n * -2.12194440e-4
    p = p - z * 0.5
    return m + p + n * 0.693359375
