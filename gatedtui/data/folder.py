"""A user's folder as a data set: songs on a grid, or recordings at one rate; what cannot be used is named."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gatedtui.data import audio, dataset, grid, key, listing, scores, split
from gatedtui.data.broken import Broken
from gatedtui.data.catalogue import Entry, Progress
from gatedtui.data.dataset import FRAME, SKIPPED, SPLITS, DataSet
from gatedtui.errors import BadSource

FEWEST = 3
"""Files that a set needs: one for each part."""
MAX_STEPS = 200_000
"""Longest piece of music: 8.7 hours at four steps a quarter note and 96 quarter notes a minute."""
MAX_TOTAL_STEPS = 5_000_000
"""Most music in a set; its rolls take 440 MB."""
MAX_SOUND_BYTES = 500_000_000
"""Largest audio file."""
MAX_TOTAL_SAMPLES = 250_000_000
"""Most sound in a set: 8.7 hours at 8 kHz, which take 1 GB."""
FILE_RATES_HZ = (1000, 384_000)
"""Rates of audio files that are brought to the set's; the filter for stranger ones would take gigabytes."""
SILENCE = 10.0 ** (-50 / 20)
"""−50 dB of full scale: what stays below it before and after the sound is cut off."""
WINDOW = 8000
"""Samples to which recordings are cut unless `data.window` says otherwise, as in the paper's longer sequences."""

Piece = tuple[str, np.ndarray]
"""Title, and a roll (T, 88) uint8 or a waveform (samples,) float32."""


@dataclass
class _Gathered:
    """What has been read so far."""

    files: list[tuple[str, list[Piece]]] = field(default_factory=list)
    """For each file used the SHA-256 of its bytes, and its pieces."""
    skipped: list[str] = field(default_factory=list)
    drums: int = 0
    outside: int = 0
    total: int = 0
    """Steps or samples."""


def build(entry: Entry, *, cache: Path, mirror: str | None, progress: Progress | None) -> DataSet:
    """The files of `entry.folder`, divided 80/10/10 by the SHA-256 of their bytes, with one in each part at least.

    Files with the same content count once. Notes beginning with `SKIPPED` name what was left out, and why.

    Raises:
        BadSource: fewer than three files can be used, or the folder cannot.
    """
    found = listing.look(Path(entry.folder))
    if found.kind != entry.kind:
        raise BadSource(
            f"The folder '{entry.folder}' no longer holds what was imported from it.",
            f"Import it anew: gated data import {entry.name} PATH --replace",
        )
    read = _songs if entry.kind == "music" else _recordings
    gathered = _gather(found, entry, read, progress)
    if len(gathered.files) < FEWEST:
        reasons = gathered.skipped[:3] + (["…"] if len(gathered.skipped) > 3 else [])
        because = f" ({'; '.join(reasons)})" if reasons else ""
        raise BadSource(
            f"The folder '{entry.folder}' holds {_count(len(gathered.files), 'usable file')}, and {FEWEST} are "
            f"needed{because}.",
            "Add files: one each for training, validation and test is the least.",
        )
    parts = split.divide(
        [digest for digest, _ in gathered.files], [[place] for place in range(len(gathered.files))], least=1
    )
    pieces = {part: [piece for place in places for piece in gathered.files[place][1]] for part, places in parts.items()}
    scale = _deviation([wave for _, wave in pieces["train"]]) if entry.kind == "speech" else 1.0
    if not scale > 0:
        raise BadSource(f"The recordings in '{entry.folder}' do not sound: every sample is the same.", "Add others.")
    rolls_or_waves = {
        part: tuple(content if entry.kind == "music" else content / np.float32(scale) for _, content in pieces[part])
        for part in SPLITS
    }
    return dataset.build(
        entry.name,
        entry.kind,
        rolls_or_waves,
        {part: tuple(title for title, _ in pieces[part]) for part in SPLITS},
        steps_per_quarter=entry.steps_per_quarter,
        rate_hz=entry.rate_hz,
        scale=scale,
        notes=_notes(entry, found, gathered),
        window=WINDOW if entry.kind == "speech" else 0,
    )


Reader = Callable[[Path, Entry, _Gathered], list[np.ndarray]]


def _gather(found: listing.Listing, entry: Entry, read: Reader, progress: Progress | None) -> _Gathered:
    gathered = _Gathered(skipped=list(found.skipped))
    first: dict[str, str] = {}
    for done, name in enumerate(found.files):
        if progress:
            progress("reading your files", done, len(found.files))
        title = listing.shown(name)
        try:
            contents = read(found.root / name, entry, gathered)
            with (found.root / name).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            same = first.setdefault(_content_digest(contents), title)
            if same != title:
                raise Broken(f"holds the same as {same}")
        except (Broken, BadSource) as error:
            gathered.skipped.append(f"{title}: it {error}" if isinstance(error, Broken) else f"{title}: {error.what}")
            continue
        except OSError as error:
            gathered.skipped.append(f"{title}: it cannot be opened ({error.strerror or error})")
            continue
        gathered.total += sum(len(content) for content in contents)
        titles = [title] if len(contents) == 1 else [f"{title} {number}" for number in range(1, len(contents) + 1)]
        gathered.files.append((digest, list(zip(titles, contents, strict=True))))
    if progress:
        progress("reading your files", len(found.files), len(found.files))
    return gathered


