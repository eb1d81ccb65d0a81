"""What the units do inside while they listen: every gate at every frame, and how much each frame surprises them."""

from typing import Any

import numpy as np
import torch

from gatedtui import timescale
from gatedtui.checkpoint import Checkpoint
from gatedtui.data.dataset import FRAME
from gatedtui.data.grid import LOWEST
from gatedtui.errors import BadArgument, BadSource
from gatedtui.network import Network, restore

CLOSED, OPEN = 0.1, 0.9
"""Below and above these a gate counts as closed and as open: the left and right saturated gates of Karpathy, Johnson
and Fei-Fei 2015, Visualizing and Understanding Recurrent Networks, section 4.2."""
BINS = 20
"""Of a histogram of openness, equal parts of 0..1."""
BRIEF = 160_000
"""Numbers a gate in a brief description: four gates of them are under 4 MB of JSON, and more than any screen shows."""
BRIEF_WAVE = 500_000
"""Samples of the longest waveform in a brief description: a minute at 8 kHz."""
CANDIDATE = "candidate"
"""What a unit's step gives besides its gates proper, which have values in 0..1."""


def frames(piece: np.ndarray) -> np.ndarray:
    """What the network is given at each step, `(T, I)` float32.

    Args:
        piece: music, a roll `(T, 88)`; or speech, `(S,)` samples in the model's units, S at least 20, of which each
            step gets 20, ten further on than the step before (paper, section 4.1).
    """
    if piece.ndim == 2:
        return piece.astype(np.float32)
    if len(piece) < 2 * FRAME:
        raise BadSource(f"A waveform of '{len(piece)}' samples is too short.", f"Give {2 * FRAME} samples or more.")
    return np.lib.stride_tricks.sliding_window_view(piece.astype(np.float32), 2 * FRAME)[::FRAME].copy()


@torch.no_grad()
def gates(
    checkpoint: Checkpoint, x: np.ndarray, *, layer: int = 1, dtype: torch.dtype = torch.float64
) -> dict[str, np.ndarray]:
    """The gates of a layer, by the unit's own equations from the zero state.

    Args:
        checkpoint: the model.
        x: `(T, I)`, what it is given, T at least 1.
        layer: which layer, the one that reads x being 1.
        dtype: of the arithmetic; the checkpoint's weights are converted to it.

    Returns:
        `(T, H)` arrays by name: `r z candidate` of a GRU, `i f candidate o` of an LSTM, `candidate` of tanh units, and
        `h`, what the layer gives to the one above.

    Raises:
        BadArgument: there is no such layer.
    """
    network = _network(checkpoint, dtype)
    if not 1 <= layer <= network.layers:
        hint = (
            f"The model's layers are 1 to {network.layers}." if network.layers > 1 else "The model has one: --layer 1"
        )
        raise BadArgument(f"There is no layer '{layer}'.", hint)
    states, rows = None, []
    for x_t in torch.from_numpy(x).to(dtype)[:, None]:
        _, states, values = network.step(x_t, states)
        state = states[layer - 1]
        rows.append(values[layer - 1] | {"h": state[0] if isinstance(state, tuple) else state})
    return {name: torch.cat([row[name] for row in rows]).numpy() for name in rows[0]}


@torch.no_grad()
def surprise(checkpoint: Checkpoint, x: np.ndarray, *, dtype: torch.dtype = torch.float64) -> np.ndarray:
    """How unlikely the model found each frame, given those before it.

    Args:
        checkpoint: the model.
        x: `(T, I)`, what it is given; of speech the last ten samples of a step are what is new in it.
        dtype: of the arithmetic.

    Returns:
        `(T,)` nats. The first is NaN: nothing came before it.
    """
    network = _network(checkpoint, dtype)
    heard = torch.from_numpy(x).to(dtype)[:, None]
    nll = torch.full((len(x),), torch.nan, dtype=dtype)
    if len(x) > 1:
        target = heard[1:] if checkpoint.data["kind"] == "music" else heard[1:, :, FRAME:]
        nll[1:] = network.losses(heard[:-1], target, backend="reference")[:, 0]
    return nll.double().numpy()


def _network(checkpoint: Checkpoint, dtype: torch.dtype) -> Network:
    return restore(checkpoint.config.model, checkpoint.weights).to(dtype)


