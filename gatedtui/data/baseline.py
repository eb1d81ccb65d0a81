"""The plainest models: each pitch sounds as often as it did in training, each sample of speech is normal, whatever came
before.

Its score checks data and metric against published figures, and is the line a network has to beat.
"""

import math
from collections.abc import Sequence

import numpy as np

from gatedtui.data.dataset import FRAME, DataSet, pairs
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
    """The negative log-likelihood of a split under the training marginals, over the frames a network is scored on.

    Music: frames 2..T of every piece. The marginals count every training frame, the first ones too. On the four sets
    of the paper this gives 10.26, 11.09, 11.51 and 11.05 (Nottingham, JSB, MuseData, Piano-midi; frame-weighted).
    Speech: every sample has the mean and the standard deviation of all training samples; about 10 · ½ log 2πe = 14.19.

    Returns:
        Nats a frame, summed over the 88 pitches or 10 samples: the mean over all scored frames (frame-weighted), and
        the mean over pieces of each piece's own mean (sequence-weighted).

    Raises:
        BadSource: the split has no frame to score.
    """
    if dataset.kind == "music":
        p = marginals(dataset.splits["train"])
        on, off = -np.log(p), -np.log1p(-p)
        nlls = [np.where(roll[1:], on, off).sum(axis=1) for roll in dataset.splits[split] if len(roll) > 1]
    else:
        mean, std = _moments(dataset.splits["train"])
        constant = FRAME * (0.5 * math.log(2 * math.pi) + math.log(std))
        nlls = [
            constant + 0.5 * np.square((y.astype(np.float64) - mean) / std).sum(axis=1)
            for _, y in pairs(dataset, split)
        ]
    if not nlls:
        raise BadSource(f"The part '{split}' of {dataset.name!r} has no frame to score.", "Choose another split.")
    return float(np.concatenate(nlls).mean()), float(np.mean([nll.mean() for nll in nlls]))


def _moments(waveforms: Sequence[np.ndarray]) -> tuple[float, float]:
    """Mean and standard deviation of all samples together; one piece at a time, so that no long copy is made."""
    count = sum(len(wave) for wave in waveforms)
    mean = sum(float(wave.sum(dtype=np.float64)) for wave in waveforms) / count
    square = sum(float(np.square(wave, dtype=np.float64).sum()) for wave in waveforms) / count
    return mean, max(math.sqrt(max(square - mean * mean, 0.0)), 1e-9)
