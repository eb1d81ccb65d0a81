"""`gated report`: what runs reached, beside the paper, with curves, gates and songs, as one HTML file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gatedtui import paths
from gatedtui.cli import complete, output, pages
from gatedtui.cli.options import Runs
from gatedtui.cli.progress import Bar
from gatedtui.errors import BadArgument


def report(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN]...",
            help="Runs, released models or checkpoints; without any, the newest runs.",
            autocompletion=complete.sources,
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", readable=False, help="FILE.html.")] = None,
    samples: Annotated[int, typer.Option("--samples", help="Songs of each model; 0 = none.")] = 3,
    piece: Annotated[int, typer.Option("--piece", help="The test piece they all go on from, by number.")] = 0,
    seconds: Annotated[
        float | None, typer.Option("--seconds", help="Length of what they draw (default 20, speech 3, or less).")
    ] = None,
    temperature: Annotated[float, typer.Option("--temperature", help="Below 1 cautious, above 1 adventurous.")] = 1.0,
    seed: Annotated[int, typer.Option("--seed", help="Of each model's first song; the next count on.")] = 1,
    qpm: Annotated[float, typer.Option("--qpm", help="Quarter notes a minute.")] = 96.0,
    runs: Runs = None,
) -> None:
    """Writes a page that needs nothing else: the paper's Table 2 beside ours, parameters, learning curves, songs from
    one primer beside the real continuation, gates, statistics, and the commands that make it all again.

    Without RUN: the newest run with the newest of the other units on the same data, else released models.
    """
    if out is None:
        raise BadArgument("Where should the report go?", "gated report --out report.html")
    pages.check_file(out, "--out")
    pages.check_ranges(samples=(samples, 0, 9), piece=(piece, 0, 10**9), seed=(seed, 0, 2**62))
    pages.check_ranges(seconds=(seconds, 0.1, 600.0), temperature=(temperature, 1e-3, 1e3), qpm=(qpm, 4.0, 1000.0))
    from gatedtui.page import findings
    from gatedtui.page.report import page

    place = runs or paths.runs_folder()
    chosen = findings.models(sources or [], runs=place, typed=runs)
    for model in chosen:
        config = model.checkpoint.config
        output.say(f"{model.label}: {config.model.unit} {config.model.hidden} on {config.data.name}, {model.state}")
    choices = findings.Choices(samples, piece, seed, seconds, temperature, qpm)
    with Bar() as bar:
        found = findings.groups(
            chosen,
            choices,
            runs=place,
            cache=paths.cache_folder(),
            mirror=paths.mirror(),
            progress=bar,
            say=output.say,
        )
    words = _command([model.word for model in chosen], out, choices, runs)
    pages.write(out, page(found, command=words))


def _command(words: list[str], out: Path, choices: Any, runs: Path | None) -> list[str]:
    """The command that makes the same report: with the models named, and what differs from the defaults."""
    plain = type(choices)()
    typed = ["gated", "report", *words]
    for name in ("samples", "piece", "seed", "seconds", "temperature", "qpm"):
        value = getattr(choices, name)
        if value != getattr(plain, name):
            typed += [f"--{name}", f"{value:g}" if isinstance(value, float) else str(value)]
    return [*typed, *(["--runs", str(runs)] if runs else []), "--out", out.name]
