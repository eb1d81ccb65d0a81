"""How loud a sound is to the ear, and making it as loud as another: ITU-R BS.1770.

The measure: each channel passes a filter with the rough response of ear and head (K-weighting); mean squares over
blocks of 0.4 s, three quarters overlapping, are averaged, leaving out blocks below -70 LUFS and then those more than
10 LU below the mean of the rest. Source: Recommendation ITU-R BS.1770-4 (2015), Annex 1.
"""

import math

import numpy as np

TARGET_LUFS = -18.0
"""How loud everything is made: 5 LU above EBU R 128 (-23, for broadcast), since laptops and phones are weak, and low
enough that a piano's attacks hardly ever need the limiter."""
CEILING = 10.0 ** (-1.0 / 20.0)
"""Largest sample allowed, 1 dB below full scale: lossy formats add ripples to a peak."""

_BLOCK_S, _HOP_S = 0.4, 0.1
_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_CHUNK = 1 << 18
_LOOK_AHEAD_S = 0.005


def loudness(samples: np.ndarray, rate_hz: int) -> float:
    """The integrated loudness in LUFS; minus infinity for silence.

    Args:
        samples: (n,) or (n, 1 or 2), full scale 1. A sound shorter than a block is measured as one block. One channel
            counts as the recommendation says, once: the same sound on two channels is 3 LU louder.
        rate_hz: samples a second, 1,000 at least (below that the filter has no meaning).

    Raises:
        ValueError: another shape, no samples, or a lower rate.
    """
    if samples.ndim == 1:
        samples = samples[:, None]
    if samples.ndim != 2 or not 1 <= samples.shape[1] <= 2 or not len(samples) or rate_hz < 1000:
        raise ValueError(f"loudness is of (n, 1 or 2) samples at 1,000 Hz or more, not {samples.shape} at {rate_hz}")
    return _gated(_block_power(samples, rate_hz))


def normalise(samples: np.ndarray, rate_hz: int, target_lufs: float = TARGET_LUFS) -> np.ndarray:
    """The sound at this loudness, with no sample beyond `CEILING`; silence stays silence.

    Where peaks would go beyond, a limiter turns the sound down around them (5 ms ahead, 5 ms behind, without a corner)
    and the gain is set once more, so that the loudness still comes out.

    Args:
        samples: (n,) or (n, channels) float32; changed in place and returned.
        rate_hz: samples a second.
        target_lufs: the loudness wanted.
    """
    for _ in range(4):
        gain = gain_to(samples, rate_hz, target_lufs)
        samples *= np.float32(gain)
        if peak(samples) <= CEILING:
            break
        _limit(samples, rate_hz)
    return samples


def gain_to(samples: np.ndarray, rate_hz: int, target_lufs: float) -> float:
    """What the sound must be multiplied with to have this loudness; 1 for silence.

    Found in a few rounds, since the gate at -70 LUFS does not move with the gain: a fading tail may count or not.

    Args:
        samples, rate_hz: as for `loudness`.
        target_lufs: the loudness wanted.
    """
    power = _block_power(samples[:, None] if samples.ndim == 1 else samples, rate_hz)
    gain, best = 1.0, (math.inf, 1.0)
    for _ in range(12):
        off = target_lufs - _gated(power * gain**2)
        best = min(best, (abs(off), gain))
        if not math.isfinite(off) or abs(off) < 1e-3:
            break
        gain *= 10.0 ** (off / 20.0)
    return best[1]


def peak(samples: np.ndarray) -> float:
    """The largest magnitude of any sample; 0 where there are none."""
    return max(float(samples.max()), -float(samples.min())) if samples.size else 0.0


def _limit(samples: np.ndarray, rate_hz: int) -> None:
    """Turns the sound down, in place, where it goes beyond the ceiling.

    The gain that each moment needs is held for a window around it and then averaged over a window of the same length:
    what comes out is smooth and nowhere above what is needed.
    """
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    window = 2 * max(1, round(_LOOK_AHEAD_S * rate_hz)) + 1
    most = np.abs(samples) if samples.ndim == 1 else np.abs(samples).max(axis=1)
    needed = np.minimum(1.0, CEILING / np.maximum(most, 1e-12)).astype(np.float64)
    gain = uniform_filter1d(minimum_filter1d(needed, window, mode="nearest"), window, mode="nearest")
    # A mean of equal numbers may end a rounding error above them.
    gain = np.minimum(gain, needed).astype(np.float32)
    samples *= gain if samples.ndim == 1 else gain[:, None]
    np.clip(samples, -CEILING, CEILING, out=samples)  # the rounding of the product itself


def _block_power(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """The summed mean square of all channels after K-weighting, one value a block."""
    from scipy.signal import lfilter

    hop = max(1, round(_HOP_S * rate_hz))
    hops = len(samples) // hop
    b, a = k_weighting(rate_hz)
    if hops < round(_BLOCK_S / _HOP_S):
        weighted = np.asarray(lfilter(b, a, samples.astype(np.float64), axis=0))
        return np.array([np.mean(weighted**2, axis=0).sum()])
    energy = np.zeros(hops)
    step = max(1, _CHUNK // hop) * hop
    for channel in samples.T:
        state = np.zeros(len(a) - 1)
        for at in range(0, hops * hop, step):
            weighted, state = lfilter(b, a, channel[at : at + step].astype(np.float64), zi=state)
            whole = weighted[: len(weighted) // hop * hop].reshape(-1, hop)
            energy[at // hop : at // hop + len(whole)] += np.einsum("ij,ij->i", whole, whole)
    together = np.convolve(energy, np.ones(round(_BLOCK_S / _HOP_S)), mode="valid")
    return together / (hop * round(_BLOCK_S / _HOP_S))


def k_weighting(rate_hz: int) -> tuple[np.ndarray, np.ndarray]:
    """The filter of BS.1770 as one section of fourth order, for any rate: `(b (5,), a (5,))`.

    The recommendation lists coefficients for 48,000 Hz only. These are its two sections (a shelf of 4 dB for the head,
    a high pass of second order) as analogue prototypes that the bilinear transform takes back to exactly those
    coefficients at 48,000 Hz; the constants were found by inverting that transform.
    """
    # The shelf: centre, gain in dB and quality; the exponent is that of its gain at the centre.
    k = math.tan(math.pi * 1681.974450955533 / rate_hz)
    quality, high = 0.7071752369554196, 10.0 ** (3.999843853973347 / 20.0)
    middle = high**0.4996667741545416
    a0 = 1.0 + k / quality + k * k
    shelf_b = [high + middle * k / quality + k * k, 2.0 * (k * k - high), high - middle * k / quality + k * k]
    scale = a0
    shelf_a = [1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / quality + k * k) / a0]
    # The high pass.
    k, quality = math.tan(math.pi * 38.13547087602444 / rate_hz), 0.5003270373238773
    a0 = 1.0 + k / quality + k * k
    pass_a = [1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / quality + k * k) / a0]
    return np.convolve(np.array(shelf_b) / scale, [1.0, -2.0, 1.0]), np.convolve(shelf_a, pass_a)


def _gated(power: np.ndarray) -> float:
    """The mean of the blocks' powers in LUFS, without those that the two gates keep out."""
    loud = power[power > 10.0 ** ((_GATE_LUFS + 0.691) / 10.0)]
    if not len(loud):
        return -math.inf
    loud = loud[loud > float(loud.mean()) * 10.0 ** (_RELATIVE_GATE_LU / 10.0)]
    return -0.691 + 10.0 * math.log10(float(loud.mean()))
