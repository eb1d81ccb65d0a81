"""`gated sweep`: the paper's protocol as a command."""

import os
import shlex
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatedtui import paths
from gatedtui.cli import complete, output
from gatedtui.cli.options import Json, Plain, Recipe, Runs
from gatedtui.cli.progress import Bar
from gatedtui.errors import BadArgument, GatedError, nearest, unknown
from gatedtui.runs import launch
from gatedtui.runs.folder import RunFolder

if TYPE_CHECKING:
    from gatedtui.sweep.board import Board
    from gatedtui.sweep.folder import SweepFolder
    from gatedtui.sweep.local import Happening
    from gatedtui.sweep.plan import Sweep, Trial

ENGINES = ("local", "ray")
DRAW_EVERY = 2
"""Moments (a fifth of a second each) between two pictures of the live view."""


def sweep(
    units: Annotated[
        list[str] | None,
        typer.Option(
            "--unit",
            help="tanh, lstm, gru or all; repeatable.",
            autocompletion=complete.words("tanh", "lstm", "gru", "all"),
            rich_help_panel="Model and data",
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            help="A data set; repeatable (default jsb nottingham muse piano).",
            autocompletion=complete.data,
            rich_help_panel="Model and data",
        ),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option(
            "--draws", help="Trials for each unit and data set (default 10).", rich_help_panel="Model and data"
        ),
    ] = None,
    seeds: Annotated[
        list[int] | None,
        typer.Option(
            "--seed", help="Seed of the draws; each repeats everything (default 0).", rich_help_panel="Model and data"
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="KEY=VALUE, or what to draw from: KEY=log(a,b), uniform(a,b), choice(a,b,c).",
            autocompletion=complete.settings,
            rich_help_panel="Model and data",
        ),
    ] = None,
    recipe: Recipe = None,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            help="A model file or name (gated models list); repeatable.",
            autocompletion=complete.models,
            rich_help_panel="Model and data",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", help="Passes over the training set, at most.", rich_help_panel="Model and data"),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="The sweep's name (default sweep-N).", autocompletion=complete.sweeps)
    ] = None,
    runs: Runs = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", help="Trials at a time (default: one a core).", rich_help_panel="By what")
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            help="local, or ray (pip install 'gatedtui[ray]').",
            autocompletion=complete.words(*ENGINES),
            rich_help_panel="By what",
        ),
    ] = "local",
    stack: Annotated[
        int | None,
        typer.Option(
            "--stack",
            help="Train so many trials of one shape as one: for --set device=cuda.",
            rich_help_panel="By what",
        ),
    ] = None,
    address: Annotated[
        str | None, typer.Option("--address", help="An existing Ray cluster's address.", rich_help_panel="By what")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Train without this terminal.")] = False,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """For each unit and data set: draws ten learning rates, trains each, and reports the one validation picks.

    Without --set train.lr=WHAT the rates are the paper's, exp(U(-12, -6)). Ctrl-C stops and saves; the same command, or
    gated sweep --name NAME alone, goes on. gated table NAME prints the results again.
    """
    from gatedtui import start as starting
    from gatedtui.sweep import folder as sweeps
    from gatedtui.sweep import plan as planning
    from gatedtui.sweep import stacks

    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES)
    if address is not None and engine != "ray":
        raise BadArgument(f"'--address {address}' goes with --engine ray alone.", "Add --engine ray, or leave it out.")
    if jobs is not None and jobs < 1:
        raise BadArgument(f"There must be at least one job, not '{jobs}'.", "gated sweep --jobs 2")
    if stack is not None and (stack < 1 or engine != "local" or jobs is not None):
        what = f"'--stack {stack}' is a number of trials, 1 or more, in one process of the local engine."
        raise BadArgument(what, "gated sweep --stack 30 --set device=cuda")
    place = runs or paths.runs_folder()
    words = {"units": units, "data": data, "draws": draws, "seeds": seeds, "settings": settings}
    words |= {"recipe": recipe, "models": models, "epochs": epochs}
    typed = {key: value for key, value in words.items() if value is not None and value != []}
    there = sweeps.named(place, name) if name is not None else None
    if there is not None and name is not None and not there.is_there and not typed:
        _refuse_a_typo(place, name)
    if there is not None and there.is_there and not typed:
        made = there.about()
    else:
        made = planning.resolved(planning.sweep(**typed))  # pyright: ignore[reportArgumentType]
    trials = planning.trials(made)
    if stack is not None:
        stacks.check(trials)
    if there is not None and there.is_there:
        sweeps.check_same(there, made)
        sweeps.check_trials(there, trials)
    with Bar() as bar:
        starting.make_ready([trial.config for trial in trials], progress=bar)
    folder = sweeps.create(place, name or sweeps.free_name(place), made)
    again = _again(folder, runs, jobs, stack, engine, address)
    if detach:
        _detach(folder, again, json=json)
        return
    how = {"jobs": jobs, "stack": stack, "engine": engine, "address": address}
    _report(folder, made, trials, **how, again=again, json=json, plain=plain)  # pyright: ignore[reportArgumentType]


def _refuse_a_typo(place: Path, name: str) -> None:
    """A name alone goes on with a sweep: one that is nearly another's would begin hours of work that nobody meant."""
    from gatedtui.sweep import folder as sweeps

    meant = nearest(name, [one.name for one in sweeps.all_sweeps(place)])
    if meant is not None:
        new = f"gated sweep --name {shlex.quote(name)} --data jsb{paths.runs_flag(place)}"
        hint = f"Did you mean '{meant}'? To begin a new one, say of what: {new}"
        raise BadArgument(f"There is no sweep '{name}' in '{place}' to go on with.", hint)


def _report(
    folder: "SweepFolder",
    made: "Sweep",
    trials: "list[Trial]",
    *,
    jobs: int | None,
    stack: int | None,
    engine: str,
    address: str | None,
    again: list[str],
    json: bool,
    plain: bool,
) -> None:
    """Trains what is left, shows it, and exits with the sweep's code."""
    from gatedtui.cli.sweep_view import Lines, Picture
    from gatedtui.sweep.board import Board
    from gatedtui.sweep.folder import driving

    board = Board(folder)
    with driving(folder), _asking_to_stop() as came:
        board.refresh()
        _say_what(board, made, stack or jobs or _cores(), engine)
        happenings = _engine(engine, folder, trials, jobs, stack, address, lambda: bool(came))
        if json or plain or not output.on_a_terminal():
            _through(happenings, board, Lines(board, output.say if json else output.result).show)
        else:
            with output.drawing() as draw:
                _through(happenings, board, Picture(board, draw).show)
    board.refresh()
    raise typer.Exit(_closing(board, interrupted=bool(came), again=again, json=json))


def _engine(
    engine: str,
    folder: "SweepFolder",
    trials: "list[Trial]",
    jobs: int | None,
    stack: int | None,
    address: str | None,
    should_stop: Callable[[], bool],
) -> "Iterator[Happening]":
    if engine == "ray":
        from gatedtui.sweep import cluster

        return cluster.train(folder, trials, jobs=jobs, address=address, should_stop=should_stop)
    if stack is not None:
        from gatedtui.sweep import stacks

        return stacks.train(folder, trials, size=stack, should_stop=should_stop)
    from gatedtui.sweep import local

    return local.train(folder, trials, jobs=jobs or _cores(), should_stop=should_stop)


def _through(happenings: "Iterator[Happening]", board: "Board", show: "Callable[[Happening], None]") -> None:
    moments = 0
    try:
        for happening in happenings:
            moments += 1
            if happening is not None or moments % DRAW_EVERY == 0:
                board.refresh()
                show(happening)
    finally:
        happenings.close()  # pyright: ignore[reportAttributeAccessIssue]


def _closing(board: "Board", *, interrupted: bool, again: list[str], json: bool) -> int:
    """The table, what is missing, and the exit code."""
    from gatedtui.cli.table import show
    from gatedtui.table import layout
    from gatedtui.table.cells import cells
    from gatedtui.table.results import of_board

    made = cells(of_board(board))
    if json:
        about = {"name": board.folder.name, "path": str(board.folder.path), "trials": len(board.views)}
        words = sorted({view.word for view in board.views})
        output.document(about | {"status": {w: board.count(w) for w in words}} | layout.as_document(made))
    elif any(cell.picked for cell in made):
        show(made)
    left = [view for view in board.views if not view.is_done]
    if left:
        stuck = [f"{board.count(word)} {word}" for word in ("failed", "crashed", "stopped") if board.count(word)]
        told = f" ({', '.join(stuck)})" if stuck else ""
        output.say(f"{len(left)} of {len(board.views)} trials are not done{told}; go on:  {_command(again)}")
    lost = next((view for view in left if view.word in ("failed", "crashed")), None)
    if lost is not None:
        what = getattr(lost.history.last, "what", "") or "it ended without a word."
        output.complain(
            GatedError(f"The trial '{lost.slot.name}' {lost.word}: {what}", f"Its log: {lost.run.log_path}")
        )
    log = board.folder.log_path
    if left and not interrupted and log.exists() and log.stat().st_size:
        output.say(f"  what the workers said last is in {log}")
    if interrupted:
        return 130 if left else 0
    return 1 if left else 0


def _say_what(board: "Board", made: "Sweep", jobs: int, engine: str) -> None:
    done = board.count("finished", "diverged")
    seeds = f" × {len(made.seeds)} seeds" if len(made.seeds) > 1 else ""
    drawn = ", ".join(f"{key} from {one}" for key, one in made.spaces.items()) or "nothing drawn but the seed"
    output.say(
        f"sweep {board.folder.name}: {len(made.data)} data × {len(made.units)} units × {made.draws} draws{seeds} = "
        f"{len(board.views)} trials{f', {done} done already' if done else ''}; {drawn}; "
        f"{f'{jobs} at a time' if engine == 'local' else 'on Ray'}   {board.folder.path}"
    )


@contextmanager
def _asking_to_stop() -> Iterator[list[int]]:
    """While inside, SIGINT and SIGTERM are noted, and the end of the terminal only ends the view."""
    came: list[int] = []

    def ask(number: int, _frame: object) -> None:
        came.append(number)
        if len(came) == 1:
            output.say("stopping: each trial finishes its update and saves …")

    def lose(_number: int, _frame: object) -> None:
        output.give_up_terminal()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lose)
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _detach(folder: "SweepFolder", again: list[str], *, json: bool) -> None:
    """Starts the command that goes on with the sweep in a session of its own."""
    from gatedtui.sweep.folder import driving

    with driving(folder):
        pass  # else the words that it is being trained would stand in the log alone
    log = folder.path / "sweep.log"
    process = launch.start_detached([*again, "--plain"], log)
    if not launch.wait_until_locked(RunFolder(folder.path), process) and process.returncode:
        raise GatedError(f"The sweep '{folder.name}' could not go on by itself.", f"Its words are in '{log}'.")
    output.document({"sweep": folder.name}) if json else output.result(folder.name)
    named = shlex.quote(folder.name) + paths.runs_flag(folder.path.parent)
    output.say(f"the sweep goes on without this terminal; gated table {named} shows it, gated stop {named} stops it")


def _again(
    folder: "SweepFolder", runs: Path | None, jobs: int | None, stack: int | None, engine: str, address: str | None
) -> list[str]:
    """The words after `gated` that go on with a sweep."""
    words = ["sweep", "--name", folder.name]
    for flag, value in (("--runs", runs), ("--jobs", jobs), ("--stack", stack), ("--address", address)):
        words += [flag, str(value)] if value is not None else []
    return [*words, "--engine", engine] if engine != "local" else words


def _command(again: list[str]) -> str:
    return shlex.join(["gated", *again])


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # other systems than Linux
        return os.cpu_count() or 1
