"""The one line under which something plays: where it is, and the keys that every listener has."""

from typing import TYPE_CHECKING

from gatedtui.tui import looks

if TYPE_CHECKING:
    from gatedtui.listen.player import Playing

STEP_S = 5.0
TICK_S = 0.1
FULL, EMPTY = "━", "─"


def obey(playing: "Playing", key: str) -> bool:
    """Does what a key means for what plays; False where it means nothing here."""
    if key == " ":
        playing.toggle()
    elif key in ("left", "right"):
        playing.seek(playing.position_s + (STEP_S if key == "right" else -STEP_S))
    elif key in ("home", "end"):
        playing.seek(0.0 if key == "home" else playing.duration_s)
    elif key == "l":
        playing.loop(not playing.looping)
    else:
        return False
    return True


def line(playing: "Playing", name: str, keys: str, width: int) -> str:
    """The line, in at most `width` cells: sign, name, place, a bar, and the keys as far as there is room.

    Args:
        playing: what plays.
        name: what it is called.
        keys: what can be typed.
        width: cells of the terminal.
    """
    place, length = playing.position_s, playing.duration_s
    sign = "▶" if playing.playing else "‖"
    times = f"{looks.clock(place)} / {looks.clock(length)}{' ↻' if playing.looping else ''}"
    left = f"{sign} {looks.shorten(looks.clean(name), max(12, width // 3))}  {times}"
    room = width - 1 - len(keys) - looks.length([(left, looks.PLAIN)]) - 4
    bar = ""
    if room >= 6:
        full = round(min(room, 30) * place / length) if length else 0
        bar = f"  {FULL * full}{EMPTY * (min(room, 30) - full)}"
    return looks.shorten(f"{left}{bar}  {keys}", max(width - 1, 1))
