"""The command `gated`: one Typer app, and the boundary that turns every error into a sentence and an exit code."""

import os
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from gatedtui.cli import output, usage
from gatedtui.cli.bench import bench
from gatedtui.cli.data import data_app
from gatedtui.cli.doctor import doctor
from gatedtui.cli.evaluate import evaluate
from gatedtui.cli.gates import gates
from gatedtui.cli.help import Command, Group
from gatedtui.cli.listen import listen
from gatedtui.cli.models import models_app
from gatedtui.cli.play import play
from gatedtui.cli.report import report
from gatedtui.cli.runs import runs_app
from gatedtui.cli.sample import sample
from gatedtui.cli.sweep import sweep
from gatedtui.cli.table import table
from gatedtui.cli.train import resume, stop, train
from gatedtui.cli.watch import watch
from gatedtui.errors import BadSource, DeviceError, GatedError

TRAIN, HEAR, LOOK, KEEP = "Train", "Hear", "Look", "Data and machine"
app = typer.Typer(
    name="gated",
    cls=Group,
    help="Train, watch and hear the recurrent units of Chung et al. 2014: tanh, LSTM, GRU.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)
app.command(cls=Command, rich_help_panel=TRAIN)(train)
app.command(cls=Command, rich_help_panel=TRAIN)(resume)
app.command(cls=Command, rich_help_panel=TRAIN)(stop)
app.command(cls=Command, rich_help_panel=TRAIN)(watch)
app.command(cls=Command, rich_help_panel=TRAIN)(sweep)
app.command(cls=Command, rich_help_panel=HEAR)(sample)
app.command(cls=Command, rich_help_panel=HEAR)(play)
app.command(cls=Command, rich_help_panel=HEAR)(listen)
app.command(name="eval", cls=Command, rich_help_panel=LOOK)(evaluate)
app.command(cls=Command, rich_help_panel=LOOK)(table)
app.command(cls=Command, rich_help_panel=LOOK)(gates)
app.command(cls=Command, rich_help_panel=LOOK)(report)
app.add_typer(runs_app, name="runs", rich_help_panel=LOOK)
app.add_typer(data_app, name="data", rich_help_panel=KEEP)
app.add_typer(models_app, name="models", rich_help_panel=KEEP)
app.command(cls=Command, rich_help_panel=KEEP)(bench)
app.command(cls=Command, rich_help_panel=KEEP)(doctor)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        output.result(f"gated {version('gatedtui')}")
        raise typer.Exit()


@app.callback(invoke_without_command=True)
def terminal_app(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Without a command: the terminal app."""
    if context.invoked_subcommand is None:
        from gatedtui.cli.app import terminal_app as run

        run()


def main() -> None:
    """Runs `gated` and exits with its code."""
    output.spell()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command and gives its exit code; no exception leaves it unless `GATED_DEBUG=1`."""
    try:
        usage.check_words(arguments)
        return app(arguments, standalone_mode=False, prog_name="gated") or 0
    except GatedError as error:
        if os.environ.get("GATED_DEBUG") == "1":
            raise
        output.complain(error)
        return error.exit_code
    except TyperException as error:
        if usage.wants_help(error):
            output.say(str(error).rstrip())
        else:
            output.complain(usage.complaint(error))
        return 2
    except SystemExit as error:
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        output.give_up_stdout()  # Typer makes a closed pipe an exit with 1, which here says that a run failed
        return 0
    except (KeyboardInterrupt, EOFError, typer.Abort):  # Ctrl-C anywhere, also where something is asked, or no answer
        output.again("")
        output.say("interrupted")
        return 130
    except Exception as error:
        if os.environ.get("GATED_DEBUG") == "1":
            raise
        complaint = _unreadable(error) or _unforeseen(error)
        output.complain(complaint)
        return complaint.exit_code


def _unreadable(error: Exception) -> BadSource | None:
    """A path that was typed and that the file system refuses: too long, or in a folder without permission."""
    if not isinstance(error, OSError) or not isinstance(error.filename, str | bytes):
        return None
    what = f"'{os.fsdecode(error.filename)}' cannot be read ({error.strerror})."
    return BadSource(what, "Check the path, and the permissions of its folder.")


def _unforeseen(error: Exception) -> GatedError:
    """What no command expects: half an installation, else a fault of ours."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    package = (name or "gatedtui").partition(".")[0]
    if package != "gatedtui":
        hint = f"pip install {package}; gated doctor tells what else is missing."
        return DeviceError(f"The package '{package}' is not installed.", hint)
    what = f"Something unforeseen happened: {type(error).__name__}: {error}"
    return GatedError(what, "Please report it; GATED_DEBUG=1 in front of the command prints the traceback.")
