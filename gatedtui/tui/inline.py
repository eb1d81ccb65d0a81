"""The live view of `gated train` and `gated watch`: a dozen rows below the prompt, gone without a trace when it ends.

Reading happens in one long-lived thread that looks four times a second and posts what it saw; the event loop's own
timer paints, so something moves even where a disk hangs. Keys only set wishes, which the thread carries out.
"""

import shlex
import shutil
import signal
import textwrap
import threading
import time
from collections.abc import Mapping, Sequence
from subprocess import Popen
from typing import Any, ClassVar, Literal

from textual import events, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Size
from textual.screen import Screen
from textual.strip import Strip
from textual.worker import get_current_worker

from gatedtui import paths
from gatedtui.errors import GatedError
from gatedtui.runs.folder import RunFolder
from gatedtui.tui import inline_plan, looks, phrases
from gatedtui.tui.looks import BOLD, DIM, PLAIN, WARNING, Spans
from gatedtui.tui.messages import RunsRead
from gatedtui.tui.snapshot import Snapshot
from gatedtui.tui.terminal import (
    SETTLED_S,
    SIGNALS,
    give_signals_back,
    guarded,
    quieten_collector,
    take_signals,
    wants_tracebacks,
)
from gatedtui.tui.watching import LOOK_S, Watched, watch_all
from gatedtui.tui.widgets import bars
from gatedtui.tui.widgets.lines import Lines
from gatedtui.tui.widgets.run_row import RunPanel, RunRow

Outcome = Literal["ended", "detached", "interrupted", "open"]
"""All runs are over · left with the runs untouched · asked to stop by Ctrl-C or SIGTERM · the app is wanted."""

FLASH_S = 4.0


def run_live(
    runs: Sequence[RunFolder],
    *,
    watch: bool = False,
    processes: "Mapping[RunFolder, Popen[Any]] | None" = None,
) -> Outcome:
    """Shows the runs until they are over or the user leaves; then the terminal is as it was before.

    Args:
        runs: at least one.
        watch: somebody else's runs: Ctrl-C and `q` only close the view, and runs that were over from the start stay
            shown until then.
        processes: the workers this process has just started. A run is not over while its worker lives, even before it
            has taken its lock (a resumed run still shows how it ended before).

    Raises:
        GatedError: the view itself broke; the runs are untouched.
    """
    watched = watch_all(runs, processes)
    view = LiveView(watched, [one.read() for one in watched], watch=watch)
    with guarded(full=False):
        outcome = view.run(inline=True, mouse=False)
    if view.failure is not None:
        names = shlex.join(run.name for run in runs) + paths.runs_flag(runs[0].path.parent)
        what = f"The live view broke: {type(view.failure).__name__}: {view.failure}."
        raise GatedError(what, f"The runs go on: gated watch {names} --plain") from view.failure
    return outcome or "detached"


