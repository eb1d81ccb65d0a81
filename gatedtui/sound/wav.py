"""Audio files: written as WAV, FLAC, OGG or MP3, whole or not at all, and read with both their channels.

Files for training, of one channel, are read by `data.audio`.
"""

import io
from pathlib import Path

import numpy as np

from gatedtui import atomic
from gatedtui.data.audio import MAX_DECODED_BYTES, AudioFacts, load_soundfile, measure_audio, read_audio
from gatedtui.errors import BadArgument, BadSource, GatedError

__all__ = ["FORMATS", "AudioFacts", "encode_audio", "measure_audio", "read_audio", "read_stereo", "write_audio"]

FORMATS = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
"""libsndfile's words for each file ending. Ten seconds of piano: 1.8 MB, 0.6 MB, 0.1 MB, 0.1 MB."""
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_BLOCK = 1 << 16
"""Samples of a channel that are converted at once (libsndfile's Vorbis overflows its stack on much larger ones)."""


def write_audio(samples: np.ndarray, rate_hz: int, path: Path | str) -> float:
    """Writes an audio file in the format its ending names, whole or not at all.

    Nothing is ever clipped: a signal that goes beyond full scale is made quieter as a whole. The same samples always
    give the same bytes, but for OGG, whose stream carries a random number.

    Args:
        samples: (n,) for mono or (n, channels), float, full scale is 1; n >= 1.
        rate_hz: samples a second, 1..192,000; for MP3 one of its nine rates.
        path: the file, overwritten if it exists; without a known ending it is WAV.

    Returns:
        The gain: 1.0 when the samples were written as they are, less when they had to be made quieter to fit.

    Raises:
        BadArgument: the rate is out of range.
        BadSource: the file cannot be written.
        GatedError: the samples are not all finite numbers.
        ValueError: another shape, or no samples.
    """
    content, gain = encode_audio(samples, rate_hz, Path(path).suffix.lower(), name=str(path))
    atomic.write(Path(path), content)
    return gain


def encode_audio(
    samples: np.ndarray,
    rate_hz: int,
    ending: str = ".wav",
    *,
    name: str = "the sound",
    kbit_per_s: int | None = None,
) -> tuple[memoryview, float]:
    """The bytes of an audio file, and the gain as in `write_audio`.

    Args:
        samples, rate_hz: as for `write_audio`.
        ending: one of `FORMATS`; any other stands for `.wav`.
        name: what errors call it.
        kbit_per_s: MP3 at this constant rate, 64..320 (at 32,000 Hz or more), where players find every place (see
            `page.clip`); None takes a variable rate.

    Raises:
        BadArgument, GatedError, ValueError: as `write_audio`.
    """
    samples = np.asarray(samples)
    if samples.ndim not in (1, 2) or not samples.size:
        raise ValueError(f"audio is (n,) or (n, channels), not {samples.shape}")
    if not 1 <= rate_hz <= 192_000:
        raise BadArgument(f"The sample rate '{rate_hz}' is out of range.", "Rates are 1 to 192000 Hz.")
    form, subtype = FORMATS.get(ending, FORMATS[".wav"])
    if form == "MP3" and rate_hz not in _MP3_RATES:
        raise BadArgument(f"An MP3 file cannot hold the sample rate '{rate_hz}'.", "Write .wav or .flac instead.")
    peak = max(float(samples.max()), -float(samples.min()))
    if not np.isfinite(peak):
        raise GatedError(
            f"The sound for '{name}' holds values that are not numbers, so it was not written.",
            "The network that made it has diverged: take an earlier checkpoint or lower train.lr.",
        )
    gain = min(1.0, 1.0 / peak) if peak else 1.0
    soundfile = load_soundfile()
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    content = io.BytesIO()
    best: dict[str, str | float] = {}
    if form == "MP3":
        best = {"bitrate_mode": "VARIABLE", "compression_level": 0.1}  # the best but one: 100 kbit/s for a stereo piano
        if kbit_per_s is not None:
            # libsndfile 1.2 takes 320 - 288 * level.
            best = {"bitrate_mode": "CONSTANT", "compression_level": (320 - kbit_per_s) / 288}
    with soundfile.SoundFile(content, "w", rate_hz, channels, subtype=subtype, format=form, **best) as file:
        for at in range(0, len(samples), _BLOCK):
            if subtype == "PCM_16":
                # 32767 on both sides, so that full scale fits with either sign.
                file.write(np.rint(samples[at : at + _BLOCK] * (gain * 32767.0)).astype(np.int16, order="C"))
            else:
                # Not as integers: libsndfile 1.2 mixes up the channels of 16-bit stereo on its way to MP3.
                file.write((samples[at : at + _BLOCK] * gain).astype(np.float32, order="C"))
    return content.getbuffer(), gain


def read_stereo(path: Path | str) -> tuple[np.ndarray, int]:
    """The audio file at `path` as two channels, and its rate: (n, 2) float32 with full scale 1, and samples a second.

    One channel stands on both sides; of more than two the first two are taken.

    Raises:
        BadSource: as `data.audio.read_audio`.
    """
    facts = measure_audio(path)
    if facts.channels == 1:
        mono, rate_hz = read_audio(path)
        return np.repeat(mono[:, None], 2, axis=1), rate_hz
    if facts.frames * 8 > MAX_DECODED_BYTES:
        raise BadSource(
            f"The file '{path}' cannot be read as audio: it lasts {facts.duration_s / 60:,.0f} minutes, too long.",
            "Cut it to a shorter part.",
        )
    soundfile = load_soundfile()
    blocks = []
    try:
        with soundfile.SoundFile(path) as file:
            while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
                blocks.append(block[:, :2].copy())
    except (OSError, RuntimeError) as error:
        raise BadSource(f"The file '{path}' cannot be read as audio: {error}", "Give a file that plays.") from error
    samples = np.concatenate(blocks) if blocks else np.zeros((0, 2), np.float32)
    if not len(samples) or not np.isfinite(samples).all():
        what = "holds values that are not numbers" if len(samples) else "holds no sound"
        raise BadSource(f"The file '{path}' cannot be read as audio: it {what}.", "Give a file that plays.")
    return samples, facts.rate_hz
