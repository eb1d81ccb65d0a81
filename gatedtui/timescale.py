"""How long a unit holds what it has: the time constant that a gate sets."""

from typing import TypeVar

Openness = TypeVar("Openness")


def lost(unit: str, gate: str, openness: Openness) -> Openness | None:
    """The share of what a unit holds that it loses a step; None for gates that set no such time.

    h falls by the factor 1 − z a step in a GRU (section 3.2), c by f in an LSTM (section 3.1), and in their variants:
    the mean age of what is held is one over this, in steps.

    Args:
        unit: its name, of a variant too.
        gate: a gate's name.
        openness: how open it is, 0 to 1: a number, or an array of them.
    """
    match unit.partition("-")[0], gate:
        case "gru", "z":
            return openness
        case "lstm", "f":
            return 1.0 - openness  # type: ignore[operator]
        case _:
            return None
