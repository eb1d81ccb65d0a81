"""`gated table`: our Table 2 beside the paper's and what others publish."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatedtui import atomic, paths
from gatedtui.cli import complete, output
from gatedtui.cli.options import Json, Runs
from gatedtui.errors import BadSource, unknown

if TYPE_CHECKING:
    from gatedtui.table.cells import Cell
    from gatedtui.table.layout import Block

FORMATS = ("text", "markdown", "csv", "json")
SPLITS = ("test", "train")


def table(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names of sweeps, or folders of runs; without any, all runs and sweeps there are.",
            autocompletion=complete.sweeps,
        ),
    ] = None,
    runs: Runs = None,
    split: Annotated[
        str, typer.Option("--split", help="test or train.", autocompletion=complete.words(*SPLITS))
    ] = "test",
    form: Annotated[
        str, typer.Option("--format", help="text, markdown, csv or json.", autocompletion=complete.words(*FORMATS))
    ] = "text",
    figures: Annotated[
        Path | None,
        typer.Option(
            "--figures", readable=False, help="Write the paper's figures 2 and 3 of these runs there, as SVG."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Our Table 2 beside the paper's, by frame and by piece, picked by validation, mean and deviation over seeds."""
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    if form not in FORMATS:
        raise unknown("format", form, FORMATS)
    from gatedtui.table import layout, results
    from gatedtui.table.cells import cells

    place = runs or paths.runs_folder()
    found, notes = results.read(names or (), runs=place)
    for note in notes:
        output.say(note)
    made = cells(found)
    if not made:
        hint = f"gated sweep{paths.runs_flag(place)} makes a whole table's."
        raise BadSource(f"There are no runs in '{place}' to tabulate.", hint)
    if figures is not None:
        _draw(made, figures)
    if json or form == "json":
        output.document(layout.as_document(made))
    elif form == "csv":
        output.result(layout.comma_separated(made).rstrip("\n"))
    elif form == "markdown":
        blocks = [*layout.table_two(made, split=split), layout.picked(made)]
        output.result(layout.markdown(blocks, layout.notes(made)).rstrip("\n"))
    else:
        show(made, split=split)


def show(made: "list[Cell]", *, split: str = "test") -> None:
    """The whole table as text on stdout."""
    from gatedtui.table import layout

    for block in layout.table_two(made, split=split):
        show_block(block)
    show_block(layout.picked(made))
    for note in layout.notes(made):
        output.say(note)


def show_block(block: "Block") -> None:
    """A block as text on stdout, an empty line after it."""
    spare = [name for name in ("in all", "output", "time", "lr", "source") if name in block.columns]
    output.result(block.title)
    output.table(list(block.columns), [list(row) for row in block.rows], right=set(block.right), spare=spare)
    output.result()


def _draw(made: "list[Cell]", folder: Path) -> None:
    from gatedtui.page import figures
    from gatedtui.table.curves import panels

    drawn = {data: figures.learning_curves(title, curves) for data, title, curves in panels(made)}
    atomic.folder(folder)
    for data, text in drawn.items():
        path = folder / f"{data}.svg"
        atomic.write(path, text.encode())
        output.say(f"wrote {path}")
