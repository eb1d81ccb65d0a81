"""Colours for a quantity: from nearly black through a hue to nearly white, so that brightness alone tells the order."""

UNITS = {"tanh": "#f08c2e", "lstm": "#4a9be8", "gru": "#35b779"}
"""The hue of each unit, the same on pages and in the terminal (Okabe and Ito's orange, blue and green, lightened)."""
OTHER = "#a0a0a0"
GROUND = "#0f1116"
BRIGHT = "#fffbe6"
TURN = 0.7
"""Where in the ramp the hue itself stands: more shades lie below it, where eyes tell more of them apart."""


def ramp(hue: str, shades: int) -> list[str]:
    """`shades` colours `#rrggbb` (2 at least), dark to bright, with `hue` at `TURN` of the way."""
    found = []
    for number in range(shades):
        share = number / (shades - 1)
        low, high, part = (GROUND, hue, share / TURN) if share <= TURN else (hue, BRIGHT, (share - TURN) / (1 - TURN))
        found.append(mixed(low, high, part))
    return found


def mixed(low: str, high: str, share: float) -> str:
    """The colour `share` of the way from one to another."""
    pairs = ((int(low[i : i + 2], 16), int(high[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)
