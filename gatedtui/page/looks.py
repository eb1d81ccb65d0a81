"""The same visual language as in the terminal: a shape and a hue for each unit, and how figures read."""

import math

from gatedtui.listen.items import Item
from gatedtui.page.html import Markup, tag
from gatedtui.page.ramp import OTHER, UNITS
from gatedtui.sound.words import in_words

ORDER = ("tanh", "lstm", "gru")
SIGNS = {"tanh": "▲", "lstm": "■", "gru": "●", "real": "◇", "file": "♪"}
"""Shape *and* colour tell things apart, so nothing is lost without colour."""
NONE = "–"


def name(unit: str) -> str:
    """`LSTM`; a variant keeps the words it is known by, as `LSTM coupled`."""
    known, *rest = unit.split("-")
    return " ".join([known if known == "tanh" else known.upper(), *rest])


def family(item: Item) -> str:
    """What a clip is drawn as: its unit, `real` or `file`; the name of a class in the style sheet."""
    return (item.unit if item.unit in UNITS else "file") if item.kind == "model" else item.kind


def hue(item: Item) -> str:
    """The colour of its picture, fit for light and dark ground."""
    return UNITS.get(item.unit, OTHER)


def sign(kind: str) -> Markup:
    """The shape of a unit, of the real thing, or of a file; hidden from screen readers, which read the name."""
    return tag("span", SIGNS.get(kind, "◆"), class_=f"sign {kind if kind in SIGNS else 'file'}", aria_hidden="true")


def nll(value: float | None) -> str:
    """`8.43`; `–` for what is not known or not finite."""
    if value is None or not math.isfinite(value):
        return NONE
    return f"{value:.2f}".replace("-", "−") if abs(value) < 1000 else f"{value:.3g}".replace("-", "−")


def count(value: int | None) -> str:
    """`18,630`."""
    return NONE if value is None else f"{value:,}"


def facts(item: Item) -> list[str]:
    """What is known of a clip, the most telling first."""
    found = ["the real continuation" if item.primer_s else "the real one"] if item.kind == "real" else []
    if item.nll is not None:
        found.append(f"{nll(item.nll)} nats a frame")
    return found + in_words(item.statistics, "polyphony", "scale_consistency", "zero_crossings_hz")
