"""Synthetic vowels: pulses like those of a larynx through resonances like those of a mouth. Nobody ever said them.

The source-filter model (Fant 1960) in its plainest form, so that there is sound to train on without a network. The
pulses are Rosenberg's (1971, type B: a cubic opening and a parabolic closing), differentiated for the radiation at the
lips; the resonances are Klatt's (1980) second-order ones in a row, at the averages that Peterson and Barney (1952,
table II) measured.
"""

import math
from pathlib import Path

import numpy as np

from gatedtui.data import speech
from gatedtui.data.catalogue import Entry, Progress
from gatedtui.data.dataset import SPLITS, DataSet

SEED = 1952
"""Fixes the set; changing it changes the digest."""
SIZES = (1200, 200, 200)
"""Windows for training, validation and test."""
WINDOW = 500
"""Samples in a window, as in speech-a."""
RATE_HZ = 8000

VOWELS = {
    "heed": ((136, 270, 2290, 3010), (235, 310, 2790, 3310), (272, 370, 3200, 3730)),
    "hid": ((135, 390, 1990, 2550), (232, 430, 2480, 3070), (269, 530, 2730, 3600)),
    "head": ((130, 530, 1840, 2480), (223, 610, 2330, 2990), (260, 690, 2610, 3570)),
    "had": ((127, 660, 1720, 2410), (210, 860, 2050, 2850), (251, 1010, 2320, 3320)),
    "hod": ((124, 730, 1090, 2440), (212, 850, 1220, 2810), (256, 1030, 1370, 3170)),
    "hawed": ((129, 570, 840, 2410), (216, 590, 920, 2710), (263, 680, 1060, 3180)),
    "hood": ((137, 440, 1020, 2240), (232, 470, 1160, 2680), (276, 560, 1410, 3310)),
    "who'd": ((141, 300, 870, 2240), (231, 370, 950, 2670), (274, 430, 1170, 3260)),
    "hud": ((130, 640, 1190, 2390), (221, 760, 1400, 2780), (261, 850, 1590, 3360)),
    "heard": ((133, 490, 1350, 1690), (218, 500, 1640, 1960), (261, 560, 1820, 2160)),
}
"""By the word it stands in: f0, F1, F2, F3 in Hz, averages of men, women and children (Peterson and Barney 1952)."""
BANDWIDTHS_HZ = (50.0, 70.0, 110.0)
"""Of F1, F2 and F3: Klatt's (1980, table I) usual values."""
VOICES = (
    ("low voice 1", 0, 0.88, 1.03),
    ("low voice 2", 0, 1.10, 0.97),
    ("middle voice 1", 1, 0.93, 1.02),
    ("middle voice 2", 1, 1.07, 0.98),
    ("high voice 1", 2, 0.96, 1.01),
    ("high voice 2", 2, 1.05, 0.99),
)
"""Six made-up voices: name, which of the three averages, and factors for f0 and for the formants."""

_OVERSAMPLED = 4  # the pulses' corners hold harmonics far above 4 kHz, which would be folded back
_TAPS = 129
_SETTLING = 400  # samples, 50 ms: the narrowest resonance has died down by 68 dB
_OPENING, _CLOSING = 0.40, 0.16  # of a period: Rosenberg's preferred pulse
_BREATH = (
    0.02  # noise of the breath beside pulses of height 1; it keeps the waveform from being predictable without end
)


def build(entry: Entry, *, cache: Path, mirror: str | None, progress: Progress | None) -> DataSet:
    """1,600 windows of vowels, each with a pitch, a glide, a loudness and a breath of its own; made in 0.4 s."""
    if progress:
        progress("computing vowels", 0, 0)
    generator = np.random.default_rng(SEED)
    count = sum(SIZES)
    vowel = generator.integers(len(VOWELS), size=count)
    voice = generator.integers(len(VOICES), size=count)
    words, table = list(VOWELS), np.array(list(VOWELS.values()), np.float64)
    register, f0_factor, formant_factor = (np.array([v[i] for v in VOICES])[voice] for i in (1, 2, 3))
    figures = table[vowel, register]
    f0 = figures[:, 0] * f0_factor * np.exp2(generator.normal(0.0, 0.12, count))
    glide = generator.uniform(-0.08, 0.08, count)
    windows = quantised(
        waves(f0, glide, figures[:, 1:] * formant_factor[:, None], generator),
        level=10.0 ** (generator.uniform(-26.0, -14.0, count) / 20.0),
    )
    titles = [f"{words[v]}, {VOICES[s][0]}, {f:.0f} Hz" for v, s, f in zip(vowel, voice, f0, strict=True)]
    bounds = np.cumsum([0, *SIZES])
    chosen = {
        split: [(titles[i], windows[i]) for i in range(bounds[part], bounds[part + 1])]
        for part, split in enumerate(SPLITS)
    }
    return speech.finish(
        entry,
        chosen,
        notes=(
            "Synthetic vowels, computed from pulses and resonances: not recordings, and nobody's voice.",
            "The same ten vowels and six made-up voices are in every part; pitch, glide, loudness and breath are not.",
        ),
    )


