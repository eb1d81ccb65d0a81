"""The score of a model on a split: nats a frame, weighted by frame and by sequence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from gatedtui import modelfile
from gatedtui.checkpoint import Checkpoint
from gatedtui.data.batches import Pair, in_order, rows_in_order
from gatedtui.data.dataset import DataSet, pairs
from gatedtui.errors import BadSource
from gatedtui.kernels import Pieces
from gatedtui.network import Network, restore

ROWS = 32
"""Sequences scored side by side; more gains nothing on one CPU thread."""


@dataclass(frozen=True)
class Score:
    """The negative log-likelihood of a split, in nats.

    Attributes:
        frame: mean over all scored frames, the headline figure: long pieces count more.
        sequence: mean over sequences of each one's own mean.
        frames: how many frames were scored (2..T of each piece).
        sequences: how many sequences were scored.
    """

    frame: float
    sequence: float
    frames: int
    sequences: int


@dataclass(frozen=True)
class Prepared:
    """Sequences that are scored again and again.

    Attributes:
        sequences: `(x (T, I), y (T, O))` each.
        pieces: the same as the kernels' single call reads them, or None where that does not apply.
    """

    sequences: Sequence[Pair]
    pieces: Pieces | None


def prepare(network: Network, sequences: Sequence[Pair], *, backend: str) -> Prepared:
    """Sequences made ready for scoring by networks of this one's kind, dtype and device."""
    return Prepared(sequences, network.pieces(sequences, backend=backend))


@torch.no_grad()
def score(network: Network, sequences: Sequence[Pair] | Prepared, *, backend: str) -> Score:
    """Scores sequences without weight noise.

    Args:
        network: its dtype and device decide where the work is done; sums are float64.
        sequences: `(x (T, I), y (T, O))` each, at least one; or what `prepare` made of them.
        backend: which kernel.
    """
    ready = sequences if isinstance(sequences, Prepared) else prepare(network, sequences, backend=backend)
    sums, lengths = [np.zeros(0)], [np.zeros(0, np.int64)]
    if ready.pieces is not None:
        for rows in rows_in_order(ready.pieces.lengths, ROWS):
            sums.append(network.score(ready.pieces.take(rows)))
            lengths.append(ready.pieces.lengths[rows])
    else:
        for batch in in_order(ready.sequences, ROWS):
            nll = network.losses(*tensors(batch.x, batch.y, network), batch.lengths, backend=backend)
            sums.append(nll.double().sum(0).cpu().numpy())
            lengths.append(batch.lengths)
    return score_of(np.concatenate(sums), np.concatenate(lengths))


def score_of(nats: np.ndarray, steps: np.ndarray) -> Score:
    """The score of sequences `(N,)` by the nats of each, summed over its frames, and how many frames it has."""
    frames = int(steps.sum())
    return Score(float(nats.sum()) / frames, float((nats / steps).mean()), frames, len(steps))


def tensors(x: np.ndarray, y: np.ndarray, network: Network) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and targets in the network's dtype, on its device."""
    like = network.flat
    return torch.from_numpy(x).to(like), torch.from_numpy(y).to(like)


def evaluate(checkpoint: Checkpoint, dataset: DataSet, split: str) -> dict[str, Any]:
    """What `gated eval` tells of a model: `nll_frame nll_sequence frames sequences joint parameters …`.

    Raises:
        BadSource: the data is of another kind or rate than the model's, or the split holds nothing to score.
    """
    trained_on = checkpoint.data
    if dataset.kind != trained_on["kind"]:
        raise BadSource(
            f"'{dataset.name}' is {dataset.kind}, and the model was trained on {trained_on['kind']}.",
            "Leave out --data.",
        )
    if dataset.rate_hz != trained_on["rate_hz"]:
        raise BadSource(
            f"'{dataset.name}' has '{dataset.rate_hz}' samples a second, and the model was trained at "
            f"'{trained_on['rate_hz']}'.",
            "Leave out --data.",
        )
    sequences = pairs(dataset, split, window=checkpoint.config.data.window)
    if not sequences:
        raise BadSource(f"The part '{split}' of '{dataset.name}' has no frame to score.", "Choose another --split.")
    network = restore(checkpoint.config.model, checkpoint.weights)
    found = score(network, sequences, backend="auto")
    return {
        "nll_frame": found.frame,
        "nll_sequence": found.sequence,
        "frames": found.frames,
        "sequences": found.sequences,
        "joint": modelfile.joint(checkpoint.config.model),
        "parameters": modelfile.parameters(checkpoint.config.model),
        "unit": checkpoint.config.model.unit,
        "data": dataset.name,
        "split": split,
        "data_digest": dataset.digest,
        "same_data": dataset.digest == trained_on["digest"],
        "trained_on": trained_on["name"],
        "epoch": checkpoint.nll.get("epoch"),
        "run": checkpoint.run,
    }
