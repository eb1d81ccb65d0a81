"""A prepared data set: its pieces, its digest, its one-file form, and the input–target pairs a network sees."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gatedtui import strict_json
from gatedtui.data.catalogue import check_window
from gatedtui.data.grid import PITCHES
from gatedtui.errors import BadSource

SPLITS = ("train", "valid", "test")
FRAME = 10
"""Samples in a target frame of speech; the input before it is twice as long (the paper, section 4.1)."""
SKIPPED = "skipped "
"""How a note begins that names a file left out: `skipped NAME: it …`."""
FORMAT = 1
"""The version of the file layout that `save` writes and `load` accepts."""


@dataclass(frozen=True, eq=False)
class DataSet:
    """What training, scoring and priming need to know about a set. Made by `build`, which computes the digest."""

    name: str
    kind: str
    """"music" or "speech"."""
    digest: str
    """SHA-256 of the prepared content in hex, the same on every machine: see `content_digest`."""
    splits: Mapping[str, tuple[np.ndarray, ...]]
    """Under "train", "valid" and "test" the pieces. Music: rolls (T, 88) uint8 of 0 and 1, column p is MIDI pitch
    21 + p. Speech: waveforms (samples,) float32."""
    titles: Mapping[str, tuple[str, ...]]
    """One title a piece, in the same order."""
    steps_per_quarter: int = 0
    """Music: steps in a quarter note."""
    rate_hz: int = 0
    """Speech: samples in a second."""
    scale: float = 1.0
    """Speech: the standard deviation of the training samples, by which every waveform was divided."""
    notes: tuple[str, ...] = ()
    """Sentences for the reader: where it comes from, versions, and a line `SKIPPED…` for each file left out."""
    window: int = 0
    """Steps (music) or samples (speech) to which `pairs` cuts longer pieces unless it is told otherwise; 0 = whole."""
    stamp: str = ""
    """A user's folder: what it looked like when it was read (`listing.Listing.stamp`)."""

    @property
    def inputs(self) -> int:
        """Numbers in one input frame."""
        return PITCHES if self.kind == "music" else 2 * FRAME

    @property
    def outputs(self) -> int:
        """Numbers in one target frame."""
        return PITCHES if self.kind == "music" else FRAME


def build(
    name: str,
    kind: str,
    splits: Mapping[str, tuple[np.ndarray, ...]],
    titles: Mapping[str, tuple[str, ...]],
    *,
    steps_per_quarter: int = 0,
    rate_hz: int = 0,
    scale: float = 1.0,
    notes: tuple[str, ...] = (),
    window: int = 0,
    stamp: str = "",
) -> DataSet:
    """A data set with its digest computed; the fields are those of `DataSet`."""
    digest = content_digest(kind, splits, steps_per_quarter=steps_per_quarter, rate_hz=rate_hz, scale=scale)
    return DataSet(name, kind, digest, splits, titles, steps_per_quarter, rate_hz, scale, notes, window, stamp)


def content_digest(
    kind: str, splits: Mapping[str, tuple[np.ndarray, ...]], *, steps_per_quarter: int, rate_hz: int, scale: float
) -> str:
    """SHA-256 in hex over one line of JSON (kind, grid or rate, scale, lengths) and then every piece in order.

    A roll counts as its packed bits (11 bytes a frame, lowest pitch in the highest bit of the first byte), a waveform
    as little-endian float32. Name, titles, notes, window and stamp are labels and do not count.
    """
    head = {
        "kind": kind,
        "steps_per_quarter": steps_per_quarter,
        "rate_hz": rate_hz,
        "scale": float(scale).hex(),
        "lengths": [[len(piece) for piece in splits[split]] for split in SPLITS],
    }
    total = hashlib.sha256(json.dumps(head, sort_keys=True).encode() + b"\n")
    for split in SPLITS:
        total.update(_flat(kind, splits[split]).tobytes())
    return total.hexdigest()


def about(data: DataSet) -> dict[str, Any]:
    """What a model keeps of the set it was trained on; of speech the loudest training sample too, for sampling."""
    fields = ("name", "kind", "digest", "steps_per_quarter", "rate_hz", "scale")
    told: dict[str, Any] = {field: getattr(data, field) for field in fields}
    if data.kind == "speech":
        told["peak"] = max(float(np.abs(wave).max()) for wave in data.splits["train"])
    return told


