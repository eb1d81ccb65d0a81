"""What is compared by ear: clips of one length, one rate and one loudness, and what is known of each."""

import math
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gatedtui.sound.loudness import CEILING, TARGET_LUFS, loudness, peak
from gatedtui.sound.piano import RATE_HZ
from gatedtui.sound.wav import write_audio

Kind = Literal["real", "model", "file"]
_FADE_S = 0.01


@dataclass(frozen=True, eq=False)
class Item:
    """One thing to listen to."""

    label: str
    """What it is called: a run's or a model's name, `jsb:3`, a file's name."""
    kind: Kind
    """A data set's own piece, what a model drew, or a file."""
    samples: np.ndarray
    """(n, 2) float32, full scale 1."""
    rate_hz: int
    source: str
    """Where it comes from, in one sentence."""
    content: Literal["music", "speech", "audio"] = "audio"
    """Music has a roll; speech and other audio have only their samples."""
    unit: str = ""
    """`tanh`, `lstm` or `gru` for a model's; else empty."""
    roll: np.ndarray | None = None
    """(T, 88) uint8 of what sounds, primer included."""
    step_s: float = 0.0
    """Seconds a row of the roll lasts."""
    primer_s: float = 0.0
    """So much of the beginning was given and not drawn."""
    nll: float | None = None
    """Nats a frame of what the model drew, under itself."""
    statistics: dict[str, Any] = field(default_factory=dict)
    """What `sound.statistics` says of it, without the primer."""
    command: tuple[str, ...] = ()
    """What to type to have a model draw it again, but for the file to write: see `drawn_again`."""
    facts: dict[str, Any] = field(default_factory=dict)
    """The sidecar of what a model drew."""

    @property
    def duration_s(self) -> float:
        """How long it sounds."""
        return len(self.samples) / self.rate_hz


def matched(items: Sequence[Item]) -> list[Item]:
    """The items, ready to switch between: one rate, one length (silence is added), one loudness.

    All are brought to `loudness.TARGET_LUFS`; where one would go beyond full scale there, all are that much quieter,
    so that none has to be squeezed. What is silent stays so.
    """
    sounds = [_at_rate(item.samples, item.rate_hz) for item in items]
    length = max((len(sound) for sound in sounds), default=0)
    fade = np.linspace(1.0, 0.0, round(_FADE_S * RATE_HZ), dtype=np.float32)[:, None]
    levels = [loudness(sound, RATE_HZ) for sound in sounds]
    headrooms = [
        level + 20.0 * math.log10(CEILING / peak(sound))
        for sound, level in zip(sounds, levels, strict=True)
        if math.isfinite(level)
    ]
    target = min([TARGET_LUFS, *headrooms])
    done = []
    for item, sound, level in zip(items, sounds, levels, strict=True):
        gain = 10.0 ** ((target - level) / 20.0) if math.isfinite(level) else 1.0
        whole = np.zeros((length, 2), np.float32)
        whole[: len(sound)] = sound * np.float32(gain)
        if len(sound) < length:  # a file may end in the middle of a sound
            end = whole[max(0, len(sound) - len(fade)) : len(sound)]
            end *= fade[-len(end) :]
        done.append(replace(item, samples=whole, rate_hz=RATE_HZ))
    return done


def write_clips(items: Sequence[Item], folder: Path, *, names: Sequence[str] | None = None) -> list[Path]:
    """Writes each item to a WAV file of its own in the folder, and gives their paths.

    Args:
        items: what to write.
        folder: where to; it must exist.
        names: of the files, without ending; by default number and label.

    Raises:
        BadSource: a file cannot be written.
    """
    stems = names or [f"{number}-{file_name(item.label)}" for number, item in enumerate(items, 1)]
    paths = [folder / f"{stem}.wav" for stem in stems]
    for item, path in zip(items, paths, strict=True):
        write_audio(item.samples, item.rate_hz, path)
    return paths


def unique(labels: Sequence[str]) -> list[str]:
    """The labels, with a number behind those that are there already: `a`, `b`, `a (2)`."""
    seen: dict[str, int] = {}
    told = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        told.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return told


def drawn_again(item: Item) -> str:
    """What is typed to draw it again, quoted for a shell; "" of what no model drew."""
    return shlex.join([*item.command, "--out", song_file(item, item.label)]) if item.command else ""


def song_file(item: Item, title: str) -> str:
    """The name of the file that drawing it again writes."""
    return f"{file_name(title)}{'.mid' if item.content == 'music' else '.wav'}"


def file_name(label: str) -> str:
    """The label with everything but letters, digits, `-` and `_` replaced, for a file's name."""
    return re.sub(r"[^\w-]+", "-", label).strip("-")[:60] or "clip"


def _at_rate(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    if rate_hz == RATE_HZ:
        return samples
    from scipy.signal import resample_poly

    common = math.gcd(rate_hz, RATE_HZ)
    return np.asarray(resample_poly(samples, RATE_HZ // common, rate_hz // common, axis=0), np.float32)
