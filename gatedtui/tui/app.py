"""`gated` alone: the full-screen app on a runs folder.

One long-lived thread looks at the folders and the machine and posts what it saw; starting, resuming, deleting and
playing run in threads of their own, and what is slow or needs torch in child processes. Handlers own the state (`runs`,
`chosen`, `rows`, `news`, `load`); the screen on top watches it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from textual import events, work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.reactive import var
from textual.screen import Screen
from textual.worker import get_current_worker

from gatedtui.errors import GatedError
from gatedtui.plan import Plan, plan
from gatedtui.runs import folder as folders
from gatedtui.runs.row import Row
from gatedtui.tui import alerts, phrases, places, starting, themes
from gatedtui.tui.alerts import Alert, Disk
from gatedtui.tui.commands import commands
from gatedtui.tui.doing import Doing
from gatedtui.tui.listing import Listing
from gatedtui.tui.messages import Begun, Busy, Done, Load, Opened, RunsRead, Sounding, Trouble
from gatedtui.tui.snapshot import Snapshot
from gatedtui.tui.starting import Resume, Start
from gatedtui.tui.terminal import (
    SETTLED_S,
    SIGNALS,
    free_bytes,
    give_signals_back,
    guarded,
    let_go_of_closed_widgets,
    meter,
    quieten_collector,
    take_signals,
    wants_tracebacks,
)
from gatedtui.tui.watching import LOOK_S, Newest

Choice = Literal["closed"]
"""How the app ends: by the user's wish, and by nothing else."""
RESCAN_S = 1.0
"""Between looks for new run folders, and at the machine's load."""
ANSWER_S = 4.0
"""How long an answer to a key is shown."""
READING_S = 0.05
"""How long one look reads rows that have never been read; the next look follows at once."""


def run_app(runs: Path, focus: Path | None = None) -> Choice:
    """Opens the app; returns when the user closes it. Runs are never touched by closing.

    Args:
        runs: the runs folder; it need not exist.
        focus: a run in it that has the focus, however old it is.

    Raises:
        GatedError: the app itself broke.
    """
    app = GatedApp(runs, focus=focus)
    with guarded(full=True):
        choice = app.run()
    if app.failure is not None:
        what = f"The app broke: {type(app.failure).__name__}: {app.failure}."
        raise GatedError(what, "The runs go on: gated runs list, gated watch RUN --plain") from app.failure
    return choice or "closed"


