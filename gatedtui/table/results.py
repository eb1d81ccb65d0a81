"""What there is to tabulate: the trials of sweeps and the runs of runs folders, each as one plain value."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gatedtui import config as configs
from gatedtui import modelfile, paths
from gatedtui.config import RunConfig
from gatedtui.errors import BadArgument, BadSource, GatedError, nearest
from gatedtui.recipes import RECIPES
from gatedtui.runs import folder as folders
from gatedtui.runs.history import History, load
from gatedtui.runs.status import status
from gatedtui.sweep.board import Board, View
from gatedtui.sweep.folder import SweepFolder, all_sweeps

MASKED = ("train.threads", "train.device", "train.kernel", "train.recipe", "data.name", "model.unit", "seed")
"""Keys that do not make another row: they say where a run is trained, or stand in the table anyway."""
PICKED = ("train.lr",)
"""Keys a run in a runs folder may differ in from others of its row: the row takes what validation says is best."""


@dataclass(frozen=True)
class Result:
    """One run.

    Attributes:
        source: the sweep's name, or the runs folder's.
        variant: what sets its row apart from others of its source: the recipe, and settings of its own.
        seed: the sweep's seed, or the run's own.
        drawn: in a sweep, the training seed and the swept values; else the learning rate.
        word: its status.
        history: what its events add up to.
        path: its folder.
        planned: how many its cell is to have for its seed; 0 where nobody planned.
    """

    source: str
    variant: str
    unit: str
    data: str
    seed: int
    word: str
    config: RunConfig
    drawn: Mapping[str, Any] = field(default_factory=dict)
    history: History = field(default_factory=History)
    path: Path = Path()
    planned: int = 0

    @property
    def valid_nll(self) -> float:
        """The best epoch's validation NLL, nats a frame; what is picked by. Infinite where there is none."""
        return self.history.best.valid_nll if self.history.best else math.inf

    def figure(self, split: str, weighting: str) -> float:
        """The best model's NLL on `train`, `valid` or `test`, by `frame` or `sequence`; NaN where it is not known."""
        if split == "valid":
            best = self.history.best
            return math.nan if best is None else best.valid_nll if weighting == "frame" else best.valid_nll_sequence
        finished = self.history.finished
        return math.nan if finished is None else float(getattr(finished, f"{split}_nll_{weighting}"))

    @property
    def elapsed_s(self) -> float:
        """Seconds of training, over all resumes."""
        return self.history.last_epoch.elapsed_s if self.history.last_epoch else 0.0


def read(names: Sequence[str], *, runs: Path) -> tuple[list[Result], list[str]]:
    """The results in sweeps and runs folders, and a note for each run or unnamed sweep that was left out.

    Args:
        names: names of sweeps in `runs`, or paths of sweep folders and runs folders; none = `runs` and all its sweeps.
        runs: the runs folder.

    Raises:
        BadArgument: no sweep has that name.
        BadSource: a path that holds neither a sweep nor runs, or a sweep that was named and cannot be read.
    """
    found: list[Result] = []
    notes: list[str] = []
    for one in _sources(names, runs):
        if not isinstance(one, SweepFolder):
            found += _of_runs(one, notes)
            continue
        try:
            found += of_board(_whole(one))
        except BadSource as error:
            if one.name in names or one.path in map(Path, names):
                raise
            notes.append(f"left out '{one.name}': {error.what}")
    return found, notes


def of_board(board: Board) -> list[Result]:
    """The trials of a sweep that have a folder."""
    return of_views(board, board.views)


def of_views(board: Board, views: Sequence[View]) -> list[Result]:
    """Those of some of its trials."""
    swept = tuple(board.about.spaces)
    return [
        Result(
            source=board.folder.name,
            variant=variant(view.config, masked=swept),
            unit=view.slot.unit,
            data=view.slot.data,
            seed=view.slot.seed,
            word=view.word,
            config=view.config,
            drawn=view.drawn,
            history=view.history,
            path=view.run.path,
            planned=board.about.draws,
        )
        for view in views
        if view.config is not None
    ]


def variant(config: RunConfig, *, masked: Sequence[str] = PICKED) -> str:
    """The recipe's name and every setting that is neither the recipe's nor the paper's size: `paper, epochs 20`.

    Args:
        config: a run's.
        masked: keys that are left out beside those that never make a row: what is picked among.
    """
    kind = "speech" if config.model.head == "mixture" else "music"
    unit = config.model.unit
    usual = configs.flat(RunConfig())
    usual |= {f"model.{key}": value for key, value in vars(modelfile.for_unit(unit, kind).model).items()}
    if config.train.recipe in RECIPES:
        usual |= {f"train.{key}": value for key, value in RECIPES[config.train.recipe].values(kind, unit).items()}
    own = [
        f"{key.rpartition('.')[2]} {value:g}" if isinstance(value, float) else f"{key.rpartition('.')[2]} {value}"
        for key, value in configs.flat(config).items()
        if key not in (*MASKED, *masked) and value != usual[key]
    ]
    return ", ".join([config.train.recipe, *own])


def _sources(names: Sequence[str], runs: Path) -> list[SweepFolder | Path]:
    if not names:
        return [runs, *reversed(all_sweeps(runs))]
    found: list[SweepFolder | Path] = []
    for name in names:
        path = next((path for path in (runs / name, Path(name)) if SweepFolder(path).is_there), None)
        if path is not None:
            found.append(SweepFolder(path))
        elif paths.exists(name) and Path(name).is_dir():
            if not folders.all_runs(Path(name)) and not all_sweeps(Path(name)):
                raise BadSource(f"'{name}' holds neither a sweep nor runs.", "gated sweep --name NAME makes one.")
            found += [Path(name), *reversed(all_sweeps(Path(name)))]
        elif "/" in name:
            raise BadSource(f"There is no folder '{name}'.", "Give a sweep's name, or the path of a runs folder.")
        else:
            guess = nearest(name, [one.name for one in all_sweeps(runs)])
            offer = f"Did you mean '{guess}'? " if guess else ""
            raise BadArgument(
                f"There is no sweep '{name}' in '{runs}'.",
                f"{offer}gated sweep --name NAME{paths.runs_flag(runs)} makes one.",
            )
    return found


def _whole(folder: SweepFolder) -> Board:
    board = Board(folder)
    board.refresh()
    return board


def _of_runs(runs: Path, notes: list[str]) -> list[Result]:
    found = []
    for run in folders.all_runs(runs):
        try:
            config = run.config()
            found.append(
                Result(
                    source=runs.name or str(runs),
                    variant=variant(config),
                    unit=config.model.unit,
                    data=config.data.name,
                    seed=config.seed,
                    word=status(run).word,
                    config=config,
                    drawn={"train.lr": config.train.lr},
                    history=load(run),
                    path=run.path,
                )
            )
        except GatedError as error:
            notes.append(f"left out '{run.name}': {error.what}")
    return found
