"""What the Gates screen says around its picture: pure functions from its state to words and styled lines."""

from collections.abc import Sequence

from gatedtui.tui import looks
from gatedtui.tui.gate_view import GateView
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.models import Model

FRESH = "a fresh sample"
"""What is heard instead of something typed."""
LEGEND = "closed ·░▒▓█ open"
INPUTS = ("a test piece: bach:3   ( < and > go back and on )", "a MIDI or sound file", "pitches: C4,E4,G4*8 D4*4")
Items = list[tuple[str, str, str, int]]


def what(model: Model | None, heard: str, seed: int, view: GateView | None, spinner: str, width: int) -> Spans:
    """` ● gru 46 release-gru hears bach:3 │ 292 steps │ 2.46 nats a frame`."""
    if model is None:
        return []
    look = looks.unit(model.unit)
    line: Spans = [(f" {look.shape} ", look.bright), (f"{model.unit} {model.hidden}", BOLD)]
    line.append((f" {looks.shorten(looks.clean(model.name), 24)}", DIM))
    if spinner:
        return [*line, (f" {spinner} listening to {name(heard, seed)} …", PLAIN)]
    line.append((f" hears {looks.shorten(name(heard, seed), 40)}", PLAIN))
    if view is None:
        return line
    steps = "steps" if view.piece.kind == "music" else "frames"
    parts = [
        f"layer {view.layer} of {view.layers}" if view.layers > 1 else "",
        f"{view.piece.steps} {steps}",
        f"{looks.nll(view.nll_frame)} nats a frame" if view.nll_frame is not None else "",
        f"each column is the mean of {view.each} {steps}" if view.each > 1 else "",
    ]
    room = width - looks.length(line) - 4
    if room > 8:
        line += [(" │ ", DIM), (looks.pack(parts, room, " │ "), DIM)]
    room = width - looks.length(line) - len(LEGEND) - 1
    return [*line, (" " * room + LEGEND, DIM)] if room > 3 else line


def name(heard: str, seed: int) -> str:
    """What is heard, in words."""
    return f"{FRESH}, seed {seed}" if heard == FRESH else looks.clean(heard)


def length(model: Model) -> Sequence[str]:
    """The options that say how long a fresh sample is."""
    return ("--steps", "192") if model.kind == "music" else ("--seconds", "1")


def check(answer: str) -> str:
    """What is wrong with an answer about what to hear; the command says the rest."""
    return "" if answer else "Type a piece, a file or pitches."


def file_name(model: Model, heard: str, layer: int) -> str:
    """`gates-gru-bach-1-bach-3.svg`."""
    said = "".join(c if c.isalnum() or c in "_" else "-" for c in heard)[-40:].strip("-")
    return f"gates-{model.name[:60]}-{said}{f'-layer{layer}' if model.layers > 1 else ''}.svg"


def why_none(known: Sequence[Model] | None, problem: tuple[str, str] | None, spinner: str) -> list[Spans]:
    """What is said in place of the picture."""
    if problem is not None:
        return [[(looks.clean(problem[0]), looks.ERROR)], [(looks.clean(problem[1]), PLAIN)]]
    if known is None:
        return [[("looking for models …", DIM)]]
    if known:
        return [[(f"{spinner} looking inside …", DIM)]]
    return [
        [("There is nothing to look into yet.", BOLD)],
        [],
        [("No run here has a best model, and none came with this version.", PLAIN)],
        [("n", BOLD), (" asks what to train, ", PLAIN), ("[", BOLD), (" leads back", PLAIN)],
    ]


def keys(view: GateView | None, model: Model | None, *, enlarged: bool) -> Items:
    """The keys, as `bars.keys` takes them."""
    if model is None:
        return [("n", "new", " run", 2), ("?", "help", "", 1), ("q", "quit", "", 0)]
    items = [
        ("←→", "time", "", 2),
        ("↑↓", "unit", "", 2),
        ("tab", "gate", "", 3),
        ("i", "input", "", 4),
        ("<>", "piece", "", 6),
        ("f", "fresh", " sample", 5),
        ("m", "model", "", 4),
        ("enter", "back" if enlarged else "enlarge", "", 7),
        ("w", "write", " SVG", 8),
    ]
    if view is not None and view.layers > 1:
        items.append(("y", "layer", "", 5))
    return [*items, ("?", "help", "", 1), ("q", "quit", "", 0)]