def describe(
    checkpoint: Checkpoint, piece: np.ndarray, *, layer: int = 1, qpm: float = 96.0, brief: bool = False
) -> dict[str, Any]:
    """Everything about the gates of a layer while the model hears a piece, fit for JSON.

    Args:
        checkpoint: the model.
        piece: music, a roll `(T, 88)`; or speech, `(S,)` samples in the model's units.
        layer: which layer, from 1.
        qpm: quarter notes a minute, for the times of music.
        brief: for a picture: values of three decimals, and where there are more than `BRIEF` of them the means over
            `each` steps; the candidate activations and the sign of h are left out.

    Returns:
        `unit hidden layer layers kind steps each step_s`, `time_s` (where each row of values begins), `gates` by name
        with `values` (a list a row, a number a unit) and what `_gate` adds, `h`, `nll` a frame (the first None), their
        mean `nll_frame`, and the piece itself: `roll`, the MIDI pitches sounding at each step, or `waveform`.
    """
    model, data = checkpoint.config.model, checkpoint.data
    x = frames(piece)
    found = gates(checkpoint, x, layer=layer)
    nll = surprise(checkpoint, x)
    each = -(-len(x) * model.hidden // BRIEF) if brief else 1
    digits = 3 if brief else 12
    step_s = 60.0 / (qpm * data["steps_per_quarter"]) if data["kind"] == "music" else FRAME / data["rate_hz"]
    h = found.pop("h")
    about: dict[str, Any] = {
        "unit": model.unit,
        "hidden": model.hidden,
        "layer": layer,
        "layers": model.layers,
        "kind": data["kind"],
        "steps": len(x),
        "each": each,
        "step_s": step_s,
        "time_s": [round(float(t) * step_s, 6) for t in range(0, len(x), each)],
        "gates": {
            name: _gate(model.unit, name, values, each, digits)
            for name, values in found.items()
            if name != CANDIDATE or not brief
        },
        "h": ({} if brief else {"values": _listed(h, 1, digits)})
        | {
            "magnitude": _listed(np.abs(h), each, digits),
            "mean_magnitude": _rounded(np.abs(h).mean(0), digits),
            "histogram": _histogram(np.abs(h)),
        },
        "nll": [None, *_rounded(nll[1:], 4 if brief else 12)],
        "nll_frame": float(nll[1:].mean()) if len(nll) > 1 else None,
    }
    return about | _heard(piece, data, brief=brief)


def _gate(unit: str, name: str, values: np.ndarray, each: int, digits: int) -> dict[str, Any]:
    """A gate's values; of a gate proper also the means over time `mean_openness` (one a unit), over everything `mean`,
    the shares `closed` and `open`, a `histogram` of counts, and where it sets a time constant, `held_steps` by unit."""
    about: dict[str, Any] = {"values": _listed(values, each, digits)}
    if name == CANDIDATE:
        return about
    openness = values.mean(0)
    about |= {
        "mean_openness": _rounded(openness, digits),
        "mean": float(values.mean()),
        "closed": float((values < CLOSED).mean()),
        "open": float((values > OPEN).mean()),
        "histogram": _histogram(values),
    }
    steps = held_steps(unit, name, openness)
    return about if steps is None else about | {"held_steps": _rounded(steps, digits)}


def held_steps(unit: str, gate: str, openness: np.ndarray) -> np.ndarray | None:
    """For how many steps a unit holds what it has, were its gate always so open; None for gates that set no such time.

    Infinite where nothing is ever let in, or out.
    """
    lost = timescale.lost(unit, gate, openness)
    if lost is None:
        return None
    with np.errstate(divide="ignore"):
        return 1.0 / lost


def _heard(piece: np.ndarray, data: dict[str, Any], *, brief: bool) -> dict[str, Any]:
    if data["kind"] == "music":
        return {
            "steps_per_quarter": data["steps_per_quarter"],
            "roll": [(np.flatnonzero(frame) + LOWEST).tolist() for frame in piece],
        }
    about: dict[str, Any] = {"rate_hz": data["rate_hz"], "samples": len(piece)}
    if len(piece) > BRIEF_WAVE and brief:
        return about
    return about | {"waveform": _rounded(piece * data["scale"], 5)}


def _histogram(values: np.ndarray) -> list[int]:
    return np.histogram(values, bins=BINS, range=(0.0, 1.0))[0].tolist()


def _listed(values: np.ndarray, each: int, digits: int) -> list[list[float]]:
    """Rows of numbers, where `each` is more than 1 the means of that many steps (the last of what is left)."""
    if each > 1:
        begins = np.arange(0, len(values), each)
        counts = np.diff(np.append(begins, len(values)))
        values = np.add.reduceat(values, begins, axis=0) / counts[:, None]
    return np.round(values, digits).tolist()


def _rounded(values: np.ndarray, digits: int) -> list[float]:
    return np.round(values.astype(np.float64), digits).tolist()
