"""What the comparison shows: from runs and a view of them to curves, ranges and a table. Plain values in and out."""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rich.style import Style

from gatedtui.runs.epochs import Epochs
from gatedtui.tui import braille, looks, phrases, xy
from gatedtui.tui.braille import Span
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.snapshot import Snapshot
from gatedtui.tui.widgets.chart import Line, Picture
from gatedtui.tui.widgets.curve import Reference

Axis = Literal["updates", "epochs", "wall clock"]
Which = Literal["validation", "training", "both"]
AXES: tuple[Axis, ...] = ("updates", "epochs", "wall clock")
NUMBERS: dict[Axis, str] = {"updates": "updates", "epochs": "epoch", "wall clock": "elapsed_s"}
"""Which number of an epoch an axis shows."""
WHICH: tuple[Which, ...] = ("validation", "training", "both")
SMOOTHING = (1, 5, 15, 51)
"""Epochs of which the mean is drawn."""
SPARE = 0.1
"""The share of first epochs that need not fit: they fall so far that the rest would look flat."""
SIGNS = "123456789abcdefghijklmnopqrstuvwxyz"
LEAST_SPAN = 1e-9


@dataclass(frozen=True)
class View:
    """How the curves are looked at.

    Attributes:
        axis: what x is; wall clock is training time.
        which: the curves.
        smoothing: epochs a point is the mean of, counting those that are kept (`Snapshot.epochs`).
        log: whether y is logarithmic.
        whole: whether y shows the first, steep epochs too.
        window: the part of x in sight; None = all of it.
        cursor: where values are read, on the x axis; None = nowhere.
    """

    axis: Axis = "updates"
    which: Which = "validation"
    smoothing: int = 1
    log: bool = False
    whole: bool = False
    window: Span | None = None
    cursor: float | None = None


@dataclass(frozen=True)
class Look:
    """How a run is told from the others: by its unit where that suffices, else by a sign and a colour of its own."""

    sign: str
    style: Style

    @property
    def dim(self) -> Style:
        """Training."""
        return Style(color=self.style.color, dim=True)


def dress(runs: Sequence[Snapshot]) -> dict[Path, Look]:
    """A look for each run."""
    units = [run.unit for run in runs]
    if len(set(units)) == len(units) and all(unit in looks.UNITS for unit in units):
        return {run.path: Look(looks.unit(run.unit).shape, looks.unit(run.unit).bright) for run in runs}
    return {
        run.path: Look(SIGNS[number % len(SIGNS)], Style(color=looks.RUNS[number % len(looks.RUNS)], bold=True))
        for number, run in enumerate(runs)
    }


def _has_unit(run: Snapshot, look: Look) -> bool:
    """Whether its look says what its unit is."""
    return look.sign == looks.unit(run.unit).shape


class Curves:
    """Makes the curves, each once: while a run's epochs are the same object, so are its curves."""

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], tuple[Epochs, Sequence[float | None]]] = {}
        self._places: dict[tuple[Path, Axis], tuple[Epochs, Sequence[float]]] = {}

    def xs(self, run: Snapshot, axis: Axis) -> Sequence[float]:
        """Where each epoch stands on the x axis, rising."""
        known = self._places.get((run.path, axis))
        if known is not None and known[0] is run.epochs:
            return known[1]
        found = array("d", xy.rising([x if math.isfinite(x) else 0.0 for x in run.epochs.column(NUMBERS[axis])]))
        self._places[run.path, axis] = (run.epochs, found)
        return found

    def ys(self, run: Snapshot, which: Which, smoothing: int, *, log: bool) -> Sequence[float | None]:
        """The NLL of each epoch, or its decimal logarithm, as the mean over so many."""
        key = (run.path, which, smoothing, log)
        known = self._made.get(key)
        if known is not None and known[0] is run.epochs:
            return known[1]
        found = xy.smooth(run.valid if which == "validation" else run.train, smoothing)
        found = xy.logarithms(found) if log else found
        self._made[key] = (run.epochs, found)
        return found

    def forget(self, kept: Sequence[Snapshot]) -> None:
        """Lets go of the runs that are not compared any more."""
        paths = {run.path for run in kept}
        self._made = {key: made for key, made in self._made.items() if key[0] in paths}
        self._places = {key: made for key, made in self._places.items() if key[0] in paths}


def whole_span(runs: Sequence[Snapshot], axis: Axis, curves: Curves) -> Span | None:
    """From the start of training to the farthest point of any run; None while no run has come to an epoch's end."""
    ends = [xs[-1] for run in runs if (xs := curves.xs(run, axis))]
    return (0.0, max(max(ends), LEAST_SPAN)) if ends else None


