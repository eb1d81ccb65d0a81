"""What is said about a run: pure functions from snapshots to words and styled lines, shared by every view."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gatedtui import events
from gatedtui.events import Diverged, Epoch, Event, Failed, Finished, Resumed, Saved, Started, Step, Stopped
from gatedtui.runs.row import Row
from gatedtui.tui import looks
from gatedtui.tui.looks import Spans
from gatedtui.tui.snapshot import Snapshot


def title(run: Snapshot) -> Spans:
    """`▲ tanh 100`: shape, unit, hidden units; the run's name where the config is not known."""
    look = looks.unit(run.unit)
    size = f" {run.hidden}" if run.hidden is not None else ""
    return [(look.shape, look.bright), (f" {run.unit or looks.clean(run.name)}{size}", looks.BOLD)]


def titles(runs: Sequence[Snapshot]) -> list[Spans]:
    """A title each; where two would be the same, all are the runs' names."""
    found = [title(run) for run in runs]
    if len({str(spans) for spans in found}) == len(found):
        return found
    look = [looks.unit(run.unit) for run in runs]
    return [[(one.shape, one.bright), (f" {name(run, 24)}", looks.BOLD)] for one, run in zip(look, runs, strict=True)]


def name(run: Snapshot | Row, width: int) -> str:
    """The run's name in at most `width` cells."""
    return looks.shorten(looks.clean(run.name), width)


def state(run: Snapshot, now: float, beat: int) -> Spans:
    """The state as a sign and words of about sixteen cells, such as `⠋ epoch 48` or `✔ done in 0:09`.

    Args:
        run: the run.
        now: monotonic time in seconds; runs that have no epoch yet show how long they have been seen.
        beat: counts the paints; the sign of a run at work turns with it.
    """
    sign, style = looks.SIGNS.get(run.word, ("", looks.PLAIN))
    if run.word in ("starting", "training"):
        sign = looks.SPINNER[beat % len(looks.SPINNER)]
    return [(sign, style), (f" {state_words(run, now)}", style if run.problem else looks.PLAIN)]


def state_words(run: Snapshot, now: float) -> str:
    """The state in words."""
    epoch = run.epoch.epoch if run.epoch else 0
    match run.word:
        case "starting":
            return f"starting… {looks.clock(now - run.first_seen)}"
        case "training" if not epoch:
            return f"first epoch {looks.clock(now - run.first_seen)}"
        case "training":
            share = run.share_of_epoch
            return f"epoch {epoch + 1} · {share:3.0%}" if share is not None else f"epoch {epoch}"
        case "stopping":
            return "stopping…"
        case "finished":
            return f"done in {looks.clock(run.elapsed_s)}"
        case "stopped" | "diverged":
            return f"{run.word} @{epoch}"
        case "gone":
            return "folder removed"
    return run.word


def first_words(run: Snapshot) -> str:
    """What is known while there is no epoch to show: something honest, never an empty place."""
    if run.word == "starting":
        return "the worker is starting"
    if isinstance(run.step, Step):
        return f"{run.step.updates:,} updates · loss {looks.nll(run.step.loss)}"
    return "preparing the first epoch"


def best(run: Snapshot) -> str:
    """`best 8.60 @47`, or nothing."""
    return f"best {looks.nll(run.best.valid_nll)} @{run.best.epoch}" if run.best else ""


def paper(run: Snapshot) -> str:
    """`paper 9.10`, or nothing."""
    return f"paper {looks.nll(run.paper)}" if run.paper is not None else ""


def test(run: Snapshot) -> str:
    """`test 8.54`, or nothing."""
    return f"test {looks.nll(run.finished.test_nll_frame)}" if run.finished else ""


def valid(run: Snapshot) -> str:
    """The last validation NLL."""
    return looks.nll(run.epoch.valid_nll if run.epoch else None)


def train(run: Snapshot) -> str:
    """The last training NLL."""
    return looks.nll(run.epoch.train_nll if run.epoch else None)


@dataclass(frozen=True)
class Figure:
    """One number of a run.

    Attributes:
        word: what it is, or "" where the number says it.
        text: the number.
        brief: both in fewer cells, where that is possible.
        bold: whether it is what one looks for.
        joined: whether it is nothing without the one before, and stands beside it.
    """

    word: str
    text: str
    brief: str = ""
    bold: bool = False
    joined: bool = False

    def spans(self, *, brief: bool = False) -> Spans:
        """The word dim, the number plain or bold; a number without a word is dim."""
        if brief and self.brief:
            word, _, text = self.brief.rpartition(" ") if self.word else ("", "", self.brief)
        else:
            word, text = self.word, self.text
        style = looks.BOLD if self.bold else looks.PLAIN if word else looks.DIM
        return [(f"{word} " if word else "", looks.DIM), (text, style)] if text else []


