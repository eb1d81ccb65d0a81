"""A small room around the piano: the sound's own diffuse echo, different for each ear.

The room is one impulse response a channel: noise of a fixed seed that dies away, high frequencies sooner, as in a
furnished room. Noise of two seeds is what two ears hear of a diffuse field; the first echo comes after 8 ms (a wall
1.4 m behind) and the rest builds up within 20 ms more. Times are those of a furnished living room, 0.3 to 0.5 s
(Kuttruff 2009, Room Acoustics, chapter 5: such rooms are thought of as dry and close).
"""

import math
from functools import lru_cache

import numpy as np

TAIL_S = 0.5
"""The room is silent this long after the last sound."""
WET_DB = -17.0
"""Energy of the echo against the direct sound."""

_BEFORE_S, _RISE_S = 0.008, 0.020
_BANDS = (
    (0.0, 250.0, 0.50),
    (250.0, 1000.0, 0.48),
    (1000.0, 3000.0, 0.42),
    (3000.0, 7000.0, 0.32),
    (7000.0, 16000.0, 0.2),
)
"""From and to, Hz; time in which this band falls by 60 dB, s."""
_FFT, _BLOCKS = 1 << 16, 8


def add_room(sound: np.ndarray, rate_hz: int) -> None:
    """Adds the room to `sound` (2, samples) float32, in place; the last `TAIL_S` of it should be silent.

    Block-wise convolution with both responses of the sum of the two channels (overlap-add): an hour takes no more
    memory than a minute.
    """
    from scipy.fft import irfft, rfft  # unlike NumPy's, they do several blocks at once: half the time

    response, size = _spectrum(rate_hz)
    taps = round(TAIL_S * rate_hz)
    hop = size - taps
    left_over = np.zeros((2, taps), np.float32)
    for at in range(0, sound.shape[1], _BLOCKS * hop):
        part = sound[:, at : at + _BLOCKS * hop]
        count = -(-part.shape[1] // hop)
        middle = np.zeros(count * hop, np.float32)
        np.add(part[0], part[1], out=middle[: part.shape[1]])
        spectrum = np.asarray(rfft(middle.reshape(count, hop), size, axis=1))
        for side in (0, 1):
            wet = np.asarray(irfft(spectrum * response[side], size, axis=1))
            wet[0, :taps] += left_over[side]
            wet[1:, :taps] += wet[:-1, hop:]
            left_over[side] = wet[-1, hop:]
            part[side] += wet[:, :hop].reshape(-1)[: part.shape[1]]


@lru_cache(maxsize=4)
def _spectrum(rate_hz: int) -> tuple[np.ndarray, int]:
    """The responses' spectra (2, size / 2 + 1) complex64, and the size of the transform."""
    taps = round(TAIL_S * rate_hz)
    size = _FFT
    while size < 3 * taps:
        size *= 2
    spectra = np.fft.rfft(0.5 * response(rate_hz), size).astype(np.complex64)
    return spectra, size


def response(rate_hz: int) -> np.ndarray:
    """The room's impulse responses (2, taps), `WET_DB` in energy each; what the direct sound adds is not in them."""
    taps = round(TAIL_S * rate_hz)
    time_s = np.arange(taps) / rate_hz
    noise = np.fft.rfft(np.stack([np.random.default_rng([1770, side]).normal(size=taps) for side in (0, 1)]))
    hz = np.fft.rfftfreq(taps, 1.0 / rate_hz)
    echo = np.zeros((2, taps))
    for low, high, fall_s in _BANDS:
        band = np.fft.irfft(noise * ((hz >= low) & (hz < high)), taps)
        echo += band * np.exp(-math.log(1000.0) * time_s / fall_s)
    rise = np.clip((time_s - _BEFORE_S) / _RISE_S, 0.0, 1.0) ** 2
    fall = 0.5 + 0.5 * np.cos(np.pi * np.clip((time_s - 0.8 * TAIL_S) / (0.2 * TAIL_S), 0.0, 1.0))
    echo *= rise * fall
    return echo * 10.0 ** (WET_DB / 20.0) / np.sqrt(np.sum(echo**2, axis=1, keepdims=True))
