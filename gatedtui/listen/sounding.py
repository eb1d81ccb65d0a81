"""From any file to one that can be played: audio as it is, MIDI on the built-in piano."""

import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gatedtui.data.smf import DRUMS, Score, read_score
from gatedtui.errors import BadSource
from gatedtui.listen.programs import child
from gatedtui.sound.piano import MAX_LENGTH_S, RATE_HZ, render_notes
from gatedtui.sound.wav import measure_audio, write_audio

MIDI_ENDINGS = (".mid", ".midi")


@dataclass(frozen=True)
class Sounding:
    """A file that can be played."""

    path: Path
    """The file that was asked for."""
    audio: Path
    """The audio file that sounds; absolute."""
    duration_s: float
    is_wav: bool


def prepare(path: Path, folder: Path) -> Sounding:
    """The audio that a file stands for, rendered into `folder` where the file is MIDI.

    Raises:
        BadSource: the file is missing, broken, neither audio nor MIDI, or (MIDI) longer than an hour or without notes.
    """
    if not path.is_file():
        raise BadSource(f"There is no file '{path}'.", "Check the path.")
    if not is_midi(path):
        return Sounding(path, path.absolute(), duration_s(path), head(path) == b"RIFF")
    samples = render_score(path, read_score(path))
    audio = folder / "piano.wav"
    write_audio(samples, RATE_HZ, audio)
    return Sounding(path, audio, len(samples) / RATE_HZ, True)


def is_midi(path: Path) -> bool:
    """Whether a file is, or claims to be, a MIDI file."""
    return head(path) == b"MThd" or path.suffix.lower() in MIDI_ENDINGS


def head(path: Path) -> bytes:
    """The first four bytes of a file.

    Raises:
        BadSource: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(4)
    except OSError as error:
        raise BadSource(
            f"Cannot read '{path}': {(error.strerror or 'no access').lower()}.", f"chmod u+r {shlex.quote(str(path))}"
        ) from error


def duration_s(path: Path) -> float:
    """The length of an audio file.

    libsndfile's MP3 decoder writes its opinion of a doubtful file to the error stream, where the app may be drawing:
    what may be an MP3 is looked at in a child process.

    Raises:
        BadSource: it is no audio file.
    """
    if _is_quiet(path):
        return measure_audio(path).duration_s
    answer = subprocess.run(
        child("--measure", str(path.absolute())), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    frames, rate_hz = (int(word) for word in answer.stdout.split()) if answer.returncode == 0 else (0, 1)
    if frames < 1 or rate_hz < 1:
        raise _neither(path)
    return frames / rate_hz


def decoded(path: Path, folder: Path) -> Path:
    """The file itself where this process may read it, else a WAV copy in `folder` that a child process has made.

    Raises:
        BadSource: it is no audio file.
    """
    if _is_quiet(path):
        return path
    copy = Path(tempfile.mkdtemp(dir=folder), "decoded.wav")
    command = child("--decode", str(path.absolute()), str(copy))
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise _neither(path)
    return copy


def render_score(path: Path, score: Score) -> np.ndarray:
    """A MIDI file at its own tempos, without drums, on the built-in piano: (samples, 2) at `piano.RATE_HZ`.

    Args:
        path: what errors call it.
        score: its notes.

    Raises:
        BadSource: it holds no notes to play, or lasts longer than an hour.
    """
    kept = score.notes[score.notes[:, 4] != DRUMS]
    if not len(kept):
        raise BadSource(f"The MIDI file '{path}' holds no notes to play.", "Give a file with notes.")
    notes = np.stack([kept[:, 2], score.seconds(kept[:, 0]), score.seconds(kept[:, 1]), kept[:, 3]], axis=1)
    length_s = float(notes[:, 2].max())
    if length_s > MAX_LENGTH_S:
        raise BadSource(
            f"The MIDI file '{path}' lasts {length_s / 60:,.0f} minutes, more than {MAX_LENGTH_S / 60:.0f}.",
            "Cut it to a shorter part.",
        )
    return render_notes(notes)


def temporary_folder() -> Path:
    """A new folder for one playing; whoever asks for it removes it."""
    return Path(tempfile.mkdtemp(prefix="gated-play-"))


def remove(folder: Path | None) -> None:
    """Removes such a folder, and minds nothing."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _is_quiet(path: Path) -> bool:
    """Whether libsndfile reads the file without a word: it is none of its MP3 decoder's."""
    return head(path) in (b"RIFF", b"fLaC", b"OggS")


def _neither(path: Path) -> BadSource:
    return BadSource(
        f"The file '{path}' cannot be played: it is neither audio nor MIDI.",
        "Give a WAV, FLAC, OGG, MP3 or MIDI file.",
    )
