"""`gated play`: MIDI and audio files through the sound card, or a system player, or a word about what is missing."""

from pathlib import Path
from typing import Annotated

import typer

from gatedtui.cli import output
from gatedtui.listen import player


def play(files: Annotated[list[Path], typer.Argument(help="MIDI or audio files.")]) -> None:
    """Plays files one after the other; Ctrl-C stops.

    Example: gated play song.mid
    """
    for file in files:
        outcome = player.play(file)
        output.say(outcome.told)
