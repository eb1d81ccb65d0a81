"""A sweep as the app shows it: read in a thread into plain values, drawn by pure functions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gatedtui import modelfile
from gatedtui.config import ModelConfig
from gatedtui.sweep.board import Board, View
from gatedtui.sweep.folder import SweepFolder, all_sweeps
from gatedtui.table.cells import cells
from gatedtui.table.results import of_views
from gatedtui.tui import looks
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans

SIGNS_MOST = 20
"""Trials of a cell that are shown as a sign each; more are counted."""
WAITING = ("·", DIM)


@dataclass(frozen=True)
class Place:
    """One cell of the table: a unit on a data set.

    Attributes:
        words: every trial's status, in the order of seeds and draws.
        valid, test, piece: NLLs of what validation picks, the mean over seeds; NaN where nothing is picked.
        drawn: what was drawn for it (of the best seed).
        epoch: its best epoch.
        paper: the paper's test figure, or None.
        picked: the folders of the picked trials.
        best: the best one's folder.
        now: a few words a trial that is being trained.
    """

    data: str
    unit: str
    words: tuple[str, ...]
    valid: float = math.nan
    test: float = math.nan
    piece: float = math.nan
    drawn: str = ""
    epoch: int = 0
    paper: float | None = None
    picked: tuple[Path, ...] = ()
    best: Path | None = None
    now: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """What one look at a runs folder saw of its sweeps.

    Attributes:
        names: all sweeps, newest first.
        path: the folder of the one that was read, or None where there is none.
        driven: whether a process trains it.
        left_s: seconds left, or None.
        places: its cells.
        problem: why it cannot be read, or nothing.
    """

    names: tuple[str, ...] = ()
    path: Path | None = None
    driven: bool = False
    left_s: float | None = None
    places: tuple[Place, ...] = ()
    problem: str = ""

    @property
    def name(self) -> str:
        """The sweep that was read."""
        return self.path.name if self.path else ""

    def count(self, *words: str) -> int:
        """How many trials have one of these statuses; all, without words."""
        return sum(not words or word in words for place in self.places for word in place.words)


class Reader:
    """Reads sweeps; keeps what it knows of the last one, so that only what is new is read. One thread at a time."""

    def __init__(self) -> None:
        self._board: Board | None = None
        self._made: tuple[int, int] = (0, 0)

    def read(self, runs: Path, name: str) -> State:
        """The sweep of this name, or the newest where there is none of it; raises as `SweepFolder.about`."""
        found = {folder.name: folder for folder in all_sweeps(runs)}
        if not found:
            return State()
        folder = found.get(name) or next(iter(found.values()))
        made = _made(folder)
        if self._board is None or self._board.folder != folder or self._made != made:
            self._board, self._made = Board(folder), made
        board = self._board
        board.refresh()
        training = board.count("running", "starting")
        left_s = board.time_left_s(training) if board.driven and training else None
        return State(tuple(found), folder.path, board.driven, left_s, tuple(place(board, v) for v in board.cells()))


def _made(folder: SweepFolder) -> tuple[int, int]:
    """What another sweep of the same name, made when this one was removed, does not share."""
    try:
        about = folder.about_path.stat()
    except OSError:
        return 0, 0
    return about.st_ino, about.st_mtime_ns


def place(board: Board, views: Sequence[View]) -> Place:
    """One cell of a sweep."""
    slot, words = views[0].slot, tuple(view.word for view in views)
    model = next((view.config.model for view in views if view.config is not None), ModelConfig(unit=slot.unit))
    paper = modelfile.paper_nll(model, slot.data)
    now = tuple(_now(view) for view in views if view.word == "running")
    made = cells(of_views(board, views))
    if not made or not made[0].picked:
        return Place(slot.data, slot.unit, words, paper=paper, now=now)
    cell = made[0]
    best = min(cell.picked, key=lambda one: one.valid_nll)
    epoch = best.history.best
    return Place(
        slot.data,
        slot.unit,
        words,
        cell.figure("valid", "frame").mean,
        cell.figure("test", "frame").mean,
        cell.figure("test", "sequence").mean,
        " ".join(f"{key.rpartition('.')[2]} {_value(value)}" for key, value in best.drawn.items() if key != "seed"),
        epoch.epoch if epoch else 0,
        paper,
        tuple(one.path for one in cell.picked),
        best.path,
        now,
    )


def header(state: State, beat: int) -> Spans:
    """`paper · 37 of 120 trials · 2 diverged · ⠋ training · 12:00 left`."""
    done, diverged = state.count("finished", "diverged"), state.count("diverged")
    line: Spans = [(f" {looks.clean(state.name)}", BOLD), (f"   {done} of {state.count()} trials", PLAIN)]
    if diverged:
        line.append((f"   {diverged} diverged", looks.ERROR))
    if state.driven:
        line.append((f"   {looks.SPINNER[beat % len(looks.SPINNER)]} training", PLAIN))
        line.append((f"   {looks.left(state.left_s)}" if state.left_s else "", DIM))
    elif done < state.count():
        line += [("   ‖ not being trained: ", looks.WARNING), ("r", BOLD), (" goes on", DIM)]
    else:
        line.append(("   ✔ done", looks.GOOD))
    if len(state.names) > 1:
        line.append((f"   sweep {state.names.index(state.name) + 1} of {len(state.names)}, ←→ the others", DIM))
    return line


def table(state: State, width: int) -> tuple[Spans, list[Spans]]:
    """The heading and a line a cell; columns that have no room are left out, the least telling first."""
    signs = max((min(len(place.words), SIGNS_MOST) for place in state.places), default=0)
    drawn = max((len(place.drawn) for place in state.places), default=0)
    columns = [
        ("data", min(max(4, *(len(looks.clean(p.data)) for p in state.places)), 14), 0),
        ("unit", 6, 0),
        ("trials", max(signs, 7), 0),
        ("valid", 6, 0),
        ("test", 6, 1),
        ("piece", 6, 2),
        ("paper", 6, 3),
        ("drawn", max(drawn, 5), 4),
        ("now", 24, 5),
    ]
    while sum(size + 2 for _, size, _ in columns) + 1 > width and columns[-1][2] > 0:
        columns.remove(max(columns, key=lambda column: column[2]))
    spare = width - 1 - sum(size + 2 for _, size, _ in columns)
    columns = [(n, size + max(spare, 0) if n == "now" else size, rank) for n, size, rank in columns]
    heading: Spans = [(" ", PLAIN)]
    for name, size, _ in columns:
        title = {"drawn": "with", "piece": "/piece"}.get(name, name)
        heading.append((_pad(title, size, right=name in FIGURES) + "  ", DIM))
    return heading, [_line(place, columns) for place in state.places]


def detail(place: Place | None, width: int) -> Spans:
    """The cell under the cursor in words."""
    if place is None:
        return []
    if place.best is None:
        done = sum(word in ("finished", "diverged") for word in place.words)
        return [(f" {done} of {len(place.words)} trials done, none to pick yet", DIM)]
    parts = [f"validation picks {looks.clean(place.best.name)}", place.drawn, f"best @{place.epoch}"]
    parts += [f"paper {looks.nll(place.paper)}, as recalled"] if place.paper is not None else []
    parts += [f"mean of {len(place.picked)} seeds"] if len(place.picked) > 1 else []
    return [(f" {looks.pack(parts, width - 2)}", DIM)]


FIGURES = ("valid", "test", "piece", "paper")


def _line(place: Place, columns: Sequence[tuple[str, int, int]]) -> Spans:
    look = looks.unit(place.unit)
    line: Spans = [(" ", PLAIN)]
    for name, size, _ in columns:
        if name == "trials":
            line += _signs(place.words, size)
        elif name == "unit":
            line.append((looks.fit(f"{look.shape} {place.unit}", size), look.bright))
        elif name in FIGURES:
            style = BOLD if name == "test" else DIM if name == "paper" else PLAIN
            line.append((_pad(looks.nll(getattr(place, name)), size, right=True), style))
        else:
            text = "   ".join(place.now) if name == "now" else str(getattr(place, name))
            line.append((looks.fit(looks.clean(text), size), DIM if name == "now" else PLAIN))
        line.append(("  ", PLAIN))
    return line


def _signs(words: Sequence[str], size: int) -> Spans:
    if len(words) > SIGNS_MOST:
        done = sum(word in ("finished", "diverged") for word in words)
        return [(looks.fit(f"{done} of {len(words)}", size), PLAIN)]
    known = {"running": "training", "starting": "starting"}
    drawn: Spans = [looks.SIGNS.get(known.get(word, word), WAITING) for word in words]
    return [*drawn, (" " * (size - len(words)), PLAIN)]


def _pad(text: str, size: int, *, right: bool) -> str:
    return text.rjust(size) if right else looks.fit(text, size)


def _now(view: View) -> str:
    last = view.history.last_epoch
    draw = f"d{view.slot.draw:02d}"
    return f"{draw} epoch {last.epoch} {looks.nll(last.valid_nll)}" if last else f"{draw} begins"


def _value(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
