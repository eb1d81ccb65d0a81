"""Which rows and columns the inline view uses at a given size: pure arithmetic and words, tested without a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from gatedtui.tui import looks, phrases
from gatedtui.tui.looks import DIM, PLAIN, Spans
from gatedtui.tui.snapshot import Snapshot

ROWS = 12
"""The view is never taller, so that the shell's own lines stay in sight."""
LOG_ROWS = 3
CURVE_LEAST = 8
"""Cells a curve needs to say anything."""
GAP = 3


@dataclass(frozen=True)
class Plan:
    """Rows of the view.

    Attributes:
        shown: how many of the runs.
        each: rows a run.
        gap: whether an empty row stands between two runs.
        header, caption, keys: whether these lines are there.
        extra: rows of the log or the help.
    """

    shown: int
    each: int
    gap: bool
    header: bool
    caption: bool
    keys: bool
    extra: int

    @property
    def total(self) -> int:
        """All rows of the view."""
        between = max(self.shown - 1, 0) * self.gap
        return self.shown * self.each + between + self.header + self.caption + self.keys + self.extra


def plan(height: int, runs: int, *, extra: int = 0) -> Plan:
    """How to spend a terminal of this height.

    Args:
        height: the terminal's rows. One is left free: a frame as tall as the terminal would scroll it.
        runs: how many runs there are.
        extra: rows wanted below for the log or the help.
    """
    rest = max(min(ROWS, height - 1), 1)
    keys = rest >= 2
    rest -= keys
    header = rest >= min(runs, 3) + 1
    rest -= header
    caption = rest >= min(runs, 3) + 2
    rest -= caption
    extra = max(min(extra, rest - min(runs, rest)), 0)
    rest -= extra
    shown = min(runs, rest)
    # One run: a line of figures over a curve of up to six rows. Several: two rows are enough to tell them apart, three
    # for two runs.
    each = min(rest // max(shown, 1), {1: 7, 2: 3}.get(runs, 2)) if shown else 0
    each = max(each, 1)
    gap = each > 1 and shown * (each + 1) - 1 <= rest
    return Plan(shown, each, gap, header, caption, keys, extra)


@dataclass(frozen=True)
class Row:
    """What stands left and right of a run's curve, a list entry a row.

    Attributes:
        left: title, current validation NLL; state.
        right: figures.
        curve: whether a curve stands between.
    """

    left: list[Spans]
    right: list[Spans]
    curve: bool = True


def table(runs: Sequence[Snapshot], each: int, width: int, now: float, beat: int) -> list[Row]:
    """The runs as rows whose columns are aligned.

    Args:
        runs: those that are shown.
        each: rows a run.
        width: cells of the view.
        now: monotonic time in seconds.
        beat: counts the paints.
    """
    tall = each >= 2
    titles = phrases.titles(runs)
    values = [phrases.valid(run) for run in runs]
    title_width = max(looks.length(title) for title in titles)
    value_width = max(5, *(len(value) for value in values))
    states = [phrases.state(run, now, beat) for run in runs]
    left_width = title_width + value_width + 2
    if tall:
        left_width = max(left_width, min(19, width // 2))
    room = width - 1 - left_width - 2 - CURVE_LEAST - GAP - 1
    cells = [figures(run, state, tall) for run, state in zip(runs, states, strict=True)]
    chosen = _choose(cells, [run.problem for run in runs], room, tall)
    rows: list[Row] = []
    for run, title, value, state, right in zip(runs, titles, values, states, chosen, strict=True):
        pad = " " * (left_width - looks.length(title) - len(value))
        first: Spans = [(" ", PLAIN), *title, (pad, PLAIN), (value, looks.BOLD)]
        second: Spans = [(" ", PLAIN), *state]
        if run.problem and not run.valid:
            text = looks.shorten(f"{run.word}: {looks.clean(run.problem)}", max(width - left_width - 4, 0))
            style = looks.SIGNS.get(run.word, ("", DIM))[1]
            rows.append(Row([first, second][:each], [[(text, style)]], curve=False))
        else:
            rows.append(Row([first, second] if tall else [first], right))
    return rows


def figures(run: Snapshot, state: Spans, tall: bool) -> list[list[Spans]]:
    """The figures to choose from: one or two rows of cells, the most wanted column first."""
    left = looks.left(run.time_left_s) if run.word == "training" else ""
    speed = looks.speed(run.frames_per_s) if run.alive else phrases.test(run)
    first, second = phrases.best(run), phrases.paper(run)
    if run.epoch is None:
        first, second, speed, left = phrases.first_words(run) if run.alive else "", "", "", ""
    if tall:
        return [[[(first, PLAIN)], [(second, DIM)]], [[(speed, DIM)], [(left, DIM)]]]
    return [[[(left, PLAIN)] if left else state, [(first, PLAIN)], [(second, DIM)], [(speed, DIM)]]]


def _choose(all_cells: list[list[list[Spans]]], problems: list[str], room: int, tall: bool) -> list[list[Spans]]:
    """The leading columns that fit in `room` cells, padded to common widths. In a single row the most wanted column,
    how the run stands, is written last; in two rows a problem takes the place of the second."""
    rows = [row for cells in all_cells for row in cells]
    floors = [13, 10] if tall else [9, 13, 10, 9]
    widths = [max(floor, *(looks.length(row[column]) for row in rows)) for column, floor in enumerate(floors)]
    taken = 0
    while taken < len(floors) and sum(widths[: taken + 1]) + GAP * taken <= room:
        taken += 1
    order = list(range(taken)) if tall else [*range(1, taken), *range(min(taken, 1))]
    if tall and not taken and room >= 8:
        widths[0], order = room, [0]
    right = [[_join([(row[column], widths[column]) for column in order]) for row in cells] for cells in all_cells]
    for lines, problem in zip(right, problems, strict=True):
        if tall and problem:
            lines[1] = [(looks.fit(looks.clean(problem), looks.length(lines[0])), looks.ERROR)]
    return right


def _join(cells: list[tuple[Spans, int]]) -> Spans:
    line: Spans = []
    for number, (cell, width) in enumerate(cells):
        gap = GAP if number else 0
        line += [(" " * gap, PLAIN), *cell, (" " * max(width - looks.length(cell), 0), PLAIN)]
    return line


def single(run: Snapshot, width: int, now: float, beat: int) -> Spans:
    """The line of figures over the one run's curve: as many as fit."""
    line: Spans = [(" ", PLAIN), *phrases.title(run), ("   ", PLAIN), (phrases.valid(run), looks.BOLD)]
    line += [("   ", PLAIN), *phrases.state(run, now, beat)]
    if run.problem:
        return [*line, (f"   {looks.clean(run.problem)}", looks.ERROR)]
    figures = [phrases.best(run), phrases.paper(run)]
    if run.alive:
        figures += [looks.speed(run.frames_per_s), looks.left(run.time_left_s) if run.word == "training" else ""]
    else:
        figures.append(phrases.test(run))
    if run.epoch is None and run.alive:
        figures = [phrases.first_words(run)]
    wanted = [figures[i] for i in (0, 3, 1, 2) if i < len(figures) and figures[i]]
    kept: list[str] = []
    room = width - looks.length(line) - 1
    for figure in wanted:
        if len(figure) + GAP <= room:
            kept.append(figure)
            room -= len(figure) + GAP
    for number, figure in enumerate(figure for figure in figures if figure in kept):
        line.append((" " * GAP + figure, PLAIN if number == 0 else DIM))
    return line
