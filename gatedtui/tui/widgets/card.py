"""A run as a card of the dashboard: how it stands, its curve with an axis, and its figures."""

import textwrap
from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from gatedtui.tui import looks, phrases
from gatedtui.tui.looks import DIM, PLAIN, Spans
from gatedtui.tui.phrases import Figure
from gatedtui.tui.snapshot import Snapshot
from gatedtui.tui.widgets.curve import Curve
from gatedtui.tui.widgets.lines import Lines
from gatedtui.tui.widgets.run_row import plot

FEET = ((19, 6), (16, 5), (13, 4), (9, 3), (7, 2), (5, 1))
"""Rows a card has at least, and how many of them go to figures."""
CELL = 24
"""Cells a figure takes where more than two stand side by side."""


class RunCard(Vertical, can_focus=True):
    """One run."""

    DEFAULT_CSS = """
    RunCard {
        border: round $foreground 25%; padding: 0;
        border-title-color: $foreground; border-subtitle-color: $foreground 50%;
    }
    RunCard:focus { border: heavy $foreground; }
    RunCard > Lines { padding: 0 1; height: auto; }
    RunCard > Curve { padding: 0; margin: 0 1; }
    """

    def __init__(self, run: Snapshot) -> None:
        super().__init__()
        self.run = run
        self._now = (0.0, 0)
        self._titles: tuple[Content, Content, bool] | None = None

    def compose(self) -> ComposeResult:
        yield Lines(classes="state")
        yield Curve()
        yield Lines(classes="figures")

    def on_mount(self) -> None:
        """Shows the first state."""
        self.paint()

    def on_resize(self) -> None:
        """Chooses again what fits."""
        self.paint()

    def show(self, run: Snapshot, now: float, beat: int) -> None:
        """Shows the run as it is now; `now` and `beat` as in `phrases.state`."""
        self.run, self._now = run, (now, beat)
        self.paint()

    def paint(self) -> None:
        """Brings the parts up to date."""
        if not self.children or not self.size.width:
            return
        run, width, height = self.run, self.size.width - 2, self.size.height
        bare = bool(run.problem) and not len(run.valid)  # what went wrong has the rows that no curve needs
        foot = height - 1 if bare else next((rows for least, rows in FEET if height >= least), 0)
        dark = self.app.current_theme.dark
        titles = heading(run, width, dark=dark), Content(phrases.name(run, max(width - 4, 0)))
        known = (*titles, dark)  # two contents are equal where their texts are, whatever their colours
        if known != self._titles:  # setting them draws the card anew, even where they stay the same
            self._titles = known
            self.border_title, self.border_subtitle = titles
        self.query_one(".state", Lines).show([state_line(run, width, *self._now)])
        curve = self.query_one(Curve)
        curve.display = not bare
        curve.show(plot(run, large=True))
        figures = self.query_one(".figures", Lines)
        figures.display = foot > 0
        figures.show(foot_lines(run, width, foot))


def heading(run: Snapshot, width: int, *, dark: bool = True) -> Content:
    """`▲ tanh 100 · jsb`, for the border; never read as markup."""
    look = looks.unit(run.unit)
    size = f" {run.hidden}" if run.hidden is not None else ""
    data = f" · {looks.clean(run.data)}" if run.data else ""
    text = looks.shorten(f"{run.unit or 'run'}{size}{data}", max(width - 4, 0))
    colour = look.colour if dark else looks.DARKER.get(look.colour, look.colour)
    return Content.assemble((f"{look.shape} ", f"bold {colour}"), (text, "bold"))


def foot_lines(run: Snapshot, width: int, rows: int) -> list[Spans]:
    """Up to `rows` lines of figures, the most telling first, or what went wrong before them."""
    lines: list[Spans] = []
    if run.problem:
        style = looks.SIGNS.get(run.word, ("", looks.ERROR))[1]
        wrapped = textwrap.wrap(looks.clean(run.problem), max(width, 8)) if rows > 3 else [looks.clean(run.problem)]
        lines = [[(text, style)] for text in wrapped[: max(rows - 2, 1)]]
    if run.epoch is None and run.alive and not run.problem:
        lines = [[(phrases.first_words(run), DIM)]]
    across = max(width // CELL, 2)
    lines += [_beside(row, width, across) for row in _rows(phrases.figures(run), across)]
    return lines[:rows]


def _rows(figures: Sequence[Figure], across: int) -> list[list[Figure]]:
    """The figures dealt out in rows; those that belong together are in one."""
    rows: list[list[Figure]] = []
    for number, figure in enumerate(figures):
        wanted = 1 + any(after.joined for after in figures[number + 1 : number + 2])
        if not rows or len(rows[-1]) + wanted > across:
            rows.append([])
        rows[-1].append(figure)
    return rows


def _beside(figures: Sequence[Figure], width: int, across: int) -> Spans:
    """Figures in columns; two stand at the edges, shortened or without the right one where they do not fit."""
    if across == 2:
        left, right = (*figures, Figure("", ""))[:2]
        for short_left, short_right in ((False, False), (False, True), (True, True)):
            line = _ends(left.spans(brief=short_left), right.spans(brief=short_right), width)
            if looks.length(line) == width or not right.text:
                break
        return line
    line: Spans = []
    for number, figure in enumerate(figures):
        room = number * (width // across) - looks.length(line)
        line += [(" " * max(room, 1 if line else 0), PLAIN), *figure.spans()]
    return line


def state_line(run: Snapshot, width: int, now: float, beat: int) -> Spans:
    """The state's sign and word at the left, the epoch at the right."""
    sign, words = phrases.state(run, now, beat)
    if run.epoch is None:
        return [sign, words]
    share = run.share_of_epoch if run.word == "training" else None
    epoch = f"epoch {run.epoch.epoch + 1} · {share:3.0%}" if share is not None else f"epoch {run.epoch.epoch}"
    left = [sign, (f" {run.word}", words[1])]
    if looks.length([*left, (epoch, DIM)]) >= width:
        epoch = epoch.partition(" ·")[0]
    return _ends(left, [(epoch, DIM)], width)


def _ends(left: Spans, right: Spans, width: int) -> Spans:
    """One at the left edge, one at the right; the right one is left out where both do not fit."""
    room = width - looks.length(left) - looks.length(right)
    if not right or room < 1:
        return left
    return [*left, (" " * room, PLAIN), *right]
