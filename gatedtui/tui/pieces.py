"""A piece of music or speech as it is drawn: plain frozen values that a thread makes and widgets show."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from gatedtui.tui import rolls, waves
from gatedtui.tui.rolls import Note
from gatedtui.tui.waves import Envelope

FRAME = 10
"""Samples in a step of speech (paper, section 4.1)."""


@dataclass(frozen=True, eq=False)
class Piece:
    """One piece.

    Attributes:
        kind: `music` or `speech`.
        steps: how long it is: steps of the grid, for speech frames of ten samples.
        step_s: seconds a step.
        notes: of music.
        wave: of speech, the extremes of equal parts.
        primer: steps at its beginning that were given.
    """

    kind: Literal["music", "speech"]
    steps: int
    step_s: float
    notes: tuple[Note, ...] = ()
    wave: Envelope = ()
    primer: int = 0

    @property
    def length_s(self) -> float:
        """How long it sounds."""
        return self.steps * self.step_s


def of_roll(roll: Sequence[Sequence[int]], step_s: float, primer: int = 0) -> Piece:
    """Music, given as the MIDI pitches that sound at each step."""
    return Piece("music", len(roll), step_s, notes=rolls.notes(roll), primer=primer)


def of_samples(samples: Sequence[float], rate_hz: float, primer: int = 0) -> Piece:
    """Speech, given as its samples; `primer` in steps."""
    steps = max(len(samples) // FRAME, 1)
    return Piece("speech", steps, FRAME / rate_hz, wave=tuple(waves.envelope(samples)), primer=primer)


def heard(about: dict[str, Any], primer: int = 0) -> Piece:
    """What the JSON of `gated gates` says was heard."""
    if about["kind"] == "music":
        return of_roll(about["roll"], about["step_s"], primer)
    if "waveform" in about:
        return of_samples(about["waveform"], about["rate_hz"], primer)
    return Piece("speech", about["steps"], about["step_s"], primer=primer)


@lru_cache(maxsize=16)
def blank(piece: Piece) -> Piece:
    """A piece as long as this one with nothing to be seen in it."""
    return replace(piece, notes=(), wave=())


@dataclass(frozen=True)
class Scale:
    """What pieces side by side share, so that they can be compared.

    Attributes:
        pitches: shown of music.
        peak: the loudest sample of speech.
        length_s: what the whole width stands for; a shorter piece ends before the right edge.
    """

    pitches: rolls.Pitches = (48, 72)
    peak: float = 1.0
    length_s: float = 0.0


def scale(shown: Sequence[Piece]) -> Scale:
    """The scale that holds them all."""
    music = [piece.notes for piece in shown if piece.kind == "music"]
    speech = [piece.wave for piece in shown if piece.kind == "speech"]
    return Scale(rolls.pitches(music), waves.loudest(speech), max((piece.length_s for piece in shown), default=0.0))