def figures(run: Snapshot) -> list[Figure]:
    """A run's figures, the most telling first; in a narrow place they stand two by two."""
    last, started, done = run.epoch, run.started, run.finished
    total = started.parameters.get("total") if started else None
    weights = Figure("", f"{total:,} weights", f"{total / 1000:.1f}k w") if isinstance(total, int) else Figure("", "")
    found: list[Figure] = []
    if last is not None or not run.alive:
        lowest = looks.nll(run.best.valid_nll) if run.best else looks.NONE
        where = f" @{run.best.epoch}" if run.best else ""
        found += [Figure("valid", valid(run), bold=True), Figure("best", f"{lowest}{where}", f"best {lowest}")]
    elif run.step is not None:
        found += [Figure("loss", looks.nll(run.step.loss)), Figure("", looks.speed(run.frames_per_s))]
    if done is not None:
        found.append(Figure("test", looks.nll(done.test_nll_frame), bold=True))
        found.append(Figure("", f"{looks.nll(done.test_nll_sequence)}/piece", joined=True))
        found += [Figure("", looks.clock(run.elapsed_s)), weights]
    if last is not None:
        if run.word == "training":
            found += [Figure("", looks.speed(run.frames_per_s)), Figure("", looks.left(run.time_left_s))]
        found += [Figure("train", train(run)), Figure("lr", looks.lr(last.lr))]
        if run.word != "training" and done is None:
            found.append(Figure("", "r goes on with it" if run.can_resume else looks.speed(run.frames_per_s)))
            found.append(Figure("", looks.clock(run.elapsed_s)))
        gradient, updates = looks.nll(last.grad_norm), f"{last.updates:,}"
        found += [Figure("gradient", gradient, f"grad {gradient}"), Figure("updates", updates, f"upd {updates}")]
    if started is not None:
        kernel, device = looks.clean(started.kernel), looks.clean(started.device)
        found.append(Figure("", f"{kernel} on {device}", f"{kernel}·{device}"))
        found += [weights] if done is None else []
    if run.marginal is not None:
        found.append(Figure("guessing", looks.nll(run.marginal), f"guess {looks.nll(run.marginal)}"))
    if run.paper is not None:
        found.append(Figure("paper", looks.nll(run.paper)))
    return found


def header(runs: Sequence[Snapshot]) -> list[str]:
    """What the runs share, most telling first: data, recipe, seed, and the kernel with its build."""
    started = [run.started for run in runs if run.started]
    parts = [
        _shared([run.data for run in runs]),
        _shared([f"recipe {run.config.train.recipe}" for run in runs if run.config]),
        _shared([f"seed {run.config.seed}" for run in runs if run.config]),
    ]
    each = " each" if len(runs) > 1 else ""
    parts.append(_shared([f"{kernel(one)}, {one.threads} thread{'s' * (one.threads != 1)}{each}" for one in started]))
    return [looks.clean(part) for part in parts if part]


def kernel(started: Started) -> str:
    """`native avx512`: the kernel, and which build of it where there are several; why it is this one is in the log."""
    build = re.search(r"\bthe (\w+) build\b", started.kernel_why) if started.kernel == "native" else None
    return f"{started.kernel} {build[1]}" if build else started.kernel


def measure(runs: Sequence[Snapshot]) -> list[str]:
    """What the plotted numbers are, and what to hold them against."""
    if runs and all(run.is_sound for run in runs):
        return ["validation NLL, nats a frame of 10 samples", "a density: below zero is right", "dim = training"]
    parts = ["validation NLL, nats a frame"]
    marginals = {looks.nll(run.marginal) for run in runs if run.marginal is not None}
    if len(marginals) == 1:
        parts.append(f"{marginals.pop()} = guessing each pitch by its frequency")
    return [*parts, "dim = training"]


def log_line(event: Event) -> str:
    """One line of the log, beginning with the local time of day."""
    what = ""
    match event:
        case Started():
            what = f"{event.unit} on {event.data}, recipe {event.recipe}, seed {event.seed}, {event.kernel}"
            what += f" ({event.kernel_why})" if event.kernel_why else ""
        case Epoch():
            what = (
                f"{event.epoch:<4} valid {looks.nll(event.valid_nll)}  train {looks.nll(event.train_nll)}  "
                f"gradient {looks.nll(event.grad_norm)}  lr {looks.lr(event.lr)}  {looks.speed(event.frames_per_s)}"
            )
        case Step():
            what = f"{event.updates:,} updates  loss {looks.nll(event.loss)}"
        case Saved() | Resumed() | Stopped():
            what = f"at update {event.updates:,}, epoch {event.epoch}"
        case Diverged():
            what = f"at update {event.updates:,}: {event.what} {event.hint}"
        case Failed():
            what = f"{event.what} {event.hint}"
        case Finished():
            what = f"test {looks.nll(event.test_nll_frame)} a frame, {looks.nll(event.test_nll_sequence)} a piece"
    return looks.clean(f"{time_of_day(event.time)} {events.name(event):<8} {what}".rstrip())


def time_of_day(utc: str) -> str:
    """`14:02:11` in local time, from an event's time; blanks where that cannot be read."""
    try:
        return datetime.fromisoformat(utc).astimezone().strftime("%H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return " " * 8


def news(before: Snapshot | None, now: Snapshot) -> str:
    """A sentence when a run has ended since the last look, else nothing."""
    if before is None or not before.alive or now.alive:
        return ""
    name = looks.clean(now.name)
    if now.word == "finished" and now.finished is not None and math.isfinite(now.finished.test_nll_frame):
        return f"{name} finished, test {looks.nll(now.finished.test_nll_frame)}"
    if now.word == "crashed":
        return f"{name} crashed: its last words are in worker.log"
    reason = f": {looks.clean(now.problem)}" if now.problem else ""
    return f"{name} {now.word}{reason}"


def flow(items: Sequence[Spans], width: int, gap: int = 3) -> list[Spans]:
    """The items side by side on as many lines as they take; none is split over two lines."""
    lines: list[Spans] = []
    for item in items:
        if lines and looks.length(lines[-1]) + gap + looks.length(item) <= width:
            lines[-1] += [(" " * gap, looks.PLAIN), *item]
        else:
            lines.append([*item])
    return lines


def _shared(values: Sequence[str]) -> str:
    """The value, where all are the same; else nothing."""
    return values[0] if values and len(set(values)) == 1 else ""
