"""The engine of one machine: a few processes, each training one trial after another.

When this process dies, however it dies, its workers save what they train and end by themselves, so whoever asks for the
sweep again finds finished trials, trials that can go on, and nothing in between.
"""

import contextlib
import os
import select
import subprocess
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gatedtui.errors import GatedError
from gatedtui.events import Failed
from gatedtui.runs import folder as folders
from gatedtui.runs import launch
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.history import load
from gatedtui.runs.status import status
from gatedtui.sweep.folder import SweepFolder
from gatedtui.sweep.plan import DONE, Trial

POLL_S = 0.2
RETRIES = 2
"""How often a trial whose process died (killed, out of memory) is taken up again from its saved state."""
FAILURES = 3
"""Trials failing one after another that end the sweep: a full disk or missing data fails all the others too."""
END_S = 60.0
"""How long a worker that was asked to stop may take to finish its update and save."""


@dataclass(frozen=True)
class Began:
    """A trial is being trained from now on."""

    trial: Trial


@dataclass(frozen=True)
class Ended:
    """A trial is over, for now at least; `word` is its status."""

    trial: Trial
    word: str


@dataclass(frozen=True)
class Manned:
    """How many trials are trained at a time; comes first."""

    jobs: int


Happening = Manned | Began | Ended | None
"""None: nothing happened for a moment."""


@dataclass
class Hand:
    """A `train.series` process and the run it is busy with.

    Attributes:
        process: the process.
        run: what it trains, or None.
    """

    process: subprocess.Popen[bytes]
    run: RunFolder | None = None
    _said: bytes = field(default=b"", repr=False)

    @classmethod
    def start(cls, log_path: Path, *, environ: Mapping[str, str] | None = None) -> "Hand":
        """A new process; raises as `launch.start_series`."""
        return cls(launch.start_series(log_path, environ=environ))

    def fileno(self) -> int:
        """What becomes readable when the process answers or dies."""
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def give(self, run: RunFolder) -> None:
        """Has a run trained. That the process is dead shows later, as the end of its answers."""
        self.run = run
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.write(os.fsencode(run.path.absolute()) + b"\n")
            self.process.stdin.flush()

    def answer(self) -> int | None:
        """The exit code of the run; None when the process has died instead. Waits until there is either."""
        while b"\n" not in self._said:
            data = os.read(self.fileno(), 4096)
            if not data:
                return None
            self._said += data
        line, _, self._said = self._said.partition(b"\n")
        self.run = None
        return int(line)

    def stop(self) -> None:
        """Asks it to finish its update, save, and end."""
        self.process.terminate()

    def end(self) -> None:
        """Lets it end, saving what it trains; waits for that, up to a minute."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(END_S)


def train(
    folder: SweepFolder,
    trials: Sequence[Trial],
    *,
    jobs: int,
    should_stop: Callable[[], bool] = lambda: False,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Happening]:
    """Trains what is not done yet, `jobs` trials at a time, each on one core.

    Args:
        folder: the sweep, whose lock this process holds.
        trials: all of its trials.
        jobs: how many processes.
        should_stop: asked five times a second; True has every trial saved and stopped.
        environ: the workers' environment, in place of this process's.

    Yields:
        What happens; None at least five times a second.

    Raises:
        BadSource: a trial's folder cannot be made.
        GatedError: three trials failed one after another.
    """
    waiting = deque(trial for trial in trials if status(folder.run(trial.slot)).word not in DONE)
    hands: list[Hand] = []
    busy: dict[RunFolder, Trial] = {}
    deaths: Counter[str] = Counter()
    failed = 0
    stopping = False
    yield Manned(jobs)
    try:
        while True:
            if not stopping and should_stop():
                stopping = True
                for hand in hands:
                    hand.stop()
            while not stopping and waiting and len(busy) < jobs:
                trial = _next(folder, waiting)
                if trial is None:
                    break
                if status(folder.run(trial.slot)).word in DONE:
                    yield Ended(trial, status(folder.run(trial.slot)).word)
                    continue
                run = place(folder, trial)
                hand = next((hand for hand in hands if hand.run is None), None)
                if hand is None:
                    hand = Hand.start(folder.log_path, environ=environ)
                    hands.append(hand)
                hand.give(run)
                busy[run] = trial
                yield Began(trial)
            if not busy and (stopping or not waiting):
                return
            for hand in _ready(hands):
                run, code = hand.run, hand.answer()
                if code is None:
                    hands.remove(hand)
                    hand.end()
                if run is None:
                    continue
                trial, word = busy.pop(run), status(run).word
                if code is None and word not in DONE and not stopping and deaths[trial.name] < RETRIES:
                    deaths[trial.name] += 1
                    waiting.appendleft(trial)
                    continue
                if code is None and word == "starting":  # it died before it could say a word
                    word = "stopped" if stopping else "crashed"
                yield Ended(trial, word)
                failed = failed + 1 if word == "failed" else 0
                if failed >= FAILURES:
                    raise why(run)
            yield None
    finally:
        for hand in hands:
            hand.end()


def place(folder: SweepFolder, trial: Trial) -> RunFolder:
    """A trial's run folder, made now where it is not there yet; raises as `runs.folder.create`."""
    run = folder.run(trial.slot)
    if run.config_path.exists():
        return run
    if run.path.is_dir():  # its maker was killed before it held anything
        for path in run.path.glob(".run.toml*"):
            path.unlink()
        with contextlib.suppress(OSError):
            run.path.rmdir()
    return folders.create(folder.path, trial.name, trial.config)


def _next(folder: SweepFolder, waiting: "deque[Trial]") -> Trial | None:
    """The first that nobody trains; taken from the queue. A worker of a driver that died may still be saving one."""
    for trial in waiting:
        if status(folder.run(trial.slot)).word != "running":
            waiting.remove(trial)
            return trial
    return None


def _ready(hands: Sequence[Hand]) -> list[Hand]:
    """Those that have answered or died; waits a moment for that."""
    if not hands:
        time.sleep(POLL_S)
        return []
    return select.select(hands, [], [], POLL_S)[0]


def why(run: RunFolder) -> GatedError:
    """The error that ends a sweep, from the last of the trials that failed."""
    last = load(run).last
    what, hint = (last.what, last.hint) if isinstance(last, Failed) else ("", "")
    return GatedError(f"{FAILURES} trials failed one after another, the last one, '{run.name}': {what}", hint)
