"""A run as a card of the dashboard: how it stands, its curve with an axis, and its figures."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from gatedtui.tui import looks, phrases
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.snapshot import Snapshot
from gatedtui.tui.widgets.curve import Curve
from gatedtui.tui.widgets.lines import Lines
from gatedtui.tui.widgets.run_row import plot

FIGURES = 3
"""Rows of figures at the foot of a card that has the room."""


class RunCard(Vertical, can_focus=True):
    """One run."""

    DEFAULT_CSS = """
    RunCard {
        border: round $panel-lighten-2; padding: 0;
        border-title-color: $foreground; border-subtitle-color: $foreground 50%;
    }
    RunCard:focus { border: round $foreground; }
    RunCard > Lines { padding: 0 1; height: auto; }
    RunCard > Curve { padding: 0; margin: 0 1; }
    """

    def __init__(self, run: Snapshot) -> None:
        super().__init__()
        self.run = run
        self._now = (0.0, 0)
        self._titles: tuple[Content, Content] | None = None

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
        foot = FIGURES if height >= 9 else 2 if height >= 7 else 1 if height >= 5 else 0
        titles = (heading(run, width), Content(phrases.name(run, max(width - 4, 0))))
        if titles != self._titles:  # setting them draws the card anew, even where they stay the same
            self._titles = self.border_title, self.border_subtitle = titles
        self.query_one(".state", Lines).show([state_line(run, width, *self._now)])
        self.query_one(Curve).show(plot(run, large=True))
        figures = self.query_one(".figures", Lines)
        figures.display = foot > 0
        figures.show(foot_lines(run, width)[:foot])


def heading(run: Snapshot, width: int) -> Content:
    """`▲ tanh 100 · jsb`, for the border; never read as markup."""
    look = looks.unit(run.unit)
    size = f" {run.hidden}" if run.hidden is not None else ""
    data = f" · {looks.clean(run.data)}" if run.data else ""
    text = looks.shorten(f"{run.unit or 'run'}{size}{data}", max(width - 6, 0))
    return Content.assemble((f"{look.shape} ", f"bold {look.colour}"), (text, "bold"))


def foot_lines(run: Snapshot, width: int) -> list[Spans]:
    """Up to three lines of figures, or what went wrong."""
    first = _pair("valid", phrases.valid(run))
    best = looks.nll(run.best.valid_nll if run.best else None)
    longer = _pair("best", f"{best} @{run.best.epoch}" if run.best else best)
    fits = looks.length(first) + looks.length(longer) < width
    lines = [_ends(first, longer if fits else _pair("best", best), width)]
    if run.problem:
        return [[(looks.clean(run.problem), looks.SIGNS.get(run.word, ("", looks.ERROR))[1])], *lines]
    weights = run.started.parameters.get("total") if run.started else None
    size = f"{weights:,} weights" if isinstance(weights, int) else ""
    if run.finished is not None:
        per_piece = f"{looks.nll(run.finished.test_nll_sequence)}/piece"
        lines.append(_ends(_pair("test", looks.nll(run.finished.test_nll_frame)), [(per_piece, DIM)], width))
        lines.append(_ends([(looks.clock(run.elapsed_s), PLAIN)], [(size, DIM)], width))
        return lines
    if run.epoch is None and run.alive:
        return [[(phrases.first_words(run), DIM)], *([[(size, DIM)]] if size else [])]
    rate = looks.lr(run.epoch.lr if run.epoch else None)
    lines.append(_ends(_pair("train", phrases.train(run)), _pair("lr", rate), width))
    if run.word == "training":
        lines.append(_ends([(looks.speed(run.frames_per_s), DIM)], [(looks.left(run.time_left_s), PLAIN)], width))
    else:
        hint = "r goes on with it" if run.can_resume else looks.speed(run.frames_per_s)
        lines.append(_ends([(hint, DIM)], [(looks.clock(run.elapsed_s), PLAIN)], width))
    return lines


def state_line(run: Snapshot, width: int, now: float, beat: int) -> Spans:
    """The state's sign and word at the left, the epoch at the right."""
    sign, words = phrases.state(run, now, beat)
    if run.epoch is None:
        return [sign, words]
    share = run.share_of_epoch if run.word == "training" else None
    epoch = f"epoch {run.epoch.epoch + 1} · {share:3.0%}" if share is not None else f"epoch {run.epoch.epoch}"
    return _ends([sign, (f" {run.word}", words[1])], [(epoch, DIM)], width)


def _pair(word: str, figure: str) -> Spans:
    return [(f"{word} ", DIM), (figure, BOLD if word in ("valid", "test") else PLAIN)]


def _ends(left: Spans, right: Spans, width: int) -> Spans:
    """One at the left edge, one at the right; the right one is left out where both do not fit."""
    room = width - looks.length(left) - looks.length(right)
    if not right or room < 1:
        return left
    return [*left, (" " * room, PLAIN), *right]
