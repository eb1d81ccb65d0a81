"""Audio files: written as 16-bit WAV, read from whatever libsndfile knows (WAV, FLAC, OGG, MP3 and more)."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gatedtui import atomic
from gatedtui.errors import BadArgument, BadSource, DeviceError, GatedError

MAX_DECODED_BYTES = 500_000_000
"""Most that one file may take in memory: 47 minutes at 44,100 Hz, 4.3 hours at 8,000 Hz."""
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
    soundfile = _soundfile()
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    content = io.BytesIO()
    with soundfile.SoundFile(content, "w", rate_hz, channels, subtype="PCM_16", format="WAV") as file:
        for at in range(0, len(samples), _BLOCK):
            # 32767 on both sides, so that full scale fits with either sign.
            file.write(np.rint(samples[at : at + _BLOCK] * (gain * 32767.0)).astype(np.int16))
    atomic.write(Path(path), content.getbuffer())
    return gain


@dataclass(frozen=True)
class AudioFacts:
    """What an audio file's header says."""

    rate_hz: int
    channels: int
    frames: int
    """Samples of one channel."""
    format: str
    """libsndfile's word: WAV, FLAC, OGG, MP3, …"""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.rate_hz


def measure_audio(path: Path | str) -> AudioFacts:
    """What the header of the audio file at `path` says.

    Raises:
        BadSource: there is no such file, or it is no audio file, or it is empty.
    """
    with _opened(Path(path)) as file:
        return AudioFacts(file.samplerate, file.channels, file.frames, file.format)


def read_audio(path: Path | str) -> tuple[np.ndarray, int]:
    """The audio file at `path` as one channel (the mean of all), and its rate.

    Returns:
        (n,) float32 with full scale 1, n >= 1, and samples a second. A file that was cut off gives what is there.

    Raises:
        BadSource: there is no such file, it is no audio file, it is broken or empty, holds values that are not
            numbers, or would take more than `MAX_DECODED_BYTES`.
    """
    path = Path(path)
    with _opened(path) as file:
        if file.frames * 4 > MAX_DECODED_BYTES:
            raise BadSource(
                f"The audio file '{path}' lasts {file.frames / file.samplerate / 60:,.0f} minutes, too long to read.",
                f"Cut it below {MAX_DECODED_BYTES // 4 / file.samplerate / 60:.0f} minutes.",
            )
        # The header may promise more than there is: pages of an array that are never filled cost nothing.
        samples, got = np.empty(file.frames, np.float32), 0
        while got < len(samples):
            block = file.read(max(1, _BLOCK // file.channels), dtype="float32", always_2d=True)
            if not len(block):
                break
            samples[got : got + len(block)] = block.mean(axis=1)
            got += len(block)
        rate_hz = int(file.samplerate)
    if not got:
        raise BadSource(f"The audio file '{path}' holds no sound.", "Give a file that plays.")
    if not np.isfinite(samples[:got]).all():
        raise BadSource(f"The audio file '{path}' holds values that are not numbers.", "Save it again as 16-bit WAV.")
    return samples if got == len(samples) else samples[:got].copy(), rate_hz


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The open soundfile.SoundFile at `path`, with at least one frame promised; what goes wrong is a BadSource."""
    if not path.is_file():  # a folder, but also a pipe, where opening would wait for ever
        raise BadSource(f"There is no audio file '{path}'.", "Check the path.")
    soundfile = _soundfile()
    try:
        path.open("rb").close()
        file = soundfile.SoundFile(path)
    except OSError as error:
        raise BadSource(f"Cannot read '{path}': {(error.strerror or 'no access').lower()}.") from error
    except TypeError:  # soundfile's answer to the ending '.raw': samples without a header
        raise _unreadable(path, "raw samples do not say their rate") from None
    except soundfile.LibsndfileError as error:
        raise _unreadable(path, error.error_string) from error
    with file:
        if file.frames < 1 or file.samplerate < 1:
            raise BadSource(f"The audio file '{path}' holds no sound.", "Give a file that plays.")
        try:
            yield file
        except soundfile.LibsndfileError as error:
            raise _unreadable(path, error.error_string) from error


def _unreadable(path: Path, reason: str) -> BadSource:
    if "does not exist" in reason:  # libsndfile's word for bytes that make no sense as MP3, though the file is there
        reason = "format not recognised"
    return BadSource(
        f"The file '{path}' cannot be read as audio: {reason.strip().rstrip('.')}.",
        "Give a WAV, FLAC, OGG or MP3 file that plays.",
    )


def _soundfile() -> Any:
    try:
        import soundfile
    except OSError as error:  # wheels bring libsndfile; on rare systems pip has only the source package
        raise DeviceError(
            "The library 'libsndfile' cannot be loaded.", "Install it: apt-get install libsndfile1."
        ) from error
    return soundfile
