"""What a data set holds, in numbers (`gated data info`)."""

import math
from typing import Any

import numpy as np

from gatedtui.data.baseline import marginal_nll
from gatedtui.data.dataset import SKIPPED, DataSet
from gatedtui.data.grid import LOWEST


def describe(data: DataSet) -> dict[str, Any]:
    """Pieces, frames and lengths of each split, where it comes from, what was left out, and figures of its kind.

    Frames are steps of the grid (music) or samples (speech); `…_lengths` are the shortest, the median and the longest
    piece. `marginal_nll_frame` and `marginal_nll_sequence` are nats a frame of the test split under the training
    marginals (`baseline.marginal_nll`), frame-weighted and sequence-weighted. Music: `notes_per_frame`, `pitch_range`
    (MIDI). Speech: `…_seconds`, `std` (of the training samples, full scale 1), `level_dbfs` (20 log10 of it) and
    `peak_dbfs` (of all).

    Raises:
        BadSource: the test split has no frame to score.
    """
    about: dict[str, Any] = {
        "digest": data.digest,
        "notes": [note for note in data.notes if not note.startswith(SKIPPED)],
        "skipped": [note.removeprefix(SKIPPED) for note in data.notes if note.startswith(SKIPPED)],
        "window": data.window,
    }
    for split, pieces in data.splits.items():
        lengths = [len(piece) for piece in pieces]
        about[f"{split}_pieces"], about[f"{split}_frames"] = len(pieces), sum(lengths)
        about[f"{split}_lengths"] = [min(lengths), int(np.median(lengths)), max(lengths)] if lengths else None
        if data.kind == "speech":
            about[f"{split}_seconds"] = sum(lengths) / data.rate_hz
    about["marginal_nll_frame"], about["marginal_nll_sequence"] = marginal_nll(data, "test")
    return about | (_music(data) if data.kind == "music" else _speech(data))


def _music(data: DataSet) -> dict[str, Any]:
    rolls = [roll for pieces in data.splits.values() for roll in pieces]
    counts = sum((roll.sum(axis=0, dtype=np.int64) for roll in rolls), np.zeros(1, np.int64))
    sounding = np.flatnonzero(counts)
    return {
        "notes_per_frame": float(counts.sum()) / max(1, sum(map(len, rolls))),
        "pitch_range": [LOWEST + int(sounding[0]), LOWEST + int(sounding[-1])] if len(sounding) else None,
    }


def _speech(data: DataSet) -> dict[str, Any]:
    peak = data.scale * max((float(np.abs(wave).max()) for waves in data.splits.values() for wave in waves), default=0)
    return {
        "std": data.scale,
        "level_dbfs": 20.0 * math.log10(data.scale),
        "peak_dbfs": 20.0 * math.log10(peak) if peak else -math.inf,
    }
