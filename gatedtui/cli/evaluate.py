"""`gated eval`: the NLL of a trained model on a split, in both weightings."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from gatedtui import paths
from gatedtui.cli import complete, output
from gatedtui.cli.options import Json, Runs, Source
from gatedtui.cli.progress import Bar
from gatedtui.data import catalogue
from gatedtui.data.catalogue import Entry
from gatedtui.errors import BadSource, unknown

if TYPE_CHECKING:
    from gatedtui.sources import Source as Found

SPLITS = ("train", "valid", "test")


def evaluate(
    source: Source = None,
    data: Annotated[
        str | None, Option("--data", help="Another data set than the model's own.", autocompletion=complete.data)
    ] = None,
    split: Annotated[
        str, Option("--split", help="train, valid or test.", autocompletion=complete.words(*SPLITS))
    ] = "test",
    runs: Runs = None,
    json: Json = False,
) -> None:
    """Scores a model: frames 2..T of every piece, weighted by frame and by piece."""
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    from gatedtui.data import prepare

    other = None if data is None else catalogue.entry(data, cache=paths.cache_folder())
    found = _model(source, other, runs or paths.runs_folder())
    output.say(found.described)
    trained_on = found.checkpoint.data
    rate_hz = found.checkpoint.config.data.rate_hz
    if other is not None:  # a folder is brought to the model's rate; all others have their own
        rate_hz = int(trained_on["rate_hz"]) if other.kind == "speech" and other.folder and not other.imported else 0
    with Bar() as bar:
        dataset = prepare.prepare(
            other.name if other else trained_on["name"],
            cache=paths.cache_folder(),
            mirror=paths.mirror(),
            rate_hz=rate_hz,
            progress=bar,
        )
    from gatedtui import evaluate as evaluation  # loads torch: a second that a mistyped name need not wait for

    scored = evaluation.evaluate(found.checkpoint, dataset, split)
    if json:
        output.document(scored)
        return
    counts = scored["parameters"]
    output.result(
        f"{scored['data']} {split}: {scored['nll_frame']:.4f} nats a frame · {scored['nll_sequence']:.4f} a piece"
    )
    frames, pieces = scored["frames"], scored["sequences"]
    length = f"{frames:,} frame{'s' * (frames != 1)} in {pieces} piece{'s' * (pieces != 1)}"
    output.result(f"  {length}; {scored['joint']} outputs")
    output.result(
        f"  weights: {counts['recurrent']:,} recurrent, {counts['output']:,} output, {counts['total']:,} in all"
    )


def _model(source: str | None, other: Entry | None, runs: Path) -> "Found":
    """The model that is scored; where none is named and data is, the newest trained on it, else of its kind."""
    from gatedtui import sources

    if source is not None or other is None:
        return sources.find(source, runs=runs)
    with suppress(BadSource):
        return sources.find(None, runs=runs, data=other.name)
    return sources.find(None, runs=runs, kind=other.kind)