def save(dataset: DataSet, path: Path) -> None:
    """Write the set as one `.npz` without pickles: whole or not at all, through a temporary file beside it.

    Raises:
        OSError: the folder is not writable or the disk is full; nothing is left behind.
    """
    labels = {
        "format": FORMAT,
        "name": dataset.name,
        "kind": dataset.kind,
        "digest": dataset.digest,
        "titles": {split: list(dataset.titles[split]) for split in SPLITS},
        "steps_per_quarter": dataset.steps_per_quarter,
        "rate_hz": dataset.rate_hz,
        "scale": dataset.scale,
        "notes": list(dataset.notes),
        "window": dataset.window,
        "stamp": dataset.stamp,
    }
    arrays: dict[str, Any] = {"labels": np.frombuffer(json.dumps(labels).encode(), np.uint8)}
    for split in SPLITS:
        arrays[f"{split}_lengths"] = np.array([len(piece) for piece in dataset.splits[split]], np.int64)
        arrays[f"{split}_content"] = _flat(dataset.kind, dataset.splits[split])
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def load(path: Path) -> DataSet:
    """Read a file written by `save`; pickles inside are refused, and the content must have the digest it states.

    Raises:
        BadSource: the file is missing, cannot be read, is cut short, or is something else.
    """
    try:
        return _load(path)
    except FileNotFoundError:
        raise BadSource(f"There is no prepared data file '{path}'.", "Prepare it with: gated data fetch") from None
    except PermissionError as error:
        raise BadSource(f"The prepared data file '{path}' may not be read.", "Check its permissions.") from error
    except Exception as error:  # whatever zipfile, NumPy and json find wrong with a file that is not what it should be
        raise BadSource(
            f"The prepared data file '{path}' is damaged: {str(error).strip() or type(error).__name__}",
            "Prepare it anew with: gated data fetch",
        ) from error


def _load(path: Path) -> DataSet:
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            raise ValueError("it is not an .npz archive")
        file.seek(0)
        with np.load(file, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
    labels: dict[str, Any] = strict_json.loads(arrays["labels"].tobytes())
    if labels["format"] != FORMAT:
        raise ValueError(f"it has format {labels['format']}, not {FORMAT}")
    kind = str(labels["kind"])
    if kind not in ("music", "speech"):
        raise ValueError(f"it holds {kind!r}, neither music nor speech")
    splits = {}
    for split in SPLITS:
        lengths, content = arrays[f"{split}_lengths"], arrays[f"{split}_content"]
        frames = np.unpackbits(content, axis=1)[:, :PITCHES] if kind == "music" else content.astype(np.float32)
        if lengths.sum() != len(frames) or len(lengths) != len(labels["titles"][split]):
            raise ValueError(f"its {split} pieces do not add up")
        splits[split] = tuple(np.split(frames, np.cumsum(lengths)[:-1])) if len(lengths) else ()
    dataset = build(
        str(labels["name"]),
        kind,
        splits,
        {split: tuple(str(title) for title in labels["titles"][split]) for split in SPLITS},
        steps_per_quarter=int(labels["steps_per_quarter"]),
        rate_hz=int(labels["rate_hz"]),
        scale=float(labels["scale"]),
        notes=tuple(str(note) for note in labels["notes"]),
        window=int(labels.get("window", 0)),
        stamp=str(labels.get("stamp", "")),
    )
    if dataset.digest != labels["digest"]:
        raise ValueError("its content does not have the digest it states")
    return dataset


def _flat(kind: str, pieces: tuple[np.ndarray, ...]) -> np.ndarray:
    """All pieces end to end: music (frames, 11) uint8 of packed bits, speech (samples,) little-endian float32."""
    if kind == "music":
        return np.packbits(np.concatenate([np.zeros((0, PITCHES), np.uint8), *pieces]), axis=1)
    return np.concatenate([np.zeros(0, "<f4"), *pieces]).astype("<f4")


def pairs(dataset: DataSet, split: str, *, window: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """What the network is given and what it must tell, in the order of the split: one pair a piece, or a window of it.

    Music: `x = roll[:-1]`, `y = roll[1:]`: frame 1 is fed first and frames 2..T are scored. Speech:
    `x_t = samples[10t : 10t + 20]`, `y_t = samples[10t + 20 : 10t + 30]` (the paper, section 4.1: the next 10 samples
    given the last 20); up to 9 samples at the end are left over. A piece too short for a single target frame has no
    pair and is left out.

    Longer pieces are cut into windows, the last of which may be shorter. A window begins with what the one before ends
    with, one frame of music or 20 samples of speech, so that every target frame is still scored once.

    Args:
        dataset: the set.
        split: "train", "valid" or "test".
        window: the longest piece, in steps (music, 2 at least) or samples (speech, 30 at least); 0 takes the set's own
            `window`, and where that is 0 too, pieces stay whole.

    Returns:
        Pairs of x (T, I) and y (T, O), float32, T at least 1. They are views: x and y share one array a piece.

    Raises:
        BadArgument: the window is too short for a target frame.
    """
    window = window or dataset.window
    check_window(dataset.kind, window)
    result = []
    for piece in dataset.splits[split]:
        for part in _cut(piece.astype(np.float32, copy=False), dataset.kind, window):
            if dataset.kind == "music":
                result.append((part[:-1], part[1:]))
            else:
                steps = len(part) // FRAME - 2
                inputs = np.lib.stride_tricks.sliding_window_view(part, 2 * FRAME)[::FRAME][:steps]
                result.append((inputs, part[2 * FRAME : (steps + 2) * FRAME].reshape(steps, FRAME)))
    return result


def _cut(piece: np.ndarray, kind: str, window: int) -> list[np.ndarray]:
    """The windows of a piece that hold a target frame."""
    shared, shortest = (1, 2) if kind == "music" else (2 * FRAME, 3 * FRAME)
    if kind == "speech":
        window -= window % FRAME
    if not window or len(piece) <= window:
        return [piece] if len(piece) >= shortest else []
    parts = [piece[first : first + window] for first in range(0, len(piece) - shared, window - shared)]
    return [part for part in parts if len(part) >= shortest]
