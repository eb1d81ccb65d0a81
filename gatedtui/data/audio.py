"""Reading audio files: whatever libsndfile knows (WAV, FLAC, OGG, MP3 and more), as one channel of floats."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gatedtui.data.broken import Broken
from gatedtui.errors import BadSource, DeviceError

MAX_DECODED_BYTES = 500_000_000
"""Most that one file may take in memory: 47 minutes at 44,100 Hz, 4.3 hours at 8,000 Hz."""
BLOCK = 1 << 20
"""Samples (of all channels together) that are converted at once."""


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
    path = Path(path)
    with _named(path), _opened(path) as file:
        return AudioFacts(file.samplerate, file.channels, file.frames, file.format)


def read_audio(path: Path | str, *, whole: bool = False) -> tuple[np.ndarray, int]:
    """The audio file at `path` as one channel (the mean of all), and its rate.

    Args:
        path: the file, not trusted.
        whole: refuse a file that holds less than its header promises; else a file that was cut off gives what is there.

    Returns:
        (n,) float32 with full scale 1, n >= 1, and samples a second.

    Raises:
        BadSource: there is no such file, it is no audio file, it is broken or empty, holds values that are not
            numbers, or would take more than `MAX_DECODED_BYTES`.
    """
    path = Path(path)
    with _named(path):
        return samples(path, whole=whole)


def samples(path: Path, *, whole: bool) -> tuple[np.ndarray, int]:
    """As `read_audio`.

    Raises:
        BadSource: there is no such file, or it may not be read.
        Broken: everything else that `read_audio` lists.
    """
    with _opened(path) as file:
        if file.frames * 4 > MAX_DECODED_BYTES:
            raise Broken(
                f"lasts {file.frames / file.samplerate / 60:,.0f} minutes, too long to read "
                f"(at its rate {MAX_DECODED_BYTES // 4 / file.samplerate / 60:.0f} are the most)"
            )
        if whole:
            _check_length(path)
        # The header may promise more than there is: pages of an array that are never filled cost nothing.
        read, got = np.empty(file.frames, np.float32), 0
        while got < len(read):
            # Never more than was promised: a damaged MP3 may decode to more samples than it says.
            wanted = min(max(1, BLOCK // file.channels), len(read) - got)
            block = file.read(wanted, dtype="float32", always_2d=True)
            if not len(block):
                break
            with np.errstate(invalid="ignore", over="ignore"):  # numbers that are none are refused below
                read[got : got + len(block)] = block.mean(axis=1)
            got += len(block)
        rate_hz = int(file.samplerate)
    if not got:
        raise Broken("holds no sound")
    if whole and got < len(read):
        raise Broken(f"promises {len(read):,} samples and holds {got:,}")
    if not np.isfinite(read[:got]).all():
        raise Broken("holds values that are not numbers")
    return read if got == len(read) else read[:got].copy(), rate_hz


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn what is wrong with a file into a sentence that names it."""
    try:
        yield
    except Broken as error:
        raise BadSource(
            f"The file '{path}' cannot be read as audio: it {error}.", "Give a WAV, FLAC, OGG or MP3 file that plays."
        ) from error


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The open soundfile.SoundFile at `path`, with at least one frame promised."""
    if not path.is_file():  # a folder, but also a pipe, where opening would wait for ever
        raise BadSource(f"There is no audio file '{path}'.", "Check the path.")
    soundfile = load_soundfile()
    try:
        with path.open("rb") as probe:
            head = probe.read(4096)
        if path.suffix.lower() == ".mp3" and not _may_be_mp3(head):
            raise Broken("is in no known audio format")
        file = soundfile.SoundFile(path)
    except OSError as error:
        raise BadSource(
            f"Cannot read '{path}': {(error.strerror or 'no access').lower()}.", f"chmod u+r {shlex.quote(str(path))}"
        ) from error
    except TypeError:  # soundfile's answer to the ending '.raw': samples without a header
        raise Broken("is raw samples, which do not say their rate") from None
    except soundfile.LibsndfileError as error:
        raise _unknown(error.error_string) from error
    with file:
        if file.frames < 1 or file.samplerate < 1:
            raise Broken("holds no sound")
        try:
            yield file
        except soundfile.LibsndfileError as error:
            raise _unknown(error.error_string) from error


def _may_be_mp3(head: bytes) -> bool:
    """Whether a file's first bytes hold a tag, the eleven ones of a frame, or another format's mark.

    Anything else that is called MP3 libmpg123 would search from end to end, and tell stderr what it thinks of it.
    """
    is_other = head[:4] in (b"RIFF", b"fLaC", b"OggS", b"FORM")
    return is_other or head[:3] == b"ID3" or any(a == 0xFF and b >= 0xE0 for a, b in pairwise(head))


def _unknown(reason: str) -> Broken:
    reason = " ".join(reason.split()).rstrip(".").lower().removeprefix("error : ")
    # libsndfile's words for bytes that make no sense: for those of an MP3 it says that the file does not exist.
    if "does not exist" in reason or "format not recogni" in reason:
        return Broken("is in no known audio format")
    return Broken(f"cannot be decoded ({reason})")


def _check_length(path: Path) -> None:
    """Raises Broken when a WAV file's header promises more bytes of sound than there are.

    libsndfile takes what is there without a word, and a recording that was cut off would pass for a whole one.
    """
    with path.open("rb") as file:
        if (promised := _promised(file)) is not None:
            here = path.stat().st_size - file.tell()
            if promised > here:
                raise Broken(f"promises {promised:,} bytes of sound and holds {here:,}")


def _promised(file: BinaryIO) -> int | None:
    """The size a RIFF WAV file states for its samples, with the file left at the first of them; else None."""
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return None
    while len(chunk := file.read(8)) == 8:
        size = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"data":
            return size
        file.seek(size + (size & 1), 1)
    return None


def load_soundfile() -> Any:
    """The module `soundfile`.

    Raises:
        DeviceError: its C library is missing.
    """
    try:
        import soundfile
    except OSError as error:  # wheels bring libsndfile; on rare systems pip has only the source package
        raise DeviceError(
            "The library 'libsndfile' cannot be loaded.", "Install it: apt-get install libsndfile1."
        ) from error
    return soundfile
