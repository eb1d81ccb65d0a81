"""What can be changed about the songs, how it is asked for, and what makes an answer wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gatedtui.tui import looks


@dataclass(frozen=True)
class Question:
    """A field of `songs.Take`.

    Attributes:
        title: the question.
        kind: reads the answer.
        check: says what is wrong with it, or "".
        hints: what helps to answer.
    """

    title: str
    kind: Callable[[str], Any]
    check: Callable[[str], str]
    hints: tuple[str, ...]


def number(low: float, high: float, *, whole: bool = False) -> Callable[[str], str]:
    """A check that an answer is a number from `low` to `high`."""

    def check(answer: str) -> str:
        try:
            value = int(answer) if whole else float(answer)
        except ValueError:
            return f"'{looks.clean(answer)}' is not a {'whole ' if whole else ''}number."
        return "" if low <= value <= high else f"It must lie in {low:g} to {high:g}."

    return check


QUESTIONS = {
    "prime": Question(
        "How do they begin?",
        str,
        lambda _: "",
        ("a test piece: bach:3", "a MIDI or sound file", "pitches: C4,E4,G4*8 D4*4", "nothing: each model's own"),
    ),
    "temperature": Question(
        "Temperature", float, number(0.01, 100), ("below 1 cautious, above 1 adventurous, 1 as learned",)
    ),
    "seed": Question("Seed", int, number(0, 2**63 - 1, whole=True), ("the same seed gives the same songs",)),
    "steps": Question(
        "How many steps?", int, number(1, 20_000, whole=True), ("of the grid; of speech frames of ten samples",)
    ),
}
