"""The Free Spoken Digit Dataset: 3,000 recordings of the digits 0 to 9 by six speakers, at 8 kHz.

Jakobovski and contributors, CC BY-SA 4.0. The archive a host makes of a commit need not have the same bytes for ever,
so it is the recordings that are verified.
"""

import hashlib
import io
import re
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gatedtui.data import archive, fetch
from gatedtui.data.broken import Broken
from gatedtui.data.catalogue import Progress

_COMMIT = "26eb9aaf76e81b692f806f9140c2d2777410d7a1"
ARCHIVE = fetch.Remote(
    f"free-spoken-digit-dataset-{_COMMIT}.tar.gz",
    f"https://codeload.github.com/Jakobovski/free-spoken-digit-dataset/tar.gz/{_COMMIT}",
    64 << 20,
)
DIGEST = "dbd573d7cafe79c4b49f65718115e1304e24e067fa39eff18a660dc6cb9c360f"
"""SHA-256 of a line "base-name sha256" for each recording, in the order of their names."""
RATE_HZ = 8000
_NAME = re.compile(r"([0-9])_([a-z]+)_([0-9]{1,2})\.wav")


@dataclass(frozen=True, eq=False)
class Clip:
    """One recording."""

    digit: int
    speaker: str
    index: int
    """0 to 49; the same digit by the same speaker was recorded fifty times."""
    samples: np.ndarray
    """(n,) int16, full scale 32768."""

    @property
    def title(self) -> str:
        """As the file is called: digit, speaker, index."""
        return f"{self.digit}_{self.speaker}_{self.index}"

    @property
    def split(self) -> str:
        """Indices 0 to 4 are the test, as the recordings' authors say; 5 to 9 validation; the others training."""
        return "test" if self.index < 5 else "valid" if self.index < 10 else "train"


def clips(*, wanted: str, cache: Path, mirror: str | None, progress: Progress | None) -> list[Clip]:
    """All recordings, in the order of their files' names.

    Raises:
        BadSource: the archive cannot be had, or holds other recordings.
    """
    return fetch.obtain(ARCHIVE, _checked, wanted=wanted, cache=cache, mirror=mirror, progress=progress)


def digest(files: Mapping[str, bytes]) -> str:
    """The SHA-256 that `DIGEST` expects, of WAV files by their names."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name} {hashlib.sha256(files[name]).hexdigest()}\n".encode())
    return total.hexdigest()


def _checked(content: bytes) -> list[Clip]:
    found = archive.files(content, "recordings", ".wav")
    if digest(found) != DIGEST:
        raise Broken(f"holds {len(found):,} recordings that are not the 3,000 expected ones")
    return [_clip(name, found[name]) for name in sorted(found)]


def _clip(name: str, content: bytes) -> Clip:
    match = _NAME.fullmatch(name)
    if not match:
        raise Broken(f"holds the recording {name[:80]!r}, whose name is not DIGIT_SPEAKER_INDEX.wav")
    return Clip(int(match[1]), match[2], int(match[3]), samples(name, content))


def samples(name: str, content: bytes) -> np.ndarray:
    """The samples of a 16-bit WAV file with one channel at 8 kHz, (n,) int16.

    Raises:
        Broken: it is no such file, or its header promises more samples than there are.
    """
    try:
        with wave.open(io.BytesIO(content)) as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            promised = file.getnframes()
            # Never more than there is: the header's number alone would be asked of the memory.
            data = file.readframes(min(promised, len(content)))
    except (wave.Error, EOFError, ValueError, OverflowError, RuntimeError) as error:  # the last: a chunk beyond the end
        raise Broken(f"holds the recording {name!r}, which is no WAV file ({error or 'it is cut short'})") from error
    if form != (1, 2, RATE_HZ):
        raise Broken(f"holds the recording {name!r} with (channels, bytes, rate) {form}, not (1, 2, {RATE_HZ})")
    if len(data) != 2 * promised:
        raise Broken(f"holds the recording {name!r}, which promises {promised:,} samples and has {len(data) // 2:,}")
    return np.frombuffer(data, "<i2")
