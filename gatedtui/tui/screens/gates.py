"""What the units do inside: a piece on top, a heat-map a gate below, one time axis and one cursor through them all."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.screen import Screen
from textual.worker import get_current_worker

from gatedtui.errors import GatedError, Interrupted
from gatedtui.runs import launch
from gatedtui.tui import asking, gate_lines, gate_view, looks, models, pieces, scratch
from gatedtui.tui.answers import Failed, GatesRead, ModelsRead
from gatedtui.tui.gate_lines import FRESH
from gatedtui.tui.gate_view import GateView
from gatedtui.tui.messages import Done, Trouble
from gatedtui.tui.models import Model
from gatedtui.tui.screens.pick import Pick
from gatedtui.tui.screens.prompt import Prompt
from gatedtui.tui.widgets import frame
from gatedtui.tui.widgets.curve import Curve, Plot, Series
from gatedtui.tui.widgets.frame import KeyLine, NewsLine, TabStrip
from gatedtui.tui.widgets.gate import GateStrip, Shown, margins
from gatedtui.tui.widgets.lines import Lines
from gatedtui.tui.widgets.piece import PieceView, View

if TYPE_CHECKING:
    from gatedtui.tui.app import GatedApp

NAME = "Gates"
TALL = 34
"""Rows of the terminal from which on there is room for the curve of surprise."""
MOST_STRIPS = 4


class Gates(Screen[None], inherit_bindings=False):
    """Owns what is looked at and where the cursor is.

    Args:
        ask: runs `gated …` as a child and gives its JSON; by default `runs.launch.run_json`.
    """

    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    Gates { overflow: hidden; }
    Gates > #what, Gates > #reading { height: 1; }
    Gates > #picture { height: 1fr; }
    Gates #heard { height: 1fr; max-height: 12; }
    Gates #surprise { height: 3; }
    Gates > #none { height: 1fr; align: center middle; }
    Gates > #none > Lines { width: 66; max-width: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1)", "one step back"),
        Binding("right,l", "move(1)", "one step on"),
        Binding("shift+left,H", "move(-16)", "sixteen steps back"),
        Binding("shift+right,L", "move(16)", "sixteen steps on"),
        Binding("home", "move(-1000000)", "to the first step"),
        Binding("end", "move(1000000)", "to the last step"),
        Binding("up,k", "unit(-1)", "the unit above, more open"),
        Binding("down,j", "unit(1)", "the unit below, less open"),
        Binding("tab", "gate(1)", "the next gate"),
        Binding("shift+tab", "gate(-1)", "the gate before"),
        Binding("enter", "enlarge(True)", "the gate alone, or all again"),
        Binding("escape", "enlarge(False)", "all gates again"),
        Binding("i", "input", "choose what is heard"),
        Binding("greater_than_sign", "piece(1)", "the next test piece"),
        Binding("less_than_sign", "piece(-1)", "the test piece before"),
        Binding("f", "fresh", "a fresh sample of the model"),
        Binding("m", "model", "choose the model"),
        Binding("y", "layer", "the next layer"),
        Binding("w", "write", "write the picture as SVG"),
    ]

    def __init__(self, ask: Any = launch.run_json) -> None:
        super().__init__()
        self._ask = ask
        self.known: tuple[Model, ...] | None = None
        self.model: Model | None = None
        self.input = ""
        self.at_layer = 1
        self.seed = 0
        self.view: GateView | None = None
        self.shown: tuple[Model | None, str, int, int] | None = None  # what the view is of: model, input, layer, seed
        self.problem: tuple[str, str] | None = None
        self.waits = False
        self.column = self.unit = self.gate = 0
        self.enlarged = False
        self.round = 0

    @property
    def gated(self) -> "GatedApp":
        """The app, as what it is."""
        return cast("GatedApp", self.app)

    def compose(self) -> ComposeResult:
        yield TabStrip()
        yield Lines(id="what")
        with Vertical(id="picture"):
            yield PieceView(id="heard")
            with Horizontal(id="surprise"):
                yield Lines([[(" nats", looks.DIM)]], id="nats")
                yield Curve()
            for number in range(MOST_STRIPS):
                yield GateStrip(id=f"gate{number}")
        with Container(id="none"):
            yield Lines(id="why")
        yield Lines(id="reading")
        yield NewsLine()
        yield KeyLine()

    def on_mount(self) -> None:
        """Looks for models, and follows the app's beat."""
        self.watch(self.app, "beat", self.paint, init=False)
        self.look()

    def on_resize(self) -> None:
        """Chooses again what fits."""
        self.call_after_refresh(self.paint)

    def on_screen_resume(self) -> None:
        """Looks for models again, and shows what has happened meanwhile."""
        if self.known is not None:
            self.look()
        self.paint()

    # What threads do.

    @work(thread=True, exclusive=True, group="models", exit_on_error=False)
    def look(self) -> None:
        """Looks for trained models."""
        asking.look_for_models(self, self.gated.runs_folder)

    @work(thread=True, exclusive=True, group="gates", exit_on_error=False)
    def hear(self, model: Model, heard: str, layer: int, seed: int, this: int) -> None:
        """Asks for the gates; of a fresh sample, has that drawn first."""
        ask = asking.child(self._ask, get_current_worker())
        folder = scratch.make()
        try:
            source = heard
            if heard == FRESH:
                source = str(folder / ("fresh.mid" if model.kind == "music" else "fresh.wav"))
                ask(["sample", model.source, "--out", source, "--seed", str(seed), *gate_lines.length(model)])
            about = ask(["gates", model.source, "--input", source, "--layer", str(layer), "--brief"])
            self.post_message(GatesRead(this, gate_view.read(about)))
        except Interrupted:
            return
        except GatedError as error:
            self.post_message(Failed(this, error.what, error.hint))
        finally:
            scratch.remove(folder)

    @work(thread=True, exclusive=True, group="write", exit_on_error=False)
    def write(self, words: Sequence[str], out: Path) -> None:
        """Has the picture written."""
        try:
            asking.child(self._ask, get_current_worker())([*words, "--out", str(out), "--brief"])
        except GatedError as error:
            self.app.post_message(Trouble(error.what, error.hint))
            return
        self.app.post_message(Done(f"wrote {looks.clean(str(out))}"))

    # What they tell.

    def on_models_read(self, message: ModelsRead) -> None:
        """Looks into the newest model, once there is one."""
        self.known = message.models
        if self.model is None and self.known:
            self.open(self.known[0])
        self.paint()

    def on_gates_read(self, message: GatesRead) -> None:
        """Shows the gates; the cursor stays where it was, as far as there is such a place."""
        if message.round != self.round:
            return
        first = self.view is None
        self.view, self.problem, self.waits = message.view, None, False
        self.shown = self.model, self.input, self.at_layer, self.seed
        self.gate = min(self.gate, len(self.view.strips) - 1)
        self.column = min(self.column, self.view.columns - 1)
        if first or self.unit >= self.view.hidden:
            self.gate = next((n for n, strip in enumerate(self.view.strips) if strip.name in ("z", "f")), 0)
            self.unit = self.view.strips[self.gate].order[0]
        self.paint()

    def on_failed(self, message: Failed) -> None:
        """Says what is wrong; what was shown before stays, and is what is wanted again."""
        if message.round == self.round:
            self.problem, self.waits = (message.what, message.hint), False
            if self.shown is not None:
                self.model, self.input, self.at_layer, self.seed = self.shown
                self.app.clear_notifications()
                self.app.post_message(Trouble(message.what, message.hint, asked=True))
            self.paint()

    # Asking.

    def open(self, model: Model, heard: str | None = None) -> None:
        """Looks into a model; where its data is another, at what it is fed first there."""
        before, self.model = self.model, model
        if heard is not None:
            self.input = heard
        elif before is None or (before.data, before.kind) != (model.data, model.kind):
            self.input = models.primer(model) or FRESH
        self.at_layer = min(self.at_layer, model.layers)
        self.again()

    def again(self) -> None:
        """Asks for what is wanted now."""
        if self.model is not None:
            self.round += 1
            self.waits = True
            self.hear(self.model, self.input, self.at_layer, self.seed, self.round)
            self.paint()

    def action_model(self) -> None:
        """Asks which model to look into."""

        def take(chosen: tuple[Model, ...] | None) -> None:
            if chosen and chosen[0] != self.model:
                self.open(chosen[0])

        if self.known:
            self.app.push_screen(Pick(self.known, [self.model] if self.model else []), take)

    def action_input(self) -> None:
        """Asks what is heard."""

        def take(answer: str | None) -> None:
            if answer and answer != self.input:
                self.input = answer
                self.again()

        if self.model is not None:
            hints = gate_lines.INPUTS
            self.app.push_screen(Prompt("What does it hear?", self.input, hints=hints, check=gate_lines.check), take)

    def action_piece(self, by: int) -> None:
        """Goes to the next test piece, or the one before."""
        name, colon, number = self.input.rpartition(":")
        if self.model is not None and colon and number.isdigit():
            self.input = f"{name}:{max(int(number) + by, 0)}"
        elif self.model is not None:
            self.input = models.primer(self.model) or FRESH
        self.again()

    def action_fresh(self) -> None:
        """Draws a sample and listens to it; another one each time."""
        self.seed += 1
        self.input = FRESH
        self.again()

    def action_layer(self) -> None:
        """Goes to the next layer, round about."""
        if self.model is not None and self.model.layers > 1:
            self.at_layer = self.at_layer % self.model.layers + 1
            self.again()

    def action_write(self) -> None:
        """Writes an SVG where the app was started."""
        if self.model is None or self.view is None or self.input == FRESH:
            self.gated.say("A fresh sample is gone once it was heard: write it from Samples, then choose the file.")
            return
        words = ["gates", self.model.source, "--input", self.input, "--layer", str(self.at_layer)]
        self.write(words, Path(gate_lines.file_name(self.model, self.input, self.at_layer)).absolute())

    # The cursor.

    def action_move(self, by: int) -> None:
        """Moves along time."""
        if self.view is not None:
            self.column = min(max(self.column + by, 0), self.view.columns - 1)
            self.paint()

    def action_unit(self, by: int) -> None:
        """Moves among the units, in the order of the chosen gate."""
        if self.view is not None:
            order = self.view.strips[self.gate].order
            self.unit = order[min(max(order.index(self.unit) + by, 0), len(order) - 1)]
            self.paint()

    def action_gate(self, by: int) -> None:
        """Chooses another gate; the unit stays."""
        if self.view is not None:
            self.gate = (self.gate + by) % len(self.view.strips)
            self.paint()

    def action_enlarge(self, alone: bool) -> None:
        """Shows the chosen gate alone, or all again."""
        self.enlarged = alone and not self.enlarged
        self.paint()

    def on_gate_strip_pointed(self, message: GateStrip.Pointed) -> None:
        """Puts the cursor where the mouse has clicked."""
        self.gate = next(n for n in range(MOST_STRIPS) if message.strip.id == f"gate{n}")
        self.column, self.unit = message.column, message.unit
        self.paint()

    def on_piece_view_pointed(self, message: PieceView.Pointed) -> None:
        """Moves the cursor along time, to where the mouse has clicked."""
        if self.view is not None:
            self.column = int(message.at_s / self.view.step_s + 0.5) // self.view.each
            self.action_move(0)

    # Painting.

    def paint(self) -> None:
        """Brings everything up to date."""
        if not self.is_current or not self.query(KeyLine):
            return
        width, view = self.size.width, self.view
        spinner = looks.SPINNER[self.gated.beat % len(looks.SPINNER)] if self.waits else ""
        what = gate_lines.what(self.model, self.input, self.seed, view, spinner, width)
        self.query_one("#what", Lines).show([what])
        self.query_one("#picture", Vertical).display = view is not None
        self.query_one("#none", Container).display = view is None
        self.query_one("#why", Lines).show(gate_lines.why_none(self.known, self.problem, spinner))
        if view is not None:
            self._show(view, width)
        frame.paint(self, NAME, gate_lines.keys(view, self.model, enlarged=self.enlarged))

    def _show(self, view: GateView, width: int) -> None:
        left, right = margins(width)
        hue = looks.unit(view.unit).colour
        heard = self.query_one("#heard", PieceView)
        heard.show(View(view.piece, pieces.scale([view.piece]), hue, left, right))
        heard.point(self.column * view.each)
        surprise = self.query_one("#surprise", Horizontal)
        surprise.display = self.size.height >= TALL
        surprise.styles.padding = (0, right, 0, 0)
        self.query_one("#nats", Lines).styles.width = left
        self.query_one(Curve).show(Plot((Series(view.nll, looks.unit(view.unit).dim),)))
        for number in range(MOST_STRIPS):
            strip = self.query_one(f"#gate{number}", GateStrip)
            strip.display = number < len(view.strips) and (not self.enlarged or number == self.gate)
            if strip.display:
                strip.show(Shown(view.strips[number], hue, self.column, self.unit, number == self.gate))
        words = gate_view.reading(view, self.column, self.unit, self.gate)
        self.query_one("#reading", Lines).show([gate_view.reading_line(words, width)])
