"""Normal numbers for the weight noise, by counter: the same to the bit in NumPy here and in C++ (cpp/noise.cpp).

Threefry-2x32 with 13 rounds (Salmon et al. 2011, *Parallel random numbers: as easy as 1, 2, 3*), then Box and Muller's
transformation in float32 with every operation rounded by itself. The key is a seed, the counter (place, draw): a
generator's whole state is two numbers, and no backend can draw others than another.
"""

import numpy as np
import torch
from torch import Tensor

from gatedtui.kernels import library

ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
ROUNDS = 13
"""As few as pass all of TestU01's tests, by the paper's table 2; 20 is its margin for safety."""


def normal_numbers(seed: int, draw: int, n: int) -> Tensor:
    """`n` standard normal numbers `(n,)`, float32 on the CPU: those of draw number `draw` under `seed`.

    Args:
        seed: 0 … 2^64 - 1.
        draw: 0 … 2^32 - 1.
        n: how many.
    """
    found = library.installed().library
    if found is None:
        return torch.from_numpy(in_numpy(seed, draw, n))
    z = torch.empty(n)
    found.functions["normal"](seed, draw, n, z.data_ptr())
    return z


def threefry(place: np.ndarray, draw: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The two random words of each block `(place, draw)` under the key `seed`; uint32 in and out."""
    key = [seed & 0xFFFFFFFF, seed >> 32]
    key.append(0x1BD11BDA ^ key[0] ^ key[1])
    x0 = place + np.uint32(key[0])
    x1 = np.full_like(place, (draw + key[1]) & 0xFFFFFFFF)
    for number in range(ROUNDS):
        turn = ROTATIONS[number % 8]
        x0 = x0 + x1
        x1 = ((x1 << np.uint32(turn)) | (x1 >> np.uint32(32 - turn))) ^ x0
        if number % 4 == 3:
            injection = number // 4 + 1
            x0 = x0 + np.uint32(key[injection % 3])
            x1 = x1 + np.uint32((key[(injection + 1) % 3] + injection) & 0xFFFFFFFF)
    return x0, x1


def in_numpy(seed: int, draw: int, n: int) -> np.ndarray:
    """`normal_numbers` as a float32 array, by NumPy."""
    x0, x1 = threefry(np.arange((n + 1) // 2, dtype=np.uint32), draw, seed)
    u = (_upper(x0) + np.float32(0.5)) * np.float32(2.0**-24)
    radius = np.sqrt(_log(u) * np.float32(-2))
    t = (_upper(x1) + np.float32(0.5)) * np.float32(2.0**-24 * np.float32(1.57079632679)) - np.float32(0.78539816339)
    s = t * t
    sine = t * (s * (s * (s * -1.9515295891e-4 + 8.3321608736e-3) - 1.6666654611e-1) + 1)
    cosine = s * (s * (s * (s * 2.443315711809948e-5 - 1.388731625493765e-3) + 4.166664568298827e-2) - 0.5) + 1
    cosine = np.where(x1 & 1, -cosine, cosine)
    swap = (x1 & 2) != 0
    pair = (np.where(swap, sine, cosine) * radius, np.where(swap, cosine, sine) * radius)
    return np.concatenate(pair)[:n]


def _upper(x: np.ndarray) -> np.ndarray:
    """The upper 24 bits as a float32, exactly."""
    return (x >> np.uint32(8)).astype(np.float32)


def _log(x: np.ndarray) -> np.ndarray:
    """ln x of positive float32 numbers, by the polynomial and in the order of `log` in cpp/vector_math.h."""
    bits = x.view(np.int32)
    exponent = (bits - np.int32(0x3F3504F3)) >> np.int32(23)
    m = (bits - (exponent << np.int32(23))).view(np.float32) - np.float32(1)
    z, n = m * m, exponent.astype(np.float32)
    p = m * np.float32(7.0376836292e-2) - np.float32(1.1514610310e-1)
    for coefficient in (1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1):
        p = p * m + np.float32(coefficient)
    p = p * m - np.float32(2.4999993993e-1)
    p = p * m + np.float32(3.3333331174e-1)
    p = p * m * z
    p = p + n * np.float32(-2.12194440e-4)
    p = p - z * np.float32(0.5)
    return m + p + n * np.float32(0.693359375)
