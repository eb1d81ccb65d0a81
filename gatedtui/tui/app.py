"""`gated` alone: the full-screen app on the newest runs of a runs folder.

One long-lived thread looks at the folders and the machine and posts what it saw; starting and resuming run in threads
of their own. Handlers own the state (`runs`, `news`, `load`); screens watch it.
"""

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from subprocess import Popen
from typing import Any, ClassVar, Literal

from textual import work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.reactive import var
from textual.screen import Screen
from textual.theme import Theme
from textual.worker import get_current_worker

from gatedtui.errors import GatedError
from gatedtui.runs import launch
from gatedtui.runs.folder import RunFolder
from gatedtui.tui import phrases
from gatedtui.tui.messages import Done, Load, RunsRead, Trouble
from gatedtui.tui.screens.dashboard import Dashboard
from gatedtui.tui.screens.help import HelpScreen
from gatedtui.tui.snapshot import Snapshot
from gatedtui.tui.terminal import SIGNALS, give_signals_back, take_signals, wants_tracebacks
from gatedtui.tui.watching import LOOK_S, Newest

Choice = Literal["closed", "train"]
"""The user has closed the app · the user wants the three units trained and the app cannot start them itself."""
Start = Callable[[], list[RunFolder]]
Resume = Callable[[RunFolder], object]

RESCAN_S = 1.0
"""Between looks for new run folders, and at the machine's load."""
THEME = Theme(
    name="gated",
    primary="#4a9be8",
    secondary="#35b779",
    accent="#f08c2e",
    warning="#d98e04",
    error="#e5484d",
    success="#2fa36b",
    foreground="#d8dbe2",
    background="#0f1116",
    surface="#14171d",
    panel="#1d2129",
    dark=True,
)


def run_app(runs: Path, *, start: Start | None = None, resume: Resume | None = None) -> Choice:
    """Opens the app; returns when the user closes it. Runs are never touched by closing.

    Args:
        runs: the runs folder; it need not exist.
        start: starts the three units and gives their folders; called in a thread. None: the app closes with "train".
        resume: starts a worker on a run; called in a thread. By default `runs.launch.start`.

    Raises:
        GatedError: the app itself broke.
    """
    app = GatedApp(runs, start=start, resume=resume or launch.start)
    choice = app.run()
    if app.failure is not None:
        what = f"The app broke: {type(app.failure).__name__}: {app.failure}."
        raise GatedError(what, "The runs go on: gated runs list, gated watch RUN --plain") from app.failure
    return choice or "closed"


