"""What a data set holds, in numbers (`gated data info`)."""

from typing import Any

import numpy as np

from gatedtui.data.baseline import marginal_nll
from gatedtui.data.dataset import DataSet

LOWEST = 21


def describe(data: DataSet) -> dict[str, Any]:
    """Pieces, frames and lengths a split, and for music notes a frame, pitch range and the marginal model's test NLL.

    Lengths are in frames (steps of the grid). `marginal_nll_frame` and `marginal_nll_sequence` are nats a frame on the
    test split, frames 2..T, frame-weighted and sequence-weighted (paper.md's check of data and metric).
    """
    about: dict[str, Any] = {"digest": data.digest, "notes": list(data.notes)}
    for split, pieces in data.splits.items():
        lengths = [len(piece) for piece in pieces]
        about[f"{split}_pieces"], about[f"{split}_frames"] = len(pieces), int(sum(lengths))
        about[f"{split}_lengths"] = [int(min(lengths)), int(np.median(lengths)), int(max(lengths))]
    if data.kind == "music":
        rolls = [roll for pieces in data.splits.values() for roll in pieces]
        sounding = np.flatnonzero(sum(roll.sum(axis=0, dtype=np.int64) for roll in rolls))
        notes, frames = sum(int(roll.sum()) for roll in rolls), sum(len(roll) for roll in rolls)
        about["notes_per_frame"] = notes / frames
        about["pitch_range"] = [LOWEST + int(sounding[0]), LOWEST + int(sounding[-1])]
        about["marginal_nll_frame"], about["marginal_nll_sequence"] = marginal_nll(data, "test")
    return about
