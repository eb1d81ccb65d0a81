"""`gated play`: MIDI and audio files through the sound card, or a system player, or a word about what is missing."""

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatedtui.cli import output, transport
from gatedtui.cli.keys import Keys
from gatedtui.errors import BadSource

if TYPE_CHECKING:
    from gatedtui.listen.player import Outcome

NO_SOUND = 4
"""The exit code where nothing here can play: a device is missing."""
KEYS = "space pause · ←→ 5 s · l loop · n p next, previous · q quit"
EARLY_S = 3.0
"""`p` goes back to the file before while so little of this one was played, else to this one's start."""


def play(files: Annotated[list[Path], typer.Argument(readable=False, help="MIDI or audio files.")]) -> None:
    """Plays files one after the other; on a terminal keys pause, seek and skip.

    Keys: space pauses, left and right five seconds, home, end, l loops, n and p next and previous file, q quits.
    Without a sound card or a player it says what to install; the files stay where they are.
    """
    for file in files:
        if not file.is_file():
            raise BadSource(f"There is no file '{file}'.", "gated sample --out song.mid makes one.")
    number, silent = 0, False
    with Keys() if output.on_a_terminal() else contextlib.nullcontext() as keys:
        while number < len(files):
            asked, outcome = _play(files[number], keys)
            if outcome.end == "interrupted":
                raise KeyboardInterrupt
            silent = silent or outcome.end == "silent"
            for words in (outcome.what, outcome.hint):
                if words and asked != "p":
                    output.say(words)
            if asked == "q":
                break
            number = max(0, number + (-1 if asked == "p" else 1))
    if silent:
        raise typer.Exit(NO_SOUND)


def _play(file: Path, keys: Keys | None) -> "tuple[str, Outcome]":
    """Plays one file; gives the key that ended it (empty where it ended by itself) and the outcome."""
    from gatedtui.listen import player

    told = False
    try:
        with player.start(file) as playing:
            while (outcome := playing.wait(timeout_s=transport.TICK_S if keys is None else 0.0)) is None:
                words = "Ctrl-C stops" if keys is None else KEYS
                output.again(transport.line(playing, file.name, words, shutil.get_terminal_size().columns))
                if keys is None:
                    continue
                if not told and playing.how and not playing.gapless:
                    told = True
                    output.again("")
                    output.say(f"{playing.how} cannot jump: seeking leaves a short gap.")
                for key in keys.read(transport.TICK_S):
                    if key == "p" and playing.position_s >= EARLY_S:
                        playing.seek(0.0)
                    elif key in ("q", "n", "p", "escape"):
                        return "q" if key == "escape" else key, playing.stop()
                    else:
                        transport.obey(playing, key)
    finally:
        output.again("")
    return "", outcome
