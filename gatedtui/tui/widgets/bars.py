"""The lines around a screen: what is on it and how busy the machine is above, news and keys below."""

from collections.abc import Sequence

from gatedtui.tui import looks
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.messages import Load


def top(places: Sequence[tuple[str, str]], here: str, load: Load | None, width: int) -> Spans:
    """` gated  1 Dashboard …   gpu  37% 2.0G  cpu 98%  mem 1.1G`: the places one can go to, the present one bold. Where
    there is no room for all names the other places are keys, then nothing: where one is stays.

    Args:
        places: key and name of each screen.
        here: the name of the present one.
        load: None before it was measured.
        width: cells of the line.
    """
    narrow = [(key, name if name == here else "") for key, name in places]
    tried = [("  ", places, _loads(load, "  ")), (" ", places, [*_loads(load, " "), ""])]
    tried += [(" ", narrow, [*_loads(load, " "), ""]), (" ", [place for place in narrow if place[1]], [""])]
    line: Spans = []
    for gap, shown, loads in tried:
        line = [(" gated ", looks.INVERSE)]
        for key, name in shown:
            line += [(f"{gap}{key}{' ' * bool(name)}", DIM), (name, BOLD if name == here else DIM)]
        for right in loads:
            room = width - looks.length(line) - len(right)
            if room >= len(gap) * bool(right):
                return [*line, (" " * room, PLAIN), (right, DIM)]
    return line


def _loads(load: Load | None, gap: str) -> list[str]:
    """How busy the machine is, in words for where there is more room and less."""
    if load is None:
        return [""]
    if gap == " ":
        return [f"cpu {load.cpu:.0f}% mem {looks.memory(load.memory)}"]
    machine = f"cpu {load.cpu:3.0f}%  mem {looks.memory(load.memory)} "
    if load.gpu is None:
        return [machine]
    return [f"gpu {load.gpu.busy:3.0f}% {looks.memory(load.gpu.memory)}  {machine}", machine]


def keys(items: Sequence[tuple[str, str, str, int]], width: int) -> Spans:
    """` p pause  s stop  …`: keys bold, words dim; with the long words where they fit, else as many as fit.

    Args:
        items: key, word, more words, and rank: the highest ranks are left out first.
        width: cells of the line.
    """
    for long in (True, False):
        line: Spans = []
        for number, (key, word, more, _) in enumerate(items):
            gap = "   " if long else "  "
            line += [(gap if number else " ", PLAIN), (key, BOLD), (f" {word}{more if long else ''}", DIM)]
        if looks.length(line) <= width:
            return line
    if len(items) <= 1:
        return line
    worst = max(items, key=lambda item: item[3])
    return keys([item for item in items if item is not worst], width)
