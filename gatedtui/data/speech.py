"""Two sets of speech with the shapes of the paper's private ones, cut from the spoken digits.

The paper (section 4.2) trained on 7,230 sequences of 500 samples (set A) and 800 of 8,000 (set B).
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from gatedtui.data import dataset, digits
from gatedtui.data.catalogue import Entry, Progress
from gatedtui.data.dataset import SPLITS, DataSet
from gatedtui.data.digits import Clip

SEED = 1412
"""Fixes which windows are taken and in which order clips are joined; changing it changes the sets."""
WINDOW = {"speech-a": 500, "speech-b": 8000}
"""Samples in a window."""
SIZES = {"speech-a": (7230, 800, 1200), "speech-b": (800, 100, 100)}
"""Windows for training, validation and test. The clips held out give speech-b 129 and 128 windows: an eighth of the
training windows is a round number below both."""
FULL_SCALE = 32768

Window = tuple[str, np.ndarray]
"""A title, and (samples,) int16."""


def build(entry: Entry, *, cache: Path, mirror: str | None, progress: Progress | None) -> DataSet:
    """speech-a or speech-b.

    Raises:
        BadSource: the recordings cannot be had.
    """
    clips = digits.clips(wanted=entry.name, cache=cache, mirror=mirror, progress=progress)
    if progress:
        progress("cutting windows", 0, 0)
    cut = inside if entry.name == "speech-a" else joined
    windows = {split: cut([clip for clip in clips if clip.split == split], WINDOW[entry.name]) for split in SPLITS}
    chosen = {
        split: shuffled(windows[split], SEED)[:size] for split, size in zip(SPLITS, SIZES[entry.name], strict=True)
    }
    how = (
        "Windows of 500 samples, one behind the other from each clip's start."
        if entry.name == "speech-a"
        else "Windows of 8,000 samples from the clips of one speaker, joined end to end."
    )
    return finish(
        entry,
        chosen,
        notes=(
            f"{how} Shuffled with seed {SEED}; the first {', '.join(f'{n:,}' for n in SIZES[entry.name])} are taken.",
            "Clips 0–4 of each digit and speaker are the test, 5–9 validation, 10–49 training, so no clip is on two "
            "sides; all six speakers are on every side.",
        ),
    )


def inside(clips: Iterable[Clip], length: int) -> list[Window]:
    """The windows inside each clip, one behind the other from its start; what is left at its end is dropped."""
    return [
        (f"{clip.title} {first}", clip.samples[first : first + length])
        for clip in clips
        for first in range(0, len(clip.samples) - length + 1, length)
    ]


def joined(clips: Iterable[Clip], length: int) -> list[Window]:
    """The windows of each speaker's clips, which are joined end to end in a shuffled order; the rest is dropped."""
    voices: dict[str, list[Window]] = defaultdict(list)
    for clip in clips:
        voices[clip.speaker].append((clip.title, clip.samples))
    windows = []
    for speaker in sorted(voices):
        whole = np.concatenate([samples for _, samples in shuffled(voices[speaker], SEED)])
        for number in range(len(whole) // length):
            windows.append((f"{speaker} {number}", whole[number * length : (number + 1) * length]))
    return windows


def shuffled(windows: Iterable[Window], seed: int) -> list[Window]:
    """The windows in an order that hangs on the seed and their titles alone, the same with every version of NumPy."""
    return sorted(windows, key=lambda window: hashlib.sha256(f"{seed} {window[0]}".encode()).digest())


def finish(entry: Entry, windows: Mapping[str, Sequence[Window]], *, notes: tuple[str, ...]) -> DataSet:
    """The data set of 16-bit windows: all divided by the standard deviation of the training samples."""
    scale = deviation([samples for _, samples in windows["train"]]) / FULL_SCALE
    splits = {
        split: tuple((samples / (FULL_SCALE * scale)).astype(np.float32) for _, samples in windows[split])
        for split in SPLITS
    }
    titles = {split: tuple(title for title, _ in windows[split]) for split in SPLITS}
    return dataset.build(entry.name, "speech", splits, titles, rate_hz=entry.rate_hz, scale=scale, notes=notes)


def deviation(pieces: Iterable[np.ndarray]) -> float:
    """The standard deviation of all samples of int16 pieces together.

    Summed in whole numbers, so that every machine finds the same bits: the sets' digests hang on them.
    """
    count, total, squares = 0, 0, 0
    for piece in pieces:
        wide = piece.astype(np.int64)
        count, total, squares = count + len(wide), total + int(wide.sum()), squares + int((wide * wide).sum())
    return math.sqrt((squares * count - total * total) / (count * count))