class GatedApp(App[Choice]):
    """The app.

    Args:
        runs, start, resume: as for `run_app`.
    """

    TITLE = "gated"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "close", "close the app; training goes on"),
        Binding("ctrl+c", "close", "close the app; training goes on", priority=True),
        Binding("ctrl+q", "close", "close the app; training goes on", priority=True),
        Binding("space", "freeze", "freeze the picture, or go on"),
        Binding("question_mark", "help", "this help"),
        Binding("ctrl+p", "command_palette", "all commands, to search"),
    ]

    # var, not reactive: a reactive attribute of the app draws the whole terminal anew at every change.
    runs: var[tuple[Snapshot, ...]] = var(())
    beat: var[int] = var(0)

    def __init__(self, runs: Path, *, start: Start | None = None, resume: Resume = launch.start) -> None:
        super().__init__()
        self.newest = Newest(runs)
        self.start = start
        self.resume = resume
        self.load: Load | None = None
        self.news: tuple[str, str] | None = None
        self.frozen = False
        self.starting = False
        self.looked = False
        self.failure: Exception | None = None
        self._wake = threading.Event()
        self._read: tuple[Snapshot, ...] = ()
        self._complaint = ""
        self.register_theme(THEME)
        self.theme = THEME.name

    def get_default_screen(self) -> Screen[Any]:
        """The dashboard is what the app opens on."""
        return Dashboard()

    def on_mount(self) -> None:
        """Starts the reading thread and the painting timer."""
        if not self.is_headless:
            take_signals(dict.fromkeys(SIGNALS, self.action_close))
        self.set_interval(LOOK_S, self.tick)
        self.look()

    def on_unmount(self) -> None:
        """Lets the thread go."""
        self._wake.set()
        if not self.is_headless:
            give_signals_back(*SIGNALS)

    def tick(self) -> None:
        """A quarter of a second has passed."""
        if not self.frozen:
            self._take(self._read)
            self.beat += 1

    # Reading.

    @work(thread=True, exclusive=True, group="look", name="look")
    def look(self) -> None:
        """Looks at the folders and the machine until the app ends."""
        worker, scanned, load = get_current_worker(), float("-inf"), None
        measure = _meter()
        while not worker.is_cancelled:
            if time.monotonic() - scanned >= RESCAN_S:
                scanned = time.monotonic()
                load = measure()
                try:
                    self.newest.rescan()
                except GatedError as error:
                    self.post_message(Trouble(error.what, error.hint))
            self.post_message(RunsRead(self.newest.read(), load))
            self._wake.wait(LOOK_S)
            if not self.is_running:
                return

    def on_runs_read(self, message: RunsRead) -> None:
        """Keeps what the thread saw for the next tick, so that one paint shows all that is new (two a quarter of a
        second cost nearly twice as much); the first look is shown at once."""
        self._read = message.runs
        if message.load is not None:
            self.load = message.load
        if not self.looked:
            self.looked = True
            self._take(self._read)

    def _take(self, runs: tuple[Snapshot, ...]) -> None:
        """Takes new snapshots in, and tells what has ended since the last ones."""
        before = {run.path: run for run in self.runs}
        for run in runs:
            news = phrases.news(before.get(run.path), run)
            if news:
                self.news = (time.strftime("%H:%M:%S"), news)
        self.runs = runs

    def on_trouble(self, message: Trouble) -> None:
        """Says what did not work; the same thing only once in a row."""
        self.starting = False
        if message.what != self._complaint:
            self.notify(f"{message.what}\n{message.hint}".strip(), severity="error", timeout=12, markup=False)
        self._complaint = message.what

    def on_done(self, message: Done) -> None:
        """Says what worked."""
        self.starting = False
        self._complaint = ""
        self.news = (time.strftime("%H:%M:%S"), message.what)

    # What screens and keys ask for.

    def action_close(self) -> None:
        """Closes the app; the runs go on."""
        self.exit("closed")

    def action_freeze(self) -> None:
        """Freezes the picture, or lets it go on."""
        self.frozen = not self.frozen
        self.beat += 1

    def action_help(self) -> None:
        """Lists every key."""
        place = [(type(self.screen).__name__, self.screen.BINDINGS)] if isinstance(self.screen, Dashboard) else []
        self.push_screen(HelpScreen([*place, ("Everywhere", self.BINDINGS)]))

    def action_train(self) -> None:
        """Starts the three units on Bach."""
        if self.start is None:
            self.exit("train")
        elif not self.starting:
            self.starting = True
            self.beat += 1
            self._start_in_thread(self.start)

    def stop_run(self, run: Snapshot) -> None:
        """Asks a run to save and stop."""
        if run.alive:
            self.newest.ask_to_stop(run.path)
            self.news = (time.strftime("%H:%M:%S"), f"asked {phrases.name(run, 40)} to save and stop")
        else:
            self.notify(f"{phrases.name(run, 40)} is not training.", markup=False)

    def resume_run(self, run: Snapshot) -> None:
        """Goes on with a run."""
        if run.can_resume:
            self._resume_in_thread(RunFolder(run.path))
        else:
            word = "already training" if run.alive else run.word
            self.notify(f"{phrases.name(run, 40)} is {word}: nothing to go on with.", markup=False)

    @work(thread=True, exclusive=True, group="start", exit_on_error=False)
    def _start_in_thread(self, start: Start) -> None:
        self._tell(start, lambda folders: f"started {', '.join(folder.name for folder in folders)}")

    @work(thread=True, group="resume", exit_on_error=False)
    def _resume_in_thread(self, folder: RunFolder) -> None:
        def resume() -> object:
            started = self.resume(folder)
            process = getattr(started, "process", started)
            if isinstance(process, Popen):
                self.newest.started(folder.path, process)
            return started

        self._tell(resume, lambda _: f"going on with {folder.name}")

    def _tell(self, what: Callable[[], Any], success: Callable[[Any], str]) -> None:
        """Does it, in the calling thread, and posts how it went."""
        try:
            self.post_message(Done(success(what())))
        except GatedError as error:
            self.post_message(Trouble(error.what, error.hint))
        except Exception as error:  # whatever it is, the user hears of it and the app goes on
            self.post_message(Trouble(f"Something unforeseen happened: {type(error).__name__}: {error}."))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette: Textual's own and ours."""
        yield from super().get_system_commands(screen)
        yield SystemCommand("Train", "Train the three units on Bach", self.action_train)
        yield SystemCommand("Pause the view", "Freeze the picture, or go on", self.action_freeze)
        if isinstance(screen, Dashboard):
            yield SystemCommand("Stop the run", "Save and stop the focused run", screen.action_stop)
            yield SystemCommand("Resume the run", "Go on with the focused run", screen.action_resume)
            yield SystemCommand("Enlarge the card", "The focused run alone, or all again", screen.action_enlarge)

    def _handle_exception(self, error: Exception) -> None:
        if self.is_headless or wants_tracebacks():
            super()._handle_exception(error)
        else:
            self.failure = error
            self.exit(return_code=1)


def _meter() -> Callable[[], Load]:
    """A function that says how busy the machine has been since it was last called."""
    import psutil

    psutil.cpu_percent(None)

    def measure() -> Load:
        memory = psutil.virtual_memory()
        return Load(psutil.cpu_percent(None), memory.total - memory.available)

    return measure
