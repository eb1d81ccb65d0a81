"""Options that several commands share, each with its help."""

from pathlib import Path
from typing import Annotated

import typer

from gatedtui.cli import complete

Runs = Annotated[
    Path | None,
    # Every path is readable=False: Typer would refuse an unreadable one in its own words and with its own exit code.
    typer.Option("--runs", readable=False, help="The runs folder (default ./runs, or GATED_RUNS)."),
]
Json = Annotated[bool, typer.Option("--json", help="Results as JSON on stdout.")]
Plain = Annotated[bool, typer.Option("--plain", help="One line an epoch, no live view.")]
Unit = Annotated[
    str | None,
    typer.Option(
        "--unit",
        help="tanh, lstm or gru; all = one of each.",
        rich_help_panel="Model and data",
        autocompletion=complete.words("tanh", "lstm", "gru", "all"),
    ),
]
Recipe = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        help="paper, modern or librnn (default paper; for speech modern).",
        autocompletion=complete.recipes,
        rich_help_panel="Model and data",
    ),
]
Source = Annotated[
    str | None,
    typer.Argument(
        help="A checkpoint's path, a run's name, or a released name; without it the newest that fits.",
        autocompletion=complete.sources,
    ),
]