def can_log(runs: Sequence[Snapshot]) -> bool:
    """Whether a logarithmic axis has anything to show: the NLL of a density may lie below zero."""
    return not any(value <= 0 for run in runs for value in (*run.valid[-1:], *run.train[-1:]))


def picture(
    runs: Sequence[Snapshot], view: View, dressed: dict[Path, Look], curves: Curves, current: Path | None
) -> Picture:
    """The plot of these runs, the current one in front.

    Args:
        runs: those that are not hidden.
        view: how they are looked at.
        dressed: a look for each.
        curves: where they are kept.
        current: the run whose reference lines are shown.
    """
    x = view.window or whole_span(runs, view.axis, curves)
    log = view.log and can_log(runs)
    lines: list[Line] = []
    for run in sorted(runs, key=lambda run: run.path == current):
        lines += _lines(run, view, dressed[run.path], curves, log)
    if x is None:
        return Picture()
    seen = [xy.seen(line.xs, line.ys, x) for line in lines]
    y = braille.span(seen, spare=0.0 if view.whole or view.window else SPARE)
    if y is not None:
        spare = (y[1] - y[0]) * 0.02
        y = (y[0] - spare, y[1] + spare)
    references = [line for run in runs if run.path == current for line in _references(run)]
    return Picture(tuple(lines), x, y, tuple(references), log, view.axis == "wall clock", view.cursor)


def _references(run: Snapshot) -> list[Reference]:
    found = [Reference(run.paper, f"paper {run.unit}")] if run.paper is not None else []
    return [*found, Reference(run.marginal, "guessing")] if run.marginal is not None else found


def _lines(run: Snapshot, view: View, look: Look, curves: Curves, log: bool) -> list[Line]:
    xs = curves.xs(run, view.axis)
    found: list[Line] = []
    if view.which != "validation":
        ys = curves.ys(run, "training", view.smoothing, log=log)
        alone = view.which == "training"
        found.append(
            Line(xs, ys, look.style if alone else look.dim, look.sign if alone else "", None, _end(run, xs, ys))
        )
    if view.which != "training":
        ys = curves.ys(run, "validation", view.smoothing, log=log)
        at = run.best_index
        y = ys[at] if at is not None and at < min(len(xs), len(ys)) else None
        best = (xs[at], y) if at is not None and y is not None else None
        found.append(Line(xs, ys, look.style, look.sign, best, _end(run, xs, ys)))
    return found


def _end(run: Snapshot, xs: Sequence[float], ys: Sequence[float | None]) -> tuple[float, float] | None:
    """Where a run diverged: at its last epoch, as high as it was last."""
    if run.word != "diverged" or not xs:
        return None
    last = next((y for y in reversed(ys) if y is not None and math.isfinite(y)), math.nan)
    return xs[-1], last


def zoomed(view: View, whole: Span | None, factor: float, at: float | None = None) -> View:
    """A closer (factor below 1) or wider look around a place, by default the cursor, else the middle."""
    if whole is None:
        return view
    low, high = view.window or whole
    centre = at if at is not None else view.cursor if view.cursor is not None else (low + high) / 2
    centre = min(max(centre, low), high)
    width = max((high - low) * factor, (whole[1] - whole[0]) / 10_000, LEAST_SPAN)
    if width >= whole[1] - whole[0]:
        return replace(view, window=None)
    share = (centre - low) / (high - low) if high > low else 0.5
    return replace(view, window=_within(centre - share * width, width, whole))


def panned(view: View, whole: Span | None, share: float) -> View:
    """The window moved by a share of its width."""
    if whole is None or view.window is None:
        return view
    low, high = view.window
    return replace(view, window=_within(low + share * (high - low), high - low, whole))


def _within(low: float, width: float, whole: Span) -> Span:
    low = min(max(low, whole[0]), whole[1] - width)
    return low, low + width


def moved(view: View, run: Snapshot | None, whole: Span | None, curves: Curves, by: int, columns: int) -> View:
    """The cursor moved by dots of the plot, at least from one epoch of the run to another; the window follows it."""
    if whole is None:
        return view
    low, high = view.window or whole
    xs = curves.xs(run, view.axis) if run is not None else ()
    if view.cursor is None:
        cursor = high if by < 0 else low
    else:
        cursor = view.cursor + by * (high - low) / max(columns, 1)
    at = xy.nearest(xs, cursor)
    if at is not None:
        old = xy.nearest(xs, view.cursor) if view.cursor is not None else None
        at = min(max(at + (1 if by > 0 else -1), 0), len(xs) - 1) if at == old else at
        cursor = xs[at]
    cursor = min(max(cursor, whole[0]), whole[1])
    view = replace(view, cursor=cursor)
    if not low <= cursor <= high:
        view = replace(view, window=_within(cursor - (high - low) / 2, high - low, whole))
    return view