class LiveView(App[Outcome]):
    """The inline app.

    Args:
        watched: the runs; only the thread reads them.
        first: what a first look has found, so that the first paint is whole.
        watch: see `run_live`.
    """

    INLINE_PADDING = 0
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    CSS = """
    Screen { height: auto; border: none; overflow: hidden; }
    Screen:inline { border: none; }
    #runs { height: auto; }
    #header, #caption, #keys { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "freeze", "freeze the picture, or go on"),
        Binding("s", "stop_runs", "save and stop the runs"),
        Binding("l", "log", "last events"),
        Binding("d", "detach", "leave; training goes on"),
        Binding("enter", "open_app", "open the app"),
        Binding("question_mark", "help", "this help", key_display="?"),
        Binding("q", "leave", "leave the view"),
        Binding("ctrl+c", "interrupt", "stop and leave; twice: at once", priority=True),
        Binding("ctrl+q", "close", "leave; training goes on", priority=True),
    ]

    def __init__(self, watched: Sequence[Watched], first: Sequence[Snapshot], *, watch: bool = False) -> None:
        super().__init__(ansi_color=True)
        self.watched = tuple(watched)
        self.watching = watch
        self.latest = tuple(first)
        self.shown = self.latest
        self.failure: Exception | None = None
        self.stays = watch and not any(run.alive for run in first)
        self.frozen = False
        self.interrupting = False
        self.extra: Literal["", "log", "help"] = ""
        self.flash = ("", 0.0)
        self.beat = 0
        self._wake = threading.Event()

    # Layout.

    def compose(self) -> ComposeResult:
        yield Lines(id="header")
        with Vertical(id="runs"):
            if len(self.watched) == 1:
                yield RunPanel()
            else:
                yield from (RunRow() for _ in self.watched)
        yield Lines(id="caption")
        yield Lines(id="extra")
        yield Lines(id="keys")

    def on_mount(self) -> None:
        """Starts the reading thread and the painting timer."""
        if not self.is_headless:
            self.set_timer(SETTLED_S, quieten_collector)
            take_signals(dict.fromkeys(SIGNALS, self.action_interrupt))
            # Textual's own answer to a resize clears the whole terminal, and with it the lines above the view.
            take_signals({signal.SIGWINCH: self._terminal_resized})
        self.paint()
        self.set_interval(LOOK_S, self.tick)
        self.look()

    def on_unmount(self) -> None:
        """Lets the thread go."""
        self._wake.set()
        if not self.is_headless:
            give_signals_back(*SIGNALS)

    def _terminal_resized(self) -> None:
        size = Size(*shutil.get_terminal_size())
        # The cursor rests at the view's first cell, also after the terminal has wrapped its lines anew. Lines are
        # deleted, not erased: what is erased from the first cell on, some terminals move into their scrollback.
        if self._driver is not None:
            self._driver.write(f"\r\x1b[{size.height}M")
        self.post_message(events.Resize(size, size))

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        # Between the terminal's new size and the layout's, a frame of the old size would wrap or scroll, and its
        # remains would stay. The resize itself brings the next frame.
        if not self.is_inline or _fits(getattr(renderable, "strips", ()), self.size):
            super()._display(screen, renderable)

    def on_resize(self) -> None:
        """Lays the rows out anew."""
        self.call_after_refresh(self.paint)

    # Reading: a thread that posts, and the handler that owns what was read.

    @work(thread=True, exclusive=True, name="look")
    def look(self) -> None:
        """Looks at the folders until the app ends."""
        worker = get_current_worker()
        while not worker.is_cancelled:
            self.post_message(RunsRead(tuple(one.read() for one in self.watched)))
            self._wake.wait(LOOK_S)
            if not self.is_running:
                return

    def on_runs_read(self, message: RunsRead) -> None:
        """Takes what the thread saw; ends the view when all runs are over."""
        self.latest = message.runs
        if any(run.alive for run in self.latest):
            self.stays = False
        elif not self.stays and (self.interrupting or not self.frozen):
            self.exit("interrupted" if self.interrupting else "ended")
        if not self.frozen:
            self.shown = self.latest

    def tick(self) -> None:
        """A quarter of a second has passed."""
        if not self.frozen:
            self.beat += 1
        self.paint()

    # Painting.

    def paint(self) -> None:
        """Brings the widgets up to date; those that show the same as before are not drawn again."""
        if not self.query("#keys"):
            return
        width, now = self.size.width, time.monotonic()
        wanted = self._help(width) if self.extra == "help" else inline_plan.LOG_ROWS if self.extra else []
        count = wanted if isinstance(wanted, int) else len(wanted)
        plan = inline_plan.plan(self.size.height, len(self.shown), extra=count)
        self._paint_runs(plan, width, now)
        self._line("#header", plan.header, self._header(width))
        self._line("#caption", plan.caption, self._caption(width, len(self.shown) - plan.shown, now))
        self._line("#keys", plan.keys, self._keys(width))
        extra = self.query_one("#extra", Lines)
        extra.display = plan.extra > 0
        if plan.extra:
            extra.show(wanted[: plan.extra] if isinstance(wanted, list) else self._log_lines(plan.extra))

    def _line(self, selector: str, there: bool, line: Spans) -> None:
        widget = self.query_one(selector, Lines)
        widget.display = there
        widget.show([line])

    def _paint_runs(self, plan: inline_plan.Plan, width: int, now: float) -> None:
        if len(self.shown) == 1:
            panel = self.query_one(RunPanel)
            panel.styles.height = plan.each
            panel.show(self.shown[0], inline_plan.single(self.shown[0], width, now, self.beat))
            return
        rows = inline_plan.table(self.shown[: plan.shown], plan.each, width, now, self.beat)
        for number, widget in enumerate(self.query(RunRow)):
            widget.display = number < plan.shown
            if number < plan.shown:
                widget.styles.height = plan.each
                widget.styles.margin = (int(plan.gap and number > 0), 0, 0, 0)
                widget.show(self.shown[number], rows[number])

    def _header(self, width: int) -> Spans:
        paused: Spans = [(" view paused ", looks.INVERSE), (" ", PLAIN)] if self.frozen else []
        room = width - looks.length(paused) - 9
        text = looks.pack(phrases.header(self.shown), room)
        return [*paused, (f" {looks.fit(text, room)}", DIM), (" ? ", BOLD), ("help", DIM)]

    def _caption(self, width: int, hidden: int, now: float) -> Spans:
        text, until = self.flash
        if text and now < until:
            return [(f"   {looks.shorten(text, width - 4)}", WARNING)]
        more = [f"{hidden} more run{'' if hidden == 1 else 's'} in the app"] if hidden else []
        return [(f"   {looks.pack([*more, *phrases.measure(self.shown)], width - 4, '; ')}", DIM)]

    def _keys(self, width: int) -> Spans:
        if self.interrupting:
            text = "stopping: each run saves first · ctrl+c leave at once (the runs still stop)"
            return [(f" {looks.shorten(text, width - 2)}", WARNING)]
        items = [("p", "go on" if self.frozen else "pause", "", 1), ("s", "stop", "", 2), ("l", "log", "", 4)]
        items += [("d", "detach", " (training goes on)", 0), ("enter", "open", " the app", 3)]
        if self.watching:
            items = [items[0], items[2], ("q", "close", " (training goes on)", 0), items[4]]
        return bars.keys(items, width)

    def _help(self, width: int) -> list[Spans]:
        items: list[Spans] = [[(key, BOLD), (f" {what}", PLAIN)] for key, what in self.help_items()]
        kernels = dict.fromkeys(f"{s.kernel}: {s.kernel_why}" for run in self.shown if (s := run.started))
        whys = [[(looks.clean(why), DIM)] for text in kernels for why in textwrap.wrap(text, max(width - 4, 10))]
        return [[("   ", PLAIN), *line] for line in [*phrases.flow(items, width - 4), *whys]]

    def help_items(self) -> list[tuple[str, str]]:
        """Every key that does something here, with what it does."""
        items: list[tuple[str, str]] = []
        for binding in self.BINDINGS:
            assert isinstance(binding, Binding)
            if self.check_action(binding.action, ()):
                description = binding.description
                if self.watching and binding.action == "interrupt":
                    description = "leave; training goes on"
                if not self.watching and binding.action == "leave":
                    description = "says how to leave"
                items.append((binding.key_display or binding.key, description))
        return items

    def _log_lines(self, rows: int) -> list[Spans]:
        names = [looks.clean(run.name) for run in self.shown]
        wide = min(max(looks.length([(name, BOLD)]) for name in names), 16)
        labels = [f"{looks.fit(name, wide)}  " if len(names) > 1 else "" for name in names]
        found = [
            (event.time, label, phrases.log_line(event))
            for label, run in zip(labels, self.shown, strict=True)
            for event in run.tail
        ]
        found.sort(key=lambda line: line[0])
        lines: list[Spans] = [[(f"   {name}", BOLD), (text, DIM)] for _, name, text in found[-rows:]]
        return lines or [[("   nothing has happened yet", DIM)]]

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whoever only watches cannot stop the runs, and has nothing to detach from."""
        return not (self.watching and action in ("stop_runs", "detach"))

    def say(self, text: str) -> None:
        """Shows a sentence in place of the caption for a while."""
        self.flash = (text, time.monotonic() + FLASH_S)
        self.paint()

    def action_freeze(self) -> None:
        """Freezes the picture, or lets it go on."""
        self.frozen = not self.frozen
        if not self.frozen:
            self.shown = self.latest
        self.paint()

    def action_stop_runs(self) -> None:
        """Asks all runs to stop; the view ends when they have."""
        self.frozen = False
        self._ask_all()
        self.say("stopping: each run finishes its update and saves")

    def action_log(self) -> None:
        """Shows or hides the last events."""
        self.extra = "" if self.extra == "log" else "log"
        self.paint()

    def action_help(self) -> None:
        """Shows or hides the help."""
        self.extra = "" if self.extra == "help" else "help"
        self.paint()

    def action_detach(self) -> None:
        """Leaves the runs training."""
        self.exit("detached")

    def action_close(self) -> None:
        """Leaves the runs as they are."""
        self.exit("detached")

    def action_open_app(self) -> None:
        """Leaves for the app; not while the runs are being stopped, whose end this view has been asked to wait for."""
        if self.interrupting:
            self.say("stopping: the app can be opened when the runs have saved")
        else:
            self.exit("open")

    def action_leave(self) -> None:
        """Closes the view where that is all it can mean."""
        if self.watching:
            self.exit("detached")
        else:
            self.say("d leaves the runs training · ctrl+c stops them")

    def action_interrupt(self) -> None:
        """Ctrl-C, SIGINT and SIGTERM: stops the runs and waits for them; the second time it leaves at once."""
        if self.watching:
            self.exit("detached")
        elif self.interrupting:
            self.exit("interrupted")
        else:
            self.interrupting = True
            self.frozen = False
            self._ask_all()
            self.paint()

    def _ask_all(self) -> None:
        for one in self.watched:
            one.ask_to_stop()
        self._wake.set()
        self._wake.clear()

    def _handle_exception(self, error: Exception) -> None:
        if self.is_headless or wants_tracebacks():
            super()._handle_exception(error)
        else:
            self.failure = error
            self.exit(return_code=1)


def _fits(strips: Sequence[Strip], size: Size) -> bool:
    """Whether a frame neither wraps nor scrolls a terminal of this size."""
    return len(strips) <= size.height and all(strip.cell_length <= size.width for strip in strips)
