"""The gates of a layer as the Gates screen shows them: plain values from the JSON of `gated gates`, and words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gatedtui import timescale
from gatedtui.page.gates import NAMES, strips
from gatedtui.tui import heat, looks, pieces
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.pieces import Piece


@dataclass(frozen=True, eq=False)
class Strip:
    """One gate, or |h|.

    Attributes:
        name: `r z i f o h`.
        rows: openness by unit and column of time, the unit that is most open on average first.
        order: the numbers of those units, from 0.
        openness: each unit's mean, by its number.
        histogram: counts of equal parts of 0..1.
        facts: mean and shares of closed and open values, in words.
    """

    name: str
    rows: Sequence[Sequence[float]]
    order: tuple[int, ...]
    openness: tuple[float, ...]
    histogram: tuple[int, ...]
    facts: tuple[str, ...] = ()

    @property
    def letter(self) -> str:
        """`z`, `|h|`."""
        return NAMES[self.name].partition(" ")[0]

    @property
    def word(self) -> str:
        """`update`, `state`."""
        return NAMES[self.name].partition(" ")[2]

    def value(self, unit: int, column: int) -> float:
        """How open it is."""
        return self.rows[self.order.index(unit)][column]


@dataclass(frozen=True, eq=False)
class GateView:
    """Everything of one answer.

    Attributes:
        unit, hidden, layer, layers: what was looked at.
        piece: what was heard.
        strips: from top to bottom.
        columns: of time; each stands for `each` steps.
        nll: nats of each step, None where nothing was predicted.
        nll_frame: their mean.
    """

    unit: str
    hidden: int
    layer: int
    layers: int
    piece: Piece
    strips: tuple[Strip, ...]
    columns: int
    each: int
    nll: tuple[float | None, ...]
    nll_frame: float | None

    @property
    def step_s(self) -> float:
        """Seconds a step."""
        return self.piece.step_s

    def surprise(self, column: int) -> float | None:
        """Mean NLL of the steps of a column, in nats; None where none was predicted."""
        known = [value for value in self.nll[column * self.each : (column + 1) * self.each] if value is not None]
        return sum(known) / len(known) if known else None


def read(about: dict[str, Any]) -> GateView:
    """The view of an answer of `gated gates --json`, brief or not."""
    return GateView(
        about["unit"],
        about["hidden"],
        about["layer"],
        about["layers"],
        pieces.heard(about),
        tuple(_strip(name, gate) for name, gate in strips(about)),
        len(about["h"]["magnitude"]),
        about["each"],
        tuple(about["nll"]),
        about["nll_frame"],
    )


def _strip(name: str, gate: dict[str, Any]) -> Strip:
    order, openness = tuple(gate["order"]), tuple(gate["mean_openness"])
    facts = [f"mean {sum(openness) / max(len(openness), 1):.2f}"]
    if "closed" in gate:
        facts += [f"closed {gate['closed']:.0%}", f"open {gate['open']:.0%}"]
    return Strip(name, heat.by_unit(gate["values"], order), order, openness, tuple(gate["histogram"]), tuple(facts))


def held(unit: str, gate: str, value: float) -> str:
    """`held 5.9 steps` for a gate that sets how long a unit holds what it has; nothing for others."""
    lost = timescale.lost(unit, gate, value)
    if lost is None:
        return ""
    steps = 1.0 / lost if lost > 0 else float("inf")
    return f"held {steps:.1f} steps" if steps < 1000 else "held for ever"


def reading(view: GateView, column: int, unit: int, chosen: int) -> list[tuple[str, bool]]:
    """What the cursor reads, most telling first: time, unit, the chosen gate with its time constant, the others.

    Args:
        view: what is shown.
        column: of time.
        unit: its number, from 0.
        chosen: which strip.

    Returns:
        Words, and whether they are about what was chosen.
    """
    first = column * view.each
    last = min(first + view.each, view.piece.steps) - 1
    when = f"t {first}" if last <= first else f"t {first}–{last}"
    strip = view.strips[chosen]
    value = strip.value(unit, column)
    constant = held(view.unit, strip.name, value)
    words = [(when, False), (f"unit {unit}", True)]
    words.append((f"{strip.letter} {value:.2f}{f' ({constant})' if constant else ''}", True))
    words += [
        (f"{other.letter} {other.value(unit, column):.2f}", False)
        for number, other in enumerate(view.strips)
        if number != chosen
    ]
    surprise = view.surprise(column)
    if surprise is not None:
        words.append((f"surprise {surprise:.{1 if surprise < 10 else 0}f} nats", False))
    place = strip.order.index(unit) + 1
    rank = f"{place} of {len(strip.order)} from the most {'open' if strip.name != 'h' else 'active'}"
    return [*words, (rank, False), (f"{first * view.step_s:.2f} s", False)]


def reading_line(words: Sequence[tuple[str, bool]], width: int) -> Spans:
    """As many of the words as fit, those about what was chosen bold."""
    line: Spans = [(" ", PLAIN)]
    for text, is_chosen in words:
        between = " · " if len(line) > 1 else ""
        if looks.length(line) + len(between) + len(text) > width:
            break
        line += [(between, DIM), (text, BOLD if is_chosen else PLAIN)]
    return line
