"""A clip as a page carries it: compressed sound, what is drawn of it, and what is said about it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gatedtui.listen.items import Item, song_file
from gatedtui.page.png import uri
from gatedtui.sound.wav import encode_audio
from gatedtui.sources import released

MOST_KBIT_PER_S, LEAST_KBIT_PER_S = 128, 64
"""Below 64 libsndfile no longer writes how much silence the encoder added."""
BUDGET_BYTES = 4_500_000
"""Of all clips of a page as text: under 6 MB with its pictures."""


@dataclass(frozen=True, eq=False)
class Clip:
    """A clip and its sound.

    Attributes:
        item: what it was made from, matched.
        audio: the `data:` URI of an MP3.
        title: what its row is called: the label, and the seed where a model has several clips.
        command: the words that draw it again, fit for a shell; empty for what is not drawn.
    """

    item: Item
    audio: str
    title: str
    command: tuple[str, ...] = ()


def clips(items: Sequence[Item], words: Sequence[str], titles: Sequence[str] | None = None) -> list[Clip]:
    """The items with their sound compressed, all at one constant rate.

    Constant, because switching keeps the place: in a file of variable rate Chromium was up to 0.18 s from where it said
    it was, in these 0.03 s. At 128 kbit/s, or as much less (64 at least) as keeps them all within `BUDGET_BYTES`. The
    same items always give the same bytes.

    Args:
        items: matched (`listen.items.matched`).
        words: what was typed for each.
        titles: see `Clip.title`; None takes the labels.
    """
    rate = kbit_per_s(sum(item.duration_s for item in items))
    titles = titles or [item.label for item in items]
    return [
        Clip(item, _encoded(item, rate), title, command(item, word, title))
        for item, word, title in zip(items, words, titles, strict=True)
    ]


def kbit_per_s(length_s: float) -> int:
    """The rate at which so many seconds fit into the budget; base64 makes four letters of three bytes."""
    fits = BUDGET_BYTES * 3 / 4 * 8 / 1000 / max(length_s, 1e-3)
    return int(min(MOST_KBIT_PER_S, max(LEAST_KBIT_PER_S, 16 * math.floor(fits / 16))))


def command(item: Item, word: str, title: str) -> tuple[str, ...]:
    """The words that draw it again: the source as it was typed, where that names it from anywhere, and a file to write.

    A released model is named by its name: where it lies differs from machine to machine. The file is named by `title`.
    """
    if not item.command:
        return ()
    gated, sample, path, *rest = item.command
    stem = Path(path).stem
    named = stem if released().get(stem) == Path(path) else word
    return (gated, sample, named, *rest, "--out", song_file(item, title))


def _encoded(item: Item, rate: int) -> str:
    sound = item.samples
    if np.array_equal(sound[:, 0], sound[:, 1]):
        sound = sound[:, :1]
    content, _ = encode_audio(sound, item.rate_hz, ".mp3", name=item.label, kbit_per_s=rate)
    return uri(content, "audio/mpeg")
