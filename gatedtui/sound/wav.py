"""Audio files: written as 16-bit WAV, whole or not at all; reading them is `data.audio`'s work."""

import io
from pathlib import Path

import numpy as np

from gatedtui import atomic
from gatedtui.data.audio import AudioFacts, load_soundfile, measure_audio, read_audio
from gatedtui.errors import BadArgument, GatedError

__all__ = ["AudioFacts", "measure_audio", "read_audio", "write_audio"]

_BLOCK = 1 << 20
"""Samples (of all channels together) that are converted at once."""


def write_audio(samples: np.ndarray, rate_hz: int, path: Path | str) -> float:
    """Writes a 16-bit WAV file, whole or not at all; the same samples always give the same bytes.

    Nothing is ever clipped: a signal that goes beyond full scale is made quieter as a whole.

    Args:
        samples: (n,) for mono or (n, channels), float, full scale is 1; n >= 1.
        rate_hz: samples a second, 1..192,000.
        path: the file, overwritten if it exists.

    Returns:
        The gain: 1.0 when the samples were written as they are, less when they had to be made quieter to fit.

    Raises:
        BadArgument: the rate is out of range.
        BadSource: the file cannot be written.
        GatedError: the samples are not all finite numbers.
        ValueError: another shape, or no samples.
    """
    samples = np.asarray(samples)
    if samples.ndim not in (1, 2) or not samples.size:
        raise ValueError(f"audio is (n,) or (n, channels), not {samples.shape}")
    if not 1 <= rate_hz <= 192_000:
        raise BadArgument(f"The sample rate '{rate_hz}' is out of range.", "Rates are 1 to 192000 Hz.")
    peak = max(float(samples.max()), -float(samples.min()))
    if not np.isfinite(peak):
        raise GatedError(
            f"The sound for '{path}' holds values that are not numbers, so it was not written.",
            "The network that made it has diverged: take an earlier checkpoint or lower train.lr.",
        )
    gain = min(1.0, 1.0 / peak) if peak else 1.0
    soundfile = load_soundfile()
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    content = io.BytesIO()
    with soundfile.SoundFile(content, "w", rate_hz, channels, subtype="PCM_16", format="WAV") as file:
        for at in range(0, len(samples), _BLOCK):
            # 32767 on both sides, so that full scale fits with either sign.
            file.write(np.rint(samples[at : at + _BLOCK] * (gain * 32767.0)).astype(np.int16))
    atomic.write(Path(path), content.getbuffer())
    return gain
