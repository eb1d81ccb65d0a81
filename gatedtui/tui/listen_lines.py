"""What the listening screen says and draws, from plain values."""

from collections.abc import Sequence

import numpy as np

from gatedtui.listen.items import Item
from gatedtui.listen.player import Playing
from gatedtui.sound.held import held_notes
from gatedtui.sound.words import in_words
from gatedtui.tui import looks, pieces
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.pieces import Piece, Scale
from gatedtui.tui.waves import PARTS
from gatedtui.tui.widgets import bars

REAL = looks.Unit("◇", "")
FILE = looks.Unit("♪", "#a0a0a0")


def look(item: Item) -> looks.Unit:
    """The shape and colour of what it comes from."""
    if item.kind == "model":
        return looks.unit(item.unit)
    return REAL if item.kind == "real" else FILE


def piece(item: Item) -> Piece:
    """Its picture: the roll of music, else the waveform."""
    if item.roll is not None:
        notes = tuple((first, end, pitch) for first, end, pitch in held_notes(item.roll).tolist())
        return Piece("music", len(item.roll), item.step_s, notes=notes, primer=round(item.primer_s / item.step_s))
    mono = item.samples.mean(axis=1)
    parts = min(PARTS, len(mono))
    edges = np.arange(parts) * len(mono) // parts
    low, high = np.minimum.reduceat(mono, edges), np.maximum.reduceat(mono, edges)
    step_s = item.duration_s / parts
    wave = tuple(zip(low.tolist(), high.tolist(), strict=True))
    return Piece("speech", parts, step_s, wave=wave, primer=round(item.primer_s / step_s))


def scale(pictures: Sequence[Piece], length_s: float) -> Scale:
    """The scale of all pictures; the whole width stands for the clips' length."""
    shared = pieces.scale(pictures)
    return Scale(shared.pitches, shared.peak, length_s)


def title(item: Item, number: int, *, chosen: bool, time: str, width: int) -> Spans:
    """`▸2 ■ lstm-jsb-1   7.95 nats   polyphony 3.9        ▶ 0:07/0:42`."""
    own = look(item)
    sign = "▸" if chosen else " "
    line: Spans = [
        (f"{sign}{number} ", looks.INVERSE if chosen else PLAIN),
        (f" {own.shape} ", own.bright if own.colour else BOLD),
        (looks.shorten(looks.clean(item.label), max(12, width // 3)), BOLD),
    ]
    right: Spans = [(f" {time} ", BOLD)] if time else []
    room = width - looks.length(line) - looks.length(right) - 3
    text = looks.pack(figures(item), room, "   ", whole=True)
    line.append((f"   {text}", DIM))
    return [*line, (" " * max(0, width - looks.length(line) - looks.length(right)), PLAIN), *right]


def figures(item: Item) -> list[str]:
    """What is known of it, the most telling first."""
    found = ["the real one"] if item.kind == "real" else []
    if item.nll is not None:
        found.append(f"{looks.nll(item.nll)} nats a frame")
    measures = ("polyphony", "scale_consistency", "note_length", "empty_rate", "zero_crossings_hz")
    return found + in_words(item.statistics, *measures)


def time(playing: Playing) -> str:
    """`▶ 0:07/0:42`, with `↻` while it loops."""
    sign = "▶" if playing.playing else "‖"
    loop = " ↻" if playing.looping else ""
    return f"{sign} {looks.clock(playing.position_s)}/{looks.clock(playing.duration_s)}{loop}"


def keys(count: int, playing: Playing, width: int) -> Spans:
    """The line of keys."""
    items = [("1" if count == 1 else f"1–{count}", "switch", " (keeps the place)", 1)]
    items += [("space", "pause" if playing.playing else "play", "", 0), ("←→", "seek", " 5 s", 3)]
    items += [("l", "loop", "", 4), ("w", "write", " files", 2), ("?", "help", "", 5), ("q", "quit", "", 0)]
    return bars.keys(items if count > 1 else items[1:], width)