# The table below the plot.


@dataclass(frozen=True)
class _Column:
    title: str
    rank: int
    cells: list[tuple[str, Style]]
    right: bool = True
    gap: int = 2


def table(
    runs: Sequence[Snapshot],
    view: View,
    dressed: dict[Path, Look],
    curves: Curves,
    hidden: frozenset[Path],
    current: Path | None,
    width: int,
) -> list[Spans]:
    """A heading and a line a run: the values at the cursor, the last and the best, and how the run stands."""
    units = [looks.unit(run.unit) for run in runs]
    shapes = _Column("", 0, [(unit.shape, unit.bright) for unit in units], right=False, gap=1)
    words = [(looks.clean(run.unit), unit.bright) for run, unit in zip(runs, units, strict=True)]
    columns = [
        _Column("", 0, [("▌" if run.path == current else " ", BOLD) for run in runs], right=False, gap=0),
        _Column("", 0, [(dressed[run.path].sign, dressed[run.path].style) for run in runs], right=False, gap=1),
        *([] if all(_has_unit(run, dressed[run.path]) for run in runs) else [shapes]),
        _Column("unit", 8, words, right=False, gap=1),
        _Column("run", 0, [_name(run, run.path in hidden, run.path == current) for run in runs], right=False, gap=1),
        *(_at_cursor(runs, view, curves) if view.cursor is not None else []),
        _Column("valid", 2, [(phrases.valid(run), PLAIN) for run in runs]),
        _Column("train", 6, [(phrases.train(run), DIM) for run in runs]),
        _Column("best", 1, [(looks.nll(run.best.valid_nll if run.best else None), BOLD) for run in runs]),
        _Column("@", 5, [(str(run.best.epoch) if run.best else looks.NONE, PLAIN) for run in runs]),
        _Column("test", 3, [(phrases.test(run).removeprefix("test ") or looks.NONE, PLAIN) for run in runs]),
        _Column("epochs", 9, [(f"{run.epoch.epoch:,}" if run.epoch else looks.NONE, PLAIN) for run in runs]),
        _Column("updates", 10, [(f"{run.epoch.updates:,}" if run.epoch else looks.NONE, PLAIN) for run in runs]),
        _Column("time", 7, [(looks.clock(run.elapsed_s), PLAIN) for run in runs]),
        _Column("speed", 11, [(looks.speed(run.frames_per_s) or looks.NONE, DIM) for run in runs]),
        _Column("status", 4, [_status(run) for run in runs], right=False),
    ]
    widths = {id(c): max(looks.length([cell]) for cell in [(c.title, PLAIN), *c.cells]) for c in columns}
    kept = list(columns)
    while any(c.rank for c in kept) and sum(widths[id(c)] + c.gap for c in kept) > width:
        kept.remove(max(kept, key=lambda column: column.rank))
    lines = [_row([(c.title, DIM) for c in kept], kept, widths)]
    return lines + [_row([c.cells[number] for c in kept], kept, widths) for number in range(len(runs))]


def _row(cells: Sequence[tuple[str, Style]], kept: Sequence[_Column], widths: dict[int, int]) -> Spans:
    line: Spans = []
    for (text, style), column in zip(cells, kept, strict=True):
        pad = " " * (widths[id(column)] - looks.length([(text, style)]))
        line += [(" " * column.gap + (pad if column.right else ""), PLAIN), (text, style)]
        line += [(pad, PLAIN)] if not column.right else []
    return line


def _name(run: Snapshot, is_hidden: bool, is_current: bool) -> tuple[str, Style]:
    text = phrases.name(run, 24)
    return (f"({text})", DIM) if is_hidden else (text, BOLD if is_current else PLAIN)


def _status(run: Snapshot) -> tuple[str, Style]:
    sign, style = looks.SIGNS.get(run.word, ("", PLAIN))
    return f"{sign} {run.word}", style


def _at_cursor(runs: Sequence[Snapshot], view: View, curves: Curves) -> list[_Column]:
    assert view.cursor is not None
    valid: list[tuple[str, Style]] = []
    train: list[tuple[str, Style]] = []
    for run in runs:
        xs = curves.xs(run, view.axis)
        at = xy.nearest(xs, view.cursor)
        there = at is not None and not (at == len(xs) - 1 and view.cursor > xs[-1] * 1.001)
        valid.append((looks.nll(run.valid[at] if there and at is not None and at < len(run.valid) else None), BOLD))
        train.append((looks.nll(run.train[at] if there and at is not None and at < len(run.train) else None), PLAIN))
    return [_Column("│valid", 0, valid), _Column("│train", 3, train)]
