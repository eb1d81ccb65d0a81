"""The plainest model of music: each pitch sounds as often as it did in training, whatever came before.

Its score checks data and metric against published figures, and is the line a network has to beat.
"""

from collections.abc import Sequence

import numpy as np

from gatedtui.data.dataset import DataSet
from gatedtui.data.grid import PITCHES
from gatedtui.errors import BadSource


def marginals(rolls: Sequence[np.ndarray]) -> np.ndarray:
    """How often each pitch sounds, Laplace-smoothed: (frames with it + 1) / (frames + 2), over all frames.

    Args:
        rolls: training rolls, each (T, 88) of 0 and 1.

    Returns:
        (88,) float64, each strictly between 0 and 1.
    """
    counts = sum((roll.sum(axis=0, dtype=np.int64) for roll in rolls), np.zeros(PITCHES, np.int64))
    return (counts + 1.0) / (sum(len(roll) for roll in rolls) + 2.0)


def marginal_nll(dataset: DataSet, split: str = "test") -> tuple[float, float]:
    """The negative log-likelihood of a split of music under the training marginals, frames 2..T of every piece.

    The marginals count every training frame, the first ones too. On the four sets of the paper this gives 10.26,
    11.09, 11.51 and 11.05 (Nottingham, JSB, MuseData, Piano-midi; frame-weighted).

    Returns:
        Nats a frame, summed over the 88 pitches: the mean over all scored frames (frame-weighted), and the mean over
        pieces of each piece's own mean (sequence-weighted).

    Raises:
        BadSource: the split has no frame to score.
        ValueError: the set is not music.
    """
    if dataset.kind != "music":
        raise ValueError(f"marginals are of pitches, and {dataset.name} is {dataset.kind}")
    p = marginals(dataset.splits["train"])
    on, off = -np.log(p), -np.log1p(-p)
    nlls = [np.where(roll[1:], on, off).sum(axis=1) for roll in dataset.splits[split] if len(roll) > 1]
    if not nlls:
        raise BadSource(f"The {split} part of {dataset.name!r} has no frame to score.", "Choose another split.")
    return float(np.concatenate(nlls).mean()), float(np.mean([nll.mean() for nll in nlls]))