def waves(f0: np.ndarray, glide: np.ndarray, formants: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A window of each vowel, in arbitrary loudness.

    Args:
        f0: (N,) Hz in the middle of the window.
        glide: (N,) the part of f0 it rises from the window's start to its end.
        formants: (N, 3) Hz.
        generator: draws where in its period each window starts, and the breath.

    Returns:
        (N, 500) float64.
    """
    phase = generator.random(len(f0))
    # In groups that fit into the processor's cache: 0.4 s, all at once 1.5 s.
    groups = [slice(first, first + 64) for first in range(0, len(f0), 64)]
    source = np.concatenate([pulses(f0[rows], glide[rows], phase[rows]) for rows in groups])
    source += _BREATH * generator.standard_normal(source.shape)
    return resonated(source.T, formants.T)[_SETTLING:].T


def pulses(f0: np.ndarray, glide: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """The pulses of N larynxes at 8 kHz, (N, 900) float64, differentiated, with the corners' overtones filtered out."""
    steps = (_SETTLING + WINDOW) * _OVERSAMPLED + _TAPS
    ramp = np.linspace(-0.5, 0.5, steps)
    cycles = phase[:, None] + np.cumsum(f0[:, None] * (1.0 + glide[:, None] * ramp), axis=1) / (RATE_HZ * _OVERSAMPLED)
    at = cycles - np.floor(cycles)
    opening = 6.0 * (at / _OPENING) * (1.0 - at / _OPENING) / _OPENING
    closing = -2.0 * (at - _OPENING) / _CLOSING**2
    flow = np.where(at < _OPENING, opening, np.where(at < _OPENING + _CLOSING, closing, 0.0)) * _CLOSING / 2.0
    # A windowed sinc that passes up to 3.6 kHz; tap by tap, which costs no memory.
    tap = np.arange(_TAPS) - _TAPS // 2
    kernel = 0.9 / _OVERSAMPLED * np.sinc(0.9 * tap / _OVERSAMPLED) * np.hamming(_TAPS)
    low = np.zeros((len(f0), _SETTLING + WINDOW))
    for first, weight in enumerate(kernel.tolist()):
        low += weight * flow[:, first : first + low.shape[1] * _OVERSAMPLED : _OVERSAMPLED]
    return low


def resonated(source: np.ndarray, formants: np.ndarray) -> np.ndarray:
    """The sources through three resonances in a row: y_t = A x_t + B y_{t-1} + C y_{t-2} (Klatt 1980, equations 1, 2).

    Args:
        source: (T, N) float64 at 8 kHz.
        formants: (3, N) Hz.

    Returns:
        (T, N) float64.
    """
    y = source.copy()
    for frequency, bandwidth in zip(formants, BANDWIDTHS_HZ, strict=True):
        c = -math.exp(-2.0 * math.pi * bandwidth / RATE_HZ)
        b = 2.0 * math.exp(-math.pi * bandwidth / RATE_HZ) * np.cos(2.0 * math.pi * frequency / RATE_HZ)
        a = 1.0 - b - c
        last, before = np.zeros_like(y[0]), np.zeros_like(y[0])
        for t in range(len(y)):
            y[t] = a * y[t] + b * last + c * before
            last, before = y[t], last
    return y


def quantised(windows: np.ndarray, level: np.ndarray) -> np.ndarray:
    """The windows as int16, each brought to its RMS level (of full scale); the few peaks beyond it are cut.

    Sixteen bits as in a recording: and the last bits of sine and exponential, which differ between machines, are gone.
    """
    rms = np.sqrt((windows * windows).mean(axis=1))
    scaled = windows * (level / rms * speech.FULL_SCALE)[:, None]
    return np.clip(np.rint(scaled), -speech.FULL_SCALE, speech.FULL_SCALE - 1).astype(np.int16)