def _content_digest(contents: list[np.ndarray]) -> str:
    total = hashlib.sha256()
    for content in contents:
        total.update(len(content).to_bytes(8, "little"))
        total.update(content.tobytes())
    return total.hexdigest()


def _songs(path: Path, entry: Entry, gathered: _Gathered) -> list[np.ndarray]:
    """The rolls of a file: one, or as many as tunes are in it."""
    rolls, drums, outside = [], 0, 0
    for piece in scores.pieces(path):
        notes = piece.notes
        if not np.isfinite(notes).all():
            raise Broken("holds notes at no time")
        drums += piece.drums
        if not len(notes):
            continue
        if np.ptp(notes[:, :2]) * entry.steps_per_quarter > MAX_STEPS:
            raise Broken(f"lasts longer than {MAX_STEPS:,} steps")
        if entry.transposed:
            notes = key.transposed(notes)
        pitches = np.rint(notes[:, 2]) - grid.LOWEST
        outside += int(((pitches < 0) | (pitches >= grid.PITCHES)).sum())
        roll = grid.roll(notes, entry.steps_per_quarter)
        if len(roll) > 1:
            rolls.append(roll)
    if not rolls:
        raise Broken("holds no piece of two steps or more between A0 and C8")
    if gathered.total + sum(map(len, rolls)) > MAX_TOTAL_STEPS:
        raise Broken(f"would make the set longer than {MAX_TOTAL_STEPS:,} steps")
    gathered.drums, gathered.outside = gathered.drums + drums, gathered.outside + outside
    return rolls


def _recordings(path: Path, entry: Entry, gathered: _Gathered) -> list[np.ndarray]:
    """The one waveform of a file, at the set's rate, full scale 1, without the silence around it."""
    if path.stat().st_size > MAX_SOUND_BYTES:
        raise Broken(f"is larger than {MAX_SOUND_BYTES // 1_000_000} MB")
    samples, rate_hz = audio.samples(path, whole=True)
    if not FILE_RATES_HZ[0] <= rate_hz <= FILE_RATES_HZ[1]:
        raise Broken(f"has {rate_hz:,} samples a second, outside {FILE_RATES_HZ[0]:,} to {FILE_RATES_HZ[1]:,}")
    if gathered.total + len(samples) * entry.rate_hz // rate_hz > MAX_TOTAL_SAMPLES:
        raise Broken(f"would make the set longer than {MAX_TOTAL_SAMPLES / entry.rate_hz / 3600:.1f} hours")
    wave = trimmed(resampled(samples, rate_hz, entry.rate_hz))
    if not len(wave):
        raise Broken("is silent: no sample reaches −50 dB of full scale")
    if len(wave) < 3 * FRAME:
        raise Broken(f"sounds for only {len(wave)} samples")
    return [wave]


def resampled(samples: np.ndarray, rate_hz: int, wanted_hz: int) -> np.ndarray:
    """A waveform (n,) float32 at another rate, by SciPy's polyphase filter, which keeps what lies below half of it."""
    if rate_hz == wanted_hz:
        return samples
    from scipy.signal import resample_poly

    common = math.gcd(rate_hz, wanted_hz)
    return resample_poly(samples, wanted_hz // common, rate_hz // common).astype(np.float32)


def trimmed(samples: np.ndarray) -> np.ndarray:
    """A waveform from the first to the last sample that reaches −50 dB of full scale; empty when none does."""
    loud = np.flatnonzero(np.abs(samples) >= SILENCE)
    return samples[loud[0] : loud[-1] + 1].copy() if len(loud) else samples[:0]


def _deviation(waves: list[np.ndarray]) -> float:
    """The standard deviation of all samples together."""
    count = sum(len(wave) for wave in waves)
    mean = sum(float(wave.sum(dtype=np.float64)) for wave in waves) / count
    return math.sqrt(sum(float(np.square(wave - mean, dtype=np.float64).sum()) for wave in waves) / count)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _notes(entry: Entry, found: listing.Listing, gathered: _Gathered) -> tuple[str, ...]:
    used = _count(len(gathered.files), "file")
    if entry.kind == "music":
        moved = "Moved to C major or A minor." if entry.transposed else "Not transposed."
        notes = [f"{used} on a grid of {entry.steps_per_quarter} steps a quarter note. {moved}"]
        if gathered.drums:
            notes.append(f"Left out: {_count(gathered.drums, 'drum note')}.")
        if gathered.outside:
            notes.append(f"Left out: {_count(gathered.outside, 'note')} outside A0 to C8.")
    else:
        notes = [
            f"{used} as one channel at {entry.rate_hz:,} Hz (SciPy's polyphase resampling).",
            "Silence below −50 dB of full scale is cut off at both ends.",
        ]
    notes.append("Divided 80/10/10 by the SHA-256 of the files.")
    if found.others:
        notes.append(found.others)
    return (*notes, *(SKIPPED + line for line in gathered.skipped))