class GatedApp(App[Choice]):
    """The app.

    Args:
        runs, focus, start, resume: as of `run_app`, and how workers are started (see `starting`).

    Attributes:
        runs_folder: the folder whose runs are shown: the runs folder, or that of a sweep in it.
        home: the runs folder, where new runs go and sweeps lie.
        to_focus: the run that the dashboard focuses once it has a card for it.
    """

    TITLE = "gated"
    DEFAULT_MODE = "Dashboard"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "go('Dashboard')", "dashboard: the newest runs"),
        Binding("2", "go('Compare')", "compare the curves of any runs"),
        Binding("3", "go('Runs')", "runs: all there are"),
        Binding("4", "go('Samples')", "samples: hear what they have learned"),
        Binding("5", "go('Gates')", "gates: what the units do inside"),
        Binding("6", "go('Sweep')", "sweep: what validation picks"),
        Binding("left_square_bracket", "turn(-1)", "the screen before"),
        Binding("right_square_bracket", "turn(1)", "the next screen"),
        Binding("n", "new_run", "a new run"),
        Binding("e", "log", "what has happened so far"),
        Binding("space", "freeze", "freeze the picture, or go on"),
        Binding("ctrl+t", "other_theme", "light or dark"),
        Binding("ctrl+p", "command_palette", "all commands, to search"),
        Binding("question_mark,f1", "help", "this help"),
        Binding("q", "close", "close the app; training goes on"),
        Binding("ctrl+c,ctrl+q", "close", "close the app; training goes on", priority=True),
    ]

    # var, not reactive: a reactive attribute of the app draws the whole terminal anew at every change.
    runs: var[tuple[Snapshot, ...]] = var(())
    chosen: var[tuple[Snapshot, ...]] = var(())
    rows: var[tuple[Row, ...]] = var(())
    beat: var[int] = var(0)

    def __init__(
        self, runs: Path, *, focus: Path | None = None, start: Start = starting.start, resume: Resume = starting.resume
    ) -> None:
        super().__init__()
        self.runs_folder = self.home = runs
        self.newest = Newest(runs)
        self.to_focus = focus
        if focus is not None:
            self.newest.open(focus)
        self.doing = Doing(self, start, resume)
        self.places = places.there()
        for _, name in self.places:
            self.add_mode(name, partial(places.made, name))
        self.load: Load | None = None
        self.disk: Disk | None = None
        self.alerts: list[Alert] = []
        self.news: tuple[str, str] | None = None
        self.answer = ("", 0.0)
        self.told: deque[tuple[str, str]] = deque(maxlen=500)
        self.described: dict[tuple[str, int], dict[str, Any]] = {}
        self.busy = self.sounding = self._complaint = ""
        self.frozen = self.looked = False
        self.failure: Exception | None = None
        self._wake = threading.Event()
        self._read = RunsRead(())
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = themes.DARK.name

    def on_mount(self) -> None:
        """Starts the reading thread and the painting timer."""
        if not self.is_headless:
            self.set_timer(SETTLED_S, quieten_collector)
            take_signals(dict.fromkeys(SIGNALS, self.action_close))
        self.set_interval(LOOK_S, self.tick)
        self.set_interval(30, let_go_of_closed_widgets)
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
        worker, newest, listing, scanned, whole = get_current_worker(), self.newest, Listing(), float("-inf"), False
        measure, load, disk = meter(), None, None
        while not worker.is_cancelled:
            if newest is not self.newest:
                newest, listing, scanned = self.newest, Listing(), float("-inf")
            if self._wake.is_set() or time.monotonic() - scanned >= RESCAN_S:
                self._wake.clear()
                scanned = time.monotonic()
                load, disk = Load(*measure()), Disk(free_bytes(newest.runs))
                try:
                    found = folders.all_runs(newest.runs)
                    listing.rescan(found)
                    newest.rescan(found, listing.alive())
                except GatedError as error:
                    self.post_message(Trouble(error.what, error.hint))
            runs, chosen = newest.read(), newest.read_chosen()
            self.post_message(RunsRead(runs, load, chosen, listing.rows, disk))
            whole = listing.read(READING_S)
            self._wake.wait(LOOK_S if whole else 0.0)
            if not self.is_running:
                return

    def on_runs_read(self, message: RunsRead) -> None:
        """Keeps what the thread saw for the next tick, so that one paint shows all that is new (two a quarter of a
        second cost nearly twice as much); the first look is shown at once."""
        self._read = message
        if not self.looked:
            self.looked = True
            self._take(message)

    def _take(self, read: RunsRead) -> None:
        """Takes new snapshots in, and tells what has ended since the last ones."""
        before = {run.path: run for run in (*self.chosen, *self.runs)}
        for path, run in {run.path: run for run in (*read.chosen, *read.runs)}.items():
            news = phrases.news(before.get(path), run)
            if news:
                self.tell(news)
        self.load, self.disk = read.load or self.load, read.disk or self.disk
        self.alerts = self._alarmed(alerts.find(read.runs, self.disk, time.monotonic()))
        self.chosen, self.rows = read.chosen, read.rows
        self.runs = read.runs

    def _alarmed(self, found: list[Alert]) -> list[Alert]:
        known = {(alert.word, alert.path) for alert in self.alerts}
        for alert in found:
            if (alert.word, alert.path) not in known:
                self.told.append((time.strftime("%H:%M:%S"), f"! {alert.text}"))
        return found

    # Telling.

    def tell(self, what: str) -> None:
        """Puts a sentence into the line of news and into the log."""
        self.news = (time.strftime("%H:%M:%S"), what)
        self.told.append(self.news)

    def say(self, what: str) -> None:
        """An answer to a key, shown in the line of news for some seconds."""
        self.answer = (what, time.monotonic() + ANSWER_S)
        self.beat += 1

    def on_trouble(self, message: Trouble) -> None:
        """Says what did not work; the same thing only once in a row, unless a key has asked for it again."""
        if message.asked or message.what != self._complaint:
            self.notify(f"{message.what}\n{message.hint}".strip(), severity="error", timeout=12, markup=False)
            self.told.append((time.strftime("%H:%M:%S"), f"{message.what} {message.hint}".strip()))
        self._complaint = message.what

    def on_key(self, event: events.Key) -> None:
        """Escape also clears away what was said over the picture, whatever else it does."""
        if event.key == "escape":
            self.clear_notifications()

    def on_done(self, message: Done) -> None:
        """Says what worked."""
        self._complaint = ""
        self.look_again()
        self.tell(message.what)

    def on_busy(self, message: Busy) -> None:
        """Says what is being done."""
        self.busy = message.what
        self.beat += 1

    def on_sounding(self, message: Sounding) -> None:
        """Says what is heard."""
        self.sounding = message.what
        self.beat += 1

    # Where to go.

    def action_go(self, name: str) -> None:
        """Shows a screen of the strip."""
        if name in (place for _, place in self.places) and not self.screen.is_modal:
            self.switch_mode(name)

    def action_turn(self, by: int) -> None:
        """Shows the screen beside this one in the strip."""
        names = [name for _, name in self.places]
        self.action_go(names[(names.index(self.current_mode) + by) % len(names)])

    def delay_update(self, delay: float = 0.05) -> None:
        """Textual holds every change of screens back for 50 ms, which is felt; one frame is enough not to flicker."""
        super().delay_update(min(delay, 0.01))

    def action_close(self) -> None:
        """Closes the app; the runs go on."""
        self.exit("closed")

    def action_freeze(self) -> None:
        """Freezes the picture, or lets it go on."""
        self.frozen = not self.frozen
        self.beat += 1

    def action_other_theme(self) -> None:
        """From dark to light, and back."""
        self.theme = (themes.LIGHT if self.current_theme.dark else themes.DARK).name

    def action_help(self) -> None:
        """Lists every key."""
        from gatedtui.tui.screens.help import HelpScreen, groups

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(groups(self, [places.screen_class(name) for _, name in self.places])))

    def action_log(self) -> None:
        """Lists what has happened."""
        from gatedtui.tui.screens.log import LogScreen

        self.push_screen(LogScreen(list(self.told)))

    def action_new_run(self) -> None:
        """Opens the form for a new run."""
        self.open_form()

    def open_form(self, like: Path | None = None) -> None:
        """Opens the form for a new run, with the settings of an old one where that is given."""
        from gatedtui.tui.screens.new_run import NewRun

        self.push_screen(NewRun(like))

    def open_run(self, path: Path) -> None:
        """Shows a run alone on the dashboard, however old it is."""
        from gatedtui.tui.screens.dashboard import Dashboard

        self.newest.open(path)
        self.look_again()
        self.action_go("Dashboard")
        if isinstance(self.screen, Dashboard):
            self.screen.open(path)

    def on_opened(self, message: Opened) -> None:
        """Goes on with another runs folder, and shows the run that was named."""
        self.runs_folder, self.newest = message.runs, Newest(message.runs)
        self.home = message.home or message.runs
        self.runs, self.chosen, self.rows, self._read, self.looked = (), (), (), RunsRead(()), False
        self.look_again()
        if message.run is not None:
            self.open_run(message.run)

    def go_home(self) -> None:
        """From a sweep back to the runs folder it lies in."""
        if self.home != self.runs_folder:
            self.on_opened(Opened(self.home))

    def on_begun(self, message: Begun) -> None:
        """Has the dashboard focus what was started."""
        self.to_focus = message.path

    def choose(self, paths: Sequence[Path]) -> None:
        """Chooses the runs to compare; the dashboard's where there are none."""
        self.newest.choose(paths)
        known = {run.path: run for run in (*self.runs, *self.chosen)}
        self.chosen = tuple(known[path] for path in paths if path in known)  # the rest comes with the next look
        self.look_again()

    def look_again(self) -> None:
        """Has the folders looked at now, not at the next look."""
        self._wake.set()

    def compare(self, paths: Sequence[Path]) -> None:
        """Shows the curves of these runs over each other."""
        self.choose(paths)
        self.action_go("Compare")

    # What is done to runs.

    def train(self, plans: Callable[[], Sequence[Plan]], what: str, name: str | None = None) -> None:
        """Prepares the data and starts a run a plan; `what` says which, `plans` is called in a thread."""
        if not self.busy:
            self.go_home()
            self.busy = f"preparing the data and starting {what} …"
            self.beat += 1
            self.doing.start(plans, name)

    def action_train(self) -> None:
        """Starts the three units on Bach."""
        self.train(lambda: plan(unit="all"), "tanh, lstm and gru")

    def stop_run(self, run: Snapshot | Row) -> None:
        """Asks a run to save and stop."""
        if run.alive:
            self.newest.ask_to_stop(run.path)
            self.tell(f"asked {phrases.name(run, 40)} to save and stop")
        else:
            self.say(f"{phrases.name(run, 40)} is not training.")

    def resume_run(self, run: Snapshot | Row) -> None:
        """Goes on with a run."""
        if run.can_resume:
            self.doing.resume(run.path)
        elif run.word == "stopping":
            self.say(f"{phrases.name(run, 40)} is still stopping: again in a moment.")
        else:
            self.say(f"{phrases.name(run, 40)} is {run.word}: nothing to go on with.")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette: every key's action, and Textual's themes and screenshots."""
        yield from commands(self, screen)
        for command in super().get_system_commands(screen):
            if command.title in ("Theme", "Screenshot"):
                yield command

    def _handle_exception(self, error: Exception) -> None:
        if self.is_headless or wants_tracebacks():
            super()._handle_exception(error)
        else:
            self.failure = error
            self.exit(return_code=1)
