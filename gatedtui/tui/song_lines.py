"""What the Samples screen says around its songs: pure functions from its state to words and styled lines."""

from collections.abc import Mapping, Sequence

from gatedtui.tui import looks
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.models import Model
from gatedtui.tui.songs import Song, Take

Items = list[tuple[str, str, str, int]]


def take_line(take: Take, kind: str, width: int) -> Spans:
    """` primer bach:3, first 32 steps │ temperature 1.00 │ seed 7 │ 128 steps`."""
    steps = "steps" if kind == "music" else "frames of 10 samples"
    given = f"{looks.clean(take.prime)}, first {take.prime_steps} {steps}" if take.prime else "each model's own"
    parts = [f"primer {given}", f"temperature {take.temperature:.2f}", f"seed {take.seed}", f"{take.steps:,} {steps}"]
    return [(" ", PLAIN), (looks.pack(parts, width - 2, " │ "), PLAIN)]


def figures(song: Song, real: Mapping[int, float], chosen: Sequence[Model]) -> tuple[str, ...]:
    """NLL and statistics of a song.

    Args:
        song: which; of the real one the NLL is that under each model.
        real: those, by the models' places.
        chosen: the models, from place 1 on.
    """
    if song.model is not None:
        return (f"{looks.nll(song.nll)} nats" if song.nll is not None else "", *song.facts)
    scored = [
        f"{looks.unit(model.unit).shape} {looks.nll(real[place])}"
        for place, model in enumerate(chosen, start=1)
        if place in real
    ]
    return (f"{'  '.join(scored)} nats" if scored else "", *song.facts)


def time(song: Song, at_s: float, *, moves: bool) -> str:
    """`▶ 0:07/0:42`, with `‖` while it rests; nothing before there is a song."""
    if song.piece is None:
        return ""
    length_s = song.piece.length_s
    return f"{'▶' if moves else '‖'} {looks.clock(int(min(at_s, length_s)))}/{looks.clock(int(length_s))}"


def revealed(shown: Mapping[int, Song]) -> str:
    """What stood at each place while listening blind."""
    names = {place: song.model.name if song.model else "the real one" for place, song in shown.items()}
    return "it was " + ", ".join(f"{place} {looks.clean(name)}" for place, name in names.items())


def why_none(*, looked: bool) -> list[Spans]:
    """What is said in place of songs."""
    if not looked:
        return [[("looking for models …", DIM)]]
    return [
        [("There is nothing to hear yet.", BOLD)],
        [],
        [("No run here has a best model, and none came with this version.", PLAIN)],
        [("n", BOLD), (" asks what to train, ", PLAIN), ("[", BOLD), (" leads back", PLAIN)],
    ]


def keys(places: Sequence[int], *, moves: bool, enlarged: bool) -> Items:
    """The keys, as `bars.keys` takes them."""
    if not places:
        return [("n", "new", " run", 2), ("?", "help", "", 1), ("q", "quit", "", 0)]
    return [
        (f"{min(places)}–{min(max(places), 3)}", "switch", "", 2),
        ("space", "pause" if moves else "play", "", 1),
        ("←→", "seek", "", 7),
        ("t", "temp", "erature", 4),
        ("g", "again", "", 3),
        ("b", "blind", "", 5),
        ("m", "models", "", 8),
        ("p", "primer", "", 9),
        ("w", "write", " files", 4),
        ("enter", "back" if enlarged else "enlarge", "", 10),
        ("[ ]", "screens", "", 6),
        ("?", "help", "", 1),
        ("q", "quit", "", 0),
    ]
