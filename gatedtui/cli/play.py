"""`gated play`: MIDI and audio files through the sound card, or a system player, or a word about what is missing."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gatedtui.cli import output
from gatedtui.listen import player

TICK_S = 0.2
NO_SOUND = 4
"""The exit code where nothing here can play: a device is missing."""


def play(files: Annotated[list[Path], typer.Argument(help="MIDI or audio files.")]) -> None:
    """Plays files one after the other; Ctrl-C stops.

    Without a sound card or a player it says what to install; the files stay where they are.

    Example: gated play song.mid
    """
    silent = False
    for file in files:
        outcome = _play(file)
        if outcome.end == "interrupted":
            raise KeyboardInterrupt
        silent = silent or outcome.end == "silent"
        for words in (outcome.what, outcome.hint):
            if words:
                output.say(words)
    if silent:
        raise typer.Exit(NO_SOUND)


def _play(file: Path) -> player.Outcome:
    with player.start(file) as playing:
        while (outcome := playing.wait(timeout_s=TICK_S)) is None:
            if sys.stderr.isatty():
                output.again(f"▶ {file}  {_clock(playing.position_s)} / {_clock(playing.duration_s)}   Ctrl-C stops")
    output.again("")
    return outcome


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
