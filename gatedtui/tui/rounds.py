"""A round of drawing, for a thread: the real piece and a song a model, each told as soon as it is there."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from gatedtui.errors import GatedError, Interrupted
from gatedtui.tui import songs
from gatedtui.tui.models import Model
from gatedtui.tui.songs import Ask, Song, Take

TEST_PIECE = re.compile(r"[^/\\]+:\d+")
Tell = Callable[[int, Song | None], object]
"""Told a place and the song there as it is now; None where there will be no song."""
Scored = Callable[[int, float], object]
"""Told a model's place and its NLL of the real piece."""
Settled = Callable[[Take], object]
"""Told what all songs have in common, where that had to be changed."""


def draw_all(
    chosen: Sequence[Model],
    take: Take,
    folder: Path,
    name: str,
    *,
    ask: Ask,
    tell: Tell,
    scored: Scored,
    settled: Settled,
) -> None:
    """Draws a song from each model, from place 1 on; place 0 is the real piece, where there is one.

    One child process after the other: each takes a core for about two seconds, most of them to import torch, and others
    may be training. The real piece comes first; what the other models think of it comes last.

    Args:
        chosen: the models.
        take: what all songs have in common. Of a test piece that is not twice as long as the primer, only the first
            half is given, so that there is something to compare with.
        folder: where files are written, and their name's first part, `name`.
        ask: runs `gated …` as a child.
        tell, scored, settled: told how it goes.
    """
    try:
        if take.prime:
            take = _real(chosen[0], take, folder / f"{name}-0", ask, tell, scored, settled)
        for place, model in enumerate(chosen, start=1):
            tell(place, Song(model, "drawing"))
            try:
                tell(place, songs.draw(model, take, folder / f"{name}-{place}", ask))
            except Interrupted:
                raise
            except GatedError as error:
                tell(place, Song(model, "failed", problem=sentence(error)))
        for place, model in enumerate(chosen[1:], start=2):
            if take.prime:
                _score(place, model, take, ask, scored)
    except Interrupted:
        return


def _real(model: Model, take: Take, stem: Path, ask: Ask, tell: Tell, scored: Scored, settled: Settled) -> Take:
    tell(0, Song(None, "drawing"))
    try:
        about = ask(songs.real_words(model, take))
        length = songs.steps_of(about)
        if TEST_PIECE.fullmatch(take.prime) and length < 2 * take.prime_steps:
            take = replace(take, prime_steps=max(length // 2, 1))
            settled(take)
        tell(0, songs.real(about, take, stem))
    except Interrupted:
        raise
    except GatedError as error:
        tell(0, Song(None, "failed", problem=sentence(error)))
        return take
    nll = songs.real_nll(about, take)
    if nll is not None:
        scored(1, nll)
    return take


def _score(place: int, model: Model, take: Take, ask: Ask, scored: Scored) -> None:
    try:
        nll = songs.real_nll(ask(songs.real_words(model, take)), take)
    except Interrupted:
        raise
    except GatedError:
        return  # a model of another grid: its own song has said so
    if nll is not None:
        scored(place, nll)


def sentence(error: GatedError) -> str:
    """What is wrong and what to do, in one line."""
    return f"{error.what} {error.hint}".strip()
