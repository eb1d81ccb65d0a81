"""Looks at run folders, for a thread: files in, snapshots out; no widget, no Textual.

One look costs a probe of the lock, the new bytes of `events.jsonl` (bounded), and for runs that are over a look every
two seconds only. The event loop never touches a file.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from subprocess import Popen
from typing import Any

from gatedtui.config import RunConfig
from gatedtui.errors import GatedError
from gatedtui.events import Epoch, Event, Step
from gatedtui.runs import folder as folders
from gatedtui.runs import launch
from gatedtui.runs.epochs import Epochs
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.follow import Tail
from gatedtui.runs.history import History
from gatedtui.runs.status import status
from gatedtui.tui.alerts import Spikes
from gatedtui.tui.snapshot import Snapshot, trouble

LOOK_S = 0.25
"""Between looks: four a second keep three live plots under 5 % of a core (measured)."""
REST_S = 2.0
"""Between looks at a run that is over."""
SHORT = 100
"""Epochs up to which a run's curve is taken in at every look, then once a second: one more epoch no longer moves it by
a dot, and redrawing a curve costs what it is long."""
KEPT_EPOCHS = 4096
"""Of a run, at most, so that an app left open for days stays as small as it was; some ten to a dot of a wide plot."""
BATCHES = 8
"""Of at most 256 KiB of events in one look, so that opening a long run does not hold the others up."""
TOGETHER_S = 10.0
"""Runs created within this time of the one before were started together and keep their order."""
KEPT = 50
"""Events kept for the log."""


class Watched:
    """One run under watch. Everything but `ask_to_stop` belongs to one thread.

    Args:
        folder: the run.
        process: its worker, where this process has just started it: the run is then not over while the worker lives,
            even before it has taken its lock.
    """

    def __init__(self, folder: RunFolder, process: "Popen[Any] | None" = None) -> None:
        self.folder = folder
        self._process = process
        self._tail = Tail(folder)
        self._history = History()
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._config: RunConfig | None = None
        self._curves: tuple[Sequence[float], Sequence[float], Epochs] = ((), (), Epochs())
        self._spikes = Spikes()
        self._grown, self._drawn, self._lives = False, 0.0, True
        self._first_seen = self._heard = time.monotonic()
        self._looked = 0.0
        self._behind = False
        self._snapshot: Snapshot | None = None
        self._asked = threading.Event()
        self._told = False
        self._refusal = ""

    def ask_to_stop(self) -> None:
        """Has the worker asked to stop at the next look, and again at each look until there is one to ask."""
        self._asked.set()

    def read(self) -> Snapshot:
        """The run as it is now."""
        now = time.monotonic()
        seen = self._snapshot
        rests = seen is not None and not seen.alive and not self._behind and self._process is None
        if seen is not None and rests and now - self._looked < REST_S:
            return seen
        self._looked = now
        word, can_resume = self._status()  # before the events, so that the end of them is read after it
        self._lives = word in ("starting", "training")
        self._take_events()
        if word in ("starting", "training"):
            self._pass_the_wish_on()
            if self._told:
                word = "stopping"
        else:
            self._asked.clear()
            self._told = False
        self._snapshot = self._make(word, can_resume)
        return self._snapshot

    def _status(self) -> tuple[str, bool]:
        lives = self._process is not None and self._process.poll() is None
        if not lives:
            self._process = None
        if not self.folder.path.is_dir():
            return "gone", False
        found = status(self.folder)
        if found.word == "running":
            return "training", False
        if lives:
            return "starting", False
        return found.word, found.can_resume

    def _take_events(self) -> None:
        history, grown = self._history, False
        for _ in range(BATCHES):
            batch = self._tail.read()
            if batch.reset:
                history.clear()
                self._kept.clear()
                self._spikes = Spikes()
            if batch.events:
                self._heard = time.monotonic()
            for event in batch.events:
                history.add(event)
                if isinstance(event, Epoch):
                    self._spikes.add(event)
                if not isinstance(event, Step):
                    self._kept.append(event)
            grown |= batch.reset or any(isinstance(event, Epoch) for event in batch.events)
            self._behind = batch.more
            if not batch.more:
                break
        self._grown |= grown
        pause = 0.0 if len(history.epochs) <= SHORT else 1.0
        if self._grown and (time.monotonic() - self._drawn >= pause or not self._lives):
            self._grown, self._drawn = False, time.monotonic()
            epochs = history.epochs = history.epochs.thinned(KEPT_EPOCHS, history.best.epoch if history.best else 0)
            self._curves = (epochs.column("valid_nll"), epochs.column("train_nll"), epochs)

    def _pass_the_wish_on(self) -> None:
        if self._asked.is_set() and not self._told:
            try:
                self._told = launch.request_stop(self.folder)
                self._refusal = ""
            except GatedError as error:
                self._refusal = error.what
                self._asked.clear()

    def _make(self, word: str, can_resume: bool) -> Snapshot:
        history, problem = self._history, self._refusal
        if self._config is None:
            try:
                self._config = self.folder.config()
            except GatedError as error:
                problem = problem or error.what
        alive = word in ("starting", "training", "stopping")
        return Snapshot(
            path=self.folder.path,
            word=word,
            can_resume=can_resume,
            config=self._config,
            started=history.started,
            epoch=history.last_epoch,
            best=history.best,
            step=history.step,
            finished=history.finished,
            last=history.last,
            valid=self._curves[0],
            train=self._curves[1],
            epochs=self._curves[2],
            frames_per_s=history.frames_per_s,
            time_left_s=history.time_left_s(self._config) if alive and self._config else None,
            first_seen=self._first_seen,
            heard=self._heard,
            spike=self._spikes.last,
            tail=tuple(self._kept),
            problem=problem or ("" if alive else trouble(history.last)),
        )


class Newest:
    """The runs a runs folder is watched for: the newest and those at work, for the cards, and any that were chosen.

    Args:
        runs: the runs folder; it need not exist yet.
        count: how many runs for the cards, at most.
    """

    def __init__(self, runs: Path, count: int = 6) -> None:
        self.runs = runs
        self.count = count
        self._shown: list[Path] = []
        self._chosen: tuple[Path, ...] = ()
        self._opened: tuple[Path, ...] = ()
        self._asked: set[Path] = set()
        self._watched: dict[Path, Watched] = {}
        self._workers: dict[Path, Popen[Any]] = {}
        self._lock = threading.Lock()

    def rescan(self, found: Sequence[RunFolder] | None = None, alive: Collection[Path] = ()) -> None:
        """Takes new runs in and lets vanished and older ones go.

        Args:
            found: all runs, newest first; by default the folder is listed.
            alive: those at work, which are shown before newer ones that are over.

        Raises:
            BadSource: the runs folder is a file or cannot be read.
        """
        runs = folders.all_runs(self.runs) if found is None else found
        with self._lock:
            there = {run.path for run in runs}
            opened = [RunFolder(path) for path in self._opened if path not in there]  # a sweep's trial, elsewhere
            runs = [*(run for run in opened if run.config_path.exists()), *runs]
            wanted = [run for run in runs if run.path in self._opened]
            wanted += [run for run in runs if run.path in alive] + list(runs)
            wanted = list(dict.fromkeys(wanted))[: self.count]
            shown = arrange([run for run in runs if run in wanted], created)
            self._shown = [run.path for run in shown]
            keep = dict.fromkeys([*self._shown, *self._chosen, *self._asked])
            self._watched = {path: self._watched.get(path) or self._watch(path) for path in keep}

    def _watch(self, path: Path) -> Watched:
        return Watched(RunFolder(path), self._workers.get(path))

    def read(self) -> tuple[Snapshot, ...]:
        """The runs for the cards as they are now, those that have vanished left out."""
        with self._lock:
            watched = [self._watched[path] for path in self._shown]
            asked = [self._watched[path] for path in self._asked]
        snapshots = tuple(one.read() for one in watched)
        over = {one.folder.path for one in asked if not one.read().alive}
        with self._lock:
            self._asked -= over
        return tuple(one for one in snapshots if one.word != "gone")

    def read_chosen(self) -> tuple[Snapshot, ...]:
        """The chosen runs as they are now; those that have vanished say so."""
        with self._lock:
            watched = [self._watched[path] for path in self._chosen if path in self._watched]
        return tuple(one.read() for one in watched)

    def choose(self, paths: Iterable[Path]) -> None:
        """Watches these too, from the next look on, whatever their age."""
        with self._lock:
            self._chosen = tuple(dict.fromkeys(paths))
            self._watched |= {path: self._watch(path) for path in self._chosen if path not in self._watched}

    def open(self, path: Path) -> None:
        """Shows this run among the cards, however old it is, from the next rescan on."""
        with self._lock:
            self._opened = (path, *(one for one in self._opened if one != path))[: self.count]

    def ask_to_stop(self, path: Path) -> None:
        """Has the worker of a run asked to stop, whether the run is shown or not."""
        with self._lock:
            self._asked.add(path)
            if path not in self._watched:
                self._watched[path] = self._watch(path)
            self._watched[path].ask_to_stop()

    def started(self, path: Path, process: "Popen[Any]") -> None:
        """A worker was started on a run: looks at it at once, and does not take it for over before its worker is at
        work."""
        with self._lock:
            self._workers = {p: w for p, w in self._workers.items() if w.poll() is None} | {path: process}
            if path in self._watched:
                self._watched[path] = self._watch(path)
                self._asked.discard(path)


def created(folder: RunFolder) -> float:
    """When the run was made, in seconds since 1970; 0 when it is gone."""
    try:
        return folder.config_path.stat().st_mtime
    except OSError:
        return 0.0


def arrange(newest_first: Sequence[RunFolder], when: Callable[[RunFolder], float]) -> list[RunFolder]:
    """Newest first, but runs that were started together in the order in which they were started."""
    groups: list[list[RunFolder]] = []
    last: float | None = None
    for folder in newest_first:
        made = when(folder)
        if last is not None and last - made <= TOGETHER_S:
            groups[-1].insert(0, folder)
        else:
            groups.append([folder])
        last = made
    return [folder for group in groups for folder in group]


def watch_all(
    runs: Sequence[RunFolder], processes: "Mapping[RunFolder, Popen[Any]] | None" = None
) -> tuple[Watched, ...]:
    """Each of these runs under watch, with its worker where it is known."""
    return tuple(Watched(run, (processes or {}).get(run)) for run in runs)
