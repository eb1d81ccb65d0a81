"""Following workers until they are over: the live view on a terminal, one line an epoch or JSON lines elsewhere."""

import shlex
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from subprocess import Popen
from typing import TYPE_CHECKING

import typer

from gatedtui import events, paths
from gatedtui.cli import layout, output
from gatedtui.cli.runs import number
from gatedtui.config import RunConfig
from gatedtui.errors import GatedError
from gatedtui.events import Diverged, Epoch, Event, Failed, Finished, Resumed, Started, Stopped
from gatedtui.runs import follow, launch
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.history import History, load
from gatedtui.runs.status import status
from gatedtui.tui import looks

if TYPE_CHECKING:
    from gatedtui.start import Worker


def after_start(workers: "Sequence[Worker]", *, detach: bool, json: bool, plain: bool, from_start: bool = True) -> None:
    """Follows workers this process started, then exits with the code of the worst of them.

    SIGINT and SIGTERM ask the workers to stop and wait for them; `d` in the live view leaves them training.
    `from_start=False` leaves out what the runs told before they were resumed.
    """
    runs, processes = [worker.run for worker in workers], {worker.run: worker.process for worker in workers}
    watch = f"gated watch {shlex.join(run.name for run in runs)}{paths.runs_flag(runs[0].path.parent)}"
    if detach:
        for run in runs:
            output.line({"run": run.name}) if json else output.result(run.name)
        output.say(f"training goes on without this terminal; {watch}")
        return
    interrupted = False
    if json or plain or not output.on_a_terminal():
        with _asking_to_stop(processes) as asked:
            for run, event in follow.follow(runs, processes=processes, from_start=from_start):
                if json or not isinstance(event, Failed | Diverged):  # those two are in the closing lines
                    tell(run, event, json=json)
            interrupted = bool(asked)
    else:
        from gatedtui.tui.inline import run_live

        outcome = run_live(runs, processes=processes)
        if outcome == "open":
            from gatedtui.cli.app import terminal_app

            terminal_app(runs[0].path.parent, runs[0].path)
            return
        if outcome == "detached":
            output.say(f"training goes on; {watch}")
            return
        interrupted = outcome == "interrupted"
    for worker in workers:
        _await_exit(worker)
    code = closing(runs, json=json)
    raise typer.Exit(130 if interrupted else code)


@contextmanager
def _asking_to_stop(processes: Mapping[RunFolder, Popen[bytes]]) -> Iterator[list[int]]:
    """While inside, SIGINT and SIGTERM ask the runs to stop; gives the list of signals that came."""
    came: list[int] = []

    def ask(number: int, _frame: object) -> None:
        came.append(number)
        if len(came) == 1:
            output.say("stopping: each run finishes its update and saves …")
        for run, process in processes.items():
            launch.request_stop(run, process=process)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _await_exit(worker: "Worker") -> None:
    """A worker lets go of its lock a moment before its process ends; waits for that moment."""
    deadline = time.monotonic() + 5
    while worker.process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


def tell_line(run: RunFolder, event: Event) -> str | None:
    """The honest line for an event, or None for events that are only signs of life."""
    match event:
        case Started():
            counts = event.parameters
            sizes = f"{counts.get('recurrent', 0):,} recurrent + {counts.get('output', 0):,} output weights"
            threads = f"{event.threads} thread{'s' * (event.threads != 1)}"
            return (
                f"{run.name}: {event.unit} on {event.data}, recipe {event.recipe}, seed {event.seed}, {sizes}; "
                f"{event.kernel}: {event.kernel_why}; {event.device}, {threads}"
            )
        case Epoch():
            return (
                f"{run.name}: epoch {event.epoch}  train {number(event.train_nll)}  valid {number(event.valid_nll)}  "
                f"(a piece {number(event.valid_nll_sequence)})  gradient {number(event.grad_norm)}  "
                f"{event.frames_per_s / 1000:.0f}k frames/s  {event.elapsed_s:.1f} s"
            )
        case Resumed():
            return f"{run.name}: resumed at update {event.updates:,}"
        case Diverged():
            return f"{run.name}: diverged at update {event.updates:,}: {event.what} {event.hint}"
        case Stopped():
            return f"{run.name}: stopped at update {event.updates:,}"
        case Failed():
            return f"{run.name}: failed: {event.what} {event.hint}"
    return None


def tell(run: RunFolder, event: Event, *, json: bool) -> None:
    """An event as it comes: epochs on stdout, the rest on stderr; with `json` each is a line on stdout."""
    if json:
        output.line({"run": run.name} | events.to_dict(event))
    elif line := tell_line(run, event):
        (output.result if isinstance(event, Epoch) else output.say)(line)


def closing(runs: Sequence[RunFolder], *, json: bool) -> int:
    """The lines that stay after training, and the exit code of the worst run."""
    room = None if json else output.width()
    titles = [_title(run.config()) for run in runs]
    wide = max(map(len, titles))
    codes = [_close(run, title.ljust(wide), json=json, width=room) for run, title in zip(runs, titles, strict=True)]
    if codes.count(0) > 1:
        output.say(f"  compare:  gated table{paths.runs_flag(runs[0].path.parent)}")
    if any(code == 0 and run.config().model.head == "mixture" for run, code in zip(runs, codes, strict=True)):
        output.say("  the NLL of speech is that of a density (10 samples a frame): below zero is right, less is better")
    return max(codes)


def _title(config: RunConfig) -> str:
    joint = " with joint outputs" if config.model.head == "nade" else ""
    return f"{looks.unit(config.model.unit).shape} {config.model.unit} {config.model.hidden}{joint}"


def _close(run: RunFolder, title: str, *, json: bool, width: int | None) -> int:
    history, word = load(run), status(run).word
    write = output.say if json else output.result
    config, last = run.config(), history.last
    named = shlex.quote(run.name) + paths.runs_flag(run.path.parent)
    if isinstance(last, Finished):
        write("\n".join(layout.parts(_finished(title, last, history, config, run), width=width)))
        ending = "voice.wav" if config.model.head == "mixture" else "song.mid"
        output.say(f"  hear it:  gated sample {named} --out {ending}")
        return 0
    resume = f"  go on:  gated resume {named}"
    if isinstance(last, Failed):
        output.complain(GatedError(f"The run '{run.name}' failed: {last.what}", last.hint))
        return last.exit
    if word == "stopped":
        best = f", best valid {number(history.best.valid_nll)} @{history.best.epoch}" if history.best else ""
        write("\n".join(layout.parts([f"{title}  stopped{best}", str(run.path)], width=width)))
        output.say(resume)
        return 130
    if isinstance(last, Diverged):
        output.complain(GatedError(f"The run '{run.name}' diverged: {last.what}", last.hint))
        return 1
    if word in ("running", "starting"):
        output.say(f"'{run.name}' is still stopping; gated watch {named}")
        return 130
    what = f"The run '{run.name}' ended without a word; its last words are in '{run.log_path}'."
    output.complain(GatedError(what, resume.strip()))
    return 1


def _finished(title: str, last: Finished, history: History, config: RunConfig, run: RunFolder) -> list[str]:
    started = history.started
    paper = started.paper_nll if started else None
    beside = f"paper {paper:.2f}, as recalled" if paper is not None else ""
    if started and not beside:
        guess = "one Gaussian a sample" if config.model.head == "mixture" else "guessing by frequency"
        beside = f"{guess} {number(started.marginal_nll)}"
    test = f"{title}  test {number(last.test_nll_frame)} a frame · {number(last.test_nll_sequence)} a piece"
    return [test, f"({beside})", f"best epoch {last.best_epoch}", str(run.path)]
